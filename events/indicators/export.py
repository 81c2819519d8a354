"""Indicator tables as CSV and XLSX files."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from core.late import Late
from core.tables.safe_cells import safe_cell
from events.indicators.evaluation import IndicatorLine, Table

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")


def rows_of(table: Table, language: str = "zh") -> list[list[Any]]:
    """Heads, a row a group, and the total; rates as shares 0…1."""
    head = {
        "zh": ["分组", "名称", "平均处置时长(小时)", "得分"],
        "en": ["group", "name", "mean handling (h)", "score"],
    }[language]
    counted = list(table.total.counts)
    heads = [*head[:2], *[f.name.get(language, f.id) for f in table.formulas], *head[2:], *counted]
    return [heads, *[_row(line, table, counted) for line in [*table.lines, table.total]]]


def _row(line: IndicatorLine, table: Table, counted: list[str]) -> list[Any]:
    hours = None if line.mean_handling_s is None else round(line.mean_handling_s / 3600, 2)
    rates = [line.rates.get(f.id) for f in table.formulas]
    return [
        safe_cell(line.key),
        safe_cell(line.name),
        *rates,
        hours,
        line.score,
        *[line.counts.get(name) for name in counted],
    ]


def as_csv(table: Table, language: str = "zh") -> bytes:
    """UTF-8 with a byte-order mark, so that spreadsheet programs read Chinese."""
    out = io.StringIO()
    csv.writer(out).writerows(["" if cell is None else cell for cell in row] for row in rows_of(table, language))
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(table: Table, language: str = "zh") -> bytes:
    """A workbook with the table and a sheet of formulas."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "指标" if language == "zh" else "indicators"
    for row in rows_of(table, language):
        sheet.append(row)
    for cell in sheet[1]:
        cell.font = openpyxl.styles.Font(bold=True)
    for column in range(3, 3 + len(table.formulas)):
        for cells in sheet.iter_cols(min_col=column, max_col=column, min_row=2):
            for cell in cells:
                cell.number_format = "0.0%"
    sheet.freeze_panes = "C2"
    notes = book.create_sheet("公式" if language == "zh" else "formulas")
    for formula in table.formulas:
        notes.append([formula.id, formula.name.get(language, formula.id), f"{formula.over} / {formula.under}"])
    question = table.question
    notes.append(["period", f"{question.opened_from.isoformat()} – {question.opened_to.isoformat()}", question.by])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
