#!/bin/sh
# pyxform 4.5.0: a form whose calculations go round in a circle, or whose expression is no expression, converts without a word.
# One would guess: convert() reports a calculation that needs itself, as it reports an unknown ${name}.
# Seen: convert() answers an XForm and no warning for both; only names behind ${} are looked up.
set -eu
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv" && "$dir/venv/bin/pip" install -q pyxform==4.5.0
"$dir/venv/bin/python" - <<'PY'
import io
import openpyxl
from pyxform.xls2xform import convert


def form(*rows):
    book = openpyxl.Workbook()
    book.active.title = "survey"
    for row in (["type", "name", "label", "calculation"], *rows):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


circle = convert(xlsform=form(["calculate", "a", "", "${b} + 1"], ["calculate", "b", "", "${a} + 1"], ["note", "n", "x", ""]))
print("pyxform 4.5.0; a circle of two calculations: warnings", circle.warnings)
assert "<bind" in circle.xform and not circle.warnings, "circles are told now"
nonsense = convert(xlsform=form(["integer", "a", "A", ""], ["calculate", "b", "", "(${a} >= "], ["note", "n", "x", ""]))
print("an unfinished expression: warnings", nonsense.warnings)
assert "<bind" in nonsense.xform and not nonsense.warnings, "unfinished expressions are told now"
PY
