"""Answers about exams."""

from __future__ import annotations

from typing import Any, TypedDict


class ExamRow(TypedDict):
    """An exam with the person's own attempts; ``why``: not_for_you, closed, no_attempts_left, wait, or empty."""

    exam_id: str
    version: int
    zh: str
    en: str
    minutes: int
    questions: int
    passing: float
    attempts: int
    made: int
    best: float | None
    passed: bool
    running: str | None
    may_begin: bool
    why: str
    again_at: str | None
    closed: bool
    roles: list[str]
    source: str


class ExamList(TypedDict):
    """The exams that the person may take (examiners: all); ``files``: files of ``<data>/exams`` that were refused."""

    items: list[ExamRow]
    files: list[dict[str, str]]
    next: None


class ExamTaken(TypedDict):
    """The exam's version now in force."""

    exam_id: str
    version: int
    questions: int


class AttemptWhole(TypedDict):
    """An attempt: the paper (a form) with what was saved; marks and lines once it has ended."""

    attempt_id: str
    exam_id: str
    zh: str
    en: str
    until: str | None
    left_s: float | None
    ended: bool
    form: dict[str, Any]
    hash: str
    answers: dict[str, Any]
    today: str
    marks: dict[str, Any] | None
    lines: list[dict[str, Any]]


class ExamResults(TypedDict):
    """The examiner's results; rates in percent, of nothing: null."""

    exam_id: str
    zh: str
    en: str
    passing: float
    people: list[dict[str, Any]]
    expected: int
    begun: int
    passed: int
    pass_rate: float | None
    questions: list[dict[str, Any]]
