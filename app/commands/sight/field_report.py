"""How well do cameras see?  The nightly report: precision with its 95 % interval per camera and algorithm.

python -m app field-report [--night 2026-11-28] [--camera ID] [--algorithm NAME] [--thresholds] [--json]
python -m app field-report --now     writes tonight's report (again) first; the worker does so after 3 o'clock

Counted are closed cases that somebody judged: confirmed alarms against false ones.  --thresholds adds what other
confidences would have done to them.
"""

from __future__ import annotations

import argparse
import json
from datetime import date
from typing import Any

from core.clock import SystemClock
from core.errors import InputInvalid
from core.settings import load_settings

HELP = "precision per camera and algorithm from judged alarms, and what other thresholds would do"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--night", help="the report of this day (default: the last there is)")
    parser.add_argument("--camera", help="this camera alone")
    parser.add_argument("--algorithm", help="this algorithm alone")
    parser.add_argument("--thresholds", action="store_true", help="what other thresholds would have done")
    parser.add_argument("--now", action="store_true", help="write the report of now first")
    parser.add_argument("--database", metavar="URL", help="database (default: the installation's)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Write if asked, and print."""
    from events.learning import report
    from storage.session import make_engine, read_scope, session_scope

    night = _night(args.night)
    engine = make_engine(args.database or load_settings().database_url)
    try:
        if args.now:
            with session_scope(engine) as session:
                report.write_report(session, SystemClock().now())
        with read_scope(engine) as session:
            rows = report.lines(session, night, args.camera, args.algorithm)
    finally:
        engine.dispose()
    if args.json:
        print(json.dumps({"items": rows}, ensure_ascii=False))
        return 0
    for row in rows:
        print(_words(row))
        for tried in row["thresholds"] if args.thresholds else ():
            print(_tried(tried))
    if not rows:
        print("nothing was judged (or no report written yet: --now)")
    return 0


def _night(given: str | None) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError as error:
        raise InputInvalid(field="--night", detail=str(error), how="give a day, e.g. 2026-11-28") from error


def _words(row: dict[str, Any]) -> str:
    share = f"{100 * row['precision']:.0f} % ({100 * row['low']:.0f}–{100 * row['high']:.0f})"
    judged = f"{row['closed']} judged, {row['false_alarms']} false"
    return f"{row['night']} {row['camera_id']} {row['algorithm']}: {share}, {judged}, {row['suggestion']}"


def _tried(tried: dict[str, Any]) -> str:
    share = "—" if tried["precision"] is None else f"{100 * tried['precision']:.0f} %"
    lost = f"{tried['true_lost']} true lost, {tried['false_dropped']} false dropped"
    return f"  from {tried['threshold']:.2f}: {share}, {lost}"
