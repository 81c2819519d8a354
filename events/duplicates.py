"""Probable duplicates of a case, with reasons; and taking a wrongly joined condition out of a case again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.records import Actor, GeoPoint, Observation, Record
from events.correlate import Report, Score, candidate_keys, happening_of_key, score
from events.desk import Desk, is_standing, open_case
from events.memory import CASE_OF, insert_into
from events.places import Registry
from events.rulebook import Rulebook
from storage.tables.cases import Case, CaseObservation
from storage.tables.observations import ObservationRow, RuleState

MAX_SHOWN = 10


class Proposal(Record, frozen=True, omit_defaults=False):
    """A case that may be the same happening."""

    case_id: str
    number: str
    title: str
    score: float
    steps: tuple[dict[str, Any], ...]


def happening_of(case: Case, book: Rulebook) -> str:
    """The happening of ``case``: of its key, else of the rules that open its class; empty when none fits."""
    named = happening_of_key(case.happening_key)
    if named and not named.startswith("area-"):
        return named
    found = [s.draft.happening for s in book.specs.values() if s.draft.class_code == case.class_code]
    return found[0] if found else ""


def proposals(session: Session, case: Case, book: Rulebook) -> list[Proposal]:
    """Open cases that may be the same happening as ``case``, best first; the dispatcher decides (command ``merge``)."""
    name = happening_of(case, book)
    if not name:
        return []
    happening = book.happening(name)
    seen_at = case.last_seen_at or case.opened_at
    report = Report(
        happening=name,
        at=case.opened_at,
        source_type=case.source_type,
        source_id=case.source_id or case.case_id,
        kind=case.kind,
        site_id=case.site_id,
        location=GeoPoint(lon=case.lon, lat=case.lat) if case.lon is not None and case.lat is not None else None,
    )
    keys: Any = Case.happening_key.in_(candidate_keys(report, happening))
    wide = and_(Case.happening_key.is_(None), Case.class_code == case.class_code)
    if case.site_id:
        keys = or_(keys, Case.site_id == case.site_id)
    rows = session.scalars(
        select(Case)
        .where(
            or_(keys, wide),
            Case.case_id != case.case_id,
            Case.open.is_(True),
            Case.merged_into_id.is_(None),
            Case.definition_id == case.definition_id,
            Case.opened_at >= seen_at - timedelta(seconds=2 * happening.window_s),
        )
        .order_by(Case.opened_at.desc())
        .limit(200)
    )
    found: list[tuple[Score, Case]] = []
    for row in rows:
        other = msgspec.structs.replace(open_case(row), happening=happening_of(row, book))
        result = score(report, other, happening)
        if result.total >= happening.propose:
            found.append((result, row))
    found.sort(key=lambda pair: -pair[0].total)
    return [
        Proposal(case_id=row.case_id, number=row.number, title=row.title, score=s.total, steps=s.steps)
        for s, row in found[:MAX_SHOWN]
    ]


def detach(
    session: Session, desk: Desk, registry: Registry, book: Rulebook, case: Case, standing_key: str, actor: Actor
) -> Case:
    """Give the condition ``standing_key`` of ``case`` a case of its own, with its observations: a join undone.

    The links stay on the old case, marked ``moved_to``, so that its history remains readable.
    """
    links = [
        link
        for link in session.scalars(select(CaseObservation).where(CaseObservation.case_id == case.case_id))
        if (link.reason or {}).get("standing_key") == standing_key and "moved_to" not in (link.reason or {})
    ]
    others = session.scalars(select(CaseObservation).where(CaseObservation.case_id == case.case_id)).all()
    if not links or len(links) == len(others):
        raise InputInvalid(
            field="standing_key",
            detail="no such condition in this case, or it is the only one",
            how="name one of the conditions in the case's why.standing",
        )
    ids = [link.observation_id for link in links]
    rows = session.scalars(
        select(ObservationRow).where(ObservationRow.observation_id.in_(ids)).order_by(ObservationRow.observed_at)
    ).all()
    first = msgspec.convert(rows[0].body, Observation)
    place = registry.place(session, first)
    opened = desk.open_apart(session, case, links, first, place, actor)
    for link in links:
        link.reason = {**link.reason, "moved_to": opened.case_id}
    why = dict(case.why or {})
    standing = dict(why.get("standing", {}))
    stood = bool(standing.pop(standing_key, False))
    case.why = why | {"standing": standing}
    opened.why = dict(opened.why or {}) | {"standing": {standing_key: stood}}
    statement = insert_into(session, RuleState)
    statement = statement.on_conflict_do_update(
        index_elements=["rule_id", "state_key"], set_={"body": statement.excluded.body}
    )
    now = desk.now()
    row = {"rule_id": CASE_OF, "state_key": standing_key[:160], "body": {"case_id": opened.case_id}, "updated_at": now}
    session.execute(statement, row)
    assert is_standing(opened) is stood
    return opened
