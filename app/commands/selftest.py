"""Prove the main job on this machine: a throw-away instance, real sockets, every case followed to its close."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from core.errors import InputInvalid

HELP = "run the main job end to end in a temporary folder and say whether it held"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clip", type=Path, help="a video with people present, then gone (default: composed)")
    parser.add_argument("--database", default="", metavar="URL", help="an empty database (default: a new SQLite file)")
    parser.add_argument("--keep", action="store_true", help="leave the temporary folder (logs, database) and say where")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from app.selftest.driver import selftest

    if args.clip and not args.clip.is_file():
        raise InputInvalid(field="--clip", detail=f"{args.clip} is no file", how="give the path of a video file")

    def say(text: str) -> None:
        print(f"[selftest] {text}", file=sys.stderr, flush=True)

    report = asyncio.run(selftest(args.clip, say, database=args.database, keep=args.keep))
    print(report.as_json() if args.json else report.as_table())
    return 0 if report.held else 1
