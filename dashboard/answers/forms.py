"""Answers about forms and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict


class FormVersionRow(TypedDict):
    """A version of a form: draft, trial, live or retired."""

    form_id: str
    version: int
    state: str
    hash: str
    title: dict[str, str]
    source: str
    revision: int
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    published_at: datetime | None
    published_by: str | None


class FormVersionChecked(FormVersionRow):
    """A version as saved, with what is wrong in it."""

    problems: list[dict[str, Any]]


class FormVersionWhole(FormVersionChecked):
    """A version with its body, its problems, the keys of its answers, and what is asked already elsewhere.

    ``answered``: ``{question, label, answered_by}``, e.g. ``register person.phone``.
    """

    body: dict[str, Any]
    keys: list[dict[str, Any]]
    answered: list[dict[str, str]]


class RefusedFile(TypedDict):
    """A file of ``<data>/forms`` that was not taken in."""

    name: str
    detail: str
    count: int


class FormList(TypedDict):
    """All versions; ``files``: what of ``<data>/forms`` was not taken in (administrators)."""

    items: list[FormVersionRow]
    files: list[RefusedFile]
    next: None


class FormImported(TypedDict):
    """Every problem of a workbook by sheet, row and column, and the draft when nothing blocks."""

    problems: list[dict[str, Any]]
    questions: int
    form_id: str
    draft: FormVersionRow | None
    form: NotRequired[dict[str, Any] | None]


class FormToFill(TypedDict):
    """A version with all that filling it in needs."""

    form_id: str
    version: int
    state: str
    hash: str
    form: dict[str, Any]
    today: str
    calendar: dict[str, Any]


class FormCheckReport(TypedDict):
    """What is wrong in a form's body, and the keys of its answers."""

    problems: list[dict[str, Any]]
    keys: list[dict[str, Any]]


class FormDropped(TypedDict):
    """The draft is gone."""

    dropped: bool


class FormChanges(TypedDict):
    """What differs between two versions."""

    items: list[dict[str, Any]]


class FormEvaluation(TypedDict):
    """What the server makes of answers."""

    relevant: dict[str, bool]
    values: dict[str, Any]
    offered: dict[str, Any]
    errors: list[Any]
    submitted: dict[str, Any]
    replaced: list[Any]
    draft_keeps: list[Any]
