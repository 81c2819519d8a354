"""The district's own evaluation set: alarms of cameras that people confirmed or called false, with their pictures.

Pictures are the clean evidence of closed cases, by reference (:mod:`core.sight.field_set`).  Confidential cases are
left out, and so are those whose evidence went with the retention.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.sight.field_set import FieldPicture, FieldSet
from events.learning.precision import JUDGED_STATES, was_wrong
from storage.tables.cases import AuditEntry, Case, CaseEvidence, CaseObservation
from storage.tables.observations import ObservationRow

EACH = 150  # pictures of each verdict, the newest: a trial of a model takes a minute or two
LOOKED_AT = 4000  # closed cases of one kind that are read for it


def kinds(session: Session) -> list[str]:
    """Algorithms with judged alarms."""
    query = select(Case.kind).where(*_judged()).distinct().order_by(Case.kind)
    return [kind for kind in session.scalars(query) if kind]


def read_field_set(session: Session, kind: str, each: int = EACH) -> FieldSet:
    """The newest verdicts on ``kind``, at most ``each`` confirmed and ``each`` false ones, the newest first."""
    query = (
        select(Case.case_id, Case.source_id, Case.form, Case.state, Case.confidence)
        .where(*_judged(), Case.kind == kind)
        .order_by(Case.closed_at.desc(), Case.case_id)
        .limit(LOOKED_AT)
    )
    rows = {row.case_id: row for row in session.execute(query)}
    pictures, alarms = _pictures(session, list(rows)), _alarms(session, list(rows))
    kept: dict[bool, list[FieldPicture]] = {True: [], False: []}
    known: set[str] = set()
    for case_id, row in rows.items():
        wrong, picture = was_wrong(row.form, row.state), pictures.get(case_id)
        if wrong is None or picture is None or picture.sha256 in known or len(kept[not wrong]) >= each:
            continue
        known.add(picture.sha256)
        alarm = alarms.get(case_id, {})
        kept[not wrong].append(
            FieldPicture(
                kind=kind, case_id=case_id, camera_id=row.source_id, confirmed=not wrong, uri=picture.uri,
                sha256=picture.sha256, taken_at=picture.taken_at, box=_box(alarm.get("box")),
                classes=tuple(str(c) for c in (alarm.get("attributes") or {}).get("classes") or ()),
                confidence=row.confidence,
            )
        )  # fmt: skip
    return FieldSet(kind=kind, pictures=tuple(kept[True] + kept[False]))


def _judged() -> tuple[Any, ...]:
    gone = exists().where(AuditEntry.chain_id == Case.case_id, AuditEntry.action == "expire")
    return (
        Case.source_type == "camera", Case.open.is_(False), Case.state.in_(JUDGED_STATES),
        Case.confidential.is_(False), ~gone,
    )  # fmt: skip


def _pictures(session: Session, case_ids: list[str]) -> dict[str, CaseEvidence]:
    """The clean picture of every case: the first, which opened it."""
    found: dict[str, CaseEvidence] = {}
    for start in range(0, len(case_ids), 500):
        query = (
            select(CaseEvidence)
            .where(
                CaseEvidence.case_id.in_(case_ids[start : start + 500]), CaseEvidence.kind == "snapshot",
                CaseEvidence.media_type == "image/jpeg", CaseEvidence.purpose == "finding",
            )
            .order_by(CaseEvidence.taken_at)
        )  # fmt: skip
        for row in session.scalars(query):
            found.setdefault(row.case_id, row)
    return found


def _alarms(session: Session, case_ids: list[str]) -> dict[str, dict[str, Any]]:
    """The body of the observation that opened each case."""
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(case_ids), 500):
        query = (
            select(CaseObservation.case_id, ObservationRow.body)
            .join(ObservationRow, ObservationRow.observation_id == CaseObservation.observation_id)
            .where(CaseObservation.case_id.in_(case_ids[start : start + 500]), ObservationRow.state == "open")
            .order_by(ObservationRow.observed_at)
        )
        for case_id, body in session.execute(query):
            found.setdefault(case_id, body)
    return found


def _box(box: Any) -> tuple[float, float, float, float] | None:
    try:
        x1, y1, x2, y2 = (float(v) for v in box)
    except (TypeError, ValueError):
        return None
    return x1, y1, x2, y2
