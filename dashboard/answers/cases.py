"""Answers about cases that are no records: evidence, chain, duplicates, kept records, documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from dashboard.answers.office import AuditLink
from events.cases.read_models import CaseSummary
from events.cases.worklists.approvals import PendingApproval
from events.cases.worklists.beginning import Draft, KindToReport
from events.cases.worklists.words import WrittenWord


class CaseKept(TypedDict):
    """The case whose file keeps it."""

    ok: bool
    case_id: str


class StoredPicture(TypedDict):
    """A stored file of a case; commands of the same person may name its ``evidence_id``."""

    evidence_id: str
    purpose: str
    case_id: str
    url: str
    kind: str
    uri: str
    sha256: str
    media_type: str
    taken_at: datetime
    size_bytes: int
    location: NotRequired[dict[str, float] | None]
    accuracy_m: NotRequired[float | None]


class CaseChain(TypedDict):
    """The case's hash chain, its flaws, and whether it holds."""

    items: list[AuditLink]
    flaws: list[Any]
    holds: bool
    next: None


class ProbableDuplicate(TypedDict):
    """An open case that may be the same happening, with the steps of its score."""

    case_id: str
    number: str
    title: str
    score: float
    steps: list[dict[str, Any]]


class ProbableDuplicates(TypedDict):
    """Probable duplicates, best first."""

    items: list[ProbableDuplicate]
    next: None


class RoutingAdvice(TypedDict):
    """The routing steps that the case keeps, the same facts computed again, where it would go now."""

    stored: list[Any]
    again: list[Any]
    same: bool | None
    table_changed: bool
    suggestion: dict[str, Any] | None


class CasesBehind(TypedDict):
    """The cases that a number counts."""

    items: list[CaseSummary]
    measure: str
    next: None


class KindsToReport(TypedDict):
    """The kinds of case that this person may report."""

    items: list[KindToReport]


class Approvals(TypedDict):
    """Requests that wait for this person's approval."""

    items: list[PendingApproval]
    next: None


class Drafts(TypedDict):
    """This person's drafts."""

    items: list[Draft]


class CommandAnswer(TypedDict):
    """What became of the command at one case; ``error`` in the form of every error."""

    case_id: str
    ok: bool
    error: dict[str, Any] | None
    state: NotRequired[str]
    version: NotRequired[int]


class CommandAnswers(TypedDict):
    """Each case answers for itself."""

    items: list[CommandAnswer]


class CaseWords(TypedDict):
    """What people wrote in a case, its documents, and the names that its kind gives itself, its state and commands."""

    items: list[WrittenWord]
    documents: list[dict[str, Any]]
    kind_name: dict[str, str]
    state_name: dict[str, str]
    commands: dict[str, dict[str, str]]
