"""Do what run does before it starts the processes: migrate, seed, build tiles, make the first administrator."""

from __future__ import annotations

import argparse

from app.run import announce_password, prepare, say
from core.settings import load_settings

HELP = "migrate, seed the city, build tiles and make the first administrator, without starting anything"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-demo", action="store_true", help="do not seed the demo district into an empty database")
    parser.add_argument("--full-demo", action="store_true", help="the demo with 370,000 generated register records")


def run(args: argparse.Namespace) -> int:
    announce_password(prepare(load_settings(), demo=not args.no_demo, full=args.full_demo), say)
    return 0
