"""A form as the rows of a table and back: what the designer edits.

Rows look like XLSForm's sheet ``survey`` (``begin group``, ``end repeat`` …) with one column a language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.forms.model import Form, Question, form_json
from core.forms.xlsform.problems import SheetProblem
from core.forms.xlsform.tree import Builder, Node
from core.forms.xlsform.words import NO, YES, split_type

PLAIN = (
    "relevant", "constraint", "calculation", "choice_filter", "repeat_count", "default", "appearance", "trigger",
    "prefill", "rollup", "unit", "meaning",
)  # fmt: skip
TRANSLATED = ("label", "hint", "required_message", "constraint_message")
Row = dict[str, Any]


def languages_of(form: Form) -> list[str]:
    """The languages that have columns: Chinese, English, and others that the form uses."""
    return list(dict.fromkeys(["zh", "en", *form.languages()]))


def rows_of(form: Form) -> list[Row]:
    """The questions, one row each, blocks with a row for their end."""
    return [{"id": str(number), **row} for number, row in enumerate(_rows(form.questions, 0, languages_of(form)))]


def _rows(questions: Iterable[Question], depth: int, languages: Sequence[str]) -> Iterable[Row]:
    for question in questions:
        row = _row(question, depth, languages)
        if question.type in ("group", "repeat"):
            yield {**row, "type": f"begin {question.type}"}
            yield from _rows(question.children, depth + 1, languages)
            yield {"type": f"end {question.type}", "depth": depth}
        else:
            yield row


def _row(question: Question, depth: int, languages: Sequence[str]) -> Row:
    row: Row = {"type": " ".join(part for part in (question.type, question.list) if part), "name": question.name}
    row["depth"] = depth
    for word in TRANSLATED:
        for language in languages:
            row[f"{word}_{language}"] = getattr(question, word).get(language, "")
    for word in PLAIN:
        row[word] = getattr(question, word)
    for word in ("required", "read_only"):
        value = getattr(question, word)
        row[word] = value if isinstance(value, str) else "yes" if value else ""
    row["parameters"] = " ".join(f"{key}={value}" for key, value in question.parameters.items())
    row["sensitive"] = "yes" if question.sensitive else ""
    return row


def choice_rows_of(form: Form) -> list[Row]:
    """The choices, one row each; further columns as ``name=value`` parts."""
    found = [
        {
            "list": name,
            "name": choice.name,
            **{f"label_{language}": choice.label.get(language, "") for language in languages_of(form)},
            "columns": "; ".join(f"{key}={value}" for key, value in choice.columns.items()),
        }
        for name, choices in form.choices.items()
        for choice in choices
    ]
    return [{"id": str(number), **row} for number, row in enumerate(found)]


def form_from_rows(
    base: Form, rows: Sequence[Row], choices: Sequence[Row], settings: Mapping[str, Any]
) -> tuple[Form, list[SheetProblem]]:
    """``base`` with these rows; problems of nesting name the row's number from 1."""
    languages = languages_of(base)
    nodes = [_node(number, row, languages) for number, row in enumerate(rows, start=1) if _filled(row)]
    builder = Builder(nodes)
    lists: dict[str, list[Row]] = {}
    for row in choices:
        if row.get("list") or row.get("name"):
            columns = (part.partition("=") for part in str(row.get("columns") or "").split(";"))
            others = {key.strip(): value.strip() for key, _, value in columns if key.strip()}
            lists.setdefault(str(row.get("list") or ""), []).append(
                {"name": str(row.get("name") or ""), "label": _words(row, "label", languages), **others}
            )
    body = {key: value for key, value in form_json(base).items() if key not in ("questions", "choices")}
    return builder.form({**body, **settings, "choices": lists}), builder.problems


def _filled(row: Mapping[str, Any]) -> bool:
    return any(str(row.get(key) or "").strip() for key in ("type", "name", "label_zh", "label_en", "calculation"))


def _node(number: int, row: Mapping[str, Any], languages: Sequence[str]) -> Node:
    block, kind, listed = split_type(str(row.get("type") or ""))
    question: Row = {"type": kind, "name": str(row.get("name") or "")}
    if listed:
        question["list"] = listed
    for word in TRANSLATED:
        question[word] = _words(row, word, languages)
    for word in PLAIN:
        question[word] = str(row.get(word) or "")
    for word in ("required", "read_only"):
        question[word] = _yes_or_expression(str(row.get(word) or "").strip())
    question["sensitive"] = str(row.get("sensitive") or "").strip().lower() in YES
    pairs = (part.partition("=") for part in str(row.get("parameters") or "").split())
    question["parameters"] = {key: value for key, _, value in pairs}
    return Node(number, block, kind, question)


def _words(row: Mapping[str, Any], word: str, languages: Sequence[str]) -> dict[str, str]:
    texts = {language: str(row.get(f"{word}_{language}") or "").strip() for language in languages}
    return {language: text for language, text in texts.items() if text}


def _yes_or_expression(text: str) -> bool | str:
    if text.lower() in YES:
        return True
    return False if not text or text.lower() in NO else text
