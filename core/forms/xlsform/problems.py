"""Where in a workbook something is wrong, and the sentence for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SENTENCES = {
    "not-a-workbook": "the file is not an .xlsx workbook",
    "macro-workbook": "the workbook contains macros; save it as .xlsx without macros",
    "too-large": "the workbook is too large: {detail}",
    "no-survey-sheet": "there is no sheet called survey",
    "no-column": "the sheet has no column {name}",
    "duplicate-column": "the column {name} is there twice",
    "merged-head": "cells of the head are merged: {cells}; give each column its own name",
    "merged-cells": "cells are merged: {cells}; undo the merge",
    "too-many-rows": "there are more than {most} rows",
    "formula-in-cell": "the cell holds an Excel formula; write its text or value",
    "number-lost-digits": "the cell holds a number of more than 15 digits; type it as text",
    "no-type": "the row has no type",
    "unmatched-end": "this end has no begin, or another block is open",
    "unclosed": "the group or repeat is never closed",
    "required-value": "{value!r} is neither yes/no/是/否 nor an expression",
    "yes-no-value": "{value!r} is neither yes nor no",
    "no-name": "there is no name",
    "bad-name": "{name!r} is not a name: use letters, digits, _ - and . and begin with a letter",
    "duplicate-name": "the name {name} is used twice here",
    "unsupported-type": "the type {type!r} is not supported",
    "no-such-list": "there is no choice list {list!r}",
    "no-label": "the question has neither label nor hint",
    "no-calculation": "the calculation is missing",
    "cycle": "the calculation depends on itself",
    "duplicate-choice": "the choice {choice!r} is twice in the list {list}",
    "space-in-choice": "the choice {choice!r} has a blank, which a multiple select cannot keep",
    "no-list-name": "the choice has no list_name",
    "unknown-reference": "there is no question {name}",
    "ambiguous-reference": "several questions are called {name}",
    "warn-unknown-choice": "the list of {name} has no choice {choice!r}",
    "warn-long-number": "{number} has more than 15 digits; compare identifiers as text, in quotes",
    "warn-unused-list": "no question uses the list {list}",
    "warn-unknown-column": "the column {name!r} is not used",
    "warn-entities-ignored": "the sheet entities is not used",
    "warn-external-links": "links to other workbooks are dropped",
    "warn-or-other": "or_other is not used: add a choice",
    "warn-empty-group": "the group {name} is empty",
    "never-relevant": "the question {name} is required and can never be shown",
    "no-questions": "the form asks nothing",
}


@dataclass(frozen=True)
class SheetProblem:
    """``row`` as Excel counts it (0: the whole sheet), ``column`` the head's text; ``values`` complete the sentence."""

    sheet: str
    row: int
    column: str
    code: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def blocking(self) -> bool:
        return not self.code.startswith("warn-")

    @property
    def message(self) -> str:
        """A plain English sentence; pages build theirs from ``code`` and ``values``."""
        return sentence(self.code, self.values)

    def as_json(self) -> dict[str, Any]:
        """``{"sheet", "row", "column", "code", "message"}``"""
        return {
            "sheet": self.sheet, "row": self.row, "column": self.column, "code": self.code, "message": self.message,
        }  # fmt: skip


def sentence(code: str, values: dict[str, Any]) -> str:
    """The English sentence of a problem."""
    if "message" in values:
        return f"{values['message']} — {values['remedy']}" if values.get("remedy") else str(values["message"])
    try:
        return SENTENCES.get(code, code).format_map(values)
    except (KeyError, ValueError):
        return SENTENCES.get(code, code)
