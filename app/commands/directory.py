"""Take departments and staff over from the district's directory (``directory.json``), or say what would change."""

from __future__ import annotations

import argparse
import asyncio
import json

from core.errors import NotFound
from core.settings import load_settings

HELP = "take departments and staff over from the district's directory"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="change nothing")
    parser.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> int:
    """Exit status 0; 1 where rows of the directory were not taken over."""
    import msgspec

    from core.clock import SystemClock
    from dashboard.identity.config import read_config
    from dashboard.identity.directory.config import FILE, read_directory
    from dashboard.identity.directory.run import synchronise
    from storage.session import make_engine

    settings = load_settings()
    config = read_directory(settings.data_dir)
    if config is None:
        raise NotFound(what="directory", key=str(settings.data_dir / FILE))
    sign_on = read_config(settings.data_dir)
    engine = make_engine(settings.database_url)
    try:
        report = asyncio.run(synchronise(
            engine, config, SystemClock().now(), "system", dry_run=args.dry_run,
            keep=sign_on.break_glass if sign_on else (),
        ))  # fmt: skip
    finally:
        engine.dispose()
    if args.json:
        print(json.dumps(msgspec.to_builtins(report), ensure_ascii=False, indent=1))
        return bool(report.problems)
    print(f"{report.people} people, {report.departments} departments; {report.unchanged} people as they were")
    for kind, number in sorted(report.counts.items()):
        print(f"  {kind}: {number}")
    for problem in report.problems:
        print(f"  {problem.at} {problem.code}: " + ", ".join(f"{k} {v}" for k, v in problem.values.items() if v != ""))
    return bool(report.problems)
