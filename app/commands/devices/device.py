"""Devices: simulate one, list them, show one, accept one out of quarantine, import many."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import logging
import os
import pkgutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from core.clock import SystemClock
from core.settings import load_settings
from ingest import simulate
from ingest.credentials import credential, digest_of, new_secret
from ingest.nkeys import Issuer
from ingest.router import read_mappings
from storage import device_import, devices, readings
from storage.session import make_engine, read_scope, session_scope

HELP = "list, show, accept, import and simulate devices"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of ``device``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _configure_registry(actions)
    sim = actions.add_parser("simulate", help="play a device over the real socket")
    kinds = sim.add_subparsers(dest="kind", metavar="KIND", required=True)
    for found in sorted(pkgutil.iter_modules(simulate.__path__), key=lambda m: m.name):
        if found.ispkg or found.name.startswith("_"):  # a package: centres and platforms, not devices
            continue
        module = importlib.import_module(f"ingest.simulate.{found.name}")
        kind = kinds.add_parser(found.name, help=module.HELP, description=module.__doc__)
        module.configure(kind)
        kind.set_defaults(simulator=module, handler=_simulate)


def _configure_registry(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listing = actions.add_parser("list", help="devices with their health")
    listing.add_argument("--status", choices=("accepted", "quarantine", "disabled"))
    listing.add_argument("--source", help="gb26875, mqtt, sl651 …")
    listing.add_argument("--health", help="online, silent, flapping, clock_off, stuck, out_of_range, signal_bad")
    listing.add_argument("--query", default="", help="part of id, name or site")
    listing.add_argument("--limit", type=int, default=200)
    listing.set_defaults(handler=_list)
    show = actions.add_parser("show", help="one device: configuration, newest values, health, commands")
    show.add_argument("device")
    show.set_defaults(handler=_show)
    for name, status, text in (
        ("accept", "accepted", "let a device feed rules"),
        ("quarantine", "quarantine", "store and show what a device says, but let it feed no rules"),
        ("disable", "disabled", "ignore a device"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("devices", nargs="+", metavar="DEVICE")
        action.set_defaults(handler=_set_status, status=status)
    key = actions.add_parser("credential", help="give a device a user and password of its own for MQTT and HTTP")
    key.add_argument("device")
    key.add_argument("--revoke", action="store_true", help="take it away; connections that use it end within seconds")
    key.add_argument("--json", action="store_true", help="print JSON")
    key.set_defaults(handler=_credential)
    issuer = actions.add_parser("broker-issuer", help="the public key that a NATS cluster's configuration names")
    issuer.set_defaults(handler=_broker_issuer)
    load = actions.add_parser("import", help="devices from XLSX, CSV or GeoPackage")
    load.add_argument("file", type=Path)
    load.add_argument("--dry-run", action="store_true", help="change nothing; list what would change and every bad row")
    load.add_argument("--coord-sys", default="wgs84", choices=("wgs84", "gcj02", "bd09", "cgcs2000"))
    load.set_defaults(handler=_import)
    for action in (listing, show, load):
        action.add_argument("--json", action="store_true", help="print JSON")


@contextmanager
def _database() -> Iterator[Engine]:
    engine = make_engine(load_settings().database_url)
    try:
        yield engine
    finally:
        engine.dispose()


def _actor() -> str:
    """Who uses the command line, for the record."""
    return f"cli:{os.environ.get('USER', 'unknown')}"[:40]


def _list(args: argparse.Namespace) -> int:
    with _database() as engine, read_scope(engine) as session:
        found = devices.list_devices(
            session,
            status=args.status,
            source=args.source,
            health=args.health,
            query=args.query,
            limit=args.limit,
        )
    if args.json:
        print(msgspec.json.encode(found).decode())
        return 0
    for entry in found:
        device = entry.device
        print(f"{device.device_id:<32} {device.status:<10} {entry.health:<12} {device.name or '-'}  {entry.site_name}")
    print(f"{len(found)} devices")
    return 0


def _show(args: argparse.Namespace) -> int:
    with _database() as engine, read_scope(engine) as session:
        entry = devices.show_device(session, args.device)
        newest = readings.latest(session, args.device)
        spells = devices.health_history(session, args.device, limit=10)
        commands = devices.commands_of(session, args.device, limit=10)
        rain = (
            readings.rain_sums(session, args.device, SystemClock().now())
            if any(value.quantity == "rain_mm" for value in newest)
            else {}
        )
    body = {"device": entry, "latest": newest, "rain_mm_last_hours": rain, "health": spells, "commands": commands}
    if args.json:
        print(msgspec.json.encode(body).decode())
        return 0
    print(msgspec.json.format(msgspec.json.encode(entry)).decode())
    for value in newest:
        name = f"{value.quantity}[{value.channel}]" if value.channel else value.quantity
        shown = value.text if value.value is None else f"{value.value:g} {value.unit}"
        print(f"{name:<40} {shown}  {value.quality}  {_ago(value.observed_at)}")
    for spell in spells:
        print(f"{spell.since:%Y-%m-%d %H:%M:%S} {spell.state:<12} {spell.reason}")
    for command in commands:
        outcome = {None: "under way", True: "ok", False: "failed"}[command.ok]
        print(f"{command.requested_at:%Y-%m-%d %H:%M:%S} {command.name:<12} {outcome:<9} {command.detail}")
    return 0


def _ago(moment: object) -> str:
    gone = SystemClock().now() - moment  # type: ignore[operator]
    return f"{timedelta(seconds=round(gone.total_seconds()))} ago"


def _set_status(args: argparse.Namespace) -> int:
    now = SystemClock().now()
    with _database() as engine, session_scope(engine) as session:
        for device_id in args.devices:
            devices.set_status(session, device_id, args.status, _actor(), now)
            print(f"{device_id}: {args.status}")
    return 0


def _credential(args: argparse.Namespace) -> int:
    secret = None if args.revoke else new_secret()
    with _database() as engine, session_scope(engine) as session:
        device = devices.set_credential(session, args.device, digest_of(secret) if secret else None)
    if secret is None:
        print(f"{args.device}: has no credential of its own any more")
        return 0
    mappings = read_mappings(load_settings().data_dir / "mappings")
    shown = credential(device, secret, mappings)
    if args.json:
        print(json.dumps(shown, ensure_ascii=False))
    else:
        for name, value in shown.items():
            print(f"{name:<10} {value if isinstance(value, str) else ', '.join(value)}")
        print("The password is shown this once and kept only as a hash.")
    return 0


def _broker_issuer(_args: argparse.Namespace) -> int:
    print(Issuer(load_settings().broker_secret).public)
    return 0


def _import(args: argparse.Namespace) -> int:
    rows = device_import.read_table(args.file)
    with _database() as engine, session_scope(engine) as session:
        report = device_import.import_devices(
            session,
            rows,
            actor_id=_actor(),
            now=SystemClock().now(),
            coord_sys=args.coord_sys,
            dry_run=args.dry_run,
        )
    if args.json:
        print(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        for row, column, what in report.problems:
            print(f"row {row}: {column}: {what}")
        verb = "would be" if args.dry_run else "were"
        print(f"{report.rows} rows: {len(report.new)} {verb} new, {len(report.changed)} changed, "
              f"{report.unchanged} unchanged, {len(report.problems)} problems")  # fmt: skip
    return 1 if report.problems else 0


def run(args: argparse.Namespace) -> int:
    """Run the action."""
    status: int = args.handler(args)
    return status


def _simulate(args: argparse.Namespace) -> int:
    logging.basicConfig(level="WARNING", format="%(message)s")
    figures = asyncio.run(_play(args))
    if figures:
        print(json.dumps(figures), flush=True)
    return 1 if figures.get("failed") else 0


async def _play(args: argparse.Namespace) -> dict[str, object]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    figures: dict[str, object] = await args.simulator.run(args, load_settings(), stop)
    return figures
