"""The whole file of one case, as a person may see it; reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.records import Actor
from events.cases.access import visible_cases
from events.cases.clocks import suspended
from events.cases.course.decisive import decisive_first, forward_among
from events.cases.definition import Definition
from events.cases.definition_store import definition_of
from events.cases.kinds_in_force import definitions_in_force
from events.cases.lifecycle import allowed
from events.cases.queries import MAX_PAGE, summaries, summary, summary_of
from events.cases.read_models import (
    AllowedCommand,
    AssignmentView,
    CaseDetail,
    CaseSummary,
    ClockView,
    EvidenceView,
    ObservationView,
    TransitionView,
)
from events.cases.state import case_state
from events.evidence.same_files import same_files
from storage.tables.cases import Case, CaseAssignment, CaseClock, CaseEvidence, CaseObservation, CaseTransition
from storage.tables.observations import ObservationRow
from storage.tables.people import User
from storage.tables.registry import Department


def case_detail(
    session: Session,
    actor: Actor,
    case_id: str,
    now: datetime,
    definitions: Mapping[str, Definition] | None = None,
) -> CaseDetail:
    """The whole file as ``actor`` may see it; ``NotFound`` when there is none for him."""
    case = session.scalars(select(Case).where(Case.case_id == case_id, visible_cases(actor, definitions))).one_or_none()
    if case is None:
        raise NotFound(what="case", key=case_id)
    definition = definition_of(session, case, definitions or definitions_in_force())
    shown = msgspec.to_builtins(summary_of(session, case_id))
    shown |= {"description": case.description, "form": case.form, "last_seen_at": case.last_seen_at}
    shown |= {"reporter_id": case.reporter_id, "bounces": case.bounces, "reworks": case.reworks}
    clocks = session.scalars(select(CaseClock).where(CaseClock.case_id == case_id).order_by(CaseClock.started_at))
    clock_views = [_clock(row, now) for row in clocks]
    why = {**case.why, "clock": [line for view in clock_views if view.stopped_at is None for line in view.derivation]}
    names = allowed(case_state(session, case, now), actor, definition)
    return CaseDetail(
        case=shown,
        transitions=counted(_transitions(session, case_id), case.why or {}),
        evidence=_evidence(session, actor, case_id),
        assignments=_assignments(session, case_id),
        clocks=clock_views,
        observations=_observations(session, case_id),
        why=why,
        allowed=_offered(definition, names, case.state),
        children=_related(session, actor, Case.parent_case_id == case_id),
        merged=_related(session, actor, Case.merged_into_id == case_id),
    )


def _offered(definition: Definition, names: Sequence[str], state: str) -> list[AllowedCommand]:
    """What decides first."""
    forward = forward_among(definition, names, state)
    return [_allowed(definition, name, state, name in forward) for name in decisive_first(definition, names, state)]


def _allowed(definition: Definition, name: str, state: str, forward: bool) -> AllowedCommand:
    spec = definition.commands[name]
    leads = next((move.to for move in spec.moves if state in move.from_ and move.to), "")
    return AllowedCommand(
        name=name,
        label=spec.name,
        required=list(spec.required),
        optional=list(spec.optional),
        form=definition.form(name),
        ask=definition.ask(name),
        forward=forward,
        rare=spec.rare,
        to=leads if leads in definition.states else "",
        routed=name == definition.automatic.get("dispatch"),
    )


def _related(session: Session, actor: Actor, condition: Any) -> list[CaseSummary]:
    query = summaries().where(condition, visible_cases(actor)).order_by(Case.opened_at).limit(MAX_PAGE)
    return [summary(row) for row in session.execute(query)]


def _transitions(session: Session, case_id: str) -> list[TransitionView]:
    rows = session.execute(
        select(CaseTransition, User.name)
        .outerjoin(User, User.user_id == CaseTransition.actor_id)
        .where(CaseTransition.case_id == case_id)
        .order_by(CaseTransition.seq)
    )
    return [
        TransitionView(
            seq=row.seq,
            command=row.command,
            from_state=row.from_state,
            to_state=row.to_state,
            actor_id=row.actor_id,
            actor_name=name or row.actor_id,
            at=row.at,
            reason=row.reason,
            data=row.data,
        )
        for row, name in rows
    ]


def counted(moves: list[TransitionView], why: Mapping[str, Any]) -> list[TransitionView]:
    """``moves`` with how often it cleared again on the line that says that it cleared."""
    cleared = why.get("cleared", {})
    return [
        msgspec.structs.replace(move, data={**move.data, "count": cleared["count"], "last_at": cleared["last_at"]})
        if move.seq == cleared.get("version") and int(cleared.get("count", 1)) > 1
        else move
        for move in moves
    ]


def _evidence(session: Session, actor: Actor, case_id: str) -> list[EvidenceView]:
    """The case's files, and those of the reports that were merged into it."""
    cases = or_(Case.case_id == case_id, Case.merged_into_id == case_id)
    rows = session.scalars(
        select(CaseEvidence)
        .where(CaseEvidence.case_id.in_(select(Case.case_id).where(cases)))
        .order_by(CaseEvidence.added_at)
    ).all()
    elsewhere, seen = same_files(session, actor, {row.uri for row in rows}, {row.case_id for row in rows})
    return [
        EvidenceView(
            evidence_id=row.evidence_id,
            purpose=row.purpose,
            kind=row.kind,
            uri=row.uri,
            url=f"/media/{row.uri}",
            sha256=row.sha256,
            media_type=row.media_type,
            taken_at=row.taken_at,
            added_at=row.added_at,
            added_by=row.added_by,
            size_bytes=row.size_bytes,
            elsewhere=elsewhere.get(row.uri, 0),
            also_in=seen.get(row.uri, []),
            lon=row.lon,
            lat=row.lat,
            accuracy_m=row.accuracy_m,
        )
        for row in rows
    ]


