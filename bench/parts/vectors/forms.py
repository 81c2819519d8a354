"""Kinds of form vectors and the functions that answer them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import openpyxl

from core.forms.checks import form_problems
from core.forms.compiled import compile_form
from core.forms.engine import evaluate_form
from core.forms.excel_cells import read_cell
from core.forms.excel_head import BodyMerged, HeadInvalid, check_body, find_head
from core.forms.model import parse_form
from core.forms.vectors import merged_context, outcome
from core.forms.xlsform.exporting import write_text
from core.forms.xlsform.importing import import_xlsform
from core.legal_time.calendar import statutory_calendar

Body = Mapping[str, Any]


def _expression(body: Body, document: Body) -> Any:
    """``{"value": …}``, or ``{"error": code}`` of what is wrong with the expression."""
    context = merged_context(document.get("context") or {}, body.get("context"))
    return outcome(body["expr"], context, statutory_calendar())


def _relevance(body: Body, document: Body) -> Any:
    """The state of the form beside the answers; of a form that may not be published its problems."""
    form = parse_form({"questions": body["form"], "choices": body.get("choices") or {}})
    compiled = compile_form(form)
    if "publish_errors" in body["expect"]:
        items = compiled.structure.items
        problems = form_problems(form, compiled, publishing=True)
        named = [[items[p.index].name if p.index is not None else "", p.code] for p in problems if p.blocking]
        return {"publish_errors": named}
    today = body.get("today") or document.get("today", "")
    state = evaluate_form(compiled, body["answers"], today=today, calendar=statutory_calendar()).as_json()
    return {**state["values"], **state}


def _import(body: Body, document: Body) -> Any:
    """``[row, code]`` of each problem of the sheet ``survey``, ``[sheet, row, code]`` of the others."""
    problems = import_xlsform(_workbook(body["survey"], body.get("choices") or [])).problems
    return [[p.row, p.code] if p.sheet == "survey" else [p.sheet, p.row, p.code] for p in problems]


def _workbook(survey: list[list[Any]], choices: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for name, rows in (("survey", survey), ("choices", choices)):
        if name == "survey" or rows:
            sheet = book.active if name == "survey" else book.create_sheet(name)
            sheet.title = name
            for row in rows:
                sheet.append([cell or None for cell in row])
                for cell in sheet[sheet.max_row]:
                    if isinstance(cell.value, str):
                        cell.data_type = "s"  # a text that begins with = is no formula
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _excel(body: Body, document: Body) -> Any:
    return _head(body) if "rows" in body else _cell(body)


def _head(body: Body) -> Any:
    """Names of the columns, with the head's row where the vector asks for it; or what is wrong with head or body."""
    merged = body.get("merged") or []
    try:
        head = find_head(body["rows"], merged)
        check_body(head, merged, same_value=body.get("same_value", ()))
    except HeadInvalid as error:
        return {"error": error.data["reason"], "columns": error.data["columns"]}
    except BodyMerged as error:
        return {"error": "merged-body", "cells": error.data["cells"]}
    if isinstance(body["expect"], list):
        return head.names
    return {"head_row": head.row, "columns": head.names}


def _cell(body: Body) -> Any:
    """The answer that a cell means, or the type with which a text is written."""
    cell = body["cell"]
    value = datetime.fromisoformat(cell["value"]) if cell["type"] == "d" else cell["value"]
    if "written_type" in body["expect"]:
        target = openpyxl.Workbook().active.cell(1, 1)
        write_text(target, str(value))
        return {"written_type": target.data_type}
    choices = body.get("choices") or ((value,) if isinstance(value, str) else ())
    read = read_cell(value, body["question"], choices, formula=cell["type"] == "f")
    return {"value": read.value, **{k: v for k, v in (("error", read.error), ("warn", read.warn)) if v}}


CHECKS: dict[str, Callable[[Body, Body], Any]] = {
    "expressions": _expression,
    "relevance": _relevance,
    "import": _import,
    "excel": _excel,
}
