"""The pages of registers and filing: their rows are what the desks answer, marked and masked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dashboard.pages.desk.filing import rows_of
from dashboard.pages.desk.filing.cells import against, filled_in, pasted, typed
from dashboard.pages.desk.registers.map_filter import box_of, figure_of
from dashboard.pages.desk.registers.page import columns_of, row_of
from records.registers.definition import shipped_registers


class Chinese:
    """As much of a visit as the rows need."""

    language = "zh"

    def t(self, key: str, **_data: object) -> str:
        return key


def test_a_record_shows_titles_of_choices_and_local_time() -> None:
    visit: Any = Chinese()
    person = shipped_registers()["person"]
    item = {
        "record_id": "r", "values": {"name": "张三", "category": "floating"}, "visit_due": None,
        "updated_at": datetime(2026, 11, 27, 18, 30, tzinfo=UTC),
    }  # fmt: skip
    row = row_of(item, person, visit)
    assert (row["category"], row["updated"], row["visit_due"]) == ("流动人口", "2026-11-28 02:30", "")
    fields = [c["field"] for c in columns_of(person, visit)]
    assert fields[0] == "name" and fields[-1] == "updated"


def test_the_matrix_marks_what_is_late() -> None:
    cells = [
        {"state": "filed", "on_time": False, "overdue": False}, {"state": "open", "on_time": None, "overdue": True},
        {"state": "partial", "filed": 3, "expected": 9}, {"state": "approved", "on_time": True, "overdue": False},
    ]  # fmt: skip
    found = {"periods": ["1", "2", "3", "4"], "rows": [{"unit": "u", "name": "村", "level": 2, "cells": cells}]}
    row = rows_of(found)[0]
    assert (row["1"], row["2"], row["3"], row["4"]) == ("● !", " !", "◐ 3/9", "✓")


def test_typed_digits_become_numbers_and_words_stay() -> None:
    asked = {"type": "decimal", "comment": ""}
    given = ("12", "2.5", " 7 ", "１，２３４", "十", "1²", 3)
    rows = [{"question": str(n), "value": value, **asked} for n, value in enumerate(given)]
    assert list(typed(rows)[0].values()) == [12, 2.5, 7, 1234, "十", "1²", 3]
    rows = [
        {"question": "a", "type": "text", "value": "007", "comment": ""},
        {"question": "b", "type": "decimal", "value": "", "kept": None, "comment": "停产"},
        {"question": "c", "type": "decimal", "value": "", "kept": 5, "comment": ""},
    ]
    assert typed(rows) == ({"a": "007", "c": None}, {"b": "停产"})


def test_empty_cells_take_what_is_known_and_another_ones_values_stand_beside() -> None:
    rows = [
        {"question": "a", "type": "integer", "value": None, "prefill": 17},
        {"question": "b", "type": "integer", "value": "5", "prefill": 9},
    ]
    filled = filled_in(rows)
    assert [row["value"] for row in filled] == [17, "5"]
    shown = against(filled, {"values": {"a": 18, "b": 5}})
    assert [(row["value"], row["theirs"]) for row in shown] == [(17, 18), ("5", None)]


def test_the_map_filter_takes_a_box_and_tells_no_small_number() -> None:
    assert box_of("125.3,43.8,125.4,43.9") == [125.3, 43.8, 125.4, 43.9]
    assert [box_of(text) for text in ("", "1,2,3", "x,1,2,3", "5,1,4,2", "0,0,0,91", "nan,0,1,1")] == [None] * 6
    figure = figure_of([("220105001001001", 125.3, 43.8, 40), ("220105001001002", 125.31, 43.8, None)])
    assert list(figure.data[0].text) == ["220105001001001: 40", "220105001001002: <5"]
    assert figure.layout.dragmode == "select"


def test_cells_copied_in_excel_find_their_questions() -> None:
    rows = [{"question": "q1", "title": "户数", "value": ""}, {"question": "q2", "title": "人口数", "value": "7"}]
    filled, taken, unknown = pasted(rows, "人口数\t１，２３４\r\n不认识\t1\n户数\t-2.5\n")
    assert [row["value"] for row in filled] == ["-2.5", "1234"] and (taken, unknown) == (2, ["不认识"])
    assert [row["value"] for row in pasted(rows, "5\n6\n7\n")[0]] == ["5", "6"] and pasted(rows, "5\n6\n7")[2] == ["7"]
    assert rows[0]["value"] == "" and pasted(rows, "")[1] == 0
