"""Run one of the processes (run starts them all; a district that outgrew one machine starts them apart)."""

from __future__ import annotations

import argparse
import asyncio
import signal

from app import logs
from core.settings import Settings, load_settings

HELP = "run one process: web, worker, ingest or vision"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("process", choices=("web", "worker", "ingest", "vision"))


def run(args: argparse.Namespace) -> int:
    settings = load_settings()
    logs.configure(settings.log_level)
    if args.process == "web":
        _serve_web(settings)
    else:
        asyncio.run(_serve(args.process, settings))
    return 0


async def _serve(process: str, settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # Imported here: a process loads its own package and no other's libraries.
    if process == "worker":
        from events import worker

        await worker.main(settings, stop)
    elif process == "ingest":
        from ingest import supervisor

        await supervisor.main(settings, stop)
    else:
        from vision import worker as vision_worker

        await vision_worker.main(settings, stop)


def _serve_web(settings: Settings) -> None:
    import uvicorn

    from dashboard.factory import create_app

    uvicorn.run(
        create_app(settings),
        host=settings.web_host,
        port=settings.web_port,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=2000,
        backlog=512,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=32 * 1024,
        ws_max_size=1 << 20,
    )
