"""Run one of the processes (run starts them all; a district that outgrew one machine starts them apart)."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import re
import signal
import sys

from app import logs
from core.errors import InputInvalid
from core.memory import keep_small
from core.settings import Settings, load_settings

NICER = 5  # a person who waits for a page goes before a flood of messages: a third of the web process's weight

HELP = "run one process: web, worker, ingest, vision or outside"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("process", choices=("web", "worker", "ingest", "vision", "outside"))
    parser.add_argument("--drill", metavar="NAME", help="web: the pages of a drill that was run, marked as one")
    parser.add_argument("--port", type=int, default=8700, help="port of a drill's pages (default 8700)")


def run(args: argparse.Namespace) -> int:
    if args.process == "outside":
        return _serve_outside()
    settings = load_settings()
    logs.configure(settings.log_level)
    gc.disable()
    _bus_without_websocket()
    if args.drill:
        _serve_web(drill_pages(settings, args.drill, args.port))
    elif args.process == "web":
        _serve_web(settings)
    elif args.process == "ingest":  # thousands of sockets: uvloop takes half the memory and CPU time of asyncio's own
        with asyncio.Runner(loop_factory=_uvloop) as runner:
            runner.run(_serve(args.process, settings))
    else:
        asyncio.run(_serve(args.process, settings))
    return 0


def _bus_without_websocket() -> None:
    """Load the bus's client as if aiohttp were not there: it wants that for NATS over WebSocket alone.

    An eighth of what a web process takes to start, and memory in every process; whoever needs aiohttp imports it later.
    """
    absent = "aiohttp" not in sys.modules
    if absent:
        sys.modules["aiohttp"] = None  # type: ignore[assignment]  # documented: its import raises ModuleNotFoundError
    import nats.aio.client  # noqa: F401

    if absent:
        del sys.modules["aiohttp"]


def _loaded() -> None:
    """Modules stay for good: the collector need never look at them, and is at work from now on."""
    gc.freeze()
    gc.enable()
    keep_small()


def _uvloop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


def drill_pages(settings: Settings, name: str, port: int) -> Settings:
    """The settings of a drill's pages; says where they are and gives its administrator a password of its own.

    Another host name than the live pages': a browser would send one's session to the other.
    """
    from sqlalchemy import select

    from dashboard.accounts.users import set_password
    from events.runtime.drill import drill_settings
    from storage.session import make_engine, session_scope
    from storage.tables.people import User, UserRole

    own = drill_settings(settings, name).with_(web_port=port, public_url=f"http://localhost:{port}")
    if not re.fullmatch(r"[a-z0-9]{1,24}", name) or not (own.data_dir / "drill.db").exists():
        known = ", ".join(sorted(p.name for p in own.data_dir.parent.glob("*"))) or "none"
        raise InputInvalid(field="--drill", detail=f"there is no drill {name!r}", how=f"known: {known}; see app drill")
    tiles = own.data_dir / "tiles"
    if not tiles.exists() and settings.tiles_dir.exists():
        tiles.symlink_to(settings.tiles_dir)
    engine = make_engine(own.database_url)
    with session_scope(engine) as session:
        admins = select(UserRole.user_id).where(UserRole.role == "admin")
        chief = session.scalars(
            select(User).where(User.active, User.user_id.in_(admins)).order_by(User.user_id)
        ).first()
        if chief is None:
            raise InputInvalid(field="--drill", detail="the drill has no administrator", how="run it again")
        password = set_password(session, chief, None, must_change=False)
        print(f"drill {name}: {own.public_url}   log in as {chief.login}, password: {password}", flush=True)
    engine.dispose()
    return own


async def _serve(process: str, settings: Settings) -> None:
    os.nice(NICER)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # Imported here: a process loads its own package and no other's libraries.
    if process == "worker":
        from dashboard.benefits.work import benefit_job
        from dashboard.drones.work import aerial_job, survey_job
        from dashboard.identity.directory.periodic import directory_job
        from dashboard.reception.work import reception_job
        from events.runtime import worker
        from measures.runner import check_runner

        _loaded()
        jobs = [reception_job, check_runner, aerial_job, survey_job, benefit_job, directory_job]
        await worker.main(settings, stop, more=jobs)
    elif process == "ingest":
        from ingest import supervisor

        _loaded()
        await supervisor.main(settings, stop)
    else:
        from vision.fleet import worker as vision_worker

        _loaded()
        await vision_worker.main(settings, stop)


def _serve_outside() -> int:
    """The outside door reads its own settings and never the installation's where it was given its own."""
    from dashboard.outside.serve import serve
    from dashboard.outside.settings import outside_settings

    settings = outside_settings()
    logs.configure(settings.log_level)
    serve(settings)
    return 0


def _serve_web(settings: Settings) -> None:
    from core.network.calm_server import serve
    from dashboard.client_address import Proxies
    from dashboard.factory import create_app
    from dashboard.sockets import Budget, more_files, protocol_of

    more_files()
    budget = Budget(Proxies.parse(settings.trusted_proxies))
    app = create_app(settings, late=True)
    _loaded()
    serve(
        app,
        host=settings.web_host,
        port=settings.web_port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # ours believes only the proxies that are named
        http=protocol_of(budget),
        backlog=2048,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        ws_max_size=1 << 20,
    )
