"""The demo's duty roster: generated shifts of the command centre, so that the wall says who is on duty.

A leader and an operator by day (8:00 to 20:00 Beijing) and by night, from yesterday for four weeks.  Made once, into
an installation that has no shift yet; on the page "Plans and duty" it is changed like any roster.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.records import SYSTEM, Actor
from events.dispatching.duty_roster import add_shift
from storage.session import session_scope
from storage.tables.people import User, UserRole
from storage.tables.plans import DutyShift

CENTRE, DAYS = "dept-command", 28
POSTS = {"leader": "manager", "duty": "operator"}  # post → role
HOURS = (time(8), time(20))
_PLANNER = Actor(user_id=SYSTEM.user_id, name=SYSTEM.name, roles=("admin",), department_id=CENTRE)


def fill_roster(engine: Engine, now: datetime, *, days: int = DAYS) -> int:
    """Generate it; how many shifts (0: there are some already, or the centre has nobody for them)."""
    with session_scope(engine) as session:
        if session.scalar(select(func.count()).select_from(DutyShift)):
            return 0
        shifts = list(_shifts(session, now, days))
        for post, person, begins, ends in shifts:
            add_shift(session, _PLANNER, CENTRE, person, begins, ends, post=post)
    return len(shifts)


def _shifts(session: Session, now: datetime, days: int) -> Iterator[tuple[str, str, datetime, datetime]]:
    first = now.astimezone(BEIJING).date() - timedelta(days=1)
    for post, role in POSTS.items():
        people = _people(session, role)
        for turn in range(2 * days if people else 0):
            day = first + timedelta(days=turn // 2)
            begins = datetime.combine(day, HOURS[turn % 2], BEIJING)
            yield post, people[turn % len(people)], begins, begins + timedelta(hours=12)


def _people(session: Session, role: str) -> list[str]:
    """Three of the centre who may stand at the post, by account."""
    wanted = select(User.user_id).join(UserRole, UserRole.user_id == User.user_id).order_by(User.user_id).limit(3)
    return list(session.scalars(wanted.where(User.department_id == CENTRE, User.active, UserRole.role == role)))
