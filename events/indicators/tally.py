"""What each case counts for, kept ready in a table, so that a month of 34,000 cases is summed at once.

A row per lead part (one without a part for a case that has none): the measures that hold as bits, and the moments from
which those that depend on the clock change.  The table is derived from the cases and may be dropped at any time:
:func:`catch_up` makes it and brings it up to date.  Cases that moved since are counted from themselves, so that the
answer is always that of :mod:`events.indicators.measures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zlib import crc32

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    inspect,
    literal,
    not_,
    select,
)  # fmt: skip
from sqlalchemy.orm import Session
from sqlalchemy.schema import CreateIndex, CreateTable

from events.cases.definition import Definition
from events.cases.kinds_in_force import definitions_in_force
from events.indicators.measures import NAMES, guarded, guards_of, lead_parts, measures, seconds
from storage.schema import UtcDateTime
from storage.tables.cases import Case, CaseClock

BATCH = 500
OVERLAP = timedelta(seconds=120)  # transactions that were open while a later one was tallied
_EARLY = datetime(1900, 1, 1, tzinfo=UTC)  # no running clock is late then
_CLOCKS = {"dispatch": "dispatched_on_time", "check": "checked_on_time", "whole": "closed_on_time"}
_TEXTS = {"definition_id": 40, "class_code": 24, "class_version": 12, "kind": 40, "source_type": 12}
TALLY = Table(
    f"case_tally_{crc32(','.join(NAMES).encode()):08x}", MetaData(),  # other measures: another table, filled anew
    Column("case_id", String(26), primary_key=True), Column("assignment_id", String(26), primary_key=True),
    Column("place", Integer, nullable=False), Column("version", Integer, nullable=False),
    Column("guards", Integer, nullable=False), Column("updated_at", UtcDateTime(), nullable=False),
    Column("opened_at", UtcDateTime(), nullable=False), Column("department_id", String(40)),
    Column("division_code", String(12)), Column("severity", Integer, nullable=False),
    *(Column(name, String(length), nullable=False) for name, length in _TEXTS.items()),
    Column("confidential", Boolean, nullable=False), Column("split_from", String(26)),
    Column("mask", BigInteger, nullable=False), Column("took", Float),
    *(Column(f"{name}_from", UtcDateTime()) for name in (*_CLOCKS, "overdue")),
)  # fmt: skip
_INDEXES = (
    Index("ix_case_tally_opened_at", TALLY.c.opened_at, TALLY.c.definition_id),
    Index("ix_case_tally_updated_at", TALLY.c.updated_at),
)


def stands(session: Session) -> bool:
    """Whether the table is there."""
    return inspect(session.connection()).has_table(TALLY.name)


def catch_up(session: Session, guards: Mapping[str, float], limit: int = BATCH) -> int:
    """Tally at most ``limit`` cases that are new or changed, oldest change first; how many there were.

    ``guards``: ``fast_finish_s`` and ``late_return_share`` of the formulas.
    """
    session.execute(CreateTable(TALLY, if_not_exists=True))
    for index in _INDEXES:
        session.execute(CreateIndex(index, if_not_exists=True))
    wanted = select(Case.case_id).where(Case.updated_at >= _since(session), not_(_kept()))
    ids = list(session.scalars(wanted.order_by(Case.updated_at).limit(limit)))
    if ids:
        session.execute(delete(TALLY).where(TALLY.c.case_id.in_(ids)))
        names, rows = _rows(session, ids, guards)
        session.execute(insert(TALLY).from_select(names, rows))
    return len(ids)


def outdated(session: Session, conditions: Sequence[Any], most: int) -> list[str] | None:
    """Cases among those of ``conditions`` that are not kept as they are now; None: more than ``most``, or none kept."""
    since = _since(session)
    if since == _EARLY:
        return None
    ids = list(
        session.scalars(
            select(Case.case_id).where(Case.updated_at >= since, not_(_kept()), *conditions).limit(most + 1)
        )
    )
    return ids if len(ids) <= most else None


def _kept() -> Any:
    same = and_(TALLY.c.case_id == Case.case_id, TALLY.c.version == Case.version, TALLY.c.updated_at == Case.updated_at)
    return select(TALLY.c.case_id).where(same).exists()


def _since(session: Session) -> datetime:
    newest: datetime | None = session.scalar(select(func.max(TALLY.c.updated_at)))
    return newest - OVERLAP if newest else _EARLY


def _rows(session: Session, ids: Sequence[str], guards: Mapping[str, float]) -> tuple[list[str], Any]:
    """The columns' names, and the query that gives the rows of ``ids``."""
    part = lead_parts([Case.case_id.in_(ids)])
    found = measures(session, part, _EARLY, guards["fast_finish_s"], guards["late_return_share"])
    bits = [
        case((condition, literal(1 << k, BigInteger)), else_=literal(0, BigInteger))
        for k, condition in enumerate(found.values())
    ]
    mask: Any = bits[0]
    for bit in bits[1:]:
        mask = mask + bit
    split = and_(Case.parent_case_id.is_not(None), Case.why["split"]["from"].as_string().is_not(None))
    open_part = and_(found["should_handle"], part.c.finished_at.is_(None))
    values: dict[str, Any] = {
        "case_id": Case.case_id, "assignment_id": func.coalesce(part.c.assignment_id, ""),
        "place": func.coalesce(part.c.rank, 1), "version": Case.version, "guards": _guards_sql(),
        "updated_at": Case.updated_at, "opened_at": Case.opened_at, "department_id": part.c.department_id,
        "division_code": Case.division_code, "severity": Case.severity,
        **{name: getattr(Case, name) for name in _TEXTS},
        "confidential": Case.confidential, "split_from": case((split, Case.parent_case_id)), "mask": mask,
        "took": case((found["handled"], seconds(session, part.c.finished_at) - seconds(session, part.c.dispatched_at))),
        **{f"{name}_from": _running(name) for name in _CLOCKS},
        "overdue_from": case((open_part, part.c.deadline_at)),
    }  # fmt: skip
    joined = select(*values.values()).select_from(Case).outerjoin(part, part.c.case_id == Case.case_id)
    return list(values), joined.where(Case.case_id.in_(ids))


