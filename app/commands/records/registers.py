"""Registers: list them, take a file in (dry run first), generate a district to try with.

``registers import person people.xlsx --dry-run`` shows every problem by sheet, row and field and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from core.clock import BEIJING, SystemClock
from core.errors import InputInvalid, NotFound
from core.sealing import Seal
from core.settings import Settings, load_settings
from core.tables.reader import raw_rows
from layers.territory import of_database
from layers.vector.table import feature_rows, is_geodata
from records.registers.columns import surroundings
from records.registers.definition import Register, shipped_registers
from records.registers.divisions import communities, division_names
from records.registers.generating import generate
from records.registers.importing import Importer, ImportReport
from storage.session import make_engine, read_scope, refresh_statistics

HELP = "registers of people, housing, enterprises …: list, import, generate"
_SHOWN = 40


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="the registers and their fields")
    listed.add_argument("--json", action="store_true")
    taken = actions.add_parser("import", help="take a file (XLSX, CSV, GeoJSON, GeoPackage …) into a register")
    taken.add_argument("register")
    taken.add_argument("file", type=Path)
    taken.add_argument("--dry-run", action="store_true", help="check and count, write nothing")
    taken.add_argument("--good-rows", action="store_true", help="take the good rows although others are wrong")
    taken.add_argument("--map", action="append", default=[], metavar="HEADING=FIELD", help="a heading's field; repeat")
    taken.add_argument("--json", action="store_true")
    made = actions.add_parser("generate", help="a generated district, marked as such")
    made.add_argument("--records", type=int, default=370_000)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> int:
    """One of the actions."""
    if args.action == "list":
        return _list(args)
    settings = load_settings()
    return _import(args, settings) if args.action == "import" else _generate(args, settings)


def _register(name: str) -> Register:
    registers = shipped_registers()
    if name not in registers:
        raise NotFound(what="register", key=name)
    return registers[name]


def _list(args: argparse.Namespace) -> int:
    rows: list[dict[str, Any]] = [
        {"id": r.id, "zh": r.zh, "en": r.en, "fields": [f.name for f in r.fields], "key": list(r.key)}
        for r in shipped_registers().values()
    ]
    if args.json:
        print(json.dumps({"registers": rows}, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['id']:<18} {row['zh']:<10} {row['en']:<24} key {', '.join(row['key'])}")
    return 0


def _import(args: argparse.Namespace, settings: Settings) -> int:
    register, mapped = _register(args.register), _mapping(args.map)
    engine = make_engine(settings.database_url)
    clock = SystemClock()
    with read_scope(engine) as session:
        around = surroundings(clock.now().astimezone(BEIJING).date(), division_names(session))
    try:
        with args.file.open("rb") as file:
            geodata = is_geodata(args.file.name, file.read(16))
            read = partial(feature_rows, territory=of_database(engine)) if geodata else raw_rows
            importer = Importer(register, Seal(settings.records_key), around, clock, "command line", read)
            report = importer.run(
                engine, file, args.file.name, mapped=mapped, dry_run=args.dry_run, take_good_rows=args.good_rows
            )
    except OSError as error:
        raise InputInvalid(field=str(args.file), detail=str(error), how="give a readable file") from error
    finally:
        engine.dispose()
    _print(report, args.json)
    return 1 if report.refused or report.problems.errors else 0


def _mapping(given: list[str]) -> dict[str, str] | None:
    pairs = [line.partition("=") for line in given]
    if any(not equal or not heading or not field for heading, equal, field in pairs):
        raise InputInvalid(field="--map", detail="is not HEADING=FIELD", how="give e.g. --map 身份证=id_number")
    return {heading: field for heading, _, field in pairs} or None


def _print(report: ImportReport, as_json: bool) -> None:
    if as_json:
        print(json.dumps(report.as_dict(), ensure_ascii=False))
        return
    for number, problem in enumerate(report.problems):
        if number >= _SHOWN:
            print(f"… and {len(report.problems) - _SHOWN} more")
            break
        print(problem)
    print(
        ", ".join(f"{name} {number}" for name, number in report.counts.items()), "(dry run)" if report.dry_run else ""
    )


def _generate(args: argparse.Namespace, settings: Settings) -> int:
    engine = make_engine(settings.database_url)
    try:
        with read_scope(engine) as session:
            places = communities(session)
        if not places:
            raise InputInvalid(field="divisions", detail="are missing", how="import the city first: app import-city")
        made = generate(
            engine, Seal(settings.records_key), SystemClock(), places, args.records, seed=args.seed, progress=_progress
        )
        refresh_statistics(engine)
    finally:
        engine.dispose()
    print(json.dumps({"made": made}) if args.json else ", ".join(f"{name} {number}" for name, number in made.items()))
    return 0


def _progress(name: str, count: int) -> None:
    print(f"{name}: {count}", file=sys.stderr)
