"""A large workbook is read row after row: the same cells as calamine gives, and a memory that does not grow."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from core.tables import ooxml
from core.tables.columns import Column
from core.tables.problem import Problems
from core.tables.reader import read_table
from core.tables.workbook import read_workbook
from core.tables.xlsx_stream import StreamedSheet

VALUES: list[Any] = [
    "张三", " 前后 ", "a&b<c>\"'", "换\n行", 12, 12.5, -3, 1e15, True, False, date(1990, 3, 7),
    datetime(2026, 11, 28, 8, 30), time(8, 30), "#REF!", "=1+1", None, "１２",
    CellRichText("张", TextBlock(InlineFont(b=True), "三丰")), "😀", "'12",
]  # fmt: skip


def _book(mac: bool = False) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    if mac:
        book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    for number, value in enumerate(VALUES, 1):
        sheet.cell(number, 2 + number % 3).value = value
    sheet.cell(14, 2 + 14 % 3).data_type = "e"
    padded = sheet.cell(22, 28)
    padded.value, padded.number_format = 7, "0000"
    sheet.cell(23, 1).value, sheet.cell(23, 1).number_format = 45000, 'yyyy"年"m"月"d"日"'
    sheet.cell(24, 1).value, sheet.cell(24, 1).number_format = 3.5, '0.0"days"'
    sheet.merge_cells("A30:A31")
    hidden = book.create_sheet("旧")
    hidden.append(["x"])
    hidden.sheet_state = "hidden"
    return book


def _saved(book: openpyxl.Workbook) -> io.BytesIO:
    out = io.BytesIO()
    book.save(out)
    return out


def _lines(file: io.BytesIO) -> list[Any]:
    return [
        (sheet.name, sheet.hidden, sorted(sheet.merged), [(n, _trimmed(cells)) for n, cells in sheet.lines()])
        for sheet in read_workbook(file)
    ]


def _trimmed(cells: list[Any]) -> list[Any]:
    while cells and cells[-1] in ("", None):
        cells = cells[:-1]
    return ["" if cell is None else cell for cell in cells]


@pytest.mark.parametrize("mac", [False, True])
def test_streamed_cells_are_those_of_calamine(mac: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _saved(_book(mac))
    small = _lines(file)
    monkeypatch.setattr(ooxml, "_LARGE", 0)
    assert all(isinstance(sheet, StreamedSheet) for sheet in read_workbook(file))
    assert _lines(file) == small


@pytest.mark.parametrize("place", ["XFD1048576", "B900000"])
def test_a_lonely_cell_far_away_does_not_cost_the_good_rows(place: str) -> None:
    book = openpyxl.Workbook()
    book.active.append(["编号", "名称"])
    for n in range(3):
        book.active.append([f"A{n}", f"名{n}"])
    book.active[place] = " "
    problems = Problems()
    columns = [Column("id", required=True, also=("编号",)), Column("name", also=("名称",))]
    rows = list(read_table(_saved(book), "book.xlsx", columns, problems))
    assert [row.values["id"] for row in rows] == ["A0", "A1", "A2"]
    assert not problems.errors


def test_merged_cells_of_a_streamed_sheet_hold_in_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ooxml, "_LARGE", 0)
    book = openpyxl.Workbook()
    for line in (["编号", "名称"], ["A0", "甲"], ["A1", None], ["A2", None], ["A3", "乙"]):
        book.active.append(line)
    book.active.merge_cells("B2:B4")
    problems = Problems()
    columns = [Column("id", required=True, also=("编号",)), Column("name", also=("名称",))]
    rows = list(read_table(_saved(book), "book.xlsx", columns, problems))
    assert [row.values["name"] for row in rows] == ["甲", "甲", "甲", "乙"]
    assert [problem.as_dict()["row"] for problem in problems] == [2]


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"])
def test_a_damaged_part_is_told(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ooxml, "_LARGE", 0)
    out, problems = io.BytesIO(), Problems()
    with zipfile.ZipFile(_saved(_book())) as good, zipfile.ZipFile(out, "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            bad.writestr(name, content[: len(content) // 3] if name == part else content)
    list(read_table(out, "book.xlsx", [Column("id", required=True)], problems))
    assert [problem.as_dict()["remedy"] for problem in problems if problem.as_dict()["severity"] == "error"]
