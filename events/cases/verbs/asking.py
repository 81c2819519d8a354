"""Effects that bring others in (ask, answer, withdraw the question, note a subject) and ``route`` by the definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.codes.telephone import mobile_of
from core.errors import InputInvalid
from core.ids import new_id
from events.cases.course.relations import PARTY
from events.cases.definition import Definition
from events.cases.transition import Work
from storage.tables.cases import Case, CaseParty, Outbox
from storage.tables.field import DutyStatus
from storage.tables.files import CaseSubject
from storage.tables.people import User, UserRole
from storage.tables.registry import Department


def add_subject(work: Work) -> None:
    """Note whom the case is about: ``subjects`` or ``subject`` of the data, each ``{name, role, contact, user_id}``."""
    raw = work.data.get("subjects") or work.data.get("subject") or []
    for each in raw if isinstance(raw, list) else [raw]:
        body = each if isinstance(each, Mapping) else {"name": str(each)}
        user_id = body.get("user_id")
        if not (body.get("name") or user_id or body.get("key")):
            raise InputInvalid(field="subjects", detail="names nobody", how="give name, user_id or key")
        work.session.add(
            CaseSubject(
                subject_id=new_id(),
                case_id=work.case.case_id,
                role=str(body.get("role") or work.params.get("role") or "party")[:24],
                kind="user" if user_id else str(body.get("kind") or "person"),
                key=str(user_id or body.get("key") or "")[:80],
                name=str(body.get("name") or "")[:80],
                contact=str(body.get("contact") or "")[:80],
                answer={},
                added_at=work.at,
                added_by=work.actor.user_id,
            )
        )
        if user_id and work.session.get(CaseParty, (work.case.case_id, str(user_id))) is None:
            work.session.add(CaseParty(case_id=work.case.case_id, user_id=user_id, role="party", added_at=work.at))


def ask_party(work: Work) -> None:
    """Ask the parties (of ``role``, default all) for ``fields``; who has no account gets a text message with a code
    by which he answers and signs (:mod:`events.notify.parties`), where his contact is a mobile number.  ``question``:
    the field of the command whose text they are shown (an agreement); default the question, reason or comment."""
    role, shown = work.params.get("role"), work.params.get("question")
    query = select(CaseSubject).where(CaseSubject.case_id == work.case.case_id)
    subjects = [row for row in work.session.scalars(query) if not role or row.role == role]
    parties = select(CaseParty.user_id).where(CaseParty.case_id == work.case.case_id)
    users = set(work.session.scalars(parties)) | {row.key for row in subjects if row.kind == "user"}
    reporter = work.case.reporter_id
    if not users and not subjects and reporter and work.session.get(User, reporter) is not None:
        users = {reporter}
    for row in subjects:
        row.asked_at, row.answered_at = work.at, None
        if row.kind != "user" and mobile_of(row.contact) is not None:
            body = {"subject_id": row.subject_id, "channel": "webhook:sms"}
            work.session.add(Outbox(outbox_id=new_id(), topic="ask", body=body, created_at=work.at, attempts=0))
    said = work.data.get(str(shown)) if shown else None
    asked = {
        "fields": list(work.params.get("fields", ())),
        "by": work.actor.user_id,
        "at": work.at.isoformat(),
        "users": sorted(users),
        "subjects": [row.subject_id for row in subjects if row.kind != "user"],
        "question": said or work.data.get("question") or work.data.get("reason") or work.data.get("comment") or "",
    }
    work.put(asked=asked)
    work.reason_data["asked"] = {"users": asked["users"], "subjects": len(subjects)}


def answer_party(work: Work) -> None:
    """One who was asked has answered; nobody is asked any longer when none is left, when the case goes on to another
    state, or when somebody else (a clerk) notes the answer for them all."""
    asked, me = work.case.form.get("asked") or {}, work.actor.user_id
    himself = PARTY in work.actor.roles or me in asked.get("users", ())
    rows = _unanswered(work)
    for row in rows:  # who answers by a code was noted before the command was given
        if row.key == me or (not himself and not row.key):
            row.answered_at, row.answer = work.at, dict(work.data)
    users = [each for each in asked.get("users", ()) if each != me]
    left = [row.subject_id for row in rows if row.answered_at is None and row.kind != "user"]
    over = not himself or work.transition.to_state != work.transition.from_state or not (users or left)
    work.put(asked=None if over else {**asked, "users": users, "subjects": left})


def withdraw_question(work: Work) -> None:
    """What the parties were asked is not asked any longer; codes that were sent show the file only."""
    for row in _unanswered(work):
        row.asked_at = None
    work.put(asked=None)


def _unanswered(work: Work) -> list[CaseSubject]:
    query = select(CaseSubject).where(
        CaseSubject.case_id == work.case.case_id, CaseSubject.asked_at.is_not(None), CaseSubject.answered_at.is_(None)
    )
    return list(work.session.scalars(query))


def routed(session: Session, definition: Definition, case: Case, data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where the definition's ``routes`` send the case: ``department_id``, ``duty``, ``assisting``; None: no line holds.

    Facts: ``kind``, ``class``, ``severity``, ``division``, ``grid``, ``requester`` (his department),
    ``community_department`` and ``street_department`` (of the division), and every field of the case.
    ``lead`` may be ``${fact}``; a line whose department is not there is passed over.
    """
    requester = session.get(User, case.reporter_id) if case.reporter_id else None
    code = case.division_code or ""
    facts = {
        **case.form, **data, "kind": case.kind, "class": case.class_code, "severity": case.severity,
        "division": code, "grid": case.grid_code, "requester": requester.department_id if requester else None,
        "community_department": f"community-{code[:12]}" if len(code) >= 12 else None,
        "street_department": f"street-{code[:9]}" if len(code) >= 9 else None,
    }  # fmt: skip
    for line in definition.routes:
        if not all(_fits(name, wanted, facts.get(name)) for name, wanted in line.when.items()):
            continue
        lead = facts.get(line.lead[2:-1]) if line.lead.startswith("${") else line.lead
        if not lead or session.get(Department, str(lead)) is None:
            continue
        found: dict[str, Any] = {"department_id": str(lead)}
        found |= {"duty": line.duty} if line.duty else {}
        leader = grid_leader(session, case) if line.user == "${grid_leader}" else line.user
        found |= {"user_id": leader} if leader else {}
        return found | ({"assisting": [dict(each) for each in line.assisting]} if line.assisting else {})
    return None


def grid_leader(session: Session, case: Case) -> str | None:
    """The grid worker of the case's cell, else of its community; of several one who is on duty."""
    codes = [code for code in (case.grid_code, (case.division_code or "")[:12]) if code and len(code) >= 12]
    workers = select(UserRole.user_id).where(UserRole.role == "grid_worker")
    for code in codes:
        found = select(User.user_id).where(User.active, User.division_code == code, User.user_id.in_(workers))
        ids = list(session.scalars(found.order_by(User.user_id)))
        if ids:
            on_duty = session.scalars(
                select(DutyStatus.user_id).where(DutyStatus.user_id.in_(ids), DutyStatus.on_duty.is_(True))
            )
            return min(on_duty, default=ids[0])
    return None


def _fits(name: str, wanted: Any, found: Any) -> bool:
    values = wanted if isinstance(wanted, list) else [wanted]
    if name in ("division", "grid", "class"):
        return any(str(found or "").startswith(str(each)) for each in values)
    return found in values
