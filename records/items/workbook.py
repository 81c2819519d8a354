"""Items as a workbook with element names as headings, materials and fees on sheets of their own; reads in again."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

import openpyxl
from openpyxl.styles import Font, PatternFill

from core.forms.xlsform.exporting import write_text
from records.items.comparing import named_elements
from records.items.elements import ElementTable, standard_elements
from records.items.facts import text_of

KEY = "业务办理项编码"
_HEAD = PatternFill("solid", fgColor="E8EEF7")
_SHEETS = {"materials": "材料", "fees": "收费"}


def write_items(records: Iterable[Mapping[str, Any]], table: ElementTable | None = None) -> bytes:
    """The workbook of ``records``; text that looks like a formula stays text."""
    known = table or standard_elements()
    book = openpyxl.Workbook(write_only=False)
    sheet = book.active
    sheet.title = "事项"
    columns = [element for element in known.elements if element.name not in _SHEETS]
    _head(sheet, [element.zh for element in columns])
    parts = {name: book.create_sheet(title) for name, title in _SHEETS.items()}
    for name, part in parts.items():
        _head(part, [KEY, *known.rows[name].values()])
    lines = dict.fromkeys(parts, 1)
    for number, record in enumerate(records, 2):
        data = named_elements(record, known)
        for at, element in enumerate(columns, 1):
            _write(sheet.cell(number, at), data.get(element.name))
        key = next((text_of(data[k]) for k in ("handling", "implementing", "local_task_code") if data.get(k)), "")
        for name, part in parts.items():
            for row in data.get(name) or []:
                lines[name] += 1
                _write(part.cell(lines[name], 1), key)
                for at, field in enumerate(known.rows[name], 2):
                    _write(part.cell(lines[name], at), row.get(field))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _head(sheet: Any, titles: list[str]) -> None:
    for at, title in enumerate(titles, 1):
        cell = sheet.cell(1, at, title)
        cell.font, cell.fill = Font(bold=True), _HEAD
    sheet.freeze_panes = "A2"


def _write(cell: Any, value: Any) -> None:
    if value in (None, ""):
        return
    if isinstance(value, bool):
        write_text(cell, "是" if value else "否")
    elif isinstance(value, int | float):
        cell.value = value
    elif isinstance(value, list | dict):
        write_text(cell, json.dumps(value, ensure_ascii=False))
    else:
        write_text(cell, str(value))
