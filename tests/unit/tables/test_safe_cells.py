"""No text of ours is a formula in anybody's spreadsheet."""

from __future__ import annotations

import pytest

from core.tables.safe_cells import safe_cell


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A", " =1", "\u3000=1", "\x00=1"],
)
def test_what_begins_like_a_formula_is_text(text: str) -> None:
    assert str(safe_cell(text)).startswith("'") and "\x00" not in safe_cell(text)


@pytest.mark.parametrize("value", ["东盛街道", "a=b", "", None, 1.5, True])
def test_other_values_stay(value: object) -> None:
    assert safe_cell(value) == value
