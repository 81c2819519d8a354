"""Answers about the catalogue of service items, bundles, the counter and benefits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, TypedDict


class ItemRow(TypedDict):
    """An item of the catalogue."""

    item_id: str
    name: str
    code: str
    basic: str
    level: str
    task_type: str
    department_id: str
    department_name: str
    state: str
    head: int
    live: int
    blocking: int
    warnings: int
    answer_due: date | None
    frequent: int
    generated: bool
    updated_at: datetime


class ItemPage(TypedDict):
    """A page of items."""

    items: list[ItemRow]
    total: int
    next: None


class ItemWhole(ItemRow):
    """An item with elements, versions, problems and the moves that the person may make."""

    version: int
    version_state: str
    data: dict[str, Any]
    elements: list[dict[str, Any]]
    parent: dict[str, Any] | None
    parent_version: int
    locked: Any
    lower: list[dict[str, Any]]
    versions: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    allowed: list[str]


class ItemVersionState(TypedDict):
    """The version that a change made or moved."""

    item_id: str
    version: int
    state: str


class ElementChanges(TypedDict):
    """Elements that differ between two versions."""

    items: list[dict[str, Any]]
    next: None


class ItemProblemsOverview(TypedDict):
    """The problem lists of the departments in numbers, and the last run."""

    items: list[dict[str, Any]]
    last: dict[str, Any] | None
    next: None


class ItemProblemPage(TypedDict):
    """A page of a problem list."""

    items: list[dict[str, Any]]
    total: int
    next: None


class ItemProblemState(TypedDict):
    """A problem that was decided on."""

    item_id: str
    element: str
    rule: str
    state: str


class ItemCheckResult(TypedDict):
    """A check run."""

    run_id: str
    rules: str
    items: int
    found: int
    new: int
    fixed: int
    seconds: float


class ItemImport(TypedDict):
    """What became of a file's items."""

    dry_run: bool
    items: int
    created: int
    changed: int
    unchanged: int
    refused: list[dict[str, Any]]
    file_problems: list[dict[str, Any]]


class BundleList(TypedDict):
    """Life events with their items, questions and papers before and after merging."""

    items: list[dict[str, Any]]
    next: None


class BundleState(TypedDict):
    """A bundle that was saved, released or withdrawn."""

    bundle_id: str
    version: int
    state: str


class CounterOffers(TypedDict):
    """What the counter takes."""

    items: list[dict[str, Any]]
    next: None


class CounterOffer(TypedDict):
    """The form and papers of an item or a life event."""

    key: str
    name: str
    form: dict[str, Any]
    papers: list[dict[str, Any]]
    items: list[dict[str, Any]]
    questions: int
    asked: int
    wanted: int


class CounterPrefill(TypedDict):
    """What the registers answer for an applicant, and licences that stand in for papers."""

    answers: dict[str, Any]
    licences: dict[str, Any]
    register: str
    name: str


class ApplicationTaken(TypedDict):
    """The case of an application, its notice, and the cases of its items."""

    case_id: str
    number: str
    state: str
    title: str
    deadline_at: datetime | None
    notice: dict[str, Any] | None
    items: list[dict[str, Any]]


class TicketRow(TypedDict):
    """A number of the queue; the holder is masked."""

    ticket_id: str
    day: date
    number: str
    kind: str
    slot: str
    holder: str
    state: str
    window: str
    case_id: str | None
    item_id: str


class TicketList(TypedDict):
    """The day's numbers in the order in which they are called."""

    items: list[TicketRow]
    next: None
