"""What is wrong with a form before anybody fills it in: every problem at once, each at its question and word.

Codes beginning with ``warn-`` do not stop a form.  The importer turns them into sheet, row and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.forms.compiled import Compiled, compile_form, expression_texts, references_in_text
from core.forms.errors import ExpressionError
from core.forms.expression import Expression
from core.forms.grammar import NAME_RANGES
from core.forms.kinds import type_problems, unknown_choices
from core.forms.lexer import tokens_of
from core.forms.model import GROUPS, LISTED, SELECTS, SILENT, TYPES, Form
from core.forms.scope import Names
from core.forms.structure import Item, Structure

_LETTERS = "A-Za-z_" + "".join(f"{chr(low)}-{chr(high)}" for low, high in NAME_RANGES)
_NAME = re.compile(f"[{_LETTERS}][{_LETTERS}0-9.-]*")
_TEXTS = ("label", "hint", "required_message", "constraint_message")
SIGNIFICANT = 15


@dataclass(frozen=True)
class FormProblem:
    """``index`` is the question's place in the order of the sheet (None: the form), ``word`` what is wrong with it;
    for a choice ``choice`` is ``(list, number)``.  ``values`` complete the sentence that a page shows."""

    code: str
    index: int | None = None
    word: str = ""
    choice: tuple[str, int] | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def blocking(self) -> bool:
        return not self.code.startswith("warn-")


def form_problems(form: Form, compiled: Compiled | None = None, *, publishing: bool = False) -> list[FormProblem]:
    """All problems, in the order of the sheets.  ``publishing`` adds what only matters before others see the form."""
    compiled = compiled or compile_form(form)
    found: list[FormProblem] = []
    for item in compiled.structure.items:
        found += _names(item, compiled.structure)
        found += _shape(item, form)
        found += _expressions(item, compiled)
    for index in _reported_circles(compiled):
        found.append(FormProblem("cycle", index, _circle_word(compiled, index)))
    found.sort(key=lambda problem: -1 if problem.index is None else problem.index)
    found += _choices(form, compiled.structure)
    if publishing:
        found += _before_publishing(form, compiled)
    return found


def _names(item: Item, structure: Structure) -> Iterator[FormProblem]:
    name = item.name
    if not name:
        yield FormProblem("no-name", item.index, "name")
        return
    if not _NAME.fullmatch(name):
        yield FormProblem("bad-name", item.index, "name", values={"name": name})
    for other in structure.by_name.get(name, ()):
        if other.index >= item.index:
            break
        same_row = bool(item.repeats) and other.repeats == item.repeats and "group" not in (item.type, other.type)
        if other.parent is item.parent or same_row:
            yield FormProblem("duplicate-name", item.index, "name", values={"name": name})
            break


def _shape(item: Item, form: Form) -> Iterator[FormProblem]:
    question = item.question
    if item.type not in TYPES:
        yield FormProblem("unsupported-type", item.index, "type", values={"type": item.type})
        return
    if item.type in LISTED and question.list not in form.choices:
        yield FormProblem("no-such-list", item.index, "type", values={"list": question.list})
    if item.type not in SILENT | GROUPS and not question.label and not question.hint:
        yield FormProblem("no-label", item.index, "label")
    if item.type == "calculate" and not question.calculation.strip() and not question.default:
        yield FormProblem("no-calculation", item.index, "calculation")
    if item.type == "group" and not question.children:
        yield FormProblem("warn-empty-group", item.index, "name", values={"name": item.name})


def _expressions(item: Item, compiled: Compiled) -> Iterator[FormProblem]:
    structure = compiled.structure
    for index, word, error in compiled.broken:
        if index == item.index:
            yield _of_error(item, word, error)
    for word, text in expression_texts(item):
        expression = compiled.defaults.get(item.index) if word == "default" else compiled.expression(item, word)
        if expression is None:
            continue
        for error in expression.problems(names_for(expression, item, structure)):
            yield _of_error(item, word, error)
        yield from _meaning(item, word, text, expression, structure)
    for word in _TEXTS:
        for text in getattr(item.question, word).values():
            yield from _text_references(item, word, text, structure)
    for name, column in references_in_text(item.question.trigger):
        yield from _reference(item, "trigger", name, column, structure)


def _of_error(item: Item, word: str, error: ExpressionError) -> FormProblem:
    return FormProblem(error.code, item.index, word, values={**error.as_dict(), "at": error.column})


def _meaning(item: Item, word: str, text: str, expression: Expression, structure: Structure) -> Iterator[FormProblem]:
    for error in type_problems(expression.tree, item, structure):
        yield _of_error(item, word, error)
    for name, choice, column in unknown_choices(expression.tree, item, structure):
        values = {"name": name, "choice": choice, "at": column}
        yield FormProblem("warn-unknown-choice", item.index, word, values=values)
    for token in tokens_of(text):
        if token.kind == "number" and len(token.text.replace(".", "").lstrip("0")) > SIGNIFICANT:
            yield FormProblem("warn-long-number", item.index, word, values={"number": token.text, "at": token.at + 1})


def _text_references(item: Item, word: str, text: str, structure: Structure) -> Iterator[FormProblem]:
    for name, column in references_in_text(text):
        yield from _reference(item, word, name, column, structure)


def _reference(item: Item, word: str, name: str, column: int, structure: Structure) -> Iterator[FormProblem]:
    target = structure.resolve(name, item)
    if target is None or isinstance(target, list):
        code = "unknown-reference" if target is None else "ambiguous-reference"
        yield FormProblem(code, item.index, word, values={"name": name, "at": column})


def names_for(expression: Expression, item: Item, structure: Structure) -> Names:
    """Of the names in ``expression``, which stand for what when ``item`` asks."""
    values: set[str] = set()
    repeats: set[str] = set()
    ambiguous: set[str] = set()
    for name in expression.references():
        target = structure.resolve(name, item)
        if isinstance(target, list):
            ambiguous.add(name)
        elif target is not None:
            (repeats if target.type == "repeat" else values).add(name)
    columns = {"name", "label"}
    for choice in structure.form.choices.get(item.question.list, ()):
        columns.update(choice.columns)
    if item.type == "select_one_from_file":
        columns.update(_bare_names(item))
    return Names(frozenset(values), frozenset(repeats), frozenset(ambiguous), frozenset(columns))


def _bare_names(item: Item) -> set[str]:
    """A register's columns are not known here: every bare name of the filter may be one."""
    try:
        return {token.text for token in tokens_of(item.question.choice_filter) if token.kind == "name"}
    except ExpressionError:
        return set()


