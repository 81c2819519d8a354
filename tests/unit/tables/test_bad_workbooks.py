"""The workbooks that people send, against every importer: nothing fails, every problem names its place and remedy,
the good rows are taken.

Importers: registers, service items, accounts, filings.  Each variant spoils one good workbook of three rows.
"""

from __future__ import annotations

import io
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from core.errors import YiwangError
from dashboard.accounts.batch import import_accounts
from records.filing.sheet_reading import read_sheet
from records.filing.workbook import write_sheet
from records.items.generating import generated_items
from records.items.reading import read_item_file
from records.items.workbook import write_items
from storage.session import make_engine, session_scope
from storage.tables.registry import Department
from tests.databases import create_all
from tests.unit.records.registry import PERSON, fresh, people, take
from tests.unit.records.test_filing import DATASET, LEAVES, PERIOD

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
PEOPLE = people(3)
ITEMS = [dict(item) for item in islice(generated_items(), 3)]


@dataclass
class Told:
    """What an importer made of a file: how many rows it would take, its problems, or that it refused the whole."""

    good: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    refused: str = ""

    @property
    def rows(self) -> set[int]:
        return {p["row"] for p in self.problems if p["severity"] == "error"}


def registers(content: bytes) -> Told:
    with tempfile.TemporaryDirectory() as folder:
        engine = fresh(Path(folder))
        report = take(engine, content, name="people.xlsx")
        engine.dispose()
        return Told(report.created, [p.as_dict() for p in report.problems])


def items(content: bytes) -> Told:
    read = read_item_file(io.BytesIO(content), Path("items.xlsx"))
    return Told(len(read.records), [p.as_dict() for p in read.problems])


def accounts(content: bytes) -> Told:
    engine = make_engine("sqlite://")
    create_all(engine)
    with session_scope(engine) as session:
        session.add(Department(department_id="0123", name="消防"))
        session.flush()
        done = import_accounts(session, io.BytesIO(content), "people.xlsx", "boss", NOW, dry_run=False, language="en")
    engine.dispose()
    return Told(len(done.created), done.problems)


def filings(content: bytes) -> Told:
    read = read_sheet(DATASET, content, {**LEAVES, "v3": "三村"})
    problems = [{**p.as_dict("sheet.xlsx", "en"), "field": p.column} for p in read.problems]
    return Told(sum(bool(cells) for cells in read.cells.values()), problems)


def _saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _people() -> Any:
    book = openpyxl.Workbook()
    fields = [f for f in PERSON.fields if any(f.name in line for line in PEOPLE)]
    book.active.append([f.zh for f in fields])
    for line in PEOPLE:
        book.active.append([line.get(f.name, "") for f in fields])
    return book


def _accounts() -> Any:
    book = openpyxl.Workbook()
    book.active.append(["账号", "姓名", "角色", "部门", "手机"])
    for n in range(3):
        book.active.append([f"walker{n}", f"王{n}", "staff", "0123", f"1380000000{n}"])
    return book


def _filings() -> Any:
    values = {unit: {"due": 10 + n, "done": 5, "remark": "无"} for n, unit in enumerate(("v1", "v2", "v3"))}
    units = [*LEAVES.items(), ("v3", "三村")]
    return openpyxl.load_workbook(io.BytesIO(write_sheet(DATASET, PERIOD, units, values)))


@dataclass(frozen=True)
class Importer:
    """One importer: its good workbook, the row of its head, a column to spoil (by heading) and what that holds."""

    name: str
    book: Callable[[], Any]
    read: Callable[[bytes], Told]
    head: int
    column: str


def _items() -> Any:
    return openpyxl.load_workbook(io.BytesIO(write_items(ITEMS)))


IMPORTERS = [
    Importer("registers", _people, registers, 1, "出生日期"), Importer("items", _items, items, 1, "办理地点"),
    Importer("accounts", _accounts, accounts, 1, "姓名"), Importer("filings", _filings, filings, 2, "应免"),
]  # fmt: skip


def column(sheet: Any, title: str, last: int) -> int:
    """1-based column whose heading is ``title``."""
    for row in sheet.iter_rows(min_row=1, max_row=last):
        for cell in row:
            if cell.value == title:
                return int(cell.column)
    raise AssertionError(f"no column {title}")


