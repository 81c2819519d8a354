"""Notices: who is told what.  ``notice_key`` is unique, so that no crash and no retry tells anybody twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.ids import new_id
from core.records import CaseChanged, Record
from events.cases.definition_check import shipped_definitions
from events.cases.definition_store import definition_of
from events.correlation.rule_memory import insert_into
from events.dispatching.duty_roster import on_duty
from events.dispatching.routing import default_routing
from storage.tables.cases import Case, CaseAssignment, Notice, Outbox

_WORK = {"dispatched": "新任务 / New task", "rework": "返工 / Do again"}
_TO_ROLE = {  # command → role that must act, kind, heading
    "return": ("dispatcher", "returned", "案件退回 / Returned"),
    "refuse": ("dispatcher", "returned", "拒收 / Refused"),
    "send_check": ("inspector", "check", "请核查 / Please verify"),
    "request_extension": ("dispatcher", "extension", "申请延期 / Extension asked for"),
    "transfer": ("dispatcher", "transfer", "申请转派 / Transfer"),
}


class NoticeDraft(Record, frozen=True):
    """A notice to be written; it goes to a user, a department or a role."""

    key: str
    kind: str
    title: str
    body: str = ""
    case_id: str | None = None
    user_id: str | None = None
    department_id: str | None = None
    role: str = ""
    severity: int = 1


class QuietHours(Record, frozen=True):
    """When nobody is rung up for less than ``below_severity``: Beijing times "HH:MM", over midnight allowed."""

    begins: str = "22:00"
    ends: str = "07:00"
    below_severity: int = 3

    def due_at(self, now: datetime, severity: int) -> datetime:
        """When a notice of ``severity`` may ring: now, or at the end of the quiet hours."""
        if severity >= self.below_severity or self.begins == self.ends:
            return now
        local = now.astimezone(BEIJING)
        clock = local.strftime("%H:%M")
        over_midnight = self.begins > self.ends
        quiet = (clock >= self.begins or clock < self.ends) if over_midnight else self.begins <= clock < self.ends
        if not quiet:
            return now
        hour, minute = (int(part) for part in self.ends.split(":"))
        end = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return (end if end > local else end + timedelta(days=1)).astimezone(UTC)


def write_notices(
    session: Session,
    drafts: Iterable[NoticeDraft],
    channels: Sequence[str],
    now: datetime,
    quiet: QuietHours | None = None,
) -> list[str]:
    """Write the notices that are new, each with an outbox row per channel; returns their ids.

    A row of a channel that rings (all but ``in_app``) is due when the quiet hours are over.
    """
    quiet = quiet or QuietHours()
    written = []
    for draft in drafts:
        notice_id = new_id()
        statement = (
            insert_into(session, Notice)
            .on_conflict_do_nothing(index_elements=["notice_key"])
            .returning(Notice.notice_id)
        )
        row: dict[str, Any] = {
            "notice_id": notice_id,
            "notice_key": draft.key[:160],
            "case_id": draft.case_id,
            "user_id": draft.user_id,
            "department_id": draft.department_id,
            "role": draft.role,
            "kind": draft.kind,
            "title": draft.title[:200],
            "body": draft.body,
            "severity": draft.severity,
            "created_at": now,
        }
        if session.execute(statement, row).scalar_one_or_none() is None:
            continue
        written.append(notice_id)
        for channel in channels:
            body = {"notice_id": notice_id, "channel": channel}
            due_at = now if channel == "in_app" else quiet.due_at(now, draft.severity)
            session.add(Outbox(outbox_id=new_id(), topic="notice", body=body, created_at=due_at, attempts=0))
    return written


def channels_of(notifiers: dict[str, Any]) -> list[str]:
    """The channels of ``notifiers`` in a stable order."""
    return sorted(notifiers)


def notices_of_change(session: Session, change: CaseChanged) -> list[NoticeDraft]:
    """Who has to know of ``change``."""
    key = f"{change.case_id}:{change.version}:{change.command}"
    drafts: list[NoticeDraft] = []
    text = f"{change.number} {change.title}"
    if change.state in _WORK and change.command in {"dispatch", "rework", "report", "resume", "open", "transfer"}:
        for part in _parts(session, change.case_id):
            drafts.append(
                NoticeDraft(
                    key=f"{key}:{part.department_id}",
                    kind="task" if change.state == "dispatched" else "rework",
                    title=f"{_WORK[change.state]}: {change.title}",
                    body=f"{text} {part.duty}".strip(),
                    case_id=change.case_id,
                    department_id=part.department_id,
                    user_id=part.user_id,
                    severity=int(change.severity),
                )
            )
    if change.command == "urge":
        drafts += _to_lead(session, change, f"{key}:lead", "urged", "督办 / Urged")
    if change.command == "escalate":
        drafts += _to_lead(session, change, f"{change.case_id}:severity:{int(change.severity)}", "escalated", "升级")
    drafts += _to_arbiter(session, change)
    wanted = _TO_ROLE.get(change.command)
    if wanted is not None and change.state != "dispatched":
        role, kind, heading = wanted
        person = _inspector(session, change.case_id) if role == "inspector" else None
        drafts.append(
            NoticeDraft(
                key=f"{key}:{role}",
                user_id=person,
                kind=kind,
                title=f"{heading}: {change.title}",
                body=text,
                case_id=change.case_id,
                role="" if person else role,
                severity=int(change.severity),
            )
        )
    return drafts


def _parts(session: Session, case_id: str) -> list[CaseAssignment]:
    return list(
        session.scalars(
            select(CaseAssignment).where(
                CaseAssignment.case_id == case_id,
                CaseAssignment.role.in_(("lead", "assist")),
                CaseAssignment.state.in_(("dispatched", "accepted")),
            )
        )
    )


def _to_lead(session: Session, change: CaseChanged, key: str, kind: str, heading: str) -> list[NoticeDraft]:
    case = session.get(Case, change.case_id)
    if case is None or case.department_id is None:
        return []
    return [
        NoticeDraft(
            key=key,
            kind=kind,
            title=f"{heading}: {change.title}",
            body=f"{change.number} {change.title}",
            case_id=change.case_id,
            department_id=case.department_id,
            user_id=case.handler_id,
            severity=int(change.severity),
        )
    ]


def _to_arbiter(session: Session, change: CaseChanged) -> list[NoticeDraft]:
    """When a case was handed back as often as its definition bears, the named arbiter is asked to decide, once a time.

    The arbiter's department is named in the routing table; who is on duty there is told in person.
    """
    case = session.get(Case, change.case_id)
    if case is None or not case.bounces:
        return []
    definition = definition_of(session, case, shipped_definitions())
    spec = definition.commands.get(change.command)
    if case.bounces < definition.bounce_limit or spec is None or "bounce" not in spec.effects:
        return []
    department = default_routing().arbiter
    present = on_duty(session, department, change.changed_at)
    arbiter = definition.arbiter.name.get("zh", "") if definition.arbiter else ""
    return [
        NoticeDraft(
            key=f"{change.case_id}:arbiter:{case.bounces}",
            kind="arbitrate",
            title=f"请仲裁 / Please arbitrate: {change.title}",
            body=f"{change.number} {change.title}: {arbiter} ({case.bounces}/{definition.bounce_limit})",
            case_id=change.case_id,
            department_id=department,
            user_id=present[0].user_id if present else None,
            severity=int(change.severity),
        )
    ]


def _inspector(session: Session, case_id: str) -> str | None:
    """The person who is to verify, None when nobody was named."""
    query = select(CaseAssignment.user_id).where(
        CaseAssignment.case_id == case_id, CaseAssignment.role == "check", CaseAssignment.state == "dispatched"
    )
    return session.scalars(query.order_by(CaseAssignment.dispatched_at.desc())).first()
