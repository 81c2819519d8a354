"""A form → an XLSForm workbook that other tools open and :func:`import_xlsform` reads back with equal meaning."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from core.forms.model import Form, Question
from core.forms.xlsform.words import OUR_TYPES, TRANSLATED, language_title
from core.late import Late
from core.tables.safe_cells import looks_like_formula, printable

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")

_COLUMNS = (
    "type", "name", "label", "hint", "required", "required_message", "relevant", "constraint", "constraint_message",
    "calculation", "choice_filter", "repeat_count", "default", "appearance", "read_only", "trigger", "parameters",
    "yw:type", "yw:sensitive", "yw:prefill", "yw:rollup", "yw:unit", "yw:meaning",
)  # fmt: skip
_ALWAYS = frozenset(("type", "name", "label"))


def export_xlsform(form: Form) -> bytes:
    """The workbook: sheets survey, choices and settings; columns that no question uses are left out."""
    book = openpyxl.Workbook()
    survey = book.active
    survey.title = "survey"
    languages = form.languages()
    rows = list(_rows(form.questions))
    _write(survey, _head(rows, languages), rows)
    choices = [
        {"list_name": name, "name": choice.name, "label": choice.label}
        | {f" {key}": value for key, value in choice.columns.items()}
        for name, listed in form.choices.items()
        for choice in listed
    ]
    others = dict.fromkeys(key for row in choices for key in row if key.startswith(" "))
    head = [("list_name", ""), ("name", ""), *_translated("label", choices, languages), *((key, "") for key in others)]
    _write(book.create_sheet("choices"), head, choices)
    settings = _settings(form)
    _write(book.create_sheet("settings"), [(key, "") for key in settings], [settings])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _settings(form: Form) -> dict[str, Any]:
    title = form.title.get(form.default_language) or next(iter(form.title.values()), "")
    found = {
        "form_title": title, "form_id": form.form_id, "version": form.version,
        "default_language": language_title(form.default_language), "instance_name": form.instance_name,
    }  # fmt: skip
    for language, text in form.title.items():
        if language != form.default_language:
            found[f"form_title::{language_title(language)}"] = text
    if form.allow_choice_duplicates:
        found["allow_choice_duplicates"] = "yes"
    return found


def _rows(questions: Iterable[Question]) -> Iterable[dict[str, Any]]:
    for question in questions:
        row = _row(question)
        if question.type in ("group", "repeat"):
            yield {**row, "type": f"begin {question.type}"}
            yield from _rows(question.children)
            yield {"type": f"end {question.type}"}
        else:
            yield row


def _row(question: Question) -> dict[str, Any]:
    kind = OUR_TYPES.get(question.type, question.type)
    ours = question.type in OUR_TYPES
    file = f"{question.list}.csv" if kind == "select_one_from_file" else question.list
    row: dict[str, Any] = {"type": kind if ours else " ".join(part for part in (kind, file) if part)}
    if ours:
        row["yw:type"] = " ".join(part for part in (question.type, question.list) if part)
    for column in _COLUMNS:
        word = column.removeprefix("yw:")
        if word != "type":
            row[column] = _cell(getattr(question, word))
    return row


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else ""
    return value


def _head(rows: list[dict[str, Any]], languages: list[str]) -> list[tuple[str, str]]:
    head: list[tuple[str, str]] = []
    for column in _COLUMNS:
        if column in TRANSLATED:
            head += _translated(column, rows, languages)
        elif column in _ALWAYS or any(row.get(column) for row in rows):
            head.append((column, ""))
    return head


def _translated(column: str, rows: Iterable[dict[str, Any]], languages: list[str]) -> list[tuple[str, str]]:
    used = {language for row in rows for language in (row.get(column) or {})}
    found = [(column, language) for language in [*languages, *sorted(used - set(languages))] if language in used]
    return found or ([(column, languages[0])] if column in _ALWAYS else [])


def _write(sheet: Any, head: list[tuple[str, str]], rows: Iterable[dict[str, Any]]) -> None:
    for number, (column, language) in enumerate(head, start=1):
        title = column.strip() + (f"::{language_title(language)}" if language else "")
        write_text(sheet.cell(1, number), title)
    for row_number, row in enumerate(rows, start=2):
        for number, (column, language) in enumerate(head, start=1):
            value = row.get(column) or ""
            if isinstance(value, dict):
                value = value.get(language, "") if language else " ".join(f"{k}={v}" for k, v in value.items())
            if value:
                write_text(sheet.cell(row_number, number), value)


def write_text(cell: Any, text: str) -> None:
    """Write ``text`` as text: never as a formula, whatever it begins with."""
    cell.value = printable(text)
    cell.data_type = "s"
    if looks_like_formula(text):
        cell.quotePrefix = True
