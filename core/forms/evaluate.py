"""Tree → closure → value.  Never ``eval``; names are looked up in the form's own table only."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from core.forms.dates import instant_of
from core.forms.errors import RepeatAsValue
from core.forms.functions import TABLE, choice_label
from core.forms.parser import Node
from core.forms.scope import Scope
from core.forms.values import Value, as_number, as_text, finite, is_empty, truth

Run = Callable[[Scope], Value]
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def equal(a: Value, b: Value) -> bool:
    """``=``: empty equals empty only; with a truth value as truth, with a number as numbers, else as text."""
    if is_empty(a) or is_empty(b):
        return is_empty(a) and is_empty(b)
    if isinstance(a, bool) or isinstance(b, bool):
        return truth(a) == truth(b)
    if isinstance(a, int | float) or isinstance(b, int | float):
        x, y = as_number(a), as_number(b)
        return x is not None and x == y
    return as_text(a) == as_text(b)


def ordered(operator: str, a: Value, b: Value) -> bool:
    """``<`` and its kin: two dates as dates, else two numbers; everything else, also empty, is false."""
    first, second = instant_of(a), instant_of(b)
    if first is not None and second is not None:
        return _ORDER[operator](first, second)
    x, y = as_number(a), as_number(b)
    return x is not None and y is not None and _ORDER[operator](x, y)


def arithmetic(operator: str, a: Value, b: Value) -> float | None:
    """``+ - * div mod`` on doubles, each result with 15 significant digits; empty when either side is."""
    x, y = as_number(a), as_number(b)
    if x is None or y is None:
        return None
    if operator == "+":
        return finite(x + y)
    if operator == "-":
        return finite(x - y)
    if operator == "*":
        return finite(x * y)
    if y == 0:
        return None
    return finite(x / y if operator == "div" else math.fmod(x, y))


def compile_tree(node: Node) -> Run:
    """The closure that evaluates ``node``."""
    return _MAKERS[node[0]](node)


def _constant(node: Node) -> Run:
    value = node[1]
    return lambda _scope: value


def _reference(node: Node) -> Run:
    name = node[1]
    return lambda scope: scope.lookup(name)


def _column(node: Node) -> Run:
    name = node[1]
    return lambda scope: scope.columns.get(name)


def _negative(node: Node) -> Run:
    inner = compile_tree(node[1])

    def run(scope: Scope) -> Value:
        number = as_number(inner(scope))
        return None if number is None else finite(-number)

    return run


def _chain(node: Node) -> Run:
    first = compile_tree(node[1])
    rest = [(operator, compile_tree(part)) for operator, part in node[2]]
    if rest[0][0] in ("and", "or"):
        return _lazy(rest[0][0] == "or", [first, *(run for _, run in rest)])

    def run(scope: Scope) -> Value:
        value = first(scope)
        for operator, part in rest:
            value = _two(operator, value, part(scope))
        return value

    return run


def _two(operator: str, a: Value, b: Value) -> Value:
    if operator == "=":
        return equal(a, b)
    if operator == "!=":
        return not equal(a, b)
    if operator in _ORDER:
        return ordered(operator, a, b)
    return arithmetic(operator, a, b)


def _lazy(stop: bool, parts: Sequence[Run]) -> Run:
    def run(scope: Scope) -> Value:
        for part in parts:
            if truth(part(scope)) is stop:
                return stop
        return not stop

    return run


def _call(node: Node) -> Run:
    name, arguments = node[1], [compile_tree(argument) for argument in node[2]]
    if name == "if":
        condition, then, other = arguments
        return lambda scope: then(scope) if truth(condition(scope)) else other(scope)
    if name == "coalesce":
        return _coalesce(arguments)
    if name == "choice-label":
        question = node[2][-1][1] if node[2][-1][0] == "ref" else None
        return lambda scope: choice_label(scope, question, arguments[0](scope))
    function, column = TABLE[name], node[3]

    def run(scope: Scope) -> Value:
        try:
            return function(scope, *[argument(scope) for argument in arguments])
        except RepeatAsValue as error:
            raise RepeatAsValue(column=column, name=_repeat_name(node)) from error

    return run


def _repeat_name(node: Node) -> str:
    return next((str(argument[1]) for argument in node[2] if argument[0] == "ref"), "?")


def _coalesce(arguments: Sequence[Run]) -> Run:
    def run(scope: Scope) -> Value:
        for argument in arguments:
            value = argument(scope)
            if not is_empty(value):
                return value
        return None

    return run


_MAKERS: dict[str, Callable[[Any], Run]] = {
    "num": _constant,
    "str": _constant,
    "ref": _reference,
    "col": _column,
    "dot": lambda _node: lambda scope: scope.dot,
    "neg": _negative,
    "chain": _chain,
    "call": _call,
}