def _running(kind: str) -> Any:
    """When the first running clock of ``kind`` runs out."""
    clocks = (CaseClock.case_id == Case.case_id, CaseClock.kind == kind, CaseClock.stopped_at.is_(None))
    return select(func.min(CaseClock.deadline_at)).where(*clocks).correlate(Case).scalar_subquery()


def _guards_sql() -> Any:
    return case((guarded("late_return", None), 1), else_=0) + case((guarded("fast_finish", None), 2), else_=0)


def guards_now(definition_id: str, kinds: Mapping[str, Definition] | None = None) -> int:
    """The guards of a kind as the column ``guards`` holds them."""
    kind = (definitions_in_force() if kinds is None else kinds).get(definition_id)
    applied = {"late_return", "fast_finish"} if kind is None else guards_of(kind)
    return ("late_return" in applied) + 2 * ("fast_finish" in applied)


def weight_of() -> Any:
    """As :func:`events.indicators.measures.weight`, of the kept rows."""
    siblings = select(func.count()).where(Case.parent_case_id == TALLY.c.split_from).correlate(TALLY).scalar_subquery()
    return case((TALLY.c.split_from.is_(None), literal(1.0)), else_=literal(1.0) / cast(siblings, Float))


def late_flags(now: datetime) -> dict[str, Any]:
    """By ``dispatch``, ``check``, ``whole`` and ``overdue``: 1 where the clock ran out before ``now``."""
    c = TALLY.c
    return {name: case((c[f"{name}_from"] < now, 1), else_=0) for name in (*_CLOCKS, "overdue")}


@lru_cache(maxsize=50_000)
def holding(mask: int, late: tuple[str, ...]) -> tuple[str, ...]:
    """The measures that hold: those of ``mask``, less what the clocks in ``late`` (that ran out since) take away."""
    found = {name for k, name in enumerate(NAMES) if mask >> k & 1}
    found -= {measure for clock, measure in _CLOCKS.items() if clock in late}
    return tuple(found | ({"overdue_unhandled"} if "overdue" in late else set()))
