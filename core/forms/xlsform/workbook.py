"""A workbook's sheets as text, after checks that need no trust: kind, size, macros, formulas, merges."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from core.forms.values import number_text
from core.forms.xlsform.problems import SheetProblem
from core.late import Late

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")

MOST_ROWS = 20_000
MOST_COLUMNS = 200
MOST_BYTES = 120 << 20  # uncompressed
MOST_RATIO = 400
_EXACT = 10**15


@dataclass
class Sheet:
    """``rows[i]`` are the texts of Excel's row ``i + 1``."""

    name: str
    rows: list[list[str]] = field(default_factory=list)


def open_workbook(content: bytes, wanted: Iterable[str]) -> tuple[dict[str, Sheet], list[SheetProblem]]:
    """The ``wanted`` sheets (by lower-case name) as text, and what is wrong with the file itself."""
    problem = container_problem(content)
    if problem is not None:
        return {}, [problem]
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), keep_links=False)
    except Exception as error:  # noqa: BLE001 — openpyxl raises whatever the broken XML leads to
        return {}, [SheetProblem("", 0, "", "not-a-workbook", {"detail": type(error).__name__})]
    problems: list[SheetProblem] = []
    if _names(content, "xl/externalLinks/"):
        problems.append(SheetProblem("", 0, "", "warn-external-links"))
    sheets = {}
    for sheet in book.worksheets:
        name = sheet.title.strip().lower()
        if name in set(wanted):
            sheets[name] = _texts(sheet, name, problems)
    return sheets, problems


def _names(content: bytes, start: str) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [name for name in archive.namelist() if name.startswith(start)]


def container_problem(content: bytes) -> SheetProblem | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            types = _content_types(archive)
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError):
        return SheetProblem("", 0, "", "not-a-workbook")
    names = {entry.filename.lower() for entry in entries}
    if any(name.endswith("vbaproject.bin") or name.startswith("xl/macrosheets/") for name in names) or (
        b"macroenabled" in types.lower()
    ):
        return SheetProblem("", 0, "", "macro-workbook")
    if "xl/workbook.xml" not in names:
        return SheetProblem("", 0, "", "not-a-workbook")
    total = sum(entry.file_size for entry in entries)
    if total > MOST_BYTES or total > MOST_RATIO * max(len(content), 4096) or len(entries) > 2000:
        return SheetProblem("", 0, "", "too-large", {"detail": f"{total} bytes unpacked"})
    return None


def _content_types(archive: zipfile.ZipFile) -> bytes:
    try:
        with archive.open("[Content_Types].xml") as part:
            return part.read(1 << 20)
    except KeyError:
        return b""


def _texts(sheet: Any, name: str, problems: list[SheetProblem]) -> Sheet:
    result = Sheet(name)
    for merged in sheet.merged_cells.ranges:
        code = "merged-head" if merged.min_row == 1 else "merged-cells"
        problems.append(SheetProblem(name, merged.min_row, "", code, {"cells": str(merged.coord)}))
    if (sheet.max_row or 0) > MOST_ROWS:
        problems.append(SheetProblem(name, MOST_ROWS + 1, "", "too-many-rows", {"most": MOST_ROWS}))
    columns = min(sheet.max_column or 0, MOST_COLUMNS)
    for row in sheet.iter_rows(max_row=min(sheet.max_row or 0, MOST_ROWS), max_col=columns):
        result.rows.append([_text(cell, name, result.rows, problems) for cell in row])
    while result.rows and not any(result.rows[-1]):
        result.rows.pop()
    return result


def _text(cell: Any, sheet: str, rows: list[list[str]], problems: list[SheetProblem]) -> str:
    value = cell.value
    if value is None:
        return ""
    column = rows[0][cell.column - 1] if rows and cell.column <= len(rows[0]) else ""
    if cell.data_type in ("f", "e"):
        problems.append(SheetProblem(sheet, cell.row, column, "formula-in-cell"))
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if abs(value) >= _EXACT:
            problems.append(SheetProblem(sheet, cell.row, column, "number-lost-digits"))
        return number_text(value)
    if isinstance(value, datetime):
        midnight = value.hour == value.minute == value.second == 0
        return value.date().isoformat() if midnight else value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else str(value).strip()
