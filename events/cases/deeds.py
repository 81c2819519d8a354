"""Work that was done before it arrived: when it counts as done, and whether somebody else moved the case meanwhile."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.deed import Deed, Told, judged
from core.records import SYSTEM, Actor, GeoPoint
from events.cases.errors import StaleCase
from storage.tables.cases import Case, CaseTransition
from storage.tables.people import User


def deed_of(session: Session, case: Case, told: Told, arrived: datetime) -> Deed:
    """``told`` as it is believed for ``case``: not before the move that led to its present state."""
    last = session.scalars(
        select(CaseTransition)
        .where(CaseTransition.case_id == case.case_id, CaseTransition.from_state != CaseTransition.to_state)
        .order_by(CaseTransition.seq.desc())
        .limit(1)
    ).one_or_none()
    where = GeoPoint(lon=case.lon, lat=case.lat) if case.lon is not None and case.lat is not None else None
    return judged(told, arrived, _effective(last) if last else case.opened_at, where)


def _effective(row: CaseTransition) -> datetime:
    """When a move counts as done: the recorded time of a deed that was believed, else its arrival."""
    recorded = row.data.get("recorded") or {}
    if recorded.get("clock") in ("as_told", "corrected"):
        return datetime.fromisoformat(recorded["at"])
    return row.at


def check_seen(session: Session, case: Case, told: Told, actor: Actor) -> None:
    """:class:`StaleCase` when another person moved the case after the version that this one saw."""
    if told.seen_version is None or told.seen_version >= case.version:
        return
    other = session.scalars(
        select(CaseTransition)
        .where(
            CaseTransition.case_id == case.case_id,
            CaseTransition.seq > told.seen_version,
            CaseTransition.actor_id.not_in((actor.user_id, SYSTEM.user_id)),
            or_(CaseTransition.from_state != CaseTransition.to_state, CaseTransition.command == "transfer"),
        )
        .order_by(CaseTransition.seq.desc())
        .limit(1)
    ).one_or_none()
    if other is not None:
        raise stale(session, case, other)


def stale(session: Session, case: Case, move: CaseTransition) -> StaleCase:
    """Who moved the case first, how and when."""
    user = session.get(User, move.actor_id)
    return StaleCase(
        moved_by=move.actor_id,
        moved_by_name=user.name if user is not None else move.actor_id,
        moved_at=move.at.isoformat(timespec="seconds"),
        by_command=move.command,
        version=case.version,
        state=case.state,
    )
