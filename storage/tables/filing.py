"""Filings: data sets by unit and period, their cells, approvals, totals and exemptions; campaigns with their visits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


class FilingUnit(Base):
    """Who files: a village or community, a town or street above, the district on top."""

    __tablename__ = "filing_unit"
    unit_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str | None] = mapped_column(String(120))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("filing_unit.unit_id"), index=True)
    division_code: Mapped[str] = mapped_column(String(12), default="")
    department_id: Mapped[str] = mapped_column(String(40), default="")


class FilingDataset(Base):
    """A data set (one form filed every period) as it was from this version on."""

    __tablename__ = "filing_dataset"
    dataset_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    body: Mapped[dict[str, Any]]
    taken_at: Mapped[datetime]
    taken_by: Mapped[str] = mapped_column(String(40), default="system")


class Filing(Base):
    """One unit's filing of one period.  State: saved, filed, returned, approved; ``version`` guards two editors."""

    __tablename__ = "filing"
    filing_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(String(40))
    dataset_version: Mapped[int]
    unit_id: Mapped[str] = mapped_column(ForeignKey("filing_unit.unit_id"), index=True)
    period: Mapped[str] = mapped_column(String(12))
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(default=1)
    filed_at: Mapped[datetime | None]
    filed_by: Mapped[str | None] = mapped_column(String(40))
    on_time: Mapped[bool | None]
    note: Mapped[str] = mapped_column(String(500), default="")
    updated_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("dataset_id", "period", "unit_id"),
        Index("ix_filing_unit_period", "unit_id", "period"),
    )


class FilingValue(Base):
    """One cell: its value as JSON text, a comment, and where it came from (typed, last period, register …)."""

    __tablename__ = "filing_value"
    filing_id: Mapped[str] = mapped_column(ForeignKey("filing.filing_id"), primary_key=True)
    question: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[str | None] = mapped_column(Text)
    comment: Mapped[str] = mapped_column(String(500), default="")
    source: Mapped[str] = mapped_column(String(40), default="typed")
    returned: Mapped[bool] = mapped_column(default=False)  # the approver sent this cell back


class FilingEvent(Base):
    """What happened to a filing: saved, filed, returned, approved, taken_back; a cell's change with old and new."""

    __tablename__ = "filing_event"
    event_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dataset_id: Mapped[str] = mapped_column(String(40))
    unit_id: Mapped[str] = mapped_column(String(40))
    period: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]
    actor_id: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(16))
    question: Mapped[str] = mapped_column(String(80), default="")
    old: Mapped[str | None] = mapped_column(Text)
    new: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(String(500), default="")
    __table_args__ = (Index("ix_filing_event_place", "dataset_id", "unit_id", "period"),)


class FilingApproval(Base):
    """An approval of a unit's data (its own filing, or all below it): locks what is below until taken back."""

    __tablename__ = "filing_approval"
    dataset_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    period: Mapped[str] = mapped_column(String(12), primary_key=True)
    unit_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(40))


class FilingTotal(Base):
    """A total of the units below as it was rolled up; ``stale`` once a part has changed since."""

    __tablename__ = "filing_total"
    dataset_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    period: Mapped[str] = mapped_column(String(12), primary_key=True)
    unit_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    question: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[str | None] = mapped_column(Text)
    partial: Mapped[bool] = mapped_column(default=False)
    missing: Mapped[list[Any]]
    stale: Mapped[bool] = mapped_column(default=False)
    rolled_at: Mapped[datetime]


class FilingExemption(Base):
    """A unit that need not file a period (``period`` empty: none of them), with the reason."""

    __tablename__ = "filing_exemption"
    dataset_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    unit_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    period: Mapped[str] = mapped_column(String(12), primary_key=True, default="")
    reason: Mapped[str] = mapped_column(String(500))
    by: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class Campaign(Base):
    """A supervision campaign: its plan as data, who runs it, until when.  ``state``: open, closed."""

    __tablename__ = "campaign"
    campaign_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    body: Mapped[dict[str, Any]]
    department_id: Mapped[str] = mapped_column(String(40), default="")
    due: Mapped[date]
    state: Mapped[str] = mapped_column(String(8), default="open")
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(40))


class CampaignVisit(Base):
    """One line of a campaign's visit list.  ``state``: planned, visited, waived (with the reason in ``note``)."""

    __tablename__ = "campaign_visit"
    visit_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaign.campaign_id"), index=True)
    record_id: Mapped[str | None] = mapped_column(String(26))
    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(200), default="")
    division_code: Mapped[str] = mapped_column(String(12), default="")
    state: Mapped[str] = mapped_column(String(8), default="planned")
    answers: Mapped[dict[str, Any]]
    problems: Mapped[list[Any]]
    note: Mapped[str] = mapped_column(String(500), default="")
    visited_at: Mapped[datetime | None]
    visited_by: Mapped[str] = mapped_column(String(40), default="")
    case_id: Mapped[str | None] = mapped_column(String(26))
    __table_args__ = (UniqueConstraint("campaign_id", "record_id"),)
