"""The fields of a case command (JSON Schemas with titles) as a form for the one renderer, and its answers back as data.

    form = form_of_fields(definition.fields, spec.required, spec.optional)
    data = data_of_answers(definition.fields, state.submitted)

An object becomes a group whose questions are called ``field.member``, a list a repeat.  What names something that
the platform knows (a department, a person, a class, a case, a site) is searched; ``documents`` are rows of kind and
file.

:func:`fields_of_form` is the other way round: the questions of a whole form as the fields of a command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.forms.model import Form, Question, parse_form
from core.forms.structure import Item, lay_flat

Schema = Mapping[str, Any]
ITEM = "item"  # the one question of a list's rows
UPLOADS = frozenset(("evidence", "upload_id"))
_REFERENCES = {
    "department_id": ("unit", "department"), "user_id": ("person", "user"), "party_id": ("person", "user"),
    "parties": ("person", "user"), "class_code": ("record", "class"), "other_case_id": ("record", "case"),
    "site_id": ("record", "site"), "standing_key": ("record", "standing"),
}  # fmt: skip
# Names that definitions share and need not give again: parts of a limit, of a part, of a document.
TITLES: dict[str, dict[str, str]] = {
    "value": {"zh": "数量", "en": "Number"},
    "unit": {"zh": "单位", "en": "Unit"},
    "limit": {"zh": "时限", "en": "Limit"},
    "department_id": {"zh": "部门", "en": "Department"},
    "user_id": {"zh": "人员", "en": "Person"},
    "duty": {"zh": "职责", "en": "Duty"},
    "after": {"zh": "在其之后（部门编号）", "en": "After (department id)"},
    "title": {"zh": "标题", "en": "Title"},
    "description": {"zh": "说明", "en": "Description"},
    "type": {"zh": "种类", "en": "Kind"},
    "upload_id": {"zh": "文件", "en": "File"},
    "item": {"zh": "内容", "en": "Content"},
    "severity": {"zh": "等级", "en": "Severity"},
    "comment": {"zh": "备注", "en": "Remark"},
}
CHOICES: dict[str, dict[str, dict[str, str]]] = {
    "unit": {
        "work_hour": {"zh": "工作小时", "en": "working hours"},
        "work_day": {"zh": "工作日", "en": "working days"},
        "urgent_hour": {"zh": "小时", "en": "hours"},
        "urgent_day": {"zh": "自然日", "en": "days"},
    },
    "purpose": {
        "finding": {"zh": "发现时", "en": "finding"},
        "before": {"zh": "处置前", "en": "before"},
        "after": {"zh": "处置后", "en": "after"},
        "check": {"zh": "核查", "en": "check"},
        "other": {"zh": "其他", "en": "other"},
    },
}
_FORMATS = {"date": "date", "date-time": "dateTime", "time": "time"}
_LONG = 500  # characters from which on a text has several lines


def form_of_fields(
    fields: Mapping[str, Schema],
    required: Sequence[str],
    optional: Sequence[str] = (),
    documents: Mapping[str, Mapping[str, str]] | None = None,
) -> Form:
    """The form of a command that takes these fields; what the renderer cannot ask (free JSON) is left out.

    ``documents``: the kinds of document with their names, for the field of that name.
    """
    choices: dict[str, list[dict[str, Any]]] = {}
    questions = []
    for name in (*required, *optional):
        schema = _papers(fields.get(name, {}), documents or {}) if name == "documents" else fields.get(name, {})
        made = _question(name, schema, name in required, choices)
        if made is not None:
            questions.append(made)
    return parse_form({"questions": questions, "choices": choices})


def _papers(schema: Schema, documents: Mapping[str, Mapping[str, str]]) -> Schema:
    """Documents as rows: its kind (where the definition has kinds) and the uploaded file."""
    kinds = dict(documents) or {"other": {"zh": "材料", "en": "Document"}}
    asked = {"type": {"enum": list(kinds), "choices": kinds}, "upload_id": {"type": "string"}}
    items = {"type": "object", "required": ["type", "upload_id"], "properties": asked}
    return {**schema, "type": "array", "items": items}


def _question(name: str, schema: Schema, required: bool, choices: dict[str, list[Any]]) -> dict[str, Any] | None:
    last = name.rpartition(".")[2]
    base = {"name": name, "label": schema.get("title") or TITLES.get(last) or {"zh": last}, "required": required}
    if schema.get("hint"):
        base["hint"] = schema["hint"]
    kind = _kind(schema)
    if last in UPLOADS:
        return {**base, "type": "file", **({"appearance": "single"} if kind == "string" else {})}
    if last in _REFERENCES and kind != "array":
        type_, listed = _REFERENCES[last]
        return {**base, "type": type_, "list": listed}
    if "enum" in schema or "choices" in schema:
        choices[name] = _choices(schema, last)
        return {**base, "type": "select_one", "list": name}
    if kind == "object":
        return _group(base, schema, choices)
    if kind == "array":
        return _several(base, schema, choices)
    return _simple(base, schema, kind)


def _kind(schema: Schema) -> str:
    kind = schema.get("type", "string" if "enum" in schema else "")
    return next((k for k in kind if k != "null"), "") if isinstance(kind, list) else str(kind)


def _choices(schema: Schema, name: str = "") -> list[dict[str, Any]]:
    titles = schema.get("choices") or CHOICES.get(name) or {}
    names = [str(value) for value in schema.get("enum") or titles if value is not None]
    return [{"name": name, "label": titles.get(name) or {"zh": name}} for name in names]


def _group(base: dict[str, Any], schema: Schema, choices: dict[str, list[Any]]) -> dict[str, Any] | None:
    needed = schema.get("required") or ()
    made = [
        _question(f"{base['name']}.{member}", inner, bool(base["required"]) and member in needed, choices)
        for member, inner in (schema.get("properties") or {}).items()
    ]
    children = [child for child in made if child is not None]
    return {**base, "type": "group", "required": False, "children": children} if children else None


def _several(base: dict[str, Any], schema: Schema, choices: dict[str, list[Any]]) -> dict[str, Any] | None:
    items = schema.get("items") or {}
    if "enum" in items:
        choices[base["name"]] = _choices(items, base["name"])
        return {**base, "type": "select_multiple", "list": base["name"]}
    if _kind(items) != "object":
        inner = _question(ITEM, items, True, choices)
        if inner:
            inner["label"] = base["label"]
        if inner and base["name"] in _REFERENCES:
            type_, listed = _REFERENCES[base["name"]]
            inner |= {"type": type_, "list": listed, "constraint": ""}
        return {**base, "type": "repeat", "children": [inner]} if inner else None
    needed = items.get("required") or ()
    made = [
        _question(member, inner, member in needed, choices) for member, inner in (items.get("properties") or {}).items()
    ]
    children = [child for child in made if child is not None]
    return {**base, "type": "repeat", "children": children} if children else None


def _simple(base: dict[str, Any], schema: Schema, kind: str) -> dict[str, Any] | None:
    if kind == "boolean":
        return {**base, "type": "acknowledge", "required": False}
    if kind in ("integer", "number"):
        return {**base, "type": "integer" if kind == "integer" else "decimal", "constraint": _bounds(schema)}
    if kind != "string":
        return None
    if schema.get("format") in _FORMATS:
        return {**base, "type": _FORMATS[schema["format"]]}
    lengths = [f"string-length(.) >= {schema['minLength']}"] if schema.get("minLength", 0) > 1 else []
    lengths += [f"string-length(.) <= {schema['maxLength']}"] if "maxLength" in schema else []
    long = {"appearance": "multiline"} if schema.get("maxLength", 0) >= _LONG else {}
    return {**base, **long, "type": "text", "constraint": " and ".join(lengths)}


def _bounds(schema: Schema) -> str:
    words = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    return " and ".join(f". {sign} {schema[word]:g}" for word, sign in words.items() if word in schema)


def data_of_answers(fields: Mapping[str, Schema], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Submitted answers as the command's data: ``a.b`` nested again, numbers of choices as numbers."""
    data: dict[str, Any] = {}
    for key, value in answers.items():
        name, dot, member = key.partition(".")
        if not dot:
            data[name] = _typed(fields.get(name, {}), value)
            continue
        inner = (fields.get(name, {}).get("properties") or {}).get(member, {})
        data.setdefault(name, {})[member] = _typed(inner, value)
    return data


def _typed(schema: Schema, value: Any) -> Any:
    kind = _kind(schema)
    if isinstance(value, list) and kind == "array":
        items = schema.get("items") or {}
        if _kind(items) != "object":
            return [_typed(items, v.get(ITEM)) if isinstance(v, dict) else v for v in value]
        return [data_of_answers(items.get("properties") or {}, v) if isinstance(v, dict) else v for v in value]
    if isinstance(value, str) and kind in ("integer", "number"):
        try:
            return int(value) if kind == "integer" else float(value)
        except ValueError:
            return value
    if kind == "boolean" and not isinstance(value, bool):
        return value in ("OK", "true")
    return value


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
