"""docs/assurance.md claims nothing without a file that shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs/assurance.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if re.match(r"\| (8\.1|V\d|密码)", line)
]


def test_both_tables_are_there() -> None:
    assert sum(row[0].startswith("V") for row in ROWS) == 17
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_row_is_honest(row: list[str]) -> None:
    state, shown = row[-2], row[-1]
    assert state in {"met", "partly", "not", "site"}
    named = [name for name in re.findall(r"`([^`]+)`", shown) if not name.startswith("/healthz")]
    if state in {"met", "partly"}:
        assert named, "claimed without a file that shows it"
    if state == "partly":
        assert ";" in shown or "," in shown, "what is missing?"
    for name in named:
        assert (ROOT / name).exists(), name
