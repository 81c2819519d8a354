"""A form with its expressions parsed and its questions in the order in which they can be computed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.forms.errors import ExpressionError
from core.forms.expression import Expression, parse
from core.forms.model import Form
from core.forms.structure import Item, Structure, lay_flat

# words of a question that hold an expression
CONDITIONS = ("relevant", "constraint", "calculation", "choice_filter", "repeat_count")
_DYNAMIC = re.compile(r"\$\{[^}]*\}|[a-z][a-z-]*\(")
_IN_TEXT = re.compile(r"\$\{([^}]*)\}")
_CHOICE_NAME = re.compile(r"jr:choice-name\(\s*(\$\{[^}]+\})\s*,\s*(['\"])(\$\{[^}]+\})\2\s*\)")


@dataclass(frozen=True)
class Compiled:
    """``expressions[item.index][word]``; ``order`` are indexes in computing order; ``circles`` are indexes that depend
    on themselves (such a form is never published)."""

    structure: Structure
    expressions: Mapping[int, Mapping[str, Expression]]
    order: tuple[int, ...]
    circles: tuple[int, ...]
    broken: tuple[tuple[int, str, ExpressionError], ...] = ()
    defaults: Mapping[int, Expression] = field(default_factory=dict)

    def expression(self, item: Item, word: str) -> Expression | None:
        return self.expressions.get(item.index, {}).get(word)


def compile_form(form: Form) -> Compiled:
    """Parse everything; what does not parse is in ``broken`` and counts as absent."""
    structure = lay_flat(form)
    expressions: dict[int, dict[str, Expression]] = {}
    defaults: dict[int, Expression] = {}
    broken: list[tuple[int, str, ExpressionError]] = []
    for item in structure.items:
        for word, text in expression_texts(item):
            try:
                made = parse(our_words(text), columns=word == "choice_filter")
            except ExpressionError as error:
                broken.append((item.index, word, error))
                continue
            if word == "default":
                defaults[item.index] = made
            else:
                expressions.setdefault(item.index, {})[word] = made
    order, circles = _sorted(structure, expressions)
    return Compiled(structure, expressions, order, circles, tuple(broken), defaults)


def expression_texts(item: Item) -> Iterable[tuple[str, str]]:
    """``(word, text)`` of every expression of a question."""
    question = item.question
    for word in CONDITIONS:
        text = getattr(question, word)
        if text.strip():
            yield word, text
    for word in ("required", "read_only"):
        value = getattr(question, word)
        if isinstance(value, str) and value.strip():
            yield word, value
    if is_dynamic(question.default):
        yield "default", question.default


def is_dynamic(default: str) -> bool:
    """Is a default an expression (it names a question or calls a function) and not just a text?"""
    return bool(_DYNAMIC.search(default))


def our_words(text: str) -> str:
    """``jr:choice-name(${q}, '${q}')`` of other tools as our ``choice-label(${q}, ${q})``."""
    return _CHOICE_NAME.sub(r"choice-label(\1, \3)", text)


def references_in_text(text: str) -> list[tuple[str, int]]:
    """The names after ``$`` in a label or hint, with their columns."""
    return [(match[1].strip(), match.start() + 1) for match in _IN_TEXT.finditer(text)]


def dependencies(structure: Structure, expressions: Mapping[int, Mapping[str, Expression]], item: Item) -> set[int]:
    """Indexes that must be known before ``item``'s relevance and value are."""
    found: set[int] = set() if item.parent is None else {item.parent.index}
    words = expressions.get(item.index, {})
    for word in ("relevant", "calculation", "repeat_count"):
        if word in words and not (word == "calculation" and item.question.trigger):
            for name in words[word].references():
                target = structure.resolve(name, item)
                if isinstance(target, Item):
                    found.add(target.index)
    return found


def _sorted(
    structure: Structure, expressions: Mapping[int, Mapping[str, Expression]]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Computing order (Kahn, ties in the order of the sheet) and the members of circles."""
    needs = {item.index: dependencies(structure, expressions, item) for item in structure.items}
    users: dict[int, list[int]] = {}
    for index, needed in needs.items():
        for other in needed:
            users.setdefault(other, []).append(index)
    open_count = {index: len(needed) for index, needed in needs.items()}
    ready = [index for index, count in open_count.items() if not count]
    order: list[int] = []
    for index in ready:
        order.append(index)
        for user in users.get(index, ()):
            open_count[user] -= 1
            if not open_count[user]:
                ready.append(user)
    stuck = {index for index, count in open_count.items() if count}
    return (*order, *sorted(stuck)), tuple(_on_circle(stuck, needs))


def _on_circle(stuck: set[int], needs: Mapping[int, set[int]]) -> list[int]:
    """Those of ``stuck`` that reach themselves (others only hang below a circle)."""
    found = []
    for start in sorted(stuck):
        seen: set[int] = set()
        stack = [other for other in needs[start] if other in stuck]
        while stack:
            index = stack.pop()
            if index in seen:
                continue
            seen.add(index)
            stack.extend(other for other in needs[index] if other in stuck)
        if start in seen:
            found.append(start)
    return found
