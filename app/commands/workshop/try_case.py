"""Try a kind of case: play a script of people and commands against a throw-away instance with a clock of its own.

python -m app try DEFINITION --script SCRIPT.yaml --json
DEFINITION is the id of a kind that is shipped, or a file.  docs/case-trials.md says what a script may hold and what
each line shows.  A refused command is an answer and the script goes on; an ``expect`` that does not hold gives exit
status 1, a script or definition that cannot be played exit status 2.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from core.errors import NotFound, YiwangError
from events.cases.definition import Definition
from events.cases.definition_check import load_definition, problems
from events.cases.kinds_in_force import definitions_in_force
from events.trial.play import play
from events.trial.script import read_script

NAME = "try"
HELP = "play a script against a kind of case, in a sandbox"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("definition", metavar="DEFINITION", help="id of a shipped kind of case, or a definition file")
    parser.add_argument("--script", metavar="FILE", type=Path, required=True, help="the script, YAML")
    parser.add_argument("--json", action="store_true", help="print one JSON object a step")
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="of what is said about mistakes")


def run(args: argparse.Namespace) -> int:
    """Play; 0 when every expectation held, 1 when one did not, 2 when the script cannot be played."""
    held = True
    try:
        for line in play(read_script(args.script), definition_named(args.definition, args.language), args.language):
            held &= line.pop("held", True)
            print(json.dumps(line, ensure_ascii=False) if args.json else as_text(line), flush=True)
    except YiwangError as error:
        if args.json:
            shown = error.as_dict(args.language)
            print(json.dumps({"step": None, "error": {"code": shown.pop("error"), **shown}}, ensure_ascii=False))
        print(f"try: {error.told(args.language)}", file=sys.stderr)
        return 2
    return 0 if held else 1


def definition_named(name: str, language: str = "en") -> Definition:
    """The definition in the file ``name``, or the shipped one of that id; what might be better goes to stderr."""
    path = Path(name)
    if path.suffix.lower() in (".json", ".yaml", ".yml") or path.is_file():
        definition = load_definition(path, definitions_in_force())
        for each in problems(definition):
            print(f"try: {each.line(language)}", file=sys.stderr)
        return definition
    found = definitions_in_force().get(name)
    if found is None:
        raise NotFound(what="case definition", key=f"{name} (there are: {', '.join(definitions_in_force())})")
    return found


def as_text(line: dict[str, Any]) -> str:
    """A step on a few lines for people."""
    head = f"{line['step']:>3}  {line['as'] or '':<12} {line['do'] or '':<18} → {line['state']}"
    rows = [f"     turn: {', '.join(line['turn'])}"] if line["turn"] else []
    for clock in line["clocks"]:
        mark = "*" if clock["kind"] == line["shown_clock"] else " "
        part = f" of {clock['part']}" if clock["part"] else ""
        rows.append(f"   {mark} clock {clock['kind']}{part}: {clock['deadline']}")
    rows += [f"     to {notice['to']}: {notice['text']}" for notice in line["notices"]]
    rows += [f"     ! {line['error']['code']}: {line['error']['message']}"] if line["error"] else []
    return "\n".join([head, *rows])