def _assignments(session: Session, case_id: str) -> list[AssignmentView]:
    rows = session.execute(
        select(CaseAssignment, Department.name.label("department"), User.name.label("person"))
        .join(Department, Department.department_id == CaseAssignment.department_id)
        .outerjoin(User, User.user_id == CaseAssignment.user_id)
        .where(CaseAssignment.case_id == case_id)
        .order_by(CaseAssignment.dispatched_at, CaseAssignment.assignment_id)
    )
    return [
        AssignmentView(
            assignment_id=row.assignment_id,
            department_id=row.department_id,
            department_name=department,
            role=row.role,
            state=row.state,
            duty=row.duty,
            dispatched_at=row.dispatched_at,
            accepted_at=row.accepted_at,
            finished_at=row.finished_at,
            deadline_at=row.deadline_at,
            user_id=row.user_id,
            user_name=person,
            score=row.score,
        )
        for row, department, person in rows
    ]


def _clock(row: CaseClock, now: datetime) -> ClockView:
    ended = row.stopped_at or now
    return ClockView(
        kind=row.kind,
        limit_value=row.limit_value,
        limit_unit=row.limit_unit,
        started_at=row.started_at,
        stopped_at=row.stopped_at,
        deadline_at=row.deadline_at,
        suspended=row.stopped_at is None and suspended(row),
        overdue=row.deadline_at is not None and ended > row.deadline_at,
        extensions=row.extensions,
        suspensions=row.suspensions,
        derivation=row.derivation,
    )


def _observations(session: Session, case_id: str) -> list[ObservationView]:
    rows: Sequence[Any] = session.execute(
        select(CaseObservation, ObservationRow)
        .join(ObservationRow, ObservationRow.observation_id == CaseObservation.observation_id)
        .where(CaseObservation.case_id == case_id)
        .order_by(ObservationRow.observed_at.desc())
        .limit(MAX_PAGE)
    ).all()
    return [
        ObservationView(
            observation_id=seen.observation_id,
            kind=seen.kind,
            state=seen.state,
            observed_at=seen.observed_at,
            source_id=seen.source_id,
            confidence=seen.body.get("confidence"),
            value=seen.body.get("value"),
            unit=seen.body.get("unit", ""),
            zone=seen.body.get("zone"),
            model=seen.body.get("model"),
            reason=link.reason,
        )
        for link, seen in rows
    ]
