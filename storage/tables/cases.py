"""Cases: the file, its assignments and clocks, its transitions, its audit chain."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base
from storage.tables import people, registry  # noqa: F401 - foreign keys point there


def _where_given(name: str, column: str) -> Index:
    """An index of the rows alone in which ``column`` is not NULL."""
    given = text(f"{column} IS NOT NULL")
    return Index(name, column, sqlite_where=given, postgresql_where=given)


class CaseDefinition(Base):
    """A kind of case: stages, commands, who may, forms, clocks (events/definitions/*.json)."""

    __tablename__ = "case_definition"
    definition_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    body: Mapped[dict[str, Any]]


class Case(Base):
    """One case (案卷).  ``version`` counts transitions and guards concurrent moves."""

    __tablename__ = "case_file"
    case_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    definition_id: Mapped[str] = mapped_column(String(40))
    definition_version: Mapped[int]
    stage: Mapped[str] = mapped_column(String(24))
    state: Mapped[str] = mapped_column(String(24), index=True)
    open: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=0)
    severity: Mapped[int] = mapped_column(default=1)
    class_code: Mapped[str] = mapped_column(String(24), default="")
    class_version: Mapped[str] = mapped_column(String(12), default="2013")
    kind: Mapped[str] = mapped_column(String(40), default="", index=True)  # observation kind it grew from
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    source_type: Mapped[str] = mapped_column(String(12), default="")
    source_id: Mapped[str] = mapped_column(String(120), default="")
    site_id: Mapped[str | None] = mapped_column(ForeignKey("site.site_id"))
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    division_code: Mapped[str | None] = mapped_column(String(12), index=True)
    grid_code: Mapped[str | None] = mapped_column(String(15))
    confidence: Mapped[float | None]
    happening_key: Mapped[str | None] = mapped_column(String(160))
    parent_case_id: Mapped[str | None] = mapped_column(ForeignKey("case_file.case_id"))
    merged_into_id: Mapped[str | None] = mapped_column(ForeignKey("case_file.case_id"))
    confidential: Mapped[bool] = mapped_column(default=False)
    department_id: Mapped[str | None] = mapped_column(String(40), index=True)  # lead department now
    handler_id: Mapped[str | None] = mapped_column(String(40), index=True)  # person who accepted
    opened_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime] = mapped_column(index=True)
    closed_at: Mapped[datetime | None] = mapped_column(index=True)
    last_seen_at: Mapped[datetime | None]  # newest observation of the happening
    deadline_at: Mapped[datetime | None] = mapped_column(index=True)  # of the clock that runs now
    form: Mapped[dict[str, Any]] = mapped_column(default=dict)
    why: Mapped[dict[str, Any]] = mapped_column(default=dict)  # observation, rule, merge, routing, clock steps
    reporter_id: Mapped[str | None] = mapped_column(String(40), index=True)  # who reported it; None or system: a rule
    registered_at: Mapped[datetime | None]  # first registration (立案)
    dispatched_at: Mapped[datetime | None] = mapped_column(index=True)  # first dispatch to a department
    finished_at: Mapped[datetime | None]  # last finish of the lead department
    checked_at: Mapped[datetime | None]  # last verification, passed or not
    bounces: Mapped[int] = mapped_column(default=0)  # refusals, returns and transfers between departments
    reworks: Mapped[int] = mapped_column(default=0)  # checks that failed
    reopened: Mapped[int] = mapped_column(default=0)
    urged: Mapped[int] = mapped_column(default=0)  # 督办
    __table_args__ = (
        Index("ix_case_file_open_kind", "open", "kind", "site_id"),
        Index("ix_case_file_open_opened_at", "open", "opened_at", "case_id"),  # lists: the newest open ones first
        Index("ix_case_file_happening_open", "happening_key", "open"),  # correlation
        Index("ix_case_file_site_open", "site_id", "open"),
        Index("ix_case_file_open_place", "open", "lat", "lon"),  # maps, and what is near a report
        # Hardly any case has these: an index that knew all the others would only mislead the planner.
        _where_given("ix_case_file_parent_case_id", "parent_case_id"),
        _where_given("ix_case_file_merged_into_id", "merged_into_id"),
    )


class CaseAssignment(Base):
    """A department's part in a case: lead or assisting, with its own state."""

    __tablename__ = "case_assignment"
    assignment_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"), index=True)
    department_id: Mapped[str] = mapped_column(ForeignKey("department.department_id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    role: Mapped[str] = mapped_column(String(8), default="lead")  # lead, assist, check
    # waiting, dispatched, accepted, finished, refused, over
    state: Mapped[str] = mapped_column(String(16), default="dispatched")
    duty: Mapped[str] = mapped_column(String(200), default="")
    after_department: Mapped[str | None] = mapped_column(String(40))  # whose part comes first
    dispatched_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    score: Mapped[float | None]
    __table_args__ = (Index("ix_case_assignment_department_state", "department_id", "state", "case_id"),)


class CaseClock(Base):
    """A legal clock of a case; ``derivation`` explains the deadline line by line."""

    __tablename__ = "case_clock"
    clock_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"), index=True)
    assignment_id: Mapped[str | None] = mapped_column(String(26))
    kind: Mapped[str] = mapped_column(String(24))  # as the definition calls it
    limit_value: Mapped[float]
    limit_unit: Mapped[str] = mapped_column(String(12))
    calendar_id: Mapped[str] = mapped_column(String(40), default="default")
    started_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None] = mapped_column(index=True)  # None: suspended without end
    suspensions: Mapped[list[Any]] = mapped_column(default=list)
    extensions: Mapped[list[Any]] = mapped_column(default=list)
    derivation: Mapped[list[Any]] = mapped_column(default=list)


class CaseTransition(Base):
    """One move of a case, stamped inside the transaction, monotonic per case."""

    __tablename__ = "case_transition"
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    command: Mapped[str] = mapped_column(String(24))
    from_state: Mapped[str] = mapped_column(String(24), default="")
    to_state: Mapped[str] = mapped_column(String(24))
    actor_id: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    idempotency_key: Mapped[str | None] = mapped_column(String(80))
    __table_args__ = (UniqueConstraint("case_id", "idempotency_key"),)


class CaseObservation(Base):
    """Which observations belong to a case, and why they were put there."""

    __tablename__ = "case_observation"
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"), primary_key=True)
    observation_id: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)
    linked_at: Mapped[datetime]
    score: Mapped[float] = mapped_column(default=1.0)
    reason: Mapped[dict[str, Any]] = mapped_column(default=dict)


class CaseEvidence(Base):
    """Sealed files of a case: snapshots, clips, photographs of the work done."""

    __tablename__ = "case_evidence"
    evidence_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"), index=True)
    purpose: Mapped[str] = mapped_column(String(16), default="finding")  # finding, before, after, check, other
    kind: Mapped[str] = mapped_column(String(12))
    uri: Mapped[str] = mapped_column(String(200), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(60))
    taken_at: Mapped[datetime]
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(40))
    size_bytes: Mapped[int] = mapped_column(default=0)
    lon: Mapped[float | None]  # where the phone said it was taken
    lat: Mapped[float | None]
    accuracy_m: Mapped[float | None]
    __table_args__ = (Index("ix_case_evidence_added_by_added_at", "added_by", "added_at"),)  # a person's day


class CaseParty(Base):
    """A person who takes part in a confidential case and may therefore see it."""

    __tablename__ = "case_party"
    case_id: Mapped[str] = mapped_column(ForeignKey("case_file.case_id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(24), default="party")
    added_at: Mapped[datetime]


class CaseSequence(Base):
    """The last case number given out in a district on a day; one row is one counter."""

    __tablename__ = "case_sequence"
    district: Mapped[str] = mapped_column(String(12), primary_key=True)
    day: Mapped[str] = mapped_column(String(8), primary_key=True)  # YYYYMMDD in Beijing
    last: Mapped[int] = mapped_column(default=0)


class CaseStandard(Base):
    """One filing condition of a class, with its limit: an editable default (events/taxonomy/case_standards.csv)."""

    __tablename__ = "case_standard"
    standard_id: Mapped[str] = mapped_column(String(26), primary_key=True)  # derived from set, class and condition
    class_version: Mapped[str] = mapped_column(String(12), index=True)  # code set: 2007, 2013
    class_code: Mapped[str] = mapped_column(String(24), index=True)  # event-05-06, component-01-01
    kind: Mapped[str] = mapped_column(String(12))  # event, component
    big_code: Mapped[str] = mapped_column(String(4))
    big_name: Mapped[str] = mapped_column(String(60))
    small_code: Mapped[str] = mapped_column(String(4))
    small_name: Mapped[str] = mapped_column(String(80))
    condition: Mapped[str] = mapped_column(Text, default="")
    limit_value: Mapped[float | None]
    limit_unit: Mapped[str] = mapped_column(String(12), default="")
    close_condition: Mapped[str] = mapped_column(Text, default="")
    local_extension: Mapped[bool] = mapped_column(default=False)
    enabled: Mapped[bool] = mapped_column(default=True)
    source: Mapped[str] = mapped_column(String(120), default="")
    position: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime]


class AuditEntry(Base):
    """A link of a case's hash chain: ``hash = sha256(prev_hash + canonical JSON of the entry)``."""

    __tablename__ = "audit_entry"
    chain_id: Mapped[str] = mapped_column(String(40), primary_key=True)  # case_id, or "system"
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(40))
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class Outbox(Base):
    """What must be announced after the commit; rows are marked sent, never skipped by id."""

    __tablename__ = "outbox"
    outbox_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    topic: Mapped[str] = mapped_column(String(24))  # case, notice, webhook
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)


class Notice(Base):
    """A notice to a person or a department; ``notice_key`` makes it happen once."""

    __tablename__ = "notice"
    notice_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    notice_key: Mapped[str] = mapped_column(String(160), unique=True)
    case_id: Mapped[str | None] = mapped_column(ForeignKey("case_file.case_id"), index=True)
    user_id: Mapped[str | None] = mapped_column(String(40), index=True)
    department_id: Mapped[str | None] = mapped_column(String(40), index=True)
    role: Mapped[str] = mapped_column(String(20), default="")
    kind: Mapped[str] = mapped_column(String(24))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, default="")
    severity: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
