"""One expression: parsed once, checked against the form's names, evaluated often.

from core.forms.expression import parse
from core.forms.scope import Names, Scope

rule = parse("${age} >= 60 and ${address} != ''")     # ExpressionError with .code and .column
rule.problems(Names(values=frozenset({"age", "address"})))
rule.truth(Scope({"age": 70, "address": "…"}, today="2026-11-28"))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from core.forms.errors import ColumnUnknown, ExpressionError, ReferenceAmbiguous, ReferenceUnknown, RepeatAsValue
from core.forms.evaluate import Run, compile_tree
from core.forms.parser import Node, check_calls, children_of, parse_tree
from core.forms.scope import Names, Scope
from core.forms.values import plain, truth

_OF_REPEATS = frozenset(("count", "count-non-empty", "sum", "min", "max"))


@dataclass(frozen=True)
class Expression:
    """``text`` as written, ``tree`` as JSON; make it with :func:`parse`."""

    text: str
    tree: Node
    _run: Run = field(repr=False, compare=False)

    def evaluate(self, scope: Scope) -> Any:
        """The value: None, bool, number, text or list; whole numbers as int.  Raises only :class:`RepeatAsValue`."""
        return plain(self._run(scope))

    def truth(self, scope: Scope) -> bool:
        """The value as a condition: empty, 0 and false do not hold."""
        return truth(self._run(scope))

    def references(self) -> frozenset[str]:
        """The names after ``$``."""
        return frozenset(node[1] for node in walk(self.tree) if node[0] == "ref")

    def problems(self, names: Names) -> list[ExpressionError]:
        """Every reference that ``names`` does not allow, in the order of the text."""
        return _reference_problems(self.tree, names, False)

    def check(self, names: Names) -> None:
        """Raise the first of :meth:`problems`."""
        for problem in self.problems(names):
            raise problem


@lru_cache(maxsize=4096)
def parse(text: str, *, columns: bool = False) -> Expression:
    """``text`` as an expression; ``columns`` for choice filters.  Raises the first error (:mod:`core.forms.errors`)."""
    tree = parse_tree(text, columns=columns)
    for problem in check_calls(tree):
        raise problem
    return Expression(text, tree, compile_tree(tree))


def from_tree(text: str, tree: Node) -> Expression:
    """An expression whose tree was stored."""
    return Expression(text, tree, compile_tree(tree))


def walk(node: Node) -> Iterator[Node]:
    """``node`` and everything below, in the order of the text."""
    yield node
    for child in children_of(node):
        yield from walk(child)


def _reference_problems(node: Node, names: Names, counted: bool) -> list[ExpressionError]:
    if node[0] == "ref":
        return _one_reference(node[1], node[2], names, counted)
    if node[0] == "col" and node[1] not in names.columns:
        return [ColumnUnknown(column=node[2], name=node[1])]
    found: list[ExpressionError] = []
    for child in children_of(node):
        found += _reference_problems(child, names, node[0] == "call" and node[1] in _OF_REPEATS)
    return found


def _one_reference(name: str, column: int, names: Names, counted: bool) -> list[ExpressionError]:
    if name in names.ambiguous:
        return [ReferenceAmbiguous(column=column, name=name)]
    if name in names.repeats:
        return [] if counted else [RepeatAsValue(column=column, name=name)]
    return [] if name in names.values else [ReferenceUnknown(column=column, name=name)]
