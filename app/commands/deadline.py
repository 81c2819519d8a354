"""When does a limit end?  The legal clock (工作时, 工作日, 紧急工作时, 自然日) with its derivation, line by line.

One question:  python -m app deadline --start 2026-06-05T15:00 --limit "4 工作时" \\
                 --suspend 2026-06-05T17:00/2026-06-08T09:00
Many:          python -m app deadline --batch FILE  (or -), JSON lines
  {"start", "limit": {"value", "unit"}, "calendar": {"timezone", "periods", "weekend", "holidays", "workdays"},
   "suspensions": [[from, to], …], "extensions": [{"value", "unit"}, …]}  →  {"deadline", "derivation"} a line,
  or {"error": {…}, "line": n} for a line that cannot be answered; the others are answered all the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from core.errors import InputInvalid
from core.legal_time.calendar import load_calendar, statutory_calendar
from core.legal_time.workclock import deadline
from events.legal_time.requests import answer_lines, as_json, parse_moment, parse_span, parse_words

HELP = "compute a legal deadline and show its derivation"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--start", metavar="TIME", help="ISO 8601; without an offset: local time of the calendar")
    parser.add_argument(
        "--limit", metavar="LIMIT", help='e.g. "4 工作时", "2 紧急工作时", "3 work_day", "1 urgent_day"'
    )
    parser.add_argument("--calendar", metavar="FILE", type=Path, help="JSON calendar; default: China's statutory one")
    parser.add_argument(
        "--suspend", metavar="A/B", action="append", default=[], help="time that does not count; A/ is open"
    )
    parser.add_argument(
        "--extend", metavar="LIMIT", action="append", default=[], help="an extension, counted after the limit"
    )
    parser.add_argument("--batch", metavar="FILE", help="answer JSON lines from FILE, - for standard input")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Answer; exit status 0 whenever every question got its answer (in a batch: its answer or its error)."""
    if args.batch is not None:
        return _batch(args.batch)
    for field in ("start", "limit"):
        if getattr(args, field) is None:
            raise InputInvalid(field=f"--{field}", detail="is missing", how="give --start and --limit, or --batch FILE")
    calendar = load_calendar(args.calendar) if args.calendar else statutory_calendar()
    result = deadline(
        parse_moment(args.start, "--start", calendar),
        parse_words(args.limit),
        calendar,
        [parse_span(text, calendar) for text in args.suspend],
        [parse_words(text) for text in args.extend],
    )
    if args.json:
        print(json.dumps(as_json(result), ensure_ascii=False))
    else:
        print("\n".join(result.lines()))
    return 0


def _batch(name: str) -> int:
    if name == "-":
        return _answer_all(sys.stdin.buffer)
    try:
        with Path(name).open("rb") as file:
            return _answer_all(file)
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise InputInvalid(field="--batch", detail=str(error), how="give a file that can be read, or -") from error


def _answer_all(lines: Iterable[bytes]) -> int:
    bad = 0
    for line in answer_lines(lines):
        bad += line.startswith(b'{"error"')
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()
    if bad:
        print(f"deadline: {bad} lines could not be answered", file=sys.stderr)
    return 0
