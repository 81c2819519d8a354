"""Starts the whole of Yiwang on one machine and keeps it running."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
import time
from collections.abc import Callable

import httpx
from sqlalchemy import func, select

from app.bus_guard import BusGuard
from app.nats import nats_command, write_config
from app.preflight import check_disk, check_ports, lock_folder, outside_port_free
from app.supervise import ChildSpec, Family
from core.errors import YiwangError
from core.settings import Settings, outside_variables
from storage.migrate import migrate
from storage.session import make_engine, read_scope
from storage.tables.registry import Division

Say = Callable[[str], None]
KEPT_OUTSIDE = ("YIWANG_OUTSIDE_PROXIES",)  # of our own variables what the outside door is told besides its settings


class NotReady(YiwangError):
    code = "not_ready"
    message = "{what} did not answer within {seconds:.0f} s"
    remedy = "read {log}"


def say(text: str) -> None:
    """A progress line for the person who typed the command."""
    print(f"[yiwang] {text}", flush=True)


def prepare(settings: Settings, say: Say = say, *, demo: bool = True, full: bool = False) -> str | None:
    """Migrate, seed (``demo``; ``full``: with 370,000 register records), build tiles.

    Returns the first administrator's password when it was just made.
    """
    from app import demo_records
    from dashboard.accounts.users import ensure_admin
    from layers.build import build_tiles
    from layers.importer import add_own_camera, import_city

    def detail(text: str) -> None:
        say(f"      {text}")

    started = time.monotonic()
    say(f"1/4 database: migrating {settings.database_url.split('@')[-1]}")
    migrate(settings.database_url)
    engine = make_engine(settings.database_url)
    try:
        with read_scope(engine) as session:
            seeded = bool(session.scalar(select(func.count()).select_from(Division)))
        if not seeded and demo:
            say("2/4 city: seeding the demo district Erdao 二道区 (220105)")
            import_city(engine, settings, progress=detail)
            demo_records.fill(engine, settings, detail, full=full)
        else:
            say("2/4 city: already there" if seeded else "2/4 city: none yet; python -m app import FOLDER brings yours")
            add_own_camera(engine, settings)
        say("3/4 map tiles: divisions, roads, grid, buildings (only what changed)")
        build_tiles(settings, detail)
        say("4/4 accounts")
        password: str | None = ensure_admin(engine)
    finally:
        engine.dispose()
    say(f"prepared in {time.monotonic() - started:.0f} s")
    return password


def children(settings: Settings, *, demo: bool) -> list[ChildSpec]:
    """The processes of one machine; nats-server first."""
    python = sys.executable
    specs: list[ChildSpec] = []
    if settings.nats_embedded:
        specs.append(ChildSpec("nats-server", tuple(nats_command(write_config(settings)))))
    specs += [ChildSpec(name, (python, "-m", "app", "serve", name)) for name in ("worker", "ingest", "vision", "web")]
    own = {k: v for k, v in os.environ.items() if k in KEPT_OUTSIDE} | outside_variables(settings)
    specs.append(ChildSpec("outside", (python, "-m", "app", "serve", "outside"), own))
    if settings.patrol_every_s:
        every = ("--every", str(settings.patrol_every_s), "--parallel", "32")
        specs.append(ChildSpec("patrol", (python, "-m", "app", "patrol", *every)))
    if demo:
        specs += [
            ChildSpec(f"simulated-{name}", (python, "-m", "app", "device", "simulate", name))
            for name in ("panel", "gauge")
        ]
    return specs


async def run(settings: Settings, *, demo: bool, full: bool = False, say: Say = say) -> int:
    """Prepare and run until SIGINT or SIGTERM; 0 when everything stopped cleanly."""
    lock = lock_folder(settings.data_dir)
    try:
        check_disk(settings.data_dir)
        settings = outside_port_free(settings)
        check_ports(settings)
        password = await asyncio.to_thread(functools.partial(prepare, settings, say, full=full))
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        family = Family(settings.data_dir / "logs", say)
        upkeep: list[asyncio.Task[None]] = []
        try:
            names = "nats-server, worker, ingest, vision, web, outside"
            say(f"starting {names}" + (" and the simulated devices" if demo else ""))
            for spec in children(settings, demo=demo):
                family.start(spec)
            upkeep += [asyncio.create_task(family.rotate_for_ever())]
            if settings.nats_embedded:
                guard = BusGuard(settings, family.children["nats-server"].restart, say)
                upkeep += [asyncio.create_task(guard.run())]
            await until_ready(settings, stop)
            if not stop.is_set():
                _announce(settings, password, say)
            await stop.wait()
            say("stopping …")
        finally:
            for task in upkeep:
                task.cancel()
            await asyncio.gather(*upkeep, return_exceptions=True)
            await family.stop()
        say("stopped")
        return 0
    finally:
        lock.close()


async def until_ready(settings: Settings, stop: asyncio.Event, seconds: float = 120.0) -> None:
    """Wait until the web server answers; :class:`NotReady` after ``seconds``."""
    url = f"http://{settings.web_host}:{settings.web_port}/healthz"
    deadline = time.monotonic() + seconds
    async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
        while not stop.is_set():
            try:
                if (await client.get(url)).status_code == 200:
                    return
            except httpx.HTTPError:
                pass  # not listening yet: that is what we are waiting for
            if time.monotonic() > deadline:
                raise NotReady(what="the web server", seconds=seconds, log=settings.data_dir / "logs" / "web.log")
            await asyncio.sleep(0.3)


def announce_password(password: str | None, say: Say) -> None:
    """Show the first administrator's password, this once."""
    if password:
        say(f"  log in as admin, password:  {password}   (shown this once; change it after logging in)")
    else:
        say("  log in as admin with the password of the first start (a new one: python -m app user password admin)")


def _announce(settings: Settings, password: str | None, say: Say) -> None:
    say("")
    say(f"  Yiwang 一网统管 is running:  {settings.public_url}")
    say(f"  phone page:                 {settings.public_url}/m")
    say(f"  for everybody, no account:  {settings.outside_url}/h")
    announce_password(password, say)
    say(f"  logs: {settings.data_dir / 'logs'}   stop: Ctrl-C")
    say("")
