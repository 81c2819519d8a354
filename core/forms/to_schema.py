"""The questions of a form as fields with JSON Schemas, as case definitions keep them.  The other way round is
:mod:`core.forms.from_schema`; types and titles fit what ``static/work/command.mjs`` makes of answers.
"""

from __future__ import annotations

from typing import Any

from core.forms.model import Form, Question
from core.forms.structure import Item, lay_flat

_TYPES: dict[str, dict[str, Any]] = {
    "integer": {"type": "integer"}, "decimal": {"type": "number"}, "range": {"type": "number"},
    "date": {"type": "string", "format": "date"}, "dateTime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"}, "acknowledge": {"type": "boolean"},
    "image": {"type": "array", "maxItems": 50}, "file": {"type": "array", "maxItems": 50}, "calculate": {},
}  # fmt: skip
_TEXT: dict[str, Any] = {"type": "string", "maxLength": 10_000}


def fields_of_form(form: Form) -> dict[str, dict[str, Any]]:
    """Question → JSON Schema with ``title`` (and ``choices``); notes and groups carry no answer."""
    structure = lay_flat(form)
    return {item.key: _field(item, form, structure.scopes) for item in structure.scopes[-1] if item.type != "note"}


def required_in(form: Form) -> list[str]:
    """The questions that must be answered whatever else is: required, outside repeats, always relevant."""
    return [
        item.key
        for item in lay_flat(form).scopes[-1]
        if item.question.required is True and not _conditional(item) and item.type not in ("note", "repeat")
    ]


def _conditional(item: Item | None) -> bool:
    return item is not None and (bool(item.question.relevant) or _conditional(item.parent))


def _field(item: Item, form: Form, scopes: dict[int, list[Item]]) -> dict[str, Any]:
    question = item.question
    title = {"title": dict(question.label)} if question.label else {}
    if item.type == "repeat":
        inner = [each for each in scopes[item.index] if each.type != "note"]
        members = {each.key: _field(each, form, scopes) for each in inner}
        return {"type": "array", "maxItems": 500, "items": {"type": "object", "properties": members}, **title}
    if item.type in ("select_one", "select_multiple", "rank"):
        return {**_select(question, form), **title}
    return {**_TYPES.get(item.type, _TEXT), **title}


def _select(question: Question, form: Form) -> dict[str, Any]:
    rows = form.choices.get(question.list, ())
    names = list(dict.fromkeys(row.name for row in rows))
    titles = {row.name: dict(row.label) for row in rows if row.label}
    choices = {"choices": titles} if titles else {}
    one: dict[str, Any] = {"type": "string", **({"enum": names} if names else {"maxLength": 200})}
    if question.type == "select_one":
        return {**one, **choices}
    return {"type": "array", "items": one, **choices}
