"""Tables as people bring them: every form is read, every flaw is named by file, sheet, row and field, once."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from core.tables.columns import Column
from core.tables.problem import Problems
from core.tables.reader import TableRow, raw_rows, read_table

COLUMNS = (
    Column("code", required=True, pattern=r"[A-Za-z0-9.]+", also=("编号",)),
    Column("name", required=True, also=("名称",)),
    Column("lon", "lon"),
    Column("day", "date", also=("日期",)),
    Column("on", "yesno", also=("启用",)),
    Column("address", also=("地址",)),
)
TEXT = "code,name,lon\nA1,公平社区,125.4\nA2,东盛街道,125.5\n"


def read(data: bytes, **how: Any) -> tuple[list[TableRow], list[tuple[Any, ...]]]:
    problems = Problems()
    rows = list(read_table(io.BytesIO(data), "x.csv", COLUMNS, problems, **how))
    return rows, [(p.sheet, p.row, p.field, p.code) for p in problems]


def book(*lines: list[Any], merge: str = "", **sheets: list[list[Any]]) -> openpyxl.Workbook:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    for line in lines:
        sheet.append(line)
    if merge:
        sheet.merge_cells(merge)
    for name, rows in sheets.items():
        more = made.create_sheet(name)
        for line in rows:
            more.append(line)
    return made


def saved(made: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_every_encoding_of_the_field_is_read(codec: str) -> None:
    rows, problems = read(TEXT.encode(codec))
    assert [r.values["name"] for r in rows] == ["公平社区", "东盛街道"]
    assert problems == []


def test_an_encoding_is_judged_by_the_whole_file() -> None:
    text = "code,name\n" + "A1,plain\n" * 200_000 + "A2,公平社区\n"
    rows, problems = read(text.encode("gbk"))
    assert rows[-1].values["name"] == "公平社区" and problems == []


def test_a_few_spoilt_bytes_cost_their_rows_only() -> None:
    data = TEXT.encode().replace("东".encode(), b"\xe4\xb8")
    rows, problems = read(data)
    assert [r.values["name"] for r in rows] == ["公平社区"]
    assert problems == [("", 0, "", "encoding_damaged"), ("", 3, "name", "characters_damaged")]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "，"])
def test_the_separator_is_told_by_the_heading(separator: str) -> None:
    rows, problems = read(TEXT.replace(",", separator).encode())
    assert len(rows) == 2 and problems == []
    assert read(f"sep={separator}\n{TEXT.replace(',', separator)}".encode())[0][0].place.row == 3


def test_titles_and_blank_lines_above_the_heading_do_not_count() -> None:
    rows, problems = read("重点点位台账,,\n\n单位：二道区,,\n编号,名称,lon\nA1,一号,125.4\n".encode("gbk"))
    assert [(r.place.row, r.values["code"]) for r in rows] == [(5, "A1")] and problems == []


def test_rows_that_are_too_wide_are_refused_and_short_ones_told() -> None:
    rows, problems = read(b"code,name,address\nA1,a,b,c\nA2,b\nA3,c,d,,\nA4\n")
    assert [r.place.row for r in rows] == [3, 4]
    assert problems == [("", 2, "", "row_wide"), ("", 3, "", "row_short"), ("", 5, "name", "missing")]


def test_a_column_given_twice_is_told_and_contradictions_are_refused() -> None:
    rows, problems = read(b"code,name,lon,lon\nA1,a,125.4,0\nA2,b,125.4,125.4\nA3,c,,125.4\n")
    assert [r.values["lon"] for r in rows] == [125.4, 125.4]
    assert problems == [("", 1, "lon", "column_twice"), ("", 2, "lon", "differs")]


def test_an_unclosed_quotation_mark_costs_one_row() -> None:
    rows, problems = read(b'code,name,address\nA1,"a,b\nA2,b,c\nA3,"x\ny",z\nA4,"open,d\n')
    assert [(r.place.row, r.values["code"]) for r in rows] == [(3, "A2"), (4, "A3")]
    assert [p for p in problems if p[3] == "quote_open"] == [("", 2, "", "quote_open"), ("", 5, "", "quote_open")]


def test_a_quotation_mark_open_over_thousands_of_lines_costs_one_row() -> None:
    rows, problems = read(('code,name\nA0,"x\n' + "".join(f"B{k},n\n" for k in range(5000))).encode())
    assert len(rows) == 5000 and problems == [("", 2, "", "quote_open")]


def test_unknown_headings_are_told_and_mapped_ones_read() -> None:
    text = "点位编号,名称,colour,x_note\nA1,一号,red,n\n".encode()
    rows, problems = read(text, mapped={"点位编号": "code"})
    assert rows[0].values["code"] == "A1" and problems == [("", 1, "colour", "column_unknown")]


def test_headings_are_compared_without_width_case_and_blanks() -> None:
    rows, problems = read("\ufeffＣＯＤＥ ,\u200bName*,Lon（必填）\nA1,a,1\n".encode())
    assert rows[0].values == {"code": "A1", "name": "a", "lon": 1.0} and problems == []


def test_numbers_in_text_columns_warn_and_long_ones_are_lost() -> None:
    data = saved(book(["code", "name"], [501, "a"], ["0501", "b"], [22019900001320000001, "c"], [2.5, "d"]))
    rows, problems = read(data)
    assert [r.values["code"] for r in rows] == ["501", "0501", "2.5"]
    assert problems == [("Sheet", 2, "code", "number_in_text"), ("Sheet", 4, "code", "digits_lost"),
                        ("Sheet", 5, "code", "number_in_text")]  # fmt: skip
    assert read(b"code,name\n2.2E+19,a\n")[1] == [("", 2, "code", "digits_lost")]


def test_zeros_that_a_format_shows_are_kept() -> None:
    made = book(["code", "name"], [501, "a"])
    made.active["A2"].number_format = "000000"  # type: ignore[index]
    rows, problems = read(saved(made))
    assert rows[0].values["code"] == "000501" and problems == []


def test_a_column_full_of_numbers_is_one_warning() -> None:
    rows, problems = read(saved(book(["code", "name"], *([k, "a"] for k in range(300)))))
    assert len(rows) == 300 and problems == [("Sheet", 2, "code", "numbers_in_text")]


def test_errors_and_formulas_without_result_are_named() -> None:
    made = book(["code", "name"], ["A1", "#REF!"], ["A2", "=1+1"], ["A3", "c"])
    made.active["B2"].data_type = "e"  # type: ignore[index]
    rows, problems = read(saved(made))
    assert [r.place.row for r in rows] == [4]
    assert problems == [("Sheet", 2, "name", "cell_error"), ("Sheet", 3, "name", "formula_empty")]


@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904])
@pytest.mark.parametrize("form", ["yyyy-mm-dd", 'yyyy"年"m"月"d"日"', "m/d/yy"])
def test_dates_of_both_epochs_and_chinese_formats(epoch: datetime | None, form: str) -> None:
    made = book(["code", "name", "day"])
    if epoch:
        made.epoch = epoch
    made.active.append(["A1", "a", datetime(2026, 11, 28)])  # type: ignore[union-attr]
    made.active["C2"].number_format = form  # type: ignore[index]
    assert read(saved(made))[0][0].values["day"] == date(2026, 11, 28)


def test_merged_cells_give_every_row_their_value() -> None:
    made = book(
        ["title", None, None], ["code", "name", "address"], ["A1", "a", "road"], ["A2", "b", None], merge="C3:C4"
    )
    made.active.merge_cells("A1:C1")  # type: ignore[union-attr]
    rows, problems = read(saved(made))
    assert [r.values["address"] for r in rows] == ["road", "road"]
    assert problems == [("Sheet", 3, "", "merged")]


def test_hidden_and_foreign_sheets_are_told_and_further_ones_read() -> None:
    made = book(["code", "name"], ["A1", "a"], 说明=[["请按要求填写"]], 续=[["name", "code"], ["b", "A2"]],
                旧=[["code", "name"], ["A0", "z"]], 空=[])  # fmt: skip
    made["旧"].sheet_state = "hidden"
    rows, problems = read(saved(made))
    assert [(r.place.sheet, r.place.row, r.values["code"]) for r in rows] == [("Sheet", 2, "A1"), ("续", 2, "A2")]
    assert problems == [("说明", 0, "", "sheet_unread"), ("旧", 0, "", "sheet_hidden")]


def test_an_old_workbook_is_read() -> None:
    rows, problems = read((Path(__file__).parent / "data" / "devices.xls").read_bytes())
    assert [(r.place.row, r.values["code"], r.values["address"], r.values["on"]) for r in rows] == [
        (3, "d1", "000501", True),
        (4, "d2", "501", False),
    ]
    assert [r.values["day"] for r in rows] == [date(2026, 11, 28)] * 2
    assert problems == [("设备", 4, "address", "number_in_text"), ("旧", 0, "", "sheet_hidden")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 no workbook", "not_a_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "not_a_workbook"),
        (b"<html><table><tr><td>code</td></tr></table>", "web_page"),
        (b"<?xml version='1.0'?><Workbook/>", "xml_sheet"),
        (b"code,name\nA1,\x00\x01\x02\x00" + bytes(range(256)), "binary"),
        (b"x,y\n1,2\n", "no_heading"),
    ],
)
def test_what_is_no_table_is_one_problem(data: bytes, code: str) -> None:
    rows, problems = read(data)
    assert rows == [] and problems == [("", 0, "", code)]


def test_a_lonely_cell_far_away_is_told_and_the_good_rows_are_taken() -> None:
    made = book(["code", "name"], ["A1", "a"])
    made.active["XFD1048576"] = 1  # type: ignore[index]
    rows, problems = read(saved(made))
    assert [row.values["code"] for row in rows] == ["A1"]
    assert ("Sheet", 1048576, "code", "missing") in problems


def test_more_rows_than_allowed_are_told() -> None:
    rows, problems = read(TEXT.encode(), max_rows=1)
    assert len(rows) == 1 and problems == [("", 0, "", "too_many_rows")]


def test_without_columns_every_heading_is_one() -> None:
    rows = list(raw_rows(io.BytesIO("姓名,电话\n王,1\n".encode()), "x.csv", (), Problems()))
    assert [r.values for r in rows] == [{"姓名": "王", "电话": "1"}]


def test_a_problem_is_said_in_both_languages() -> None:
    problems = Problems()
    list(read_table(io.BytesIO(b"code,name,lon\nA1,,north\n"), "x.csv", COLUMNS, problems))
    missing, number = problems
    assert missing.as_dict() == {"file": "x.csv", "sheet": "", "row": 2, "field": "name", "what": "is missing",
                                 "remedy": "give a value", "severity": "error"}  # fmt: skip
    assert number.said("zh") == ("'north' 不是数字", "请填写数字")


def test_problems_beyond_the_limit_are_counted() -> None:
    problems = Problems(limit=2)
    for row in range(5):
        problems.tell("x", "missing", row=row)
    problems.tell("x", "missing", row=0)
    assert [p.code for p in problems] == ["missing", "missing", "more_problems"] and len(problems) == 3


@given(
    st.lists(st.lists(st.text(max_size=8), min_size=1, max_size=6), max_size=8), st.sampled_from(["utf-8", "gb18030"])
)
def test_no_table_breaks_the_reader(lines: list[list[str]], codec: str) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["code", "name", "lon"], *lines])
    rows, problems = read(text.getvalue().encode(codec, "ignore"))
    for row in rows:
        assert row.values["code"] and row.values["name"]
    assert len(set(problems)) == len(problems)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for head in (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x09\x08", b"code,name\n"):
        read(head + data)


def test_a_time_alone_in_a_text_column_is_told() -> None:
    assert read(saved(book(["code", "name"], ["A1", time(8, 30)])))[1] == [("Sheet", 2, "name", "date_in_text")]


def test_a_file_in_which_no_row_stands_is_told() -> None:
    assert read(saved(book()))[1] == [("", 0, "", "empty")], "a workbook of empty sheets"
    assert read(b"")[1] == read("\ufeff\n\n".encode())[1] == [("", 0, "", "empty")]
    alone = [("", 0, "", "heading_alone")]
    assert read(b"code,name,lon\n")[1] == read(saved(book(["code", "name"])))[1] == alone
    assert read(saved(book([], more=[["code", "name"], ["A1", "x"]])))[1] == [], "an empty sheet beside a full one"
    assert alone[0] not in read(b"code,name\nA1,x,y,z\n")[1], "rows that were refused stand there"
