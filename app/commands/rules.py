"""Rules: list them, check a file of them, or replay a past period and see what would have opened and gone where."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from core.clock import BEIJING
from core.errors import InputInvalid
from core.settings import load_settings
from events.correlation.happening import CurrentBook
from events.correlation.replay import Simulation, simulate
from events.rules.rulebook import Rulebook, parse_rules, with_rule
from storage.session import make_engine, read_scope

HELP = "list rules, check a rules file, or replay a past period without saving anything"


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", required=True, metavar="list|check|simulate")
    commands.add_parser("list", help="the rules in force")
    check = commands.add_parser("check", help="check a rules file (events/rules/rules.yaml is the example)")
    check.add_argument("file", type=Path)
    again = commands.add_parser("simulate", help="replay a period: what would have opened, and gone where")
    again.add_argument("--from", dest="since", required=True, help="2026-07-01T00:00 (Beijing time if no offset)")
    again.add_argument("--to", dest="until", required=True)
    again.add_argument("--rules", type=Path, help="a rules file to try instead of, or beside, the rules in force")
    again.add_argument("--alone", action="store_true", help="with --rules: only that file's rules")
    again.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> int:
    if args.what == "check":
        found = parse_rules(_text(args.file))
        print(f"{len(found.rules)} rules, {len(found.happenings)} happenings: all is well")
        return 0
    engine = make_engine(load_settings().database_url)
    with read_scope(engine) as session:
        book = CurrentBook()(session)  # the shipped rules before the worker's first start
    if args.what == "list":
        for spec in book.specs.values():
            mark = "on " if spec.enabled else "off"
            print(f"{mark} {spec.rule_id:<24} {spec.kind:<12} v{spec.version:<3} {', '.join(spec.applies_to)}")
        for problem in book.problems:
            print(f"✗ {problem}")
        return 1 if book.problems else 0
    if args.rules:
        file = parse_rules(_text(args.rules))
        book = Rulebook((), file.happenings) if args.alone else book
        for spec in file.rules:
            book = with_rule(book, spec)
    result = simulate(engine, book, parse_moment("--from", args.since), parse_moment("--to", args.until))
    engine.dispose()
    if args.json:
        print(msgspec.json.encode(result).decode())
    else:
        print_simulation(result)
    return 0


def parse_moment(field: str, text: str) -> datetime:
    """``text`` as an aware UTC moment; Beijing time when it names no offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputInvalid(field=field, detail=str(error), how="write it like 2026-07-01T08:00") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)).astimezone(UTC)


def print_simulation(result: Simulation) -> None:
    """The replay as a short report."""
    print(f"{result.observations} observations, {result.findings} findings, {result.cases_in_all} cases,")
    print(f"{result.merged_reports} reports merged, at most {result.busiest_10_min} new cases within ten minutes")
    for case in result.cases[:50]:
        at = case.opened_at.astimezone(BEIJING)
        print(f"{at:%m-%d %H:%M}  {case.severity}  {case.lead:<16} {case.title}  ({case.reports} reports)")
    for name, number in result.by_department.items():
        print(f"  {name:<20} {number}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputInvalid(field=str(path), detail=str(error), how="name a readable rules file") from error
