"""Devices: simulate one, list them, show one, accept one out of quarantine."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import logging
import pkgutil
import signal

from core.settings import load_settings
from ingest import simulate

HELP = "simulate, list, show and accept devices"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of ``device``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    sim = actions.add_parser("simulate", help="play a device over the real socket")
    kinds = sim.add_subparsers(dest="kind", metavar="KIND", required=True)
    for found in sorted(pkgutil.iter_modules(simulate.__path__), key=lambda m: m.name):
        if found.name.startswith("_"):
            continue
        module = importlib.import_module(f"ingest.simulate.{found.name}")
        kind = kinds.add_parser(found.name, help=module.HELP, description=module.__doc__)
        module.configure(kind)
        kind.set_defaults(simulator=module, handler=_simulate)


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
