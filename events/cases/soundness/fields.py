"""Fields and whole forms: JSON Schema that can be held, patterns that end, choices that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import YiwangError
from core.forms.checks import form_problems
from core.forms.compiled import compile_form
from core.forms.from_schema import fields_of_form
from core.forms.model import parse_form
from core.late import Late
from events.cases.definition import OWN_KEYS, Definition
from events.cases.definition_problems import DefinitionProblem, problem, unknown

jsonschema: Any = Late("jsonschema")
_KEYWORDS = frozenset(
    [
        *("type", "enum", "const", "minLength", "maxLength", "pattern", "format", "minimum", "maximum"),
        *("exclusiveMinimum", "exclusiveMaximum", "multipleOf", "items", "prefixItems", "minItems", "maxItems"),
        *("uniqueItems", "contains", "minContains", "maxContains", "properties", "required", "additionalProperties"),
        *("patternProperties", "propertyNames", "minProperties", "maxProperties", "dependentRequired"),
        *("dependentSchemas", "anyOf", "oneOf", "allOf", "not", "if", "then", "else", "description", "default"),
        *("examples", "readOnly", "writeOnly", "deprecated", "unevaluatedProperties", "unevaluatedItems"),
        *("contentEncoding", "contentMediaType"),
    ]
)
_BOUNDS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("exclusiveMinimum", "exclusiveMaximum"),
)
_NESTED = re.compile(r"[+*]\)[+*{]|\}\)[+*{]")  # (a+)+, (a*)*, (a{2,})+


def field_problems(d: Definition) -> Iterator[DefinitionProblem]:
    """Of fields and of the whole forms of commands."""
    for name, schema in d.fields.items():
        at = f"fields/{name}"
        yield from _of_schema(at, schema)
    yield from _of_forms(d)


def _own(at: str, schema: Mapping[str, Any]) -> Iterator[DefinitionProblem]:
    """Names and choices, which are no JSON Schema."""
    for key in ("title", "hint"):
        if key in schema and not _words(schema[key]):
            yield problem(f"{at}/{key}", "type_wrong", found=repr(schema[key])[:60], wanted="object", wanted_zh="对象")
    choices = schema.get("choices")
    if choices is None:
        return
    if not isinstance(choices, Mapping) or not all(_words(each) for each in choices.values()):
        yield problem(f"{at}/choices", "type_wrong", found=repr(choices)[:60], wanted="object", wanted_zh="对象")
        return
    items = schema.get("items")
    holder = schema if "enum" in schema else items if isinstance(items, Mapping) else {}
    listed = holder.get("enum")
    if isinstance(listed, list):
        known = [str(each) for each in listed]
        yield from (unknown(f"{at}/choices", "choice_unknown", c, known) for c in choices if str(c) not in known)


def _words(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values())


def _of_schema(at: str, schema: Mapping[str, Any]) -> Iterator[DefinitionProblem]:
    found = list(_walk(at, schema))
    yield from found
    if found:
        return
    try:
        jsonschema.Draft202012Validator.check_schema(_plain(schema))
    except jsonschema.SchemaError as error:
        path = "/".join([at, *map(str, error.absolute_path)])
        yield problem(path, "schema_wrong", detail=error.message[:200])


def _plain(schema: Any) -> Any:
    """The JSON Schema without our own keys, also of those within it."""
    if not isinstance(schema, Mapping):
        return schema
    found = {key: value for key, value in schema.items() if key not in OWN_KEYS}
    if isinstance(found.get("properties"), Mapping):
        found["properties"] = {name: _plain(inner) for name, inner in found["properties"].items()}
    return {**found, "items": _plain(found["items"])} if "items" in found else found


def _walk(at: str, schema: Any) -> Iterator[DefinitionProblem]:
    """Keywords, patterns, bounds and choices of a schema and of those within it."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping):
        yield problem(at, "type_wrong", found=repr(schema)[:60], wanted="object", wanted_zh="对象")
        return
    yield from _own(at, schema)
    for key in schema:
        if key not in _KEYWORDS and key not in OWN_KEYS and not str(key).startswith(("$", "x-", "x_")):
            yield unknown(f"{at}/{key}", "key_unknown", key, _KEYWORDS)
    if "pattern" in schema:
        yield from _pattern(f"{at}/pattern", schema["pattern"])
    if schema.get("enum") == []:
        yield problem(f"{at}/enum", "choices_none")
    for low, high in _BOUNDS:
        pair = schema.get(low), schema.get(high)
        if all(isinstance(each, int | float) for each in pair) and pair[0] > pair[1]:  # type: ignore[operator]
            yield problem(f"{at}/{low}", "bounds_wrong", low=pair[0], high=pair[1])
    if "items" in schema:
        yield from _walk(f"{at}/items", schema["items"])
    for key in ("properties", "patternProperties"):
        for name, inner in _mapping(schema.get(key)).items():
            if key == "patternProperties":
                yield from _pattern(f"{at}/{key}", name)
            yield from _walk(f"{at}/{key}/{name}", inner)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _pattern(at: str, pattern: Any) -> Iterator[DefinitionProblem]:
    try:
        re.compile(pattern)
    except (re.error, TypeError, RecursionError, OverflowError) as error:
        yield problem(at, "regex_invalid", name=pattern, detail=error)
        return
    if _NESTED.search(pattern):
        yield problem(at, "regex_slow", name=pattern)


def _of_forms(d: Definition) -> Iterator[DefinitionProblem]:
    """The whole forms of commands: each is sound, and each question is a field of the command."""
    for command, body in d.forms.items():
        spec, at = d.commands.get(command), f"forms/{command}"
        if spec is None:
            yield unknown(at, "form_command_unknown", command, d.commands)
            continue
        try:
            form = parse_form(body)
        except YiwangError as error:
            yield problem(at, "form_wrong", at="form", detail=error)
            continue
        for found in form_problems(form):
            if found.blocking:
                name = "" if found.index is None else compile_form(form).structure.items[found.index].name
                yield problem(at, "form_wrong", at=name or found.word or "form", detail=found.code)
        own = (*spec.required, *spec.optional)
        for name in fields_of_form(form):
            if name not in own:
                yield unknown(f"commands/{command}/optional", "field_unknown", name, own)
