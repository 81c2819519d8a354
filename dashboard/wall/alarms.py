"""Alarms of the wall: cases new at, or risen to, a severity that rings until somebody acknowledges it by name.

Severity I and II (4 and 3) ring, and a fire of III (2).  An alarm is named by the transition that brought the case to
its severity, so that one acknowledgement silences every page and a case that rises again rings again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core.errors import Forbidden, NotFound, YiwangError
from core.records import Actor, Record
from events.cases.access import visible_cases
from events.evidence import audit_log
from storage.tables.alarms import AlarmAcknowledgement
from storage.tables.cases import Case, CaseTransition
from storage.tables.people import User

RINGS_FROM = 3
FIRE_RINGS_FROM = 2
MAY_ACKNOWLEDGE = frozenset({"admin", "operator", "dispatcher", "manager"})
MAX_ALARMS = 200


class AlarmRisen(YiwangError):
    code = "alarm_risen"
    message = "case {case_id} has risen to severity {severity} meanwhile"
    remedy = "look at the alarm as it is now and acknowledge that one"
    zh = "案卷 {case_id} 已升至 {severity} 级"
    zh_remedy = "请按现在的告警查看并确认"


class Alarm(Record, frozen=True, omit_defaults=False):
    """One alarm; ``cause``: ``new``, or ``risen`` from ``from_severity``.  ``acknowledged_*`` None: it rings."""

    case_id: str
    raised_seq: int
    severity: int
    cause: str
    from_severity: int | None
    raised_at: datetime
    acknowledged_by: str | None = None
    acknowledged_name: str | None = None
    acknowledged_at: datetime | None = None
    waited_s: float | None = None


class Rise(Record, frozen=True):
    """The move that brought a case to its severity."""

    seq: int
    at: datetime
    before: int | None


def rings() -> Any:
    """The condition on ``case_file``: open, not merged, and grave enough to ring."""
    fire = and_(Case.severity >= FIRE_RINGS_FROM, Case.happening_key.like("fire@%"))
    return and_(Case.open.is_(True), Case.merged_into_id.is_(None), or_(Case.severity >= RINGS_FROM, fire))


def last_rise(
    opened_at: datetime, moves: Iterable[tuple[int, datetime, Mapping[str, Any]]], opened_with: int | None = None
) -> Rise:
    """The last of ``moves`` (seq, at, data) that raised the case's severity; else its opening.

    Data of a rise: ``{"from": 2, "to": 3}`` of an escalation, ``{"severity": 3}`` of a person's command; who set a
    severity when the one before is not known (``opened_with`` None) has looked at the case: no rise.
    """
    found = Rise(1, opened_at, None)
    known = opened_with
    for seq, at, data in moves:
        before, after = data.get("from", known), data.get("to", data.get("severity"))
        if not isinstance(after, int) or isinstance(after, bool):
            continue
        known = after
        if seq > 1 and isinstance(before, int) and after > before:
            found = Rise(seq, at, before)
    return found


def alarms(session: Session, actor: Actor, *, case_id: str | None = None) -> list[Alarm]:
    """The alarms that ``actor`` may see, gravest and newest first; acknowledged ones with who and when."""
    query = select(Case.case_id, Case.severity, Case.opened_at, Case.why).where(rings(), visible_cases(actor))
    if case_id is not None:
        query = query.where(Case.case_id == case_id)
    rows = session.execute(query.order_by(Case.severity.desc(), Case.opened_at.desc()).limit(MAX_ALARMS)).all()
    ids = [row.case_id for row in rows]
    moves, answers = _moves(session, ids), _answers(session, ids)
    found = [_alarm(row, moves[row.case_id], answers[row.case_id]) for row in rows]
    return sorted(found, key=lambda a: (-a.severity, -a.raised_at.timestamp()))


def _moves(session: Session, ids: Sequence[str]) -> dict[str, list[tuple[int, datetime, dict[str, Any]]]]:
    """Moves that may have changed a severity, by case."""
    query = (
        select(CaseTransition.case_id, CaseTransition.seq, CaseTransition.at, CaseTransition.data)
        .where(CaseTransition.case_id.in_(ids))
        .order_by(CaseTransition.case_id, CaseTransition.seq)
    )
    found: dict[str, list[tuple[int, datetime, dict[str, Any]]]] = defaultdict(list)
    for row in session.execute(query):
        found[row.case_id].append((row.seq, row.at, row.data or {}))
    return found


def _answers(session: Session, ids: Sequence[str]) -> dict[str, list[tuple[AlarmAcknowledgement, str | None]]]:
    query = (
        select(AlarmAcknowledgement, User.name)
        .outerjoin(User, User.user_id == AlarmAcknowledgement.user_id)
        .where(AlarmAcknowledgement.case_id.in_(ids))
    )
    found: dict[str, list[tuple[AlarmAcknowledgement, str | None]]] = defaultdict(list)
    for answer, name in session.execute(query):
        found[answer.case_id].append((answer, name))
    return found


def _alarm(row: Any, moves: Any, answers: list[tuple[AlarmAcknowledgement, str | None]]) -> Alarm:
    facts: Mapping[str, Any] = next((s for s in (row.why or {}).get("routing") or [] if s.get("step") == "facts"), {})
    rise = last_rise(row.opened_at, moves, facts.get("severity"))
    told: dict[str, Any] = {}
    for answer, name in answers:
        if answer.raised_seq == rise.seq and answer.severity >= row.severity:
            told = {
                "acknowledged_by": answer.user_id,
                "acknowledged_name": name or answer.user_id,
                "acknowledged_at": answer.at,
                "waited_s": answer.waited_s,
            }
    return Alarm(
        case_id=row.case_id,
        raised_seq=rise.seq,
        severity=row.severity,
        cause="new" if rise.seq == 1 else "risen",
        from_severity=rise.before,
        raised_at=rise.at,
        **told,
    )


def acknowledge(session: Session, actor: Actor, case_id: str, raised_seq: int, severity: int, now: datetime) -> Alarm:
    """Acknowledge the alarm that ``actor`` looked at; who comes second is told who was first.

    Raises:
        NotFound: no such alarm for this person.
        AlarmRisen: the case has risen since.
    """
    if not MAY_ACKNOWLEDGE & set(actor.roles):
        raise Forbidden(action="acknowledge alarms")
    # The case's row stands for its audit chain: one after the other.
    session.execute(select(Case.case_id).where(Case.case_id == case_id).with_for_update())
    found = next(iter(alarms(session, actor, case_id=case_id)), None)
    if found is None:
        raise NotFound(what="alarm", key=case_id)
    if (found.raised_seq, found.severity) != (raised_seq, severity):
        raise AlarmRisen(case_id=case_id, severity=found.severity)
    if found.acknowledged_at is not None:
        return found
    waited = round(max(0.0, (now - found.raised_at).total_seconds()), 3)
    session.add(
        AlarmAcknowledgement(
            case_id=case_id, raised_seq=raised_seq, severity=severity, user_id=actor.user_id, at=now, waited_s=waited
        )
    )
    body: dict[str, Any] = {"severity": severity, "raised_seq": raised_seq, "waited_s": waited}
    audit_log.append(session, case_id, now, actor.user_id, "acknowledge", body)
    session.flush()
    return alarms(session, actor, case_id=case_id)[0]
