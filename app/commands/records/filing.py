"""Filing: a generated example of 26 forms and 93 units to try with; the completeness of a data set.

``filing example`` writes units, data sets and figures that are marked as generated; ``filing rates DATASET PERIOD``
prints complete and on time.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime, time

from sqlalchemy import Engine

from core.clock import BEIJING, SystemClock
from core.settings import load_settings
from records.filing.example import example_bodies, fill_example, write_units
from records.filing.ledger_example import fill_ledger, ledger_body, write_ledger_units
from records.filing.overview import matrix
from records.filing.period_state import Desk
from records.filing.periods import before, bounds, period_of
from records.filing.store import get_dataset, take_dataset
from records.filing.tree import load_tree
from storage.session import make_engine, read_scope, session_scope

HELP = "filings of units by period: a generated example, completeness"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    example = actions.add_parser("example", help="26 forms, 93 units and figures, marked as generated")
    example.add_argument("--periods", type=int, default=3, help="past periods to fill")
    tasks = actions.add_parser("ledger-example", help="a task ledger: 56 indicators, 27 departments, generated")
    tasks.add_argument("--periods", type=int, default=3, help="past months to fill")
    rates = actions.add_parser("rates", help="complete and on time of a data set's period")
    rates.add_argument("dataset")
    rates.add_argument("period")
    rates.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> int:
    engine = make_engine(load_settings().database_url)
    try:
        actions = {"example": _example, "ledger-example": _ledger, "rates": _rates}
        return actions[args.action](args, engine)
    finally:
        engine.dispose()


def _example(args: argparse.Namespace, engine: Engine) -> int:
    now = SystemClock().now()
    with session_scope(engine) as session:
        write_units(session)
        tree = load_tree(session)
        taken = [take_dataset(session, body, now, "example") for body in example_bodies()]
    filed = 0
    for dataset in taken:
        current = period_of(dataset.period, now.astimezone(BEIJING).date())
        for period in before(dataset.period, current, args.periods):
            with session_scope(engine) as session:
                at = _filed_at(dataset.period, period, now)
                filed += fill_example(session, dataset, tree, period, at, share=0.95)
        print(f"{dataset.id} {dataset.zh}: {dataset.period}", file=sys.stderr)
    print(f"{len(taken)} data sets, {len(tree.parents)} units, {filed} filings")
    return 0


def _ledger(args: argparse.Namespace, engine: Engine) -> int:
    now, filed = SystemClock().now(), 0
    with session_scope(engine) as session:
        write_ledger_units(session)
        tree, dataset = load_tree(session), take_dataset(session, ledger_body(), now, "example")
    periods = before(dataset.period, period_of(dataset.period, now.astimezone(BEIJING).date()), args.periods)
    for period in periods:
        with session_scope(engine) as session:
            filed += fill_ledger(session, dataset, tree, period, _filed_at(dataset.period, period, now))
    print(f"{len(dataset.targets)} indicators, {len(dataset.units)} departments, {filed} filings")
    return 0


def _filed_at(kind: str, period: str, now: datetime) -> datetime:
    """Noon of the period's last day: the example files in time."""
    _, end = bounds(kind, period)
    return min(now, datetime.combine(end, time(4), UTC))


def _rates(args: argparse.Namespace, engine: Engine) -> int:
    now = SystemClock().now()
    with read_scope(engine) as session:
        dataset, tree = get_dataset(session, args.dataset), load_tree(session)
        desk = Desk(dataset, tree, "command line", now, now.astimezone(BEIJING).date())
        tops = [unit for unit, parent in tree.parents.items() if parent is None]
        found = {top: matrix(session, desk, top, [args.period])["rates"][0] for top in tops}
    if args.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for top, rates in found.items():
            print(f"{tree.names.get(top, top)}: {rates}")
    return 0
