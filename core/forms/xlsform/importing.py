"""An XLSForm workbook → a form and every problem in it, each with sheet, row and column.

read = import_xlsform(content)
read.form, read.problems          # the form is complete only when no problem is blocking
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.forms.checks import FormProblem, form_problems
from core.forms.errors import ExpressionError
from core.forms.expression import parse
from core.forms.model import LANGUAGE, MOST_DEPTH, MOST_QUESTIONS, Form
from core.forms.xlsform.columns import Columns, choice_columns, head_problems, settings_of, survey_columns, titles_of
from core.forms.xlsform.problems import SheetProblem
from core.forms.xlsform.tree import Builder, Node
from core.forms.xlsform.words import NO, YES, split_type
from core.forms.xlsform.workbook import Sheet, open_workbook

SHEETS = ("survey", "choices", "settings", "entities")


@dataclass(frozen=True)
class Imported:
    """``rows[i]`` is the Excel row of the form's ``i``-th question."""

    form: Form
    problems: tuple[SheetProblem, ...]
    rows: tuple[int, ...] = ()

    @property
    def blocked(self) -> bool:
        return any(problem.blocking for problem in self.problems)


def import_xlsform(content: bytes, *, default_language: str = "") -> Imported:
    """Read a workbook; never raises on what is in it.  ``default_language`` names the language of plain ``label``
    columns where the sheet ``settings`` does not."""
    sheets, problems = open_workbook(content, SHEETS)
    if "survey" not in sheets:
        if not any(problem.blocking for problem in problems):
            problems.append(SheetProblem("survey", 0, "", "no-survey-sheet"))
        return Imported(Form(), tuple(problems))
    return _Import(sheets, problems, default_language).run()


@dataclass
class _Import:
    sheets: dict[str, Sheet]
    problems: list[SheetProblem]
    default_language: str
    rows: list[int] = field(default_factory=list)
    choice_rows: dict[tuple[str, int], int] = field(default_factory=dict)

    def run(self) -> Imported:
        settings_sheet = self.sheets.get("settings")
        settings = settings_of(settings_sheet)
        language = settings.get("default_language") or self.default_language or LANGUAGE
        survey = survey_columns(self.sheets["survey"], language)
        choices = choice_columns(self.sheets.get("choices"), language)
        self.problems += head_problems(survey, ("type", "name")) + head_problems(choices, ("list_name", "name"))
        if "entities" in self.sheets:
            self.problems.append(SheetProblem("entities", 0, "", "warn-entities-ignored"))
        body: dict[str, Any] = {key: value for key, value in settings.items() if value}
        body["default_language"] = language
        body["title"] = {**({language: body["title"]} if "title" in body else {}), **titles_of(settings_sheet)}
        body["allow_choice_duplicates"] = settings.get("allow_choice_duplicates", "").lower() in YES
        builder = Builder(self._survey_rows(survey))
        self.problems += builder.problems
        self.rows = builder.rows
        body["choices"] = self._choices(choices)
        form = builder.form(body)
        if len(self.rows) <= MOST_QUESTIONS and builder.deepest <= MOST_DEPTH:
            self.problems += [self._located(problem, survey, choices) for problem in form_problems(form)]
        else:
            self.problems.append(SheetProblem("survey", 0, "", "too-large", {"detail": "too many questions or groups"}))
        order = {name: number for number, name in enumerate(("", *SHEETS))}
        self.problems.sort(key=lambda problem: (order.get(problem.sheet, 9), problem.row))
        return Imported(form, tuple(self.problems), tuple(self.rows))

    def _survey_rows(self, columns: Columns) -> list[Node]:
        found = []
        for number, cells in columns.body():
            words = columns.words(cells)
            if words.get("disabled", "").lower() in YES or not any(words.values()):
                continue
            found.append(self._node(number, words, columns))
        return found

    def _node(self, number: int, words: dict[str, Any], columns: Columns) -> Node:
        block, kind, listed = split_type(words.pop("type", ""))
        words.pop("disabled", None)
        ours = words.pop("yw:type", "")
        if ours:
            kind, _, listed = ours.partition(" ")
        if not kind:
            self.problems.append(SheetProblem("survey", number, columns.title("type"), "no-type"))
        if listed.endswith(" or_other"):
            listed = listed.removesuffix(" or_other").strip()
            self.problems.append(SheetProblem("survey", number, columns.title("type"), "warn-or-other"))
        question = {key: value for key, value in words.items() if value}
        if kind == "note" and not question.get("name"):
            question["name"] = f"note_{number}"  # as other readers of XLSForm name it
        question |= {"type": kind, "list": listed.removesuffix(".csv")} if listed else {"type": kind}
        for word in ("required", "read_only", "sensitive"):
            if word in question:
                code = "yes-no-value" if word == "sensitive" else "required-value"
                question[word] = self._yes_no(question[word], word, code, number, columns)
        if "parameters" in question:
            pairs = (part.partition("=") for part in question["parameters"].replace(",", " ").replace(";", " ").split())
            question["parameters"] = {key: value for key, _, value in pairs}
        return Node(number, block, kind, question)

    def _yes_no(self, text: str, word: str, code: str, number: int, columns: Columns) -> bool | str:
        if text.lower() in YES or text.lower() in NO:
            return text.lower() in YES
        try:
            if word == "sensitive":
                raise ValueError(text)
            parse(text)
        except (ExpressionError, ValueError) as error:
            written_as_expression = "${" in text or "(" in text
            if not written_as_expression or isinstance(error, ValueError):
                self.problems.append(SheetProblem("survey", number, columns.title(word), code, {"value": text}))
                return False
        return text

    def _choices(self, columns: Columns) -> dict[str, list[dict[str, Any]]]:
        lists: dict[str, list[dict[str, Any]]] = {}
        for number, cells in columns.body():
            words = columns.words(cells)
            if not any(words.values()):
                continue
            name = words.pop("list_name", "")
            if not name:
                self.problems.append(SheetProblem("choices", number, columns.title("list_name"), "no-list-name"))
                continue
            rows = lists.setdefault(name, [])
            self.choice_rows[(name, len(rows))] = number
            rows.append({"name": words.pop("name", ""), **{k: v for k, v in words.items() if v}})
        return lists

    def _located(self, problem: FormProblem, survey: Columns, choices: Columns) -> SheetProblem:
        if problem.choice is not None:
            row = self.choice_rows.get(problem.choice, 0)
            return SheetProblem("choices", row, choices.title(problem.word), problem.code, problem.values)
        row = 0 if problem.index is None else self.rows[problem.index]
        return SheetProblem("survey", row, survey.title(problem.word), problem.code, problem.values)
