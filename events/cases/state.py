"""A stored case as the engine wants to see it, and the rows behind that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, String, bindparam, column, func, literal_column, or_, select, text
from sqlalchemy import case as when
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.records import Command
from events.cases.clocks import deadlines_of
from events.cases.course.relations import CaseState, PartState
from events.cases.definition import Definition
from events.cases.transition import LIVE
from events.evidence import audit_log
from storage.sql.statements import ReadyRows, ReadyStatement
from storage.tables.cases import Case, CaseAssignment, CaseClock, CaseEvidence, CaseParty
from storage.tables.files import CaseDocument

# Statements that every command sends are built once: building one costs more than running it.
_PARTS = ReadyRows(
    CaseAssignment,
    lambda rows: rows.where(CaseAssignment.case_id == bindparam("case_id")).order_by(
        CaseAssignment.dispatched_at, CaseAssignment.assignment_id
    ),
)
_CLOCKS = ReadyRows(
    CaseClock,
    lambda rows: rows.where(CaseClock.case_id == bindparam("case_id")).order_by(
        CaseClock.started_at, CaseClock.clock_id
    ),
)
_MOVING = ReadyRows(
    CaseClock,
    lambda rows: rows.where(
        CaseClock.case_id == bindparam("case_id"),
        or_(CaseClock.stopped_at.is_(None), CaseClock.assignment_id.is_not(None)),
    ).order_by(CaseClock.started_at, CaseClock.clock_id),
)
_TOGETHER = ReadyStatement(  # on PostgreSQL: a question costs more than its answer
    text(
        """SELECT
        (SELECT json_build_array(seq, hash) FROM audit_entry WHERE chain_id = :case_id ORDER BY seq DESC LIMIT 1)
            AS head,
        (SELECT json_agg(p ORDER BY p.dispatched_at, p.assignment_id) FROM case_assignment p WHERE p.case_id = :case_id)
            AS parts,
        (SELECT json_agg(c ORDER BY c.started_at, c.clock_id) FROM case_clock c WHERE c.case_id = :case_id
            AND (c.stopped_at IS NULL OR c.assignment_id IS NOT NULL)) AS clocks"""
    )
    .bindparams(bindparam("case_id", type_=String))
    .columns(column("head", JSON), column("parts", JSON), column("clocks", JSON))
)
_PAPER = CaseEvidence.kind == literal_column("'document'")
_NAMED = when((_PAPER, CaseEvidence.purpose + literal_column("':document'")), else_=CaseEvidence.purpose)
_PHOTOGRAPHS = ReadyStatement(  # documents apart: they show nothing of the place
    select(_NAMED.label("what"), func.count().label("n"))
    .where(CaseEvidence.case_id == bindparam("case_id"), CaseEvidence.added_at >= bindparam("since"))
    .group_by(literal_column("what"))
)
_BASIC = ("title", "description", "severity", "class_code", "kind", "site_id", "division_code", "department_id")
_DOCUMENTS = ReadyStatement(select(CaseDocument.type).where(CaseDocument.case_id == bindparam("case_id")).distinct())
_CHILDREN = ReadyStatement(
    select(Case.number)
    .where(Case.parent_case_id == bindparam("case_id"), Case.open.is_(True))
    .order_by(Case.number)
    .limit(literal_column("5"))
)


def parts_of(session: Session, case_id: str) -> list[CaseAssignment]:
    """All parts of a case, those that are over too, by dispatch."""
    return _PARTS.all(session, {"case_id": case_id})


def clocks_of(session: Session, case_id: str) -> list[CaseClock]:
    """All clocks of a case, by start."""
    return _CLOCKS.all(session, {"case_id": case_id})


def _moving_clocks(session: Session, case_id: str) -> list[CaseClock]:
    """The clocks that a move may touch: those that run and those of parts (one that is reopened is read then)."""
    return _MOVING.all(session, {"case_id": case_id})


@dataclass
class CaseRows:
    """A case and what belongs to it, in the hands of one transaction; both lists grow while it is moved."""

    case: Case
    parts: list[CaseAssignment]
    clocks: list[CaseClock]

    @classmethod
    def load(cls, session: Session, case: Case) -> CaseRows:
        """With what is stored; the caller holds the case's lock and has not changed anything yet."""
        if session.get_bind().dialect.name == "postgresql":
            ((head, parts, clocks),) = _TOGETHER.rows(session, {"case_id": case.case_id})
            audit_log.keep_head(session, case.case_id, *(head or (0, audit_log.GENESIS)))
            return cls(case, _PARTS.of_json(session, parts or ()), _MOVING.of_json(session, clocks or ()))
        audit_log.head(session, case.case_id)  # known from here on: the move itself reads nothing more of this
        return cls(case, parts_of(session, case.case_id), _moving_clocks(session, case.case_id))


