"""Effects and guards: each is known, has the parameters it needs, and names what is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core.errors import YiwangError
from core.forms.expression import parse as parse_expression
from core.forms.from_schema import form_of_fields
from core.forms.kinds import type_problems
from core.forms.structure import lay_flat
from events.cases.definition import CommandSpec, Definition
from events.cases.definition_parts import effect_name, effect_params
from events.cases.definition_problems import DefinitionProblem, problem, unknown
from events.cases.soundness.people import CASE_WORDS
from events.cases.verbs.effects import EFFECTS, GIVEN
from events.cases.verbs.guards import GUARDS

# name → parameters; "!" behind a kind: must be there.  text, number, flag, list of texts, object; own: a field of the
# command, field(s): of the definition.
_EFFECTS: dict[str, dict[str, str]] = {
    "spawn": {"definition": "kind", "from": "field", "data": "object"},
    "copy_up": {"fields": "fields", "into": "text"},
    "issue": {"template": "template"},
    "ask_party": {"question": "own", "fields": "fields", "role": "text"},
    "add_subject": {"role": "text"},
    "end_dependents": {"command": "text!", "key": "field", "field": "field"},
}
_EVERYWHERE = {"part": "text"}  # of guards: only for an actor whose department has that part
_GUARDS: dict[str, dict[str, str]] = {
    "evidence": {"purpose": "text!", "unless": "text"},
    "parts_finished": {"states": "list"},
    "within_clock": {"clock": "clock!"},
    "before_deadline": {"clock": "clock!"},
    "clock_running": {"clock": "clock!"},
    "pending": {"approval": "approval!"},
    "no_pending": {"approval": "approval!"},
    "not_extended": {"times": "number"},
    "not_handler": {"also": "text"},
    "documents": {"types": "documents!"},
    "form_complete": {"fields": "fields"},
    "holds": {"expr": "text!", "message": "message"},
    "record_valid": {"field": "field!", "register": "text"},
}
_ZH = {"text": "文字", "number": "数", "list": "列表", "object": "对象", "message": "文字或两种语言的文字"}
_ROW_WORD = re.compile(r"\$\{([^}]+)\}")


def effect_problems(d: Definition, at: str, spec: CommandSpec) -> Iterator[DefinitionProblem]:
    """Of a command's effects; whether a spawned kind is there, its caller knows."""
    for effect in spec.effects:
        name, params = effect_name(effect), effect_params(effect)
        if name not in EFFECTS and name not in GIVEN:
            yield unknown(at, "effect_unknown", name, {*EFFECTS, *GIVEN})
            continue
        if name == "spawn" and not params.get("definition"):
            yield problem(at, "spawn_nameless")
        if name == "issue" and params.get("template") not in d.templates:
            yield unknown(at, "template_unknown", params.get("template"), d.templates)
        wanted = _EFFECTS.get(name, {})
        for key in params:
            if key not in wanted:
                yield unknown(at, "effect_param_unknown", key, wanted, effect=name)
        for key, kind in wanted.items():
            if key not in params:
                if kind.endswith("!"):
                    yield problem(at, "effect_param_missing", effect=name, name=key)
                continue
            yield from _effect_value(d, at, spec, (name, key, kind.rstrip("!")), params[key])
        yield from _children_data(d, at, name, params)


def _effect_value(
    d: Definition, at: str, spec: CommandSpec, which: tuple[str, str, str], value: Any
) -> Iterator[DefinitionProblem]:
    effect, key, kind = which
    plain = {"fields": "list", "object": "object"}.get(kind, "text")
    if not _is(value, plain):
        yield problem(at, "effect_param_wrong", effect=effect, name=key, wanted=plain, wanted_zh=_ZH[plain])
        return
    own = (*spec.required, *spec.optional)
    known = {"own": own, "field": tuple(d.fields), "fields": tuple(d.fields)}.get(kind)
    if known is None:
        return
    for name in value if kind == "fields" else [value]:
        if name not in known and not (effect == "copy_up" and name in CASE_WORDS):
            yield unknown(at, "effect_field_unknown", name, known, effect=effect)


