"""Service items (政务服务事项): catalogue, versions, check runs, problems; life events, the counter, benefits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class ServiceItem(Base):
    """One item of one implementing body at one level.

    ``level``: 1 national … 6 village (GB/T 39046-2020, 行使层级).  ``parent_id``: the upper item that it reuses (复用);
    ``parent_version``: the published version of it that was taken over; ``answer_due``: until when a change of the
    parent must be answered.  ``state``: draft, published, suspended, withdrawn.  ``head``: number of the newest
    version, ``live``: that of the published one.  ``locked``: what lower items take over unchanged; empty: the table's.
    ``frequent``: its place among the items of the one counter (一平台办理); 0: not one of them.
    """

    __tablename__ = "service_item"
    item_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    level: Mapped[str] = mapped_column(String(1))
    department_id: Mapped[str] = mapped_column(String(40), default="")
    parent_id: Mapped[str | None] = mapped_column(String(26), index=True)
    parent_version: Mapped[int] = mapped_column(default=0)
    answer_due: Mapped[date | None]
    basic: Mapped[str] = mapped_column(String(50), index=True)
    code: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(300))
    name_en: Mapped[str | None] = mapped_column(String(300))
    pinyin: Mapped[str] = mapped_column(String(120), default="")
    initials: Mapped[str] = mapped_column(String(40), default="")
    task_type: Mapped[str] = mapped_column(String(2), default="")
    state: Mapped[str] = mapped_column(String(12), default="draft")
    head: Mapped[int] = mapped_column(default=1)
    live: Mapped[int] = mapped_column(default=0)
    blocking: Mapped[int] = mapped_column(default=0)
    warnings: Mapped[int] = mapped_column(default=0)
    frequent: Mapped[int] = mapped_column(default=0)
    locked: Mapped[list[Any]]
    source: Mapped[str] = mapped_column(String(80), default="")
    updated_at: Mapped[datetime]
    __table_args__ = (
        Index("ix_service_item_department", "department_id", "name"),
        Index("ix_service_item_name", "name"),
    )


class ServiceItemVersion(Base):
    """The elements of an item as one version has them.

    ``state``: draft, review, approved, published, refused, replaced.  ``made_by`` and ``reviewed_by`` are two people.
    ``duty_number``: the line of the duty list (权责清单) under which it was released.
    """

    __tablename__ = "service_item_version"
    item_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(12), default="draft", index=True)
    data: Mapped[dict[str, Any]]
    made_by: Mapped[str] = mapped_column(String(40))
    made_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(String(80), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
    reviewed_by: Mapped[str] = mapped_column(String(40), default="")
    reviewed_at: Mapped[datetime | None]
    review_note: Mapped[str] = mapped_column(String(500), default="")
    published_at: Mapped[datetime | None]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    duty_number: Mapped[str] = mapped_column(String(50), default="")


class ItemCheckRun(Base):
    """One run of the rules over the catalogue: which rule set, how many items, what it found."""

    __tablename__ = "item_check_run"
    run_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(40))
    rules: Mapped[str] = mapped_column(String(40))
    items: Mapped[int]
    found: Mapped[int]
    new: Mapped[int]
    fixed: Mapped[int]
    seconds: Mapped[float]


class ItemProblemRow(Base):
    """A problem of an item, kept over runs by (item, element, rule).  ``state``: open, fixed, accepted."""

    __tablename__ = "item_problem"
    item_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    element: Mapped[str] = mapped_column(String(120), primary_key=True)
    rule: Mapped[str] = mapped_column(String(20), primary_key=True)
    department_id: Mapped[str] = mapped_column(String(40), default="")
    severity: Mapped[str] = mapped_column(String(8))
    message: Mapped[str] = mapped_column(String(500))
    message_en: Mapped[str] = mapped_column(String(500))
    remedy: Mapped[str] = mapped_column(String(300), default="")
    state: Mapped[str] = mapped_column(String(10), default="open")
    found_at: Mapped[datetime]
    due: Mapped[date]
    fixed_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(String(40), default="")
    decided_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(String(500), default="")
    __table_args__ = (Index("ix_item_problem_department", "department_id", "state", "due"),)


class ItemBundle(Base):
    """A life event: ``body`` lists its items and what each waits for.  ``state``: draft, published, withdrawn."""

    __tablename__ = "item_bundle"
    bundle_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    zh: Mapped[str] = mapped_column(String(120))
    en: Mapped[str] = mapped_column(String(160), default="")
    state: Mapped[str] = mapped_column(String(12), default="draft")
    body: Mapped[dict[str, Any]]
    source: Mapped[str] = mapped_column(String(80), default="")
    updated_by: Mapped[str] = mapped_column(String(40), default="system")
    updated_at: Mapped[datetime]


class ApplicationAnswers(Base):
    """What an applicant answered, encrypted; the case shows it masked.  ``bundle_id`` "" for a single item."""

    __tablename__ = "application_answers"
    case_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    bundle_id: Mapped[str] = mapped_column(String(40), default="")
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    taken_by: Mapped[str] = mapped_column(String(40))
    taken_at: Mapped[datetime]


class CounterTicket(Base):
    """A place in the queue of a day, or an appointment.  ``state``: booked, waiting, called, served, missed, cancelled.

    ``number``: letter and running number of the day; ``holder``: the masked name; ``slot``: the appointed time.
    """

    __tablename__ = "counter_ticket"
    ticket_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    day: Mapped[date]
    number: Mapped[str] = mapped_column(String(12))
    kind: Mapped[str] = mapped_column(String(12), default="walk_in")
    slot: Mapped[str] = mapped_column(String(5), default="")
    item_id: Mapped[str] = mapped_column(String(26), default="")
    holder: Mapped[str] = mapped_column(String(80), default="")
    state: Mapped[str] = mapped_column(String(12), default="waiting")
    window: Mapped[str] = mapped_column(String(12), default="")
    case_id: Mapped[str | None] = mapped_column(String(26))
    made_by: Mapped[str] = mapped_column(String(40), default="")
    made_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("day", "number"), Index("ix_counter_ticket_day", "day", "state"))


class BenefitSwitch(Base):
    """Whether a benefit runs.  ``state``: off, asked (somebody else must confirm), on.

    ``digest`` is the rule that was simulated (``simulation``: its periods); a rule with another one does not run.
    ``seen_event`` and ``seen_record`` are the newest change and record that the last run knew, ``evaluated_on`` the day
    of the last run over the whole register.
    """

    __tablename__ = "benefit_switch"
    benefit_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    state: Mapped[str] = mapped_column(String(8), default="off")
    digest: Mapped[str] = mapped_column(String(16), default="")
    simulation: Mapped[list[Any]]
    simulated_at: Mapped[datetime | None]
    simulated_by: Mapped[str] = mapped_column(String(40), default="")
    asked_by: Mapped[str] = mapped_column(String(40), default="")
    asked_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(500), default="")
    decided_by: Mapped[str] = mapped_column(String(40), default="")
    decided_at: Mapped[datetime | None]
    evaluated_on: Mapped[date | None]
    evaluated_at: Mapped[datetime | None]
    seen_event: Mapped[str] = mapped_column(String(26), default="")
    seen_record: Mapped[str] = mapped_column(String(26), default="")


class BenefitGrant(Base):
    """One record's benefit in one period, with the reasons as they were seen.

    ``state``: proposed, confirmed (the payer's case ended so), rejected (the payer found that it is not so), refused
    (the person wants none), gone (no longer entitled before it was handed over), handed (in the payer's list).
    """

    __tablename__ = "benefit_grant"
    grant_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    benefit_id: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[str] = mapped_column(String(26), index=True)
    record_version: Mapped[int]
    period: Mapped[str] = mapped_column(String(7))
    digest: Mapped[str] = mapped_column(String(16))
    day: Mapped[date]
    amount: Mapped[float]
    why: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(String(12), default="proposed")
    case_id: Mapped[str | None] = mapped_column(String(26), index=True)
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("benefit_id", "period", "record_id"),
        Index("ix_benefit_grant_state", "benefit_id", "period", "state"),
    )


class BenefitRefusal(Base):
    """A person wants no benefit (or, ``benefit_id`` ``*``, none at all) without having applied; until it is ended."""

    __tablename__ = "benefit_refusal"
    refusal_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    benefit_id: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[str] = mapped_column(String(26), index=True)
    reason: Mapped[str] = mapped_column(String(500))
    channel: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(40))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(40), default="")
    ended_reason: Mapped[str] = mapped_column(String(500), default="")


class BenefitFile(Base):
    """The payer's list of a period.  ``state``: open (the period runs), closed (judged a last time)."""

    __tablename__ = "benefit_file"
    benefit_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    state: Mapped[str] = mapped_column(String(8), default="open")
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    handed_at: Mapped[datetime | None]
    handed_by: Mapped[str] = mapped_column(String(40), default="")
