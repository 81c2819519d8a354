"""Components and events (部件和事件): import the district's table of classes and limits; show what there is.

python -m app taxonomy import FILE.csv|FILE.xlsx [--dry-run] [--code-set 2007|2013] [--source TEXT] [--json]
python -m app taxonomy import --shipped          the table that comes with Yiwang
python -m app taxonomy list [PREFIX] [--json]    the classes in force: the district's own, else ours
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import msgspec

from core.clock import SystemClock
from core.errors import InputInvalid
from core.settings import load_settings
from events.taxonomy.classes import SHIPPED, Standard
from events.taxonomy.edit import lines
from events.taxonomy.importer import TaxonomyImport, import_standards, parse_rows, read_table
from storage.session import make_engine, read_scope, session_scope

HELP = "import or list classes of components and events"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    actions = parser.add_subparsers(dest="action", required=True)
    load = actions.add_parser("import", help="read a table")
    load.add_argument("file", nargs="?", type=Path, help="CSV or XLSX")
    load.add_argument("--shipped", action="store_true", help="the table that comes with Yiwang")
    load.add_argument(
        "--dry-run", action="store_true", help="say what would happen, and every row's problem; write nothing"
    )
    load.add_argument("--code-set", default="2013", choices=("2007", "2013"), help="for rows that do not say")
    load.add_argument("--source", default="", help="where the table comes from; kept with every row")
    show = actions.add_parser("list", help="show classes")
    show.add_argument("prefix", nargs="?", default="", help="event-05, component-01 …")
    for sub in (load, show):
        sub.add_argument("--database", metavar="URL", help="database (default: the installation's)")
        sub.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Import (status 1 when rows had problems) or list."""
    engine = make_engine(args.database or load_settings().database_url)
    try:
        if args.action == "list":
            with read_scope(engine) as session:
                found = [line.standard for line in lines(session, args.prefix)]
            for standard in found:
                _show(standard, args.json)
            return 0
        if bool(args.file) == args.shipped:
            raise InputInvalid(field="file", detail="nothing to import", how="give a file, or --shipped")
        standards, problems = parse_rows(read_table(args.file or SHIPPED), args.code_set, args.source)
        with session_scope(engine) as session:
            outcome = import_standards(session, standards, problems, SystemClock().now(), dry_run=args.dry_run)
    finally:
        engine.dispose()
    _report(outcome, args.json)
    return int(bool(outcome.problems))


def _show(row: Standard, as_json: bool) -> None:
    limit = f"{row.limit_value:g} {row.limit_unit}" if row.limit_value else "-"
    if as_json:
        keys = (
            "class_version",
            "class_code",
            "big_name",
            "small_name",
            "condition",
            "close_condition",
            "local_extension",
        )
        print(json.dumps({**{k: getattr(row, k) for k in keys}, "limit": limit}, ensure_ascii=False))
    else:
        print(f"{row.class_version} {row.class_code:<16} {row.small_name:<12} {limit:<16} {row.condition}")


def _report(outcome: TaxonomyImport, as_json: bool) -> None:
    if as_json:
        print(json.dumps(msgspec.to_builtins(outcome), ensure_ascii=False))
        return
    for problem in outcome.problems:
        print(f"row {problem.row}: {problem.field} {problem.detail}")
    would = "would be " if outcome.dry_run else ""
    print(
        f"{outcome.rows} rows: {outcome.added} {would}added, {outcome.changed} {would}changed, "
        f"{outcome.same} as they are, {len(outcome.problems)} with problems"
    )
