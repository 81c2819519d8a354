"""Vectors: expressions with what they must give.  Run here in Python and, by ``app expr``, in Node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.forms.compiled import compile_form
from core.forms.dates import WorkDays
from core.forms.engine import evaluate_form
from core.forms.errors import ExpressionError
from core.forms.expression import parse
from core.forms.model import parse_form
from core.forms.scope import Names, Scope

Body = Mapping[str, Any]


def merged_context(common: Body, own: Body | None) -> dict[str, Any]:
    """The context of one vector: the file's, with the vector's own ``values`` and ``repeats`` laid over it."""
    merged = {**common, **(own or {})}
    for part in ("values", "repeats"):
        merged[part] = {**common.get(part, {}), **((own or {}).get(part) or {})}
    return merged


def names_of(context: Body) -> Names:
    """All names that the context knows."""
    repeats = context.get("repeats") or {}
    inner = {key for rows in repeats.values() for row in rows for key in row}
    row = context.get("row") or {}
    values = {*(context.get("values") or {}), *(context.get("names") or ()), *inner, *row}
    columns = frozenset(context.get("columns") or {})
    return Names(frozenset(values) - frozenset(repeats), frozenset(repeats), columns=columns)


def scope_of(context: Body, calendar: WorkDays) -> Scope:
    """The scope that the context describes: repeats give their rows, their questions the list of values."""
    values = dict(context.get("values") or {})
    for name, rows in (context.get("repeats") or {}).items():
        values[name] = rows
        for key in {key: None for row in rows for key in row}:
            values[key] = [row.get(key) for row in rows]
    rows = (context["row"],) if context.get("row") is not None else ()
    return Scope(
        values,
        rows=rows,
        dot=context.get("dot"),
        today=context.get("today") or "",
        calendar=calendar,
        columns=context.get("columns") or {},
    )


def outcome(text: str, context: Body, calendar: WorkDays) -> dict[str, Any]:
    """``{"value": …}`` or ``{"error": code}`` of one expression."""
    try:
        expression = parse(text, columns=bool(context.get("columns")))
        expression.check(names_of(context))
        return {"value": expression.evaluate(scope_of(context, calendar))}
    except ExpressionError as error:
        return {"error": error.code}


def form_of(vector: Body) -> dict[str, Any]:
    """The form's JSON of a vector of the list ``relevance``."""
    return {"questions": vector.get("form") or [], "choices": vector.get("choices") or {}}


def form_state(vector: Body, today: str, calendar: WorkDays) -> dict[str, Any]:
    """The state of the vector's form under its answers, with ``publish_errors`` beside it."""
    compiled = compile_form(parse_form(form_of(vector)))
    state = evaluate_form(compiled, vector.get("answers") or {}, today=today, calendar=calendar).as_json()
    items = compiled.structure.items
    return {**state, "publish_errors": [[items[index].key, "cycle"] for index in compiled.circles]}


def unmet(state: Body, expect: Body) -> dict[str, Any]:
    """What ``expect`` says (a part of the state, or a question's value) and the state does not have."""
    values = state.get("values") or {}
    got = {key: state[key] if key in state else values.get(key) for key in expect}
    return {key: got[key] for key in expect if not same(got[key], expect[key])}


def same(a: Any, b: Any) -> bool:
    """Equal outcomes: true is not 1, but 3 is 3.0."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return float(a) == float(b)  # JSON from Node writes large doubles as whole numbers
    return bool(a == b)
