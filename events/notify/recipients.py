"""From what a definition says ("turn", a relation, a role) to those who are told."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import Record
from events.cases.course.turn_keys import turn_lines
from events.cases.definition import RELATIONS, Definition
from events.cases.definition_parts import Who
from events.dispatching.duty_roster import on_duty
from events.dispatching.routing_in_force import routing_in_force
from storage.tables.cases import Case, CaseAssignment, CaseParty
from storage.tables.people import User, UserRole

_AT_WORK = ("dispatched", "accepted")
_PLAIN_STAFF = frozenset({"staff"})
MAX_PEOPLE = 200  # named one by one


class NoticeTarget(Record, frozen=True):
    """One receiver: a person, a department or a role; exactly one is set (a person perhaps with his department)."""

    user_id: str | None = None
    department_id: str | None = None
    role: str = ""
    duty: str = ""

    def key(self) -> str:
        return self.user_id or self.department_id or self.role


def targets(session: Session, case: Case, definition: Definition, to: Iterable[str | Who]) -> list[NoticeTarget]:
    """Everybody ``to`` means, each once."""
    found: dict[str, NoticeTarget] = {}
    for each in to:
        lines = _lines(each, case, definition)
        some = [t for line in lines for t in _of_line(session, case, line)] if lines else _named(session, case, each)
        for target in some:
            found.setdefault(target.key(), target)
    return list(found.values())


def turn_targets(session: Session, case: Case, definition: Definition) -> list[NoticeTarget]:
    """Those who must act now."""
    return targets(session, case, definition, ("turn",))


def _lines(to: str | Who, case: Case, definition: Definition) -> tuple[Who, ...]:
    if isinstance(to, Who):
        return (to,)
    if to == "turn":
        return turn_lines(definition, case.state)
    if to == "approver":
        return _approvers(case, definition)
    relation = {"requester": "reporter", "parties": "party", "lead": "lead_department"}.get(to, to)
    return (Who(relation=relation),) if relation in RELATIONS - {"any"} else ()


def _approvers(case: Case, definition: Definition) -> tuple[Who, ...]:
    found: list[Who] = []
    for name, request in case.form.get("pending", {}).items():
        levels = definition.approvals[name].levels if name in definition.approvals else ()
        level = int(request.get("level", 0))
        found += levels[level] if level < len(levels) else ()
    return tuple(found)


def _named(session: Session, case: Case, to: str | Who) -> list[NoticeTarget]:
    if not isinstance(to, str):
        return []
    kind, _, name = to.partition(":")
    if kind == "arbiter":
        department = routing_in_force().arbiter
        present = on_duty(session, department, case.updated_at)
        return [NoticeTarget(department_id=department, user_id=present[0].user_id if present else None)]
    if kind == "checker":
        return _checkers(session, case)
    if kind == "asked_party":
        return [NoticeTarget(user_id=each) for each in case.form.get("asked", {}).get("users", ())]
    if name:
        pairs = {
            "role": NoticeTarget(role=name),
            "department": NoticeTarget(department_id=name),
            "user": NoticeTarget(user_id=name),
        }
        return [pairs[kind]] if kind in pairs else []
    return [NoticeTarget(role=to)]


def _checkers(session: Session, case: Case) -> list[NoticeTarget]:
    """The person who is to verify, else the inspectors."""
    query = select(CaseAssignment.user_id).where(
        CaseAssignment.case_id == case.case_id, CaseAssignment.role == "check", CaseAssignment.state == "dispatched"
    )
    person = session.scalars(query.order_by(CaseAssignment.dispatched_at.desc())).first()
    return [NoticeTarget(user_id=person) if person else NoticeTarget(role="inspector")]


def _of_line(session: Session, case: Case, line: Who) -> list[NoticeTarget]:
    if line.from_ and case.state not in line.from_:
        return []
    match line.relation:
        case "any":
            return [NoticeTarget(role=role) for role in line.roles if role != "system"]
        case "handler":
            return [NoticeTarget(user_id=case.handler_id)] if case.handler_id else []
        case "reporter":
            return _people(session, [case.reporter_id])
        case "party":
            ids = session.scalars(select(CaseParty.user_id).where(CaseParty.case_id == case.case_id))
            return [NoticeTarget(user_id=each) for each in ids]
        case "asked":
            parts = _parts(session, case, ("dispatched", "accepted", "finished"), ("lead", "assist", "check"))
            return [NoticeTarget(user_id=part.user_id) for part in parts if part.user_id]
        case "own_division":
            return _beat(session, case, line.roles)
        case "lead_department":
            if not case.department_id:
                return []
            return _department(session, case.department_id, case.handler_id, line.roles)
        case relation:
            states = ("dispatched", "accepted", "finished") if relation == "assigned_department" else _AT_WORK
            roles = ("assist",) if relation == "unfinished_assist" else ("lead", "assist")
            found = []
            for part in _parts(session, case, states, roles):
                found += _department(session, part.department_id, part.user_id, line.roles, part.duty)
            return found


def _parts(session: Session, case: Case, states: tuple[str, ...], roles: tuple[str, ...]) -> list[CaseAssignment]:
    query = select(CaseAssignment).where(
        CaseAssignment.case_id == case.case_id, CaseAssignment.role.in_(roles), CaseAssignment.state.in_(states)
    )
    return list(session.scalars(query.order_by(CaseAssignment.dispatched_at, CaseAssignment.assignment_id)))


def _department(
    session: Session, department_id: str, user_id: str | None, roles: tuple[str, ...], duty: str = ""
) -> list[NoticeTarget]:
    """A department: its named person, else its staff; where only some roles are meant, the people who have them."""
    if not roles or set(roles) >= _PLAIN_STAFF:
        return [NoticeTarget(department_id=department_id, user_id=user_id, duty=duty)]
    query = (
        select(User.user_id)
        .where(
            User.department_id == department_id,
            User.active.is_(True),
            User.user_id.in_(select(UserRole.user_id).where(UserRole.role.in_(roles))),
        )
        .order_by(User.user_id)
        .limit(MAX_PEOPLE)
    )
    return [NoticeTarget(user_id=each, department_id=department_id, duty=duty) for each in session.scalars(query)]


def _beat(session: Session, case: Case, roles: tuple[str, ...]) -> list[NoticeTarget]:
    code = case.division_code or ""
    query = select(User.user_id, User.division_code).where(
        User.active.is_(True),
        User.division_code.is_not(None),
        User.user_id.in_(select(UserRole.user_id).where(UserRole.role.in_(roles))),
    )
    rows = session.execute(query.order_by(User.user_id))
    found = [NoticeTarget(user_id=user_id) for user_id, beat in rows if beat and code.startswith(beat)]
    return found[:MAX_PEOPLE]


def _people(session: Session, ids: Iterable[str | None]) -> list[NoticeTarget]:
    return [NoticeTarget(user_id=each) for each in ids if each and session.get(User, each) is not None]
