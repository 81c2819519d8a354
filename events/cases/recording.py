"""What every move writes beside the case itself: version, transition, audit link, outbox row."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import msgspec
from sqlalchemy import Table, bindparam, insert
from sqlalchemy.orm import Session

from core.ids import new_id
from core.records import SYSTEM, Actor, CaseChanged, GeoPoint, Severity
from events.cases.access import discreet_title
from events.cases.lifecycle import Transition
from events.cases.transition import LIVE
from events.evidence import audit_log, row_seal
from storage.sql.statements import ReadyStatement
from storage.tables.cases import Case, CaseAssignment, CaseTransition, Outbox

# Rows that are only ever added: the unit of work would compare and order them for nothing.
_TRANSITION = ReadyStatement(insert(cast(Table, CaseTransition.__table__)), keys=("case_id", "seq"))
_OUTBOX = ReadyStatement(
    insert(cast(Table, Outbox.__table__)).values(
        {name: bindparam(name) for name in ("outbox_id", "topic", "body", "created_at", "attempts")}
    ),
    ready=("body",),
    keys=("outbox_id",),
)


def record(
    session: Session,
    case: Case,
    transition: Transition,
    actor: Actor,
    at: datetime,
    key: str | None,
    data: dict[str, Any],
    parts: list[CaseAssignment],
) -> None:
    """Version, transition, audit link and outbox row."""
    case.version += 1
    case.updated_at = at
    row = {
        "case_id": case.case_id,
        "seq": case.version,
        "command": transition.command,
        "from_state": transition.from_state,
        "to_state": transition.to_state,
        "actor_id": actor.user_id,
        "at": at,
        "reason": transition.reason,
        "data": data,
        "idempotency_key": key,
    }
    _TRANSITION.run(session, row)
    body = {
        "number": case.number,
        "version": case.version,
        "from": transition.from_state,
        "to": transition.to_state,
        "reason": transition.reason,
        "data": data,
        "department_id": case.department_id,
        "deadline_at": audit_log.stamp(case.deadline_at) if case.deadline_at else None,
    }
    body["row"] = row_seal.row_hash(case)
    added = row_seal.take_added(session, case.case_id)
    if added:
        body["added"] = added
    audit_log.append(session, case.case_id, at, actor.user_id, transition.command, body)
    change = CaseChanged(
        case_id=case.case_id,
        number=case.number,
        version=case.version,
        stage=case.stage,
        state=case.state,
        command=transition.command,
        severity=Severity(case.severity),
        class_code="" if case.confidential else case.class_code,
        title=discreet_title(case),
        changed_at=at,
        department_ids=tuple(dict.fromkeys(p.department_id for p in parts if p.state in LIVE)),
        location=_place(case),
        site_id=None if case.confidential else case.site_id,
        confidential=case.confidential,
    )
    body_text = msgspec.json.encode(change).decode()
    _OUTBOX.run(session, {"outbox_id": new_id(), "topic": "case", "body": body_text, "created_at": at, "attempts": 0})


def reseal(session: Session, case: Case, at: datetime) -> None:
    """A link for what changed in the case's row after its last move (its class, by a better reading of the words)."""
    body = {"row": row_seal.row_hash(case), "class_code": case.class_code, "class_version": case.class_version}
    audit_log.append(session, case.case_id, at, SYSTEM.user_id, "classify", body)


def _place(case: Case) -> GeoPoint | None:
    if case.confidential or case.lon is None or case.lat is None:
        return None
    return GeoPoint(lon=case.lon, lat=case.lat)
