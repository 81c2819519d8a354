"""Types in expressions, as far as they are certain: what can never work is an error, what may work is not.

Kinds: ``number``, ``date``, ``time``, ``truth``, ``text``, ``chosen`` (several names), ``file``, ``point``, ``any``.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.forms.dates import instant_of
from core.forms.errors import ExpressionError, RepeatAsValue, TypeMismatch
from core.forms.model import LISTED
from core.forms.parser import Node, children_of
from core.forms.structure import Item, Structure
from core.forms.values import as_number, as_text

_OF_TYPE = {
    "integer": "number", "decimal": "number", "range": "number", "date": "date", "dateTime": "date", "time": "time",
    "select_multiple": "chosen", "rank": "chosen", "image": "file", "file": "file", "signature": "file",
    "geopoint": "point", "select_one": "one", "select_one_from_file": "one", "text": "text", "barcode": "text",
}  # fmt: skip
_RETURNS = {
    "not": "truth", "true": "truth", "false": "truth", "selected": "truth", "contains": "truth", "regex": "truth",
    "starts-with": "truth", "ends-with": "truth", "id-valid": "truth", "uscc-valid": "truth",
    "count-selected": "number", "count": "number", "count-non-empty": "number", "sum": "number", "min": "number",
    "max": "number", "round": "number", "int": "number", "abs": "number", "number": "number", "string-length": "number",
    "days-between": "number", "workdays-between": "number", "age-on": "number",
    "today": "date", "add-workdays": "date", "string": "text", "concat": "text", "substr": "text",
    "choice-label": "text",
}  # fmt: skip
_DATES = {"days-between": (0, 1), "workdays-between": (0, 1), "add-workdays": (0,), "age-on": (0, 1)}
_NUMBERS = {"round": (0, 1), "int": (0,), "abs": (0,), "add-workdays": (1,)}
_ARITHMETIC = frozenset(("+", "-", "*", "div", "mod"))
_ORDER = frozenset(("<", "<=", ">", ">="))
_NO_NUMBER = frozenset(("date", "time", "file", "point", "chosen", "words"))
_NO_DATE = frozenset(("number", "truth", "time", "file", "point", "chosen", "one", "words", "digits"))
_NO_SELECT = frozenset(("number", "date", "time", "truth", "file", "point", "text"))


def type_problems(node: Node, item: Item, structure: Structure) -> Iterator[ExpressionError]:
    """Every certain type error below ``node`` in an expression of ``item``."""
    if node[0] == "chain":
        yield from _chain(node, item, structure)
    elif node[0] == "neg":
        yield from _wrong(node[1], item, structure, _NO_NUMBER, "a number is needed before and after -")
    elif node[0] == "call":
        yield from _call(node, item, structure)
    for child in children_of(node):
        yield from type_problems(child, item, structure)


def kind_of(node: Node, item: Item, structure: Structure) -> str:
    """The kind of value that ``node`` certainly gives, or ``any``."""
    if node[0] == "num":
        return "number"
    if node[0] == "str":
        if as_number(node[1]) is not None:
            return "digits"
        return "date" if instant_of(node[1]) is not None else "words" if node[1] else "any"
    if node[0] == "ref":
        target = structure.resolve(node[1], item)
        return _OF_TYPE.get(target.type, "any") if isinstance(target, Item) else "any"
    if node[0] == "dot":
        return _OF_TYPE.get(item.type, "any")
    if node[0] == "neg":
        return "number"
    if node[0] == "chain":
        return "number" if node[2][0][0] in _ARITHMETIC else "truth"
    return _RETURNS.get(node[1], "any") if node[0] == "call" else "any"


def _wrong(
    node: Node, item: Item, structure: Structure, unfit: frozenset[str], detail: str
) -> Iterator[ExpressionError]:
    if kind_of(node, item, structure) in unfit:
        yield TypeMismatch(column=_column(node), detail=detail, how="use another question or function")


def _column(node: Node) -> int:
    """The first column known below ``node``."""
    if node[0] in ("ref", "col"):
        return int(node[2])
    if node[0] == "call":
        return int(node[3])
    return next((_column(child) for child in children_of(node)), 1)


def _chain(node: Node, item: Item, structure: Structure) -> Iterator[ExpressionError]:
    operator = node[2][0][0]
    operands = [node[1], *(part[1] for part in node[2])]
    if operator in _ARITHMETIC:
        for operand in operands:
            yield from _wrong(operand, item, structure, _NO_NUMBER, f"{operator} needs numbers")
    elif operator in _ORDER and len(operands) == 2:
        kinds = {kind_of(operand, item, structure) for operand in operands}
        if kinds & {"words", "chosen", "file", "point"}:
            yield TypeMismatch(column=_column(node), detail="text has no order", how="compare numbers or dates")
        elif "date" in kinds and kinds & {"number", "digits", "truth"}:
            detail = "a date is compared with a number"
            yield TypeMismatch(column=_column(node), detail=detail, how="use days-between() or age-on()")


def _call(node: Node, item: Item, structure: Structure) -> Iterator[ExpressionError]:
    name, arguments = node[1], node[2]
    if name in ("selected", "count-selected"):
        yield from _wrong(arguments[0], item, structure, _NO_SELECT, f"{name}() works on selects only")
    for index in _DATES.get(name, ()):
        if index < len(arguments):
            yield from _wrong(arguments[index], item, structure, _NO_DATE, f"{name}() needs dates")
    for index in _NUMBERS.get(name, ()):
        if index < len(arguments):
            yield from _wrong(arguments[index], item, structure, _NO_NUMBER, f"{name}() needs a number")
    if name in ("sum", "min", "max", "count-non-empty"):
        for argument in arguments:
            target = structure.resolve(argument[1], item) if argument[0] == "ref" else None
            if isinstance(target, Item) and target.type == "repeat":
                yield RepeatAsValue(column=argument[2], name=argument[1])
            elif name != "count-non-empty":
                yield from _wrong(argument, item, structure, _NO_NUMBER, f"{name}() needs numbers")


def unknown_choices(node: Node, item: Item, structure: Structure) -> Iterator[tuple[str, str, int]]:
    """``(question, choice, column)`` where a select is compared with a name that its list does not have."""
    if node[0] == "chain" and node[2][0][0] in ("=", "!=") and len(node[2]) == 1:
        yield from _pair(node[1], node[2][0][1], item, structure)
        yield from _pair(node[2][0][1], node[1], item, structure)
    elif node[0] == "call" and node[1] == "selected" and len(node[2]) == 2:
        yield from _pair(node[2][0], node[2][1], item, structure)
    for child in children_of(node):
        yield from unknown_choices(child, item, structure)


def _pair(select: Node, literal: Node, item: Item, structure: Structure) -> Iterator[tuple[str, str, int]]:
    target = structure.resolve(select[1], item) if select[0] == "ref" else item if select[0] == "dot" else None
    if not isinstance(target, Item) or target.type not in LISTED or literal[0] not in ("str", "num"):
        return
    choices = structure.form.choices.get(target.question.list)
    wanted = as_text(literal[1])
    if choices is None or not wanted:
        return
    known = {choice.name for choice in choices}
    fits = wanted in known
    if literal[0] == "num":
        fits = any(as_number(name) == as_number(literal[1]) for name in known)
    elif target.type != "select_one":
        fits = all(name in known for name in wanted.split(" "))
    if not fits:
        yield target.name, wanted, _column(select)
