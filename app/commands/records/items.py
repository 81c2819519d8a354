"""Service items: check a workbook or a JSON list by the rules of the elements, before anything is taken in.

Prints the problems ``{item, element, rule, severity, message}``; exit 1 when one of them blocks.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from records.items.checking import item_problems
from records.items.reading import ReadItems, checked_lines, read_items
from records.items.rules import read_rules, standard_rules

HELP = "check service items: items check FILE"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="the problem list of a workbook or JSON list of items")
    check.add_argument("file", type=Path, help="XLSX (element names or titles as headings), CSV or a JSON list")
    check.add_argument("--rules", type=Path, metavar="FILE", help="another rule set (YAML) than the product's")
    check.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Check and print; 0 without blocking problems."""
    rules = read_rules(args.rules) if args.rules else standard_rules()
    read = read_items(args.file)
    found = (
        (key, position, problem)
        for position, (key, record) in enumerate(read.records, 1)
        for problem in item_problems(record, rules=rules)
    )
    lines = checked_lines(found)
    if args.json:
        print(json.dumps(_answer(read, lines, rules.version), ensure_ascii=False))
    else:
        _print(read, lines)
    blocked = any(line["severity"] == "block" for line in lines)
    return 1 if blocked or read.problems.errors else 0


def _answer(read: ReadItems, lines: list[dict[str, object]], version: str) -> dict[str, object]:
    return {
        "items": len(read.records),
        "rules": version,
        "problems": lines,
        "file_problems": [problem.as_dict() for problem in read.problems],
    }


def _print(read: ReadItems, lines: list[dict[str, object]]) -> None:
    for problem in read.problems:
        print(problem)
    for line in lines:
        place = f"{line['item']}  {line['rule']} {line['severity']:<5} {line['element']}"
        print(f"{place}: {line['message']} — {line['remedy']}")
    print(f"{len(read.records)} items, {len(lines)} problems")