def _reported_circles(compiled: Compiled) -> list[int]:
    """Circles of two or more, and calculations that name themselves."""
    items = compiled.structure.items
    found = []
    for index in compiled.circles:
        calculation = compiled.expression(items[index], "calculation")
        alone = calculation is not None and items[index].name in calculation.references()
        if alone or len(compiled.circles) > 1:
            found.append(index)
    return found


def _circle_word(compiled: Compiled, index: int) -> str:
    words = compiled.expressions.get(index, {})
    return next((word for word in ("calculation", "relevant", "repeat_count") if word in words), "name")


def _choices(form: Form, structure: Structure) -> Iterator[FormProblem]:
    spaced = {item.question.list for item in structure.items if item.type in ("select_multiple", "rank")}
    for name, choices in form.choices.items():
        seen: set[str] = set()
        for number, choice in enumerate(choices):
            values = {"list": name, "choice": choice.name}
            if not choice.name:
                yield FormProblem("no-name", None, "name", (name, number), values)
            elif choice.name in seen and not form.allow_choice_duplicates:
                yield FormProblem("duplicate-choice", None, "name", (name, number), values)
            if " " in choice.name and name in spaced:
                yield FormProblem("space-in-choice", None, "name", (name, number), values)
            seen.add(choice.name)


def _before_publishing(form: Form, compiled: Compiled) -> Iterator[FormProblem]:
    items = compiled.structure.items
    used = {item.question.list for item in items if item.type in SELECTS}
    for name in form.choices:
        if name not in used:
            yield FormProblem("warn-unused-list", None, "list_name", (name, 0), {"list": name})
    for item in items:
        relevant = compiled.expression(item, "relevant")
        if relevant is None:
            continue
        never = (
            relevant.tree[:2] == ["call", "false"]
            or compiled.structure.resolve(item.name, item) is item
            and (item.name in relevant.references())
        )
        if never and item.question.required:
            yield FormProblem("never-relevant", item.index, "relevant", values={"name": item.name})
    if not any(item.type not in GROUPS for item in items):
        yield FormProblem("no-questions")
