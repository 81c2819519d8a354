"""Start everything on this machine: nats-server, worker, ingest, vision, web and the simulated devices."""

from __future__ import annotations

import argparse
import asyncio
import os

from app.run import run as run_all
from core.settings import load_settings

HELP = "start everything and print one URL"


def configure(parser: argparse.ArgumentParser) -> None:
    text = "do not start the simulated fire panel and water gauge (or YIWANG_DEMO=0)"
    parser.add_argument("--no-demo", action="store_true", help=text)
    parser.add_argument("--full-demo", action="store_true", help="the demo with 370,000 generated register records")


def run(args: argparse.Namespace) -> int:
    demo = not args.no_demo and os.environ.get("YIWANG_DEMO", "1") != "0"
    return asyncio.run(run_all(load_settings(), demo=demo, full=args.full_demo))
