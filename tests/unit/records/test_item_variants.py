"""The same items in another shape of file give the same problems."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from records.items.checking import item_problems
from records.items.elements import standard_elements
from records.items.generating import generated_items
from records.items.reading import read_item_file
from records.items.workbook import write_items

TABLE = standard_elements()
NAMES = {e.zh: e.name for e in TABLE.elements}
PARTS = {"材料": "materials", "收费": "fees"}


def seeded() -> list[dict[str, Any]]:
    items = deepcopy([dict(item) for item in islice(generated_items(), 8)])
    items[0]["promise_day"] = 99
    items[1]["transact_addr"] = ""
    items[2]["materials"].append({**items[2]["materials"][0]})
    items[3]["materials"][0]["is_need"] = ""
    items[4]["supervise_way"] = items[4]["link_way"]
    items[5]["task_type"] = "77"
    return items


ITEMS = seeded()


def found(content: bytes, name: str) -> list[tuple[str, str, str]]:
    read = read_item_file(io.BytesIO(content), Path(name))
    return sorted({(key, p.element, p.rule) for key, record in read.records for p in item_problems(record)})


WANTED = found(json.dumps(ITEMS).encode(), "items.json")


def workbook(change: Callable[[Any], None]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(write_items(ITEMS)))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def headed(style: Callable[[str], str]) -> Callable[[Any], None]:
    """Element names, written as ``style`` does, instead of titles."""

    def change(book: Any) -> None:
        for sheet in book.worksheets:
            rows = {title: name for name, title in TABLE.rows.get(PARTS.get(sheet.title, ""), {}).items()}
            for cell in sheet[1]:
                cell.value = style(rows.get(cell.value) or NAMES.get(cell.value, cell.value))

    return change


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def two_heads(book: Any) -> None:
    sheet = book.worksheets[0]
    sheet.insert_rows(2)
    for cell in sheet[1]:
        sheet.cell(2, cell.column, NAMES[cell.value])


def reversed_columns(book: Any) -> None:
    for sheet in book.worksheets:
        columns = list(sheet.iter_cols(values_only=True))[::-1]
        sheet.delete_cols(1, sheet.max_column)
        for at, values in enumerate(columns, 1):
            for row, value in enumerate(values, 1):
                sheet.cell(row, at, value)


def titled(book: Any) -> None:
    for sheet in book.worksheets:
        sheet.insert_rows(1, 2)
        sheet.cell(1, 1, "二道区政务服务事项清单")
        sheet.merge_cells("A1:H1")
    book.create_sheet("旧", 0).sheet_state = "hidden"


def numbers(book: Any) -> None:
    coded = {e.zh for e in TABLE.elements if e.type in ("code", "flag", "number") or e.name == "basic"}
    for column in book.worksheets[0].iter_cols():
        for cell in column[1:] if column[0].value in coded else ():
            if isinstance(cell.value, str) and cell.value.isdigit():
                cell.value = int(cell.value)


def wide_digits(book: Any) -> None:
    for sheet in book.worksheets:
        for cell in (cell for row in sheet.iter_rows(min_row=2) for cell in row):
            if isinstance(cell.value, int | str):
                cell.value = "".join(chr(ord(c) + 0xFEE0) if c in "0123456789" else c for c in str(cell.value))


@pytest.mark.parametrize(
    "change",
    [reversed_columns, two_heads, titled, numbers, wide_digits, headed(str), headed(lambda n: n.replace("_", " ")),
     headed(lambda n: f" {n.replace('_', '-').title()} "), headed(lambda n: n.replace("_", "")), headed(wide),
     headed(lambda n: f"*{n}")],
)  # fmt: skip
def test_a_workbook_in_another_shape_has_the_same_problems(change: Callable[[Any], None]) -> None:
    assert found(workbook(change), "x.xlsx") == WANTED and len(WANTED) >= 6


def chinese(item: dict[str, Any]) -> dict[str, Any]:
    titles = {name: title for title, name in NAMES.items()}
    parts = {
        p: [{TABLE.rows[p].get(k, k): v for k, v in row.items()} for row in item[p]] for p in ("materials", "fees")
    }
    return {titles.get(k, k): parts.get(k, v) for k, v in item.items()}


SHAPES = {
    "items": lambda: json.dumps({"items": ITEMS}).encode(),
    "titles": lambda: json.dumps([chinese(i) for i in ITEMS], ensure_ascii=False).encode("gb18030"),
    "names with blanks": lambda: json.dumps([{k.replace("_", " ").title(): v for k, v in i.items()} for i in ITEMS]),
    "lists as text": lambda: json.dumps(
        [{k: json.dumps(v) if isinstance(v, list) else v for k, v in i.items()} for i in ITEMS]
    ),
    "a line each": lambda: "\n".join(json.dumps(i) for i in ITEMS),
    "vectors": lambda: json.dumps([{"kind": "item_record", "input": i, "expect": {}} for i in ITEMS]),
    "utf-16": lambda: json.dumps(ITEMS, ensure_ascii=False).encode("utf-16"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_json_in_another_shape_has_the_same_problems(shape: str) -> None:
    content = SHAPES[shape]()
    assert found(content if isinstance(content, bytes) else content.encode(), "x.json") == WANTED