def _children_data(d: Definition, at: str, effect: str, params: Mapping[str, Any]) -> Iterator[DefinitionProblem]:
    """``data`` of spawned cases names fields of a row or of the case."""
    if effect != "spawn" or not isinstance(params.get("data"), Mapping):
        return
    rows = _mapping(_mapping(d.fields.get(str(params.get("from", "")))).get("items"))
    known = CASE_WORDS | set(d.fields) | set(_mapping(rows.get("properties")))
    free = "from" in params and not rows.get("properties")  # rows of any shape
    for text in params["data"].values():
        for word in _ROW_WORD.findall(text) if isinstance(text, str) and not free else ():
            if word.strip() not in known:
                yield unknown(at, "effect_field_unknown", word.strip(), known, effect=effect)


def guard_problems(d: Definition, at: str, guards: Iterable[Mapping[str, Any]]) -> Iterator[DefinitionProblem]:
    """Of a command's guards."""
    for guard in guards:
        name = guard.get("guard")
        if name not in GUARDS:
            yield unknown(at, "guard_unknown", name, GUARDS)
            continue
        wanted = {**_GUARDS.get(str(name), {}), **_EVERYWHERE}
        for key in guard:
            if key != "guard" and key not in wanted:
                yield unknown(at, "guard_param_unknown", key, wanted, guard=name)
        for key, kind in wanted.items():
            if key in guard:
                yield from _guard_value(d, at, (str(name), key, kind.rstrip("!")), guard[key])
            elif kind.endswith("!"):
                yield problem(at, "guard_incomplete", guard=name, name=key)
        if name == "holds" and isinstance(guard.get("expr"), str):
            yield from _expression(d, at, guard["expr"])


def _guard_value(d: Definition, at: str, which: tuple[str, str, str], value: Any) -> Iterator[DefinitionProblem]:
    guard, key, kind = which
    plain = {"fields": "list", "documents": "list", "list": "list", "number": "number", "message": "message"}.get(
        kind, "text"
    )
    if not _is(value, plain):
        yield problem(at, "guard_param_wrong", guard=guard, name=key, wanted=plain, wanted_zh=_ZH[plain])
        return
    tables: dict[str, tuple[Iterable[str], str]] = {
        "clock": (d.clocks, "guard_clock_unknown"), "approval": (d.approvals, "guard_approval_unknown"),
        "field": (d.fields, "guard_field_unknown"), "fields": (d.fields, "guard_field_unknown"),
        "documents": (d.documents, "guard_document_unknown"),
    }  # fmt: skip
    known, code = tables.get(kind, ((), ""))
    if not code or (kind == "documents" and not d.documents):  # a kind that names no documents takes any
        return
    for name in value if isinstance(value, list | tuple) else [value]:
        if name not in known:
            yield unknown(at, code, name, known, guard=guard)


def _expression(d: Definition, at: str, text: str) -> Iterator[DefinitionProblem]:
    try:
        expression = parse_expression(text)
        for reference in sorted(expression.references() - set(d.fields)):
            yield unknown(at, "guard_field_unknown", reference, d.fields, guard="holds")
        structure = lay_flat(form_of_fields(d.fields, (), list(d.fields)))
        for item in [each for each in structure.items if not each.repeats][:1]:
            for wrong in type_problems(expression.tree, item, structure):
                yield problem(at, "guard_expression", detail=wrong)
    except YiwangError as error:
        yield problem(at, "guard_expression", detail=error)


def _is(value: Any, kind: str) -> bool:
    if kind == "list":
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "object":
        return isinstance(value, Mapping)
    if kind == "message":
        return isinstance(value, str) or (
            isinstance(value, Mapping) and all(isinstance(v, str) for v in value.values())
        )
    return isinstance(value, str)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