def plain(book: Any, one: Importer) -> None:
    """As it should be."""


def title_rows(book: Any, one: Importer) -> None:
    sheet = book.worksheets[0]
    for area in list(sheet.merged_cells.ranges):
        sheet.unmerge_cells(str(area))
    sheet.insert_rows(1, 2)
    sheet["A1"], sheet["A2"] = "二道区示例街道汇总表", "填表日期：2026年11月28日"
    sheet.merge_cells("A1:D1")


def hidden_sheets(book: Any, one: Importer) -> None:
    hidden = book.create_sheet("旧数据", 0)
    hidden.append(["乱", "七", "八", "糟"])
    hidden.append([1, 2, 3, 4])
    hidden.sheet_state = "hidden"
    book.active = 1
    more = book.create_sheet("更旧")
    more.append(["账号", "姓名"])
    more.sheet_state = "veryHidden"


def million_empty_rows(book: Any, one: Importer) -> None:
    sheet = book.worksheets[0]
    for number in (50_000, 700_000, 1_048_576):
        sheet.cell(number, 1).font = openpyxl.styles.Font(bold=True)


def empty_styled_rows(book: Any, one: Importer) -> None:
    sheet = book.worksheets[0]
    for number in range(6, 2000):
        for at in range(1, 5):
            sheet.cell(number, at).value = "" if number % 2 else None


def mac_dates(book: Any, one: Importer) -> None:
    book.epoch = CALENDAR_MAC_1904
    sheet = book.worksheets[0]
    if one.name == "registers":
        at = column(sheet, one.column, 1)
        for n, line in enumerate(PEOPLE):
            sheet.cell(2 + n, at).value = date.fromisoformat(str(line["birth"]))


def full_width(book: Any, one: Importer) -> None:
    sheet = book.worksheets[0]
    first = one.head + 1
    for row in sheet.iter_rows(min_row=first):
        for cell in row:
            text = "" if cell.value is None else str(cell.value)
            if text.isascii() and text.replace("-", "").isalnum() and not text.startswith(("[", "{")):
                cell.value = "".join(chr(ord(c) + 0xFEE0) for c in text)


GOOD = [plain, title_rows, hidden_sheets, million_empty_rows, empty_styled_rows, mac_dates, full_width]


@pytest.mark.parametrize("one", IMPORTERS, ids=lambda one: one.name)
@pytest.mark.parametrize("spoil", GOOD, ids=lambda spoil: spoil.__name__)
def test_what_only_looks_odd_is_taken_whole(one: Importer, spoil: Callable[[Any, Importer], None]) -> None:
    book = one.book()
    spoil(book, one)
    began = time.process_time()
    told = one.read(_saved(book))
    assert told.good == 3, told
    assert not told.rows, told
    assert time.process_time() - began < 40


def error_cell(book: Any, one: Importer) -> None:
    sheet = book.worksheets[0]
    cell = sheet.cell(one.head + 2, column(sheet, one.column, one.head))
    cell.value = "#REF!"
    cell.data_type = "e"


def formula_cell(book: Any, one: Importer) -> None:
    sheet = book.worksheets[0]
    sheet.cell(one.head + 2, column(sheet, one.column, one.head)).value = "=SUM(A1:A2)"


def lost_digits(book: Any, one: Importer) -> None:
    """A code of 18 digits, or one with leading zeros, typed as a number."""
    sheet = book.worksheets[0]
    of = {"registers": ("公民身份号码", 220105199001011234.0), "accounts": ("部门", 123),
          "filings": ("单位代码", 2.2e17), "items": ("实施编码", 112201050000000000.0)}  # fmt: skip
    title, value = of[one.name]
    heads = [cell.value for cell in sheet[1]]
    known = [head for head in heads if head and (head == title or title[:2] in str(head))]
    sheet.cell(one.head + 2, heads.index(known[0]) + 1).value = value


BAD_ROW = [error_cell, formula_cell, lost_digits]


