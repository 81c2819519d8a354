"""Bring a city folder (divisions, sites, cameras, devices, staff, map) into the database; see docs/layers.md."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputInvalid
from core.settings import load_settings

if TYPE_CHECKING:
    from layers.importer import CityImportReport

NAME = "import"
HELP = "import a district's files (without FOLDER: the demo city)"
SHOWN = 50


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, help="a folder with a city.yaml (default: the demo city)")
    parser.add_argument("--dry-run", action="store_true", help="change nothing; list changes and every bad row")
    parser.add_argument(
        "--overwrite", action="store_true", help="also overwrite what operators set in the browser (zones, roles …)"
    )
    parser.add_argument("--no-tiles", action="store_true", help="do not build the map tiles afterwards")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")


def run(args: argparse.Namespace) -> int:
    """0: everything taken (warnings are listed); 1: rows refused or files unread; 2: nothing could be imported."""
    try:
        report = _import(args)
    except InputInvalid as error:
        if not args.json:
            raise
        print(json.dumps(_refusal(args.folder, error), ensure_ascii=False))
        return 2
    if args.json:
        print(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        _show(report)
    return report.exit_status


def _import(args: argparse.Namespace) -> CityImportReport:
    from layers.build import build_tiles
    from layers.importer import import_city
    from storage.migrate import migrate
    from storage.session import make_engine

    if args.folder is not None and not args.folder.is_dir():
        raise InputInvalid(field="FOLDER", detail=f"{args.folder} is no folder", how="give a folder with a city.yaml")
    settings = load_settings()
    say = (lambda text: print(text, file=sys.stderr)) if args.json else print
    migrate(settings.database_url)
    engine = make_engine(settings.database_url)
    try:
        report = import_city(
            engine, settings, args.folder, dry_run=args.dry_run, overwrite=args.overwrite, progress=say
        )
    finally:
        engine.dispose()
    if not args.dry_run and not args.no_tiles:
        build_tiles(settings, say)
    return report


def _refusal(folder: Path | None, error: InputInvalid) -> dict[str, Any]:
    """The report of a folder that is none: its files are all unread."""
    files = sorted(f.name for f in folder.iterdir() if f.is_file()) if folder and folder.is_dir() else []
    place = {"file": "city.yaml", "sheet": "", "row": 0, "field": ""}
    problem = {**place, "what": error.data["detail"], "remedy": error.data["how"], "severity": "error"}
    return {"tables": {}, "unread": files, "problems": [problem]}


def _show(report: CityImportReport) -> None:
    for table in report.inserted:
        new, changed, same = report.inserted[table], report.updated[table], report.unchanged[table]
        print(f"{table:<12} new {new:>6}  changed {changed:>6}  unchanged {same:>6}")
    for file in report.unread:
        print(f"not read: {file}")
    for number, problem in enumerate(report.problems):
        if number == SHOWN:
            print(f"… and {len(report.problems) - SHOWN} more (--json lists all)")
            break
        print(problem)