def case_state(
    session: Session,
    case: Case,
    now: datetime,
    parts: list[CaseAssignment] | None = None,
    clocks: list[CaseClock] | None = None,
    *,
    photographs: bool = True,
    children: bool = True,
    documents: bool = True,
    parents: bool = True,
    records: Mapping[str, bool] | None = None,
) -> CaseState:
    """What the engine needs to know of a stored case; ``photographs`` … False: nobody asks for any."""
    rows = parts_of(session, case.case_id) if parts is None else parts
    running = clocks_of(session, case.case_id) if clocks is None else clocks
    live = [r for r in rows if r.state in LIVE]
    parties: tuple[str, ...] = ()
    if case.confidential:
        parties = tuple(session.scalars(select(CaseParty.user_id).where(CaseParty.case_id == case.case_id)))
    return CaseState(
        state=case.state,
        now=now,
        department_id=case.department_id,
        handler_id=case.handler_id,
        reporter_id=case.reporter_id,
        division_code=case.division_code,
        parts=tuple(
            PartState(department_id=r.department_id, role=r.role, state=r.state, user_id=r.user_id) for r in live
        ),
        parties=parties,
        evidence=_photographs(session, case, live) if photographs else {},
        pending=case.form.get("pending", {}),
        remembered=str(case.form.get("remembered", "")),
        bounces=case.bounces,
        open_children=_open_children(session, case.case_id) if children else (),
        deadlines=deadlines_of(running),
        worked_by=_workers(case.handler_id, rows),
        parent_worked_by=_parents_workers(session, case.parent_case_id) if case.parent_case_id and parents else (),
        form={**{name: getattr(case, name) for name in _BASIC}, **case.form},
        documents=_documents(session, case.case_id) if documents else (),
        records=dict(records or {}),
        today=now.astimezone(BEIJING).date().isoformat(),
    )


def _workers(handler_id: str | None, parts: list[CaseAssignment]) -> tuple[str, ...]:
    """The handler, and everybody who accepted a part."""
    return tuple({handler_id or "", *(r.user_id or "" for r in parts if r.role != "check" and r.accepted_at)} - {""})


def _parents_workers(session: Session, parent_id: str) -> tuple[str, ...]:
    parent = session.get(Case, parent_id)
    return _workers(parent.handler_id if parent is not None else None, parts_of(session, parent_id))


def _documents(session: Session, case_id: str) -> tuple[str, ...]:
    """Kinds of document that a case has."""
    return tuple(each for (each,) in _DOCUMENTS.rows(session, {"case_id": case_id}))


def _photographs(session: Session, case: Case, live: list[CaseAssignment]) -> dict[str, int]:
    """Files by purpose since the work was last given out or sent back."""
    since = max((r.dispatched_at for r in live if r.role == "lead"), default=case.opened_at)
    if case.reworks and case.checked_at is not None:
        since = max(since, case.checked_at)
    return dict(_PHOTOGRAPHS.rows(session, {"case_id": case.case_id, "since": since}))


def _open_children(session: Session, case_id: str) -> tuple[str, ...]:
    """Numbers of the open parts of an area-wide or split case, a few at most."""
    return tuple(each for (each,) in _CHILDREN.rows(session, {"case_id": case_id}))


def asks(definition: Definition, command: Command, guard: str) -> bool:
    """Whether ``command`` is held by ``guard``, for which the case's rows must be read."""
    spec = definition.commands.get(command.name)
    return spec is not None and any(each.get("guard") == guard for each in spec.guards)