@pytest.mark.parametrize("one", IMPORTERS, ids=lambda one: one.name)
@pytest.mark.parametrize("spoil", BAD_ROW, ids=lambda spoil: spoil.__name__)
def test_a_wrong_cell_is_named_and_the_other_rows_are_taken(
    one: Importer, spoil: Callable[[Any, Importer], None]
) -> None:
    book = one.book()
    spoil(book, one)
    told = one.read(_saved(book))
    assert told.good >= 2, told
    mine = [p for p in told.problems if p["row"] == one.head + 2]
    assert mine, told
    for problem in mine:
        assert problem["file"] and problem["field"] and problem["what"] and problem["remedy"], problem


def two_columns(book: Any, one: Importer) -> None:
    sheet = book.worksheets[0]
    at = column(sheet, one.column, one.head)
    last = sheet.max_column + 1
    for number in range(1, sheet.max_row + 1):
        sheet.cell(number, last).value = sheet.cell(number, at).value
    if one.name == "filings":
        sheet.cell(1, last).value = sheet.cell(1, at).value


@pytest.mark.parametrize("one", IMPORTERS, ids=lambda one: one.name)
def test_two_columns_of_one_name_are_told(one: Importer) -> None:
    book = one.book()
    two_columns(book, one)
    try:
        told = one.read(_saved(book))
    except YiwangError as refused:
        assert one.column in str(refused)
        return
    assert [p for p in told.problems if p["row"] <= one.head and p["field"] and p["remedy"]], told


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\n=1", "\r=1", "＝1", "＋1", "－1", "＠A", " =1", "\n＝1", "|calc"]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_looks_like_a_formula_is_none_in_what_we_write(text: str) -> None:
    sheet = write_sheet(DATASET, PERIOD, [("v1", text)], {"v1": {"remark": text}})
    listed = write_items([{**ITEMS[0], "task_name": text}])
    for content in (sheet, listed):
        for page in openpyxl.load_workbook(io.BytesIO(content)).worksheets:
            for row in page.iter_rows():
                for cell in row:
                    assert cell.data_type != "f", (page.title, cell.coordinate, cell.value)
                    if str(cell.value).strip("'").strip() == text.strip():
                        assert str(cell.value).startswith("'") or cell.quotePrefix, (page.title, cell.coordinate)


@pytest.mark.parametrize("one", IMPORTERS, ids=lambda one: one.name)
def test_merged_cells_are_read_or_told(one: Importer) -> None:
    book = one.book()
    sheet = book.worksheets[0]
    at = column(sheet, one.column, one.head)
    sheet.merge_cells(start_row=one.head + 1, end_row=one.head + 2, start_column=at, end_column=at)
    told = one.read(_saved(book))
    assert told.good >= 2, told


@pytest.mark.parametrize("one", IMPORTERS, ids=lambda one: one.name)
def test_a_workbook_with_macros_is_told_or_its_cells_alone_are_read(one: Importer) -> None:
    content = io.BytesIO(_saved(one.book()))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0")
    try:
        told = one.read(content.getvalue())
    except YiwangError as refused:
        assert "macro" in str(refused)
        return
    assert told.good == 3 and any("macro" in p["what"] for p in told.problems), told


@pytest.mark.parametrize("one", IMPORTERS, ids=lambda one: one.name)
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"<html><table>", b"\xd0\xcf\x11\xe0", b"\x00" * 4000])
def test_what_is_no_workbook_is_refused_in_words(one: Importer, content: bytes) -> None:
    try:
        told = one.read(content)
    except YiwangError as refused:
        assert str(refused)
        return
    assert told.good == 0 and told.problems and told.problems[0]["remedy"], told


@pytest.mark.parametrize("one", IMPORTERS, ids=lambda one: one.name)
def test_a_sheet_cut_off_in_the_middle_is_refused_in_words(one: Importer) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_saved(one.book()))) as good, zipfile.ZipFile(out, "w") as cut:
        for name in good.namelist():
            content = good.read(name)
            cut.writestr(name, content[: len(content) // 2] if name.endswith("sheet1.xml") else content)
    try:
        told = one.read(out.getvalue())
    except YiwangError as refused:
        assert str(refused)
        return
    assert told.good == 0 and told.problems and told.problems[0]["remedy"], told
