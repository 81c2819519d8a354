"""Indicators (立案率, 处置率, 按期处置率, 返工率 …) by department, street, class or period.

python -m app indicators --from 2026-06-01 --to 2026-07-01 --by department [--out table.xlsx|table.csv] [--json]
python -m app indicators --from … --to … --by department --cases overdue_unhandled --key dept-fire
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path
from typing import get_args

import msgspec

from core.clock import BEIJING, SystemClock
from core.errors import InputInvalid
from core.records import SYSTEM
from core.settings import load_settings
from events.indicators.counting import Grouping, IndicatorQuestion
from events.indicators.evaluation import Table, cases_behind, evaluate
from events.indicators.export import as_csv, as_xlsx
from storage.session import make_engine, read_scope

HELP = "compute the indicators of a period"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--from", dest="begin", required=True, metavar="DATE", help="first day (Beijing), or a time")
    parser.add_argument("--to", dest="end", required=True, metavar="DATE", help="the day after the last")
    parser.add_argument("--by", choices=get_args(Grouping), default="department")
    parser.add_argument("--definition", default="city_management")
    parser.add_argument("--cases", metavar="MEASURE", help="list the ids of the cases that a number counts")
    parser.add_argument("--key", help="with --cases: only this group")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write .xlsx or .csv")
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    parser.add_argument("--database", metavar="URL", help="database (default: the installation's)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Compute, and print or write."""
    question = IndicatorQuestion(
        opened_from=_moment(args.begin, "--from"),
        opened_to=_moment(args.end, "--to"),
        by=args.by,
        definition=args.definition,
    )
    engine = make_engine(args.database or load_settings().database_url)
    try:
        with read_scope(engine) as session:
            now = SystemClock().now()
            if args.cases:
                print("\n".join(cases_behind(session, SYSTEM, question, args.cases, args.key, now)))
                return 0
            table = evaluate(session, SYSTEM, question, now)
    finally:
        engine.dispose()
    if args.out:
        export = as_xlsx if args.out.suffix == ".xlsx" else as_csv
        args.out.write_bytes(export(table, args.language))
    elif args.json:
        print(json.dumps(msgspec.to_builtins(table), ensure_ascii=False))
    else:
        _print(table, args.language)
    return 0


def _moment(text: str, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputInvalid(field=field, detail=str(error), how="give a date: 2026-06-01") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)


def _print(table: Table, language: str) -> None:
    for line in [*table.lines, table.total]:
        print(f"{line.name or line.key}: {line.counts.get('reported', 0):g} cases, score {line.score}")
        for formula in table.formulas:
            rate = line.rates.get(formula.id)
            if rate is not None:
                print(f"    {formula.name.get(language, formula.id):<12} {rate:7.1%}")
