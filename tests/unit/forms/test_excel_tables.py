"""Heads and cells of tables as people make them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from core.forms.excel_cells import read_cell
from core.forms.excel_head import BodyMerged, HeadInvalid, check_body, find_head
from core.forms.xlsform.exporting import write_text

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["excel"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if "rows" in v], ids=lambda v: v["id"])
def test_head_vectors(vector: dict[str, Any]) -> None:
    expect = vector["expect"]
    if isinstance(expect, dict) and expect.get("error") == "duplicate-column":
        with pytest.raises(HeadInvalid) as caught:
            find_head(vector["rows"], vector["merged"])
        assert (caught.value.data["reason"], caught.value.data["columns"]) == ("duplicate-column", expect["columns"])
        return
    head = find_head(vector["rows"], vector["merged"])
    if isinstance(expect, list):
        assert head.names == expect
    elif "error" in expect:
        with pytest.raises(BodyMerged) as merged:
            check_body(head, vector["merged"])
        assert merged.value.data["cells"] == expect["cells"]
        check_body(head, vector["merged"], same_value=["街道"])
    else:
        assert (head.row, head.names) == (expect["head_row"], expect["columns"])


@pytest.mark.parametrize("vector", [v for v in VECTORS if "cell" in v], ids=lambda v: v["id"])
def test_cell_vectors(vector: dict[str, Any]) -> None:
    cell, expect = vector["cell"], vector["expect"]
    value = datetime.fromisoformat(cell["value"]) if cell["type"] == "d" else cell["value"]
    if "written_type" in expect:
        target = openpyxl.Workbook().active.cell(1, 1)
        write_text(target, value)
        assert target.data_type == expect["written_type"] and target.quotePrefix
        return
    read = read_cell(value, vector["question"], vector.get("choices", (value,)), formula=cell["type"] == "f")
    assert (read.error or None) == expect.get("error")
    if "value" in expect:
        assert read.value == expect["value"] and read.warn == expect.get("warn", "")


@pytest.mark.parametrize(
    ("value", "question", "expect"),
    [
        ("2026/1/5", "date", "2026-01-05"),
        ("2026.1.5", "date", "2026-01-05"),
        ("20260105", "date", "2026-01-05"),
        ("2026年2月30日", "date", "not-a-date"),
        (1, "date", "1900-01-01"),
        (60, "date", "not-a-date"),
        (61, "date", "1900-03-01"),
        ("１２", "integer", 12),
        ("1,234", "integer", 1234),
        ("1,23", "integer", "not-a-number"),
        (True, "integer", "not-a-number"),
        (3.0, "integer", 3),
        (22010519000101, "text", "22010519000101"),
        ("甲", "select_one", "1"),
        ("1、2", "select_multiple", ["1", "2"]),
        ("3", "select_one", "not-offered"),
        ("是", "acknowledge", True),
        ("  ", "integer", None),
    ],
)
def test_cells_as_people_type_them(value: Any, question: str, expect: Any) -> None:
    read = read_cell(value, question, {"1": "甲", "2": "乙"})
    assert (read.error or read.value) == expect


def test_a_head_of_two_levels_without_vertical_merges() -> None:
    rows = [["人口", None, "老年人", None], ["男", "女", "男", "女"], [1, 2, 3, 4]]
    assert find_head(rows, ["A1:B1", "C1:D1"]).names == ["人口/男", "人口/女", "老年人/男", "老年人/女"]


def test_numbers_are_no_head() -> None:
    with pytest.raises(HeadInvalid):
        find_head([[1, 2], [3, 4]])
    assert find_head([["甲", "乙"], [1, 2]]).row == 1
