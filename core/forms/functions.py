"""The functions of the expression language.  Each takes the scope and its evaluated arguments.

``if``, ``coalesce``, ``and`` and ``or`` are lazy and live in the evaluator.  The same table is ``functions.mjs``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from core.forms.dates import add_workdays, age_on, day_of, iso, workdays_between
from core.forms.errors import RepeatAsValue
from core.forms.pattern import PatternError, matches
from core.forms.scope import Scope
from core.forms.values import Value, as_number, as_text, finite, is_empty, round_half_away, truth
from core.identity import credit_code_valid, resident_number_valid

Function = Callable[..., Value]
_BLANKS = re.compile(r"[ \t\r\n]+")
_MOST_ITEMS = 10_000


def chosen(value: Value) -> list[str]:
    """The names chosen in a select: of a list, or of text with blanks between (as old data has it)."""
    if isinstance(value, list | tuple):
        return [as_text(item) for item in value if not is_empty(item)]
    return [name for name in _BLANKS.split(as_text(value)) if name]


def _items(values: tuple[Value, ...]) -> list[float]:
    """All numbers among the arguments and in their lists; empty ones and other text are skipped."""
    flat: list[Value] = []
    for value in values:
        flat.extend(value[:_MOST_ITEMS] if isinstance(value, list | tuple) else (value,))
    if any(isinstance(item, dict) for item in flat):
        raise RepeatAsValue(column=1, name="?")
    return [number for item in flat if (number := as_number(item)) is not None]


def _sum(_scope: Scope, *values: Value) -> Value:
    total: float | None = 0.0
    for number in _items(values):
        total = finite(total + number) if total is not None else None
    return total


def _least(_scope: Scope, *values: Value) -> Value:
    return min(_items(values), default=None)


def _most(_scope: Scope, *values: Value) -> Value:
    return max(_items(values), default=None)


def _count(_scope: Scope, value: Value) -> Value:
    if isinstance(value, list | tuple):
        return len(value)
    return 0 if is_empty(value) else 1


def _count_non_empty(_scope: Scope, value: Value) -> Value:
    items = value if isinstance(value, list | tuple) else [value]
    return sum(not is_empty(item) for item in items)


def _round(_scope: Scope, value: Value, digits: Value = 0) -> Value:
    number, places = as_number(value), as_number(digits)
    if number is None or places is None:
        return None
    return round_half_away(number, int(max(-300, min(300, places))))


def _int(_scope: Scope, value: Value) -> Value:
    number = as_number(value)
    return None if number is None else finite(float(int(number)))


def _abs(_scope: Scope, value: Value) -> Value:
    number = as_number(value)
    return None if number is None else finite(abs(number))


def _substr(_scope: Scope, value: Value, start: Value, end: Value = ...) -> Value:
    text, first = as_text(value), as_number(start)
    last = None if end is ... else as_number(end)
    if first is None or (last is None and end is not ...):
        return ""
    return text[_index(first) : None if last is None else _index(last)]


def _index(number: float) -> int:
    return int(max(-1e9, min(1e9, number)))


def _regex(_scope: Scope, value: Value, pattern: Value) -> Value:
    try:
        return matches(as_text(pattern), as_text(value))
    except PatternError:
        return False


def _days_between(_scope: Scope, first: Value, last: Value) -> Value:
    begin, end = day_of(first), day_of(last)
    return None if begin is None or end is None else end - begin


def _workdays_between(scope: Scope, first: Value, last: Value) -> Value:
    begin, end = day_of(first), day_of(last)
    return None if begin is None or end is None else workdays_between(begin, end, scope.calendar)


def _add_workdays(scope: Scope, first: Value, count: Value) -> Value:
    begin, number = day_of(first), as_number(count)
    if begin is None or number is None:
        return None
    day = add_workdays(begin, _index(number), scope.calendar)
    return None if day is None else iso(day)


def _age_on(scope: Scope, birth: Value, day: Value = ...) -> Value:
    born, on = day_of(birth), day_of(scope.today if day is ... else day)
    return None if born is None or on is None else age_on(born, on)


def choice_label(scope: Scope, question: str | None, value: Value) -> str:
    """The labels of the chosen names in the form's language, with commas between."""
    return ", ".join(scope.labels(question, name) for name in chosen(value))


def _contains(_scope: Scope, value: Value, part: Value) -> Value:
    return as_text(part) in as_text(value)


TABLE: dict[str, Function] = {
    "not": lambda _s, v: not truth(v),
    "true": lambda _s: True,
    "false": lambda _s: False,
    "selected": lambda _s, v, name: as_text(name) in chosen(v),
    "count-selected": lambda _s, v: len(chosen(v)),
    "count": _count,
    "count-non-empty": _count_non_empty,
    "sum": _sum,
    "min": _least,
    "max": _most,
    "round": _round,
    "int": _int,
    "abs": _abs,
    "number": lambda _s, v: as_number(v),
    "string": lambda _s, v: as_text(v),
    "string-length": lambda _s, v: len(as_text(v)),
    "concat": lambda _s, *v: "".join(as_text(item) for item in v),
    "substr": _substr,
    "contains": _contains,
    "starts-with": lambda _s, v, part: as_text(v).startswith(as_text(part)),
    "ends-with": lambda _s, v, part: as_text(v).endswith(as_text(part)),
    "regex": _regex,
    "today": lambda s: s.today,
    "days-between": _days_between,
    "workdays-between": _workdays_between,
    "add-workdays": _add_workdays,
    "age-on": _age_on,
    "id-valid": lambda _s, v: resident_number_valid(as_text(v)),
    "uscc-valid": lambda _s, v: credit_code_valid(as_text(v)),
}
