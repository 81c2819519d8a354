"""Benefits without application: the rules, what each would have given over past periods, and why one person gets it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import date

from core.clock import BEIJING, SystemClock
from core.errors import NotFound
from core.settings import load_settings
from records.benefits.rules import Benefit, periods_before, shipped_benefits
from records.benefits.simulating import explained, simulate
from storage.session import make_engine, read_scope

HELP = "benefits without application: list, simulate on the past, explain one record"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="the rules").add_argument("--json", action="store_true")
    tried = actions.add_parser("simulate", help="who would have been entitled over past periods; nothing is written")
    tried.add_argument("benefit")
    tried.add_argument("--periods", type=int, default=12, help="how many past months or years (default 12)")
    tried.add_argument("--json", action="store_true")
    why = actions.add_parser("explain", help="why one record is entitled, or not")
    why.add_argument("benefit")
    why.add_argument("record")
    why.add_argument("--day", type=date.fromisoformat, help="on which day (default today)")
    why.add_argument("--json", action="store_true")


def run(args: argparse.Namespace) -> int:
    """One of the actions."""
    if args.action == "list":
        lines = [{"id": b.id, "zh": b.zh, "en": b.en, "register": b.register, "period": b.period, "payer": b.payer}
                 for b in shipped_benefits().values()]  # fmt: skip
        print(json.dumps(lines, ensure_ascii=False) if args.json else "\n".join(f"{b['id']}  {b['zh']}" for b in lines))
        return 0
    benefit, today = _benefit(args.benefit), SystemClock().now().astimezone(BEIJING).date()
    with read_scope(make_engine(load_settings().database_url)) as session:
        if args.action == "explain":
            said = asdict(explained(session, benefit, args.record, args.day or today))
            print(json.dumps(said, ensure_ascii=False))
            return 0
        periods = periods_before(benefit, today, max(1, min(120, args.periods)))
        found = [asdict(each) for each in simulate(session, benefit, periods)]
    if args.json:
        print(json.dumps({"benefit": benefit.id, "periods": found}, ensure_ascii=False))
    else:
        for each in found:
            print(f"{each['period']}  {each['entitled']:>8,}  {each['amount']:>14,.2f}")
    return 0


def _benefit(name: str) -> Benefit:
    found = shipped_benefits().get(name)
    if found is None:
        raise NotFound(what="benefit", key=name)
    return found
