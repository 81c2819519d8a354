"""Benefits without application: what is switched on, who gets it and why, who wants none, the payers' lists."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


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
