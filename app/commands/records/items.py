"""Service items: check a file by the rules of the elements; take items into the catalogue, run its checks, export it.

``check`` prints the problems ``{item, element, rule, severity, message}``; exit 1 when one of them blocks.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from records.items.checking import item_problems
from records.items.reading import ReadItems, checked_lines, read_items
from records.items.rules import read_rules, standard_rules

HELP = "service items: check a file, take it in, check the catalogue, export it, an example"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="the problem list of a workbook or JSON list of items")
    check.add_argument("file", type=Path, help="XLSX (element names or titles as headings), CSV or a JSON list")
    check.add_argument("--rules", type=Path, metavar="FILE", help="another rule set (YAML) than the product's")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    take = actions.add_parser("import", help="take the items of a file into the catalogue, as drafts")
    take.add_argument("file", type=Path, help="as for check")
    take.add_argument("--dry-run", action="store_true", help="count and write nothing")
    take.add_argument(
        "--in-force", action="store_true", help="first filling: what is clean and on the duty list is released"
    )
    take.add_argument("--json", action="store_true", help="print one JSON object")
    run_ = actions.add_parser("run", help="check the whole catalogue and keep the problem list of each department")
    run_.add_argument("--json", action="store_true", help="print one JSON object")
    out = actions.add_parser("export", help="the catalogue as a workbook with element names")
    out.add_argument("file", type=Path, help="the workbook to write")
    example = actions.add_parser("example", help="1,500 generated items and their duty list, marked as generated")
    example.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Do what was asked; ``check`` answers 1 when something blocks."""
    if args.action == "check":
        return _check(args)
    from app import catalogue  # only these need a database

    if args.action == "export":
        print(catalogue.export(args.file))
        return 0
    if args.action == "import":
        done = catalogue.take(args.file, dry_run=args.dry_run, in_force=args.in_force)
    else:
        done = catalogue.check() if args.action == "run" else catalogue.example()
    print(json.dumps(done, ensure_ascii=False) if args.json else "\n".join(f"{k}: {v}" for k, v in done.items()))
    return 0


def _check(args: argparse.Namespace) -> int:
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
