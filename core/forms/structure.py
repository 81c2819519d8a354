"""The form laid flat: each question with its parents, the key its answer is stored under, and what names mean from it.

Answers are one object by key, groups transparent, a repeat a list of such objects.  The key is the question's name;
where two groups of one scope use the same name it is ``group/name``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from core.forms.model import Form, Question


@dataclass(eq=False, slots=True)
class Item:
    """A question in its place.  ``repeats`` are the repeats around it, outermost first (itself not among them)."""

    index: int
    question: Question
    parent: Item | None
    repeats: tuple[Item, ...]
    groups: tuple[str, ...]  # names of the groups since the innermost repeat
    key: str = ""

    @property
    def name(self) -> str:
        return self.question.name

    @property
    def type(self) -> str:
        return self.question.type


@dataclass(frozen=True)
class Structure:
    """All items in the order of the sheet, groups before what they hold."""

    form: Form
    items: tuple[Item, ...]
    by_name: dict[str, list[Item]] = field(default_factory=dict)

    @cached_property
    def scopes(self) -> dict[int, list[Item]]:
        """Items that carry answers, by the index of their innermost repeat (−1: the form)."""
        found: dict[int, list[Item]] = {-1: []}
        for item in self.items:
            if item.type == "repeat":
                found.setdefault(item.index, [])
            if item.type != "group":
                found.setdefault(item.repeats[-1].index if item.repeats else -1, []).append(item)
        return found

    def resolve(self, name: str, asking: Item | None) -> Item | list[Item] | None:
        """What ``${name}`` means in an expression of ``asking``: one item, several (ambiguous), or None.

        The row's own questions come first, then those of the rows and the form around it, then those inside repeats.
        """
        candidates = [item for item in self.by_name.get(name, ()) if item.type != "group"]
        own = asking.repeats if asking is not None else ()
        for depth in range(len(own), -1, -1):
            here = [c for c in candidates if c.repeats == own[:depth]]
            if here:
                return here[0] if len(here) == 1 else here
        return candidates[0] if len(candidates) == 1 else candidates or None


def lay_flat(form: Form) -> Structure:
    """The structure of ``form``."""
    items = list(_items(form.questions, None, (), (), iter(range(1 << 30))))
    counts: dict[tuple[int, str], int] = {}
    for item in items:
        if item.type != "group":
            scope = (item.repeats[-1].index if item.repeats else -1, item.name)
            counts[scope] = counts.get(scope, 0) + 1
    by_name: dict[str, list[Item]] = {}
    for item in items:
        scope = (item.repeats[-1].index if item.repeats else -1, item.name)
        unique = item.type == "group" or counts[scope] == 1
        item.key = item.name if unique else "/".join((*item.groups, item.name))
        by_name.setdefault(item.name, []).append(item)
    return Structure(form, tuple(items), by_name)


def _items(
    questions: tuple[Question, ...],
    parent: Item | None,
    repeats: tuple[Item, ...],
    groups: tuple[str, ...],
    numbers: Iterator[int],
) -> Iterator[Item]:
    for question in questions:
        item = Item(next(numbers), question, parent, repeats, groups)
        yield item
        if question.type == "repeat":
            yield from _items(question.children, item, (*repeats, item), (), numbers)
        elif question.children:
            yield from _items(question.children, item, repeats, (*groups, question.name), numbers)
