"""Who wants no benefit without having applied: recorded, respected by every later run, ended when asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.ids import new_id
from records.registers.disclosure import must_have_reason
from storage.tables.items import BenefitGrant, BenefitRefusal

ALL = "*"
CHANNELS = ("counter", "phone", "visit", "case", "letter")


@dataclass(frozen=True)
class Refuser:
    """Who notes a refusal, when, and how the person said it."""

    user_id: str
    at: datetime
    channel: str


def refused_by(session: Session, benefit_id: str) -> dict[str, BenefitRefusal]:
    """Records that want nothing of ``benefit_id`` now, with their refusal."""
    sql = select(BenefitRefusal).where(
        BenefitRefusal.benefit_id.in_((benefit_id, ALL)), BenefitRefusal.ended_at.is_(None)
    )
    return {row.record_id: row for row in session.scalars(sql.order_by(BenefitRefusal.at))}


def refusals_of(session: Session, record_id: str) -> list[BenefitRefusal]:
    """All refusals of a record, the newest first."""
    sql = select(BenefitRefusal).where(BenefitRefusal.record_id == record_id)
    return list(session.scalars(sql.order_by(BenefitRefusal.at.desc())))


def refuse(session: Session, benefit_id: str, record_id: str, reason: str, by: Refuser) -> list[BenefitGrant]:
    """Note that the person wants none; answers the grants that are taken back with it (their cases are the caller's).

    The same refusal twice is one.  What was handed to the payer stays: the payer is told by the answer's states.
    """
    if by.channel not in CHANNELS:
        raise InputInvalid(field="channel", detail=f"{by.channel!r}", how=f"use one of {', '.join(CHANNELS)}")
    text = must_have_reason(reason)
    known = [r for r in refusals_of(session, record_id) if r.benefit_id == benefit_id and r.ended_at is None]
    if not known:
        session.add(
            BenefitRefusal(refusal_id=new_id(), benefit_id=benefit_id, record_id=record_id, reason=text,
                           channel=by.channel, at=by.at, by=by.user_id)
        )  # fmt: skip
    sql = select(BenefitGrant).where(
        BenefitGrant.record_id == record_id, BenefitGrant.state.in_(("proposed", "confirmed"))
    )
    taken = [g for g in session.scalars(sql) if benefit_id in (ALL, g.benefit_id)]
    for grant in taken:
        grant.state, grant.changed_at = "refused", by.at
    session.flush()
    return taken


def end_refusal(session: Session, benefit_id: str, record_id: str, reason: str, by: Refuser) -> None:
    """The person wants it after all; the next run proposes it again for the period that runs.  :class:`NotFound`."""
    text = must_have_reason(reason)
    open_ones = [r for r in refusals_of(session, record_id) if r.benefit_id == benefit_id and r.ended_at is None]
    if not open_ones:
        raise NotFound(what="refusal", key=record_id)
    for row in open_ones:
        row.ended_at, row.ended_by, row.ended_reason = by.at, by.user_id, text
    session.flush()
