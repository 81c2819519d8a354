"""The duty roster: who is on duty for a post now, substitution, and hand-over from one shift to the next."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, aliased

from core.errors import Forbidden, InputInvalid, NotFound
from core.ids import new_id
from core.records import JSON, Actor, Record
from events.cases.drafts import Route
from storage.tables.cases import Case
from storage.tables.people import User
from storage.tables.plans import DutyShift

LONGEST = timedelta(hours=48)
MAY_PLAN = frozenset({"admin", "manager", "dispatcher", "operator"})


class OnDuty(Record, frozen=True, omit_defaults=False):
    """A person on duty; ``substitute_for`` names whom he stands in for."""

    shift_id: str
    department_id: str
    post: str
    user_id: str
    name: str
    phone: str
    starts_at: datetime
    ends_at: datetime
    substitute_for: str | None
    handed_over_at: datetime | None


class HandOver(Record, frozen=True, omit_defaults=False):
    """What the next shift takes over: the department's open cases, counted and the pressing ones named."""

    shift_id: str
    from_user: str
    to_user: str
    at: datetime
    note: str
    open_cases: int
    overdue: int
    pressing: list[dict[str, JSON]]


def add_shift(
    session: Session,
    actor: Actor,
    department_id: str,
    user_id: str,
    starts_at: datetime,
    ends_at: datetime,
    *,
    post: str = "duty",
    substitute_for: str | None = None,
) -> str:
    """Put a person on duty; nobody stands twice at one post at one time.  Returns the shift's id."""
    if not set(actor.roles) & MAY_PLAN:
        raise Forbidden(action="plan duty")
    if {"admin", "dispatcher", "operator"}.isdisjoint(actor.roles) and actor.department_id != department_id:
        raise Forbidden(action="plan another department's duty")
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise InputInvalid(field="starts_at", detail="has no time zone", how="give times with an offset")
    if not timedelta(0) < ends_at - starts_at <= LONGEST:
        raise InputInvalid(field="ends_at", detail="is not within 48 hours after the start", how="give a later end")
    user = session.get(User, user_id)
    if user is None or not user.active:
        raise NotFound(what="user", key=user_id)
    if substitute_for is not None and (substitute_for == user_id or session.get(User, substitute_for) is None):
        raise InputInvalid(field="substitute_for", detail="is nobody else who is known", how="name another account")
    clash = session.scalar(
        select(DutyShift.shift_id).where(
            DutyShift.user_id == user_id,
            DutyShift.post == post,
            DutyShift.department_id == department_id,
            DutyShift.starts_at < ends_at,
            DutyShift.ends_at > starts_at,
        )
    )
    if clash is not None:
        raise InputInvalid(field="starts_at", detail="overlaps a shift of the same person", how="change one of the two")
    shift = DutyShift(
        shift_id=new_id(),
        department_id=department_id,
        post=post,
        user_id=user_id,
        substitute_for=substitute_for,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    session.add(shift)
    session.flush()
    return shift.shift_id


def substitute(session: Session, actor: Actor, shift_id: str, user_id: str, now: datetime) -> str:
    """Let ``user_id`` stand in for the rest of a shift; the shift itself stays in the roster."""
    shift = _shift(session, shift_id)
    if shift.ends_at <= now:
        raise InputInvalid(field="shift_id", detail="is over", how="name a shift that still runs or is to come")
    if user_id == shift.user_id:
        raise InputInvalid(field="user_id", detail="is on duty himself", how="name somebody else")
    begin = max(now, shift.starts_at)
    return add_shift(
        session,
        actor,
        shift.department_id,
        user_id,
        begin,
        shift.ends_at,
        post=shift.post,
        substitute_for=shift.user_id,
    )


def on_duty(session: Session, department_id: str, at: datetime, post: str | None = None) -> list[OnDuty]:
    """Who is on duty at ``at``; substitutes take the place of those they stand in for, and whoever took a shift over
    stands the rest of it."""
    stands = func.coalesce(DutyShift.handed_over_to, DutyShift.user_id)
    query = (
        select(DutyShift, User.user_id, User.name, User.phone)
        .join(User, User.user_id == stands)
        .where(
            DutyShift.department_id == department_id,
            DutyShift.starts_at <= at,
            DutyShift.ends_at > at,
            User.active.is_(True),  # a closed account answers nobody
        )
        .order_by(DutyShift.starts_at, DutyShift.shift_id)
    )
    if post is not None:
        query = query.where(DutyShift.post == post)
    rows = session.execute(query).all()
    away = {(shift.substitute_for, shift.post) for shift, *_ in rows if shift.substitute_for}
    found: dict[tuple[str, str], OnDuty] = {}  # whoever took a shift over may stand one of his own already
    for shift, user_id, name, phone in rows:
        if (shift.user_id, shift.post) in away:
            continue
        person = OnDuty(
            shift_id=shift.shift_id,
            department_id=shift.department_id,
            post=shift.post,
            user_id=user_id,
            name=name,
            phone=phone,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            substitute_for=shift.substitute_for,
            handed_over_at=shift.handed_over_at,
        )
        found.setdefault((user_id, shift.post), person)
    return list(found.values())


def ids_on_duty(at: datetime) -> Select[str]:
    """Ids of everybody who is on duty anywhere at ``at``, substitutes instead of those they stand in for."""
    instead = aliased(DutyShift)
    replaced = exists().where(
        instead.substitute_for == DutyShift.user_id,
        instead.department_id == DutyShift.department_id,
        instead.post == DutyShift.post,
        instead.starts_at <= at,
        instead.ends_at > at,
    )
    stands = func.coalesce(DutyShift.handed_over_to, DutyShift.user_id)
    return select(stands).where(DutyShift.starts_at <= at, DutyShift.ends_at > at, ~replaced)


def hand_over(session: Session, actor: Actor, shift_id: str, to_user: str, note: str, now: datetime) -> HandOver:
    """Hand a shift over: the one on duty himself (or an administrator), with a note and the department's open cases.

    Whoever took it over may hand it on; whoever handed it over may not do so again.
    """
    shift = _shift(session, shift_id)
    holder = shift.handed_over_to or shift.user_id
    if actor.user_id not in {holder, shift.user_id} and "admin" not in actor.roles:
        raise Forbidden(action="hand over another person's shift")
    if actor.user_id == shift.user_id != holder:
        raise InputInvalid(field="shift_id", detail="was handed over already", how="look at the roster again")
    if shift.ends_at <= now:
        ended = shift.ends_at.isoformat()
        raise InputInvalid(field="shift_id", detail=f"ended at {ended}", how="hand over a running one")
    if to_user == holder:
        raise InputInvalid(field="to_user", detail="is the one on duty himself", how="name somebody else")
    person = session.get(User, to_user)
    if person is None:
        raise NotFound(what="user", key=to_user)
    if not person.active:
        raise InputInvalid(field="to_user", detail="has a closed account", how="name somebody who can be reached")
    if len(note.strip()) < 2:
        raise InputInvalid(field="note", detail="is empty", how="say what the next shift must know")
    shift.handed_over_at, shift.handed_over_to, shift.handover_note = now, to_user, note
    session.flush()
    mine = (Case.open.is_(True), Case.department_id == shift.department_id)
    late = (*mine, Case.deadline_at < now)
    pressing = session.scalars(
        select(Case).where(*mine).order_by(Case.severity.desc(), Case.deadline_at, Case.case_id).limit(20)
    )
    return HandOver(
        shift_id=shift_id,
        from_user=holder,
        to_user=to_user,
        at=now,
        note=note,
        open_cases=session.scalar(select(func.count()).select_from(Case).where(*mine)) or 0,
        overdue=session.scalar(select(func.count()).select_from(Case).where(*late)) or 0,
        pressing=[
            {
                "case_id": row.case_id,
                "number": row.number,
                "title": row.title,
                "severity": row.severity,
                "deadline_at": row.deadline_at.isoformat() if row.deadline_at else None,
            }
            for row in pressing
        ],
    )


def shifts_ahead(session: Session, user_id: str, now: datetime) -> list[DutyShift]:
    """The running and coming shifts in which ``user_id`` stands: whoever closes his account must know them."""
    stands = func.coalesce(DutyShift.handed_over_to, DutyShift.user_id)
    query = select(DutyShift).where(stands == user_id, DutyShift.ends_at > now)
    return list(session.scalars(query.order_by(DutyShift.starts_at, DutyShift.shift_id)))


def _shift(session: Session, shift_id: str) -> DutyShift:
    shift = session.get(DutyShift, shift_id, with_for_update=True)
    if shift is None:
        raise NotFound(what="shift", key=shift_id)
    return shift


def to_person(session: Session, path: Route, now: datetime) -> Route:
    """Name whoever is on duty in the lead department now (a substitute for whom he stands in); else nobody."""
    present = on_duty(session, path.lead.department_id, now, "duty")
    if not present:
        return path
    person = present[0]
    step: dict[str, JSON] = {
        "step": "duty", "department_id": person.department_id, "user_id": person.user_id, "name": person.name
    }  # fmt: skip
    if person.substitute_for:
        step["substitute_for"] = person.substitute_for
    lead = msgspec.structs.replace(path.lead, user_id=person.user_id)
    return msgspec.structs.replace(path, lead=lead, steps=(*path.steps, step))
