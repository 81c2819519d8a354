"""Check a form before it is imported: ``python -m app forms check FILE.xlsx --json``.

Prints every problem of an XLSForm workbook with sheet, row, column, code and a sentence.  The exit status is 1 when one
of them stops the form; problems whose code begins with ``warn-`` do not.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from core.errors import InputInvalid
from core.forms.model import Form
from core.forms.xlsform.importing import Imported, import_xlsform
from core.forms.xlsform.problems import SheetProblem

HELP = "check an XLSForm workbook"
MOST_BYTES = 32 << 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument("action", choices=("check",), help="check: list the problems")
    parser.add_argument("file", type=Path, metavar="FILE.xlsx", help="the workbook")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """List the problems; 0 when the form can be imported."""
    read = _read(args.file)
    if args.json:
        found = [problem.as_json() for problem in read.problems]
        sys.stdout.write(json.dumps({"problems": found}, ensure_ascii=False) + "\n")
    else:
        for problem in read.problems:
            place = " ".join(part for part in (problem.sheet, str(problem.row or ""), problem.column) if part)
            sys.stdout.write(f"{place}: {problem.code}: {problem.message}\n")
        sys.stdout.write(f"{len(read.rows)} questions, {len(read.problems)} problems\n")
    return 1 if read.blocked else 0


def _read(path: Path) -> Imported:
    try:
        if path.stat().st_size > MOST_BYTES:
            values = {"detail": "more than 32 MiB"}
            return Imported(Form(), (SheetProblem("", 0, "", "too-large", values),))
        return import_xlsform(path.read_bytes())
    except OSError as error:
        raise InputInvalid(field="file", detail=str(error), how="give the path of an .xlsx workbook") from error
