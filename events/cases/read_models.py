"""Frozen read models of cases: what pages, phones and other platforms are shown.

The shapes are those of docs/architecture.md, "Shapes the pages read".
"""

from __future__ import annotations

from datetime import datetime

from core.records import JSON, Record


class CaseSummary(Record, frozen=True, omit_defaults=False):
    """One line of a case list, one pin on the map, one push."""

    case_id: str
    number: str
    definition_id: str
    version: int
    stage: str
    state: str
    open: bool
    severity: int
    kind: str
    class_code: str
    class_version: str
    title: str
    site_id: str | None
    site_name: str | None
    division_code: str | None
    division_name: str | None
    grid_code: str | None
    department_id: str | None
    department_name: str | None
    handler_id: str | None
    handler_name: str | None
    lon: float | None
    lat: float | None
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    deadline_at: datetime | None
    confidence: float | None
    source_type: str
    source_id: str
    parent_case_id: str | None
    merged_into_id: str | None
    confidential: bool
    site_name_en: str | None = None
    division_name_en: str | None = None
    department_name_en: str | None = None
    replayed: bool = False  # the answer to a command that had been carried out before (same idempotency key)


CaseView = CaseSummary  # what a command answers


class TransitionView(Record, frozen=True, omit_defaults=False):
    seq: int
    command: str
    from_state: str
    to_state: str
    actor_id: str
    actor_name: str
    at: datetime
    reason: str
    data: dict[str, JSON]


class EvidenceView(Record, frozen=True, omit_defaults=False):
    evidence_id: str
    purpose: str
    kind: str
    uri: str
    url: str
    sha256: str
    media_type: str
    taken_at: datetime
    added_at: datetime
    added_by: str
    size_bytes: int
    elsewhere: int = 0  # other cases that the very same file was sent to
    also_in: list[str] = []  # their numbers, as far as the reader may see them
    lon: float | None = None
    lat: float | None = None
    accuracy_m: float | None = None


class AssignmentView(Record, frozen=True, omit_defaults=False):
    assignment_id: str
    department_id: str
    department_name: str
    role: str
    state: str
    duty: str
    dispatched_at: datetime
    accepted_at: datetime | None
    finished_at: datetime | None
    deadline_at: datetime | None
    user_id: str | None
    user_name: str | None
    score: float | None


class ClockView(Record, frozen=True, omit_defaults=False):
    """``deadline_at`` None: suspended without end.  ``derivation`` is one step a line: its code (``limit``, ``count``,
    ``closed``, ``pause``, ``extend``, ``open``, ``end``, ``no_notice``) with its values; texts in files of before."""

    kind: str
    limit_value: float
    limit_unit: str
    started_at: datetime
    stopped_at: datetime | None
    deadline_at: datetime | None
    suspended: bool
    overdue: bool
    extensions: list[JSON]
    suspensions: list[JSON]
    derivation: list[JSON]


class ObservationView(Record, frozen=True, omit_defaults=False):
    observation_id: str
    kind: str
    state: str
    observed_at: datetime
    source_id: str
    confidence: float | None
    value: float | None
    unit: str
    zone: str | None
    model: JSON
    reason: dict[str, JSON]


class AllowedCommand(Record, frozen=True, omit_defaults=False):
    """A command this actor may give now; ``form`` is its JSON Schema, ``ask`` the same as a form for the renderer.

    The list puts what moves the case on (``forward``) first and what is rare last; ``to`` is the state that the command
    leads to, "" where it stays or that depends.
    """

    name: str
    label: dict[str, str]  # {"zh": …, "en": …}
    required: list[str]
    optional: list[str]
    form: dict[str, JSON]
    ask: dict[str, JSON] = {}
    forward: bool = False
    rare: bool = False
    to: str = ""
    routed: bool = False  # the routing table's suggestion fills it


class CaseDetail(Record, frozen=True, omit_defaults=False):
    """The whole file as one actor may see it; ``case`` is the summary with description and form."""

    case: dict[str, JSON]
    transitions: list[TransitionView]
    evidence: list[EvidenceView]
    assignments: list[AssignmentView]
    clocks: list[ClockView]
    observations: list[ObservationView]
    why: dict[str, JSON]
    allowed: list[AllowedCommand]
    children: list[CaseSummary]
    merged: list[CaseSummary]


class CasePage(Record, frozen=True, omit_defaults=False):
    """One page of a list; ``next`` is the cursor of the next page, None at the end."""

    items: list[CaseSummary]
    next: str | None
