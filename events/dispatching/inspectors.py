"""Who verifies on site: the nearest person who may, by beat, duty and work in hand."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.records import JSON
from events.dispatching.duty_roster import ids_on_duty
from storage.tables.cases import Case, CaseAssignment
from storage.tables.people import User, UserRole

ROLES = ("inspector", "grid_worker")


def nearest_inspector(
    session: Session, case: Case, at: datetime, not_these: Collection[str] = ()
) -> tuple[User, dict[str, JSON]] | None:
    """The person to verify ``case``, and why; None when nobody's beat holds it.

    Nearest is whose beat (division) is the smallest around the case; then who is on duty, then inspectors before grid
    workers, then who has least in hand.  ``not_these``: who worked on it.  Without a division only people without a
    beat of their own can be asked.
    """
    code = case.division_code or ""
    beats = [code[:n] for n in range(1, len(code) + 1)]
    people = session.scalars(
        select(User)
        .join(UserRole, UserRole.user_id == User.user_id)
        .where(
            UserRole.role.in_(ROLES),
            User.active.is_(True),
            User.user_id.not_in(list(not_these)),
            User.division_code.in_(beats) if beats else User.division_code.is_(None),
        )
        .distinct()
    ).all()
    if not people and beats:  # nobody walks there: whoever covers the whole district
        query = select(User).join(UserRole, UserRole.user_id == User.user_id)
        people = session.scalars(
            query.where(
                UserRole.role == "inspector", User.active.is_(True), User.division_code.is_(None),
                User.user_id.not_in(list(not_these)),
            )
        ).all()  # fmt: skip
    if not people:
        return None
    trained = set(session.scalars(select(UserRole.user_id).where(UserRole.role == "inspector")))
    on_duty = set(session.scalars(ids_on_duty(at)))
    busy = _in_hand(session, [p.user_id for p in people])
    best = min(  # fmt: skip
        people,
        key=lambda p: (
            -len(p.division_code or ""),
            p.user_id not in on_duty,
            p.user_id not in trained,
            busy.get(p.user_id, 0),
            p.user_id,
        ),
    )
    why: dict[str, JSON] = {
        "user_id": best.user_id, "name": best.name, "beat": best.division_code, "on_duty": best.user_id in on_duty,
        "in_hand": busy.get(best.user_id, 0), "of": len(people),
    }  # fmt: skip
    return best, why


def _in_hand(session: Session, user_ids: list[str]) -> dict[str, int]:
    """Checks that wait for each of ``user_ids``."""
    rows = session.execute(
        select(CaseAssignment.user_id, func.count())
        .where(
            CaseAssignment.user_id.in_(user_ids), CaseAssignment.role == "check", CaseAssignment.state == "dispatched"
        )
        .group_by(CaseAssignment.user_id)
    )
    return {str(user_id): int(n) for user_id, n in rows}
