"""A definition's fields as rows: a kind that people know, choices, and the JSON Schema behind it for those who do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from events.workshop import notation as n

Cell = Callable[[str, Callable[[str], Any], str, Any], Any]
KINDS: dict[str, dict[str, Any]] = {
    "text": {"type": "string", "minLength": 1, "maxLength": 200},
    "long_text": {"type": "string", "minLength": 1, "maxLength": 2000},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "date": {"type": "string", "format": "date"},
    "date_time": {"type": "string", "format": "date-time"},
    "yes_no": {"type": "boolean"},
    "choice": {"enum": []},
    "choices": {"type": "array", "items": {"enum": []}},
    "limit": {
        "type": "object", "required": ["value", "unit"],
        "properties": {
            "value": {"type": "number", "exclusiveMinimum": 0, "maximum": 1000},
            "unit": {"enum": ["urgent_hour", "work_hour", "work_day", "urgent_day"]},
        },
    },
    "list": {"type": "array", "maxItems": 50, "items": {"type": "object"}},
    "any": {},
}  # fmt: skip


def kind_of(schema: Mapping[str, Any]) -> str:
    """The kind that a schema is."""
    kind = schema.get("type", "")
    kind = next((k for k in kind if k != "null"), "") if isinstance(kind, list) else kind
    if kind == "array":
        return "choices" if "enum" in (schema.get("items") or {}) else "list"
    if "enum" in schema or "choices" in schema:
        return "choice"
    if kind == "string":
        formats = {"date": "date", "date-time": "date_time"}
        return formats.get(schema.get("format", ""), "long_text" if schema.get("maxLength", 0) >= 500 else "text")
    plain = {"integer": "integer", "number": "number", "boolean": "yes_no"}
    return plain.get(kind, "limit" if kind == "object" and "value" in (schema.get("properties") or {}) else "any")


def row_of(name: str, field: Mapping[str, Any]) -> dict[str, Any]:
    """A field as a row; ``schema`` is everything but its names."""
    title = field.get("title") or {}
    schema = {key: value for key, value in field.items() if key not in ("title", "choices")}
    return {
        "name": name, "zh": title.get("zh", ""), "en": title.get("en", ""), "kind": kind_of(field),
        "choices": n.choices_text(_all_choices(field)), "schema": json.dumps(schema, ensure_ascii=False),
    }  # fmt: skip


def _all_choices(field: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    listed = field.get("enum") or (field.get("items") or {}).get("enum") or ()
    titles = field.get("choices") or {}
    return {str(name): titles.get(str(name), {}) for name in listed if name is not None} or dict(titles)


def field_of(row: Mapping[str, Any], cell: Cell) -> dict[str, Any]:
    """The field of a row: its schema, unless another kind was chosen since; choices go before the schema's."""
    where = f"fields/{row.get('name')}"
    schema = cell(f"{where}/schema", n.object_of, str(row.get("schema") or ""), {})
    titles = cell(f"{where}/choices", n.choices, str(row.get("choices") or ""), {})
    kind = str(row.get("kind") or "").strip()
    known = kind_of({**schema, **({"choices": titles} if titles and kind == "choice" else {})}) if schema else ""
    if kind and kind != known:
        if kind not in KINDS:
            cell(f"{where}/kind", _unknown_kind, kind, None)
        schema = json.loads(json.dumps(KINDS.get(kind, {})))
    _set_choices(schema, titles)
    named = {name: words for name, words in titles.items() if words}
    title = {code: text for code in ("zh", "en") if (text := str(row.get(code) or "").strip())}
    return {**schema, **({"title": title} if title else {}), **({"choices": named} if named else {})}


def _set_choices(schema: dict[str, Any], titles: Mapping[str, Any]) -> None:
    holder = schema if "enum" in schema else schema.get("items") or {}
    if "enum" in holder and titles:
        values = {str(value): value for value in holder["enum"]}
        nulls = [None] if None in holder["enum"] else []
        holder["enum"] = [*(values.get(name, name) for name in titles), *nulls]


def _unknown_kind(kind: str) -> None:
    raise n.CellUnreadable(detail=f"there is no kind of field {kind!r}", how=f"use one of: {', '.join(KINDS)}")
