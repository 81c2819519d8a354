"""Replay a recorded period as a drill: own subjects, database and clock, silent notifiers; the live city rests.

python -m app drill --from 2026-07-01T08:00 --to 2026-07-01T12:00 --speed 60
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from app.commands.rules import parse_moment
from app.nats import nats_command, write_config
from core.clock import BEIJING
from core.errors import InputInvalid
from core.ids import new_id
from core.settings import Settings, load_settings
from events.runtime.drill import DrillPlan, DrillReport, drill_settings, run_drill

HELP = "replay a recorded period beside the live city, up to 1,000 times as fast"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="since", required=True, help="2026-07-01T08:00 (Beijing time if no offset)")
    parser.add_argument("--to", dest="until", required=True)
    parser.add_argument("--speed", type=float, default=60.0, help="how many times as fast (default 60)")
    parser.add_argument("--name", default="", help="name of the drill: a-z and 0-9")
    parser.add_argument("--discard", action="store_true", help="delete the drill's database afterwards")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> int:
    settings = load_settings()
    plan = DrillPlan(
        drill_id=args.name or new_id()[-8:],
        since=parse_moment("--from", args.since),
        until=parse_moment("--to", args.until),
        speed=args.speed,
    )
    _check(settings, plan)
    with _bus(settings) as reachable:
        report = asyncio.run(_run(reachable, plan, quiet=args.json))
    if args.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)
    if args.discard:
        shutil.rmtree(drill_settings(settings, plan.drill_id).data_dir)
    return 0 if report.stored >= report.published and not report.dead_letters and not report.unsent else 1


def _check(settings: Settings, plan: DrillPlan) -> None:
    if not re.fullmatch(r"[a-z0-9]{1,24}", plan.drill_id):
        raise InputInvalid(field="--name", detail=f"{plan.drill_id!r}", how="use up to 24 of a-z and 0-9")
    if not 0.1 <= plan.speed <= 1000:
        raise InputInvalid(field="--speed", detail=f"{plan.speed}", how="choose from 0.1 to 1000")
    if plan.until <= plan.since:
        raise InputInvalid(field="--to", detail="is not after --from", how="give a period that ends after it begins")
    if drill_settings(settings, plan.drill_id).data_dir.exists():
        raise InputInvalid(field="--name", detail=f"drill {plan.drill_id!r} exists already", how="choose another name")


async def _run(settings: Settings, plan: DrillPlan, *, quiet: bool) -> DrillReport:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await run_drill(settings, plan, stop, (lambda _: None) if quiet else print)


@contextmanager
def _bus(settings: Settings) -> Iterator[Settings]:
    """The settings that reach a bus: the live one when it runs, else a throw-away nats-server of our own."""
    with socket.socket() as probe:
        probe.settimeout(1)
        up = not settings.nats_embedded or probe.connect_ex(("127.0.0.1", settings.nats_port)) == 0
    if up:
        yield settings
        return
    with TemporaryDirectory(prefix="yiwang-drill-") as folder:
        ports = _free_ports(2)
        url = f"nats://127.0.0.1:{ports[0]}"
        apart = settings.with_(nats_port=ports[0], mqtt_port=ports[1], nats_url=url, nats_ca="")
        config = write_config(apart.with_(data_dir=Path(folder)))
        server = subprocess.Popen(nats_command(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield apart
        finally:
            server.terminate()
            server.wait(10)


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def _print(report: DrillReport) -> None:
    def local(moment: datetime) -> str:
        return f"{moment.astimezone(BEIJING):%Y-%m-%d %H:%M}"

    print(f"drill {report.drill_id}: {local(report.since)} to {local(report.until)} at {report.speed:g}×")
    print(f"  {report.published} published, {report.stored} stored, {report.dead_letters} dead letters")
    print(f"  {report.cases} cases from {report.linked} reports, {report.notices} notices")
    print(f"  at most {report.busiest_10_min} new cases within ten minutes")
    for title, counts in (("department", report.by_department), ("severity", report.by_severity),
                          ("state", report.by_state)):  # fmt: skip
        for name, number in counts.items():
            print(f"  {title:<10} {name:<24} {number}")
    print(f"  database {report.database_url}")
