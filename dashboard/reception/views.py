"""What somebody who holds a code may see of a case: where it stands, never who else is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.codes.masking import mask_name, mask_phone
from core.records import JSON
from dashboard.reception.ratings import may_rate
from events.cases.definition import Definition
from events.cases.definition_store import definition_of
from storage.tables.cases import Case, CaseTransition
from storage.tables.files import CaseField
from storage.tables.outside import OutsideRequest
from storage.tables.registry import Department

SHOWN_FIELDS = ("answer", "result")  # what a department tells the person who asked
MOST_STEPS = 40


def case_view(session: Session, case: Case, definitions: Mapping[str, Definition]) -> dict[str, JSON]:
    """The case as the outside sees it."""
    definition = definition_of(session, case, definitions)
    department = session.get(Department, case.department_id) if case.department_id else None
    shown: dict[str, JSON] = {
        "number": case.number,
        "kind_name": dict(definition.name),
        "state_name": dict(definition.states[case.state].name) if case.state in definition.states else {},
        "open": case.open,
        "opened_at": case.opened_at.isoformat(),
        "updated_at": case.updated_at.isoformat(),
        "closed_at": case.closed_at.isoformat() if case.closed_at else None,
        "department": department.name if department is not None else "",
        "steps": _steps(session, case, definition),
    }
    rows = select(CaseField).where(CaseField.case_id == case.case_id, CaseField.name.in_(SHOWN_FIELDS))
    told = [str(row.value.get("value") or "") for row in session.scalars(rows)]
    return shown | {"told": [text[:4000] for text in told if text]}


def _steps(session: Session, case: Case, definition: Definition) -> list[JSON]:
    rows = session.execute(
        select(CaseTransition.at, CaseTransition.to_state)
        .where(CaseTransition.case_id == case.case_id, CaseTransition.to_state != CaseTransition.from_state)
        .order_by(CaseTransition.seq)
    )
    known = [(row.at, definition.states.get(row.to_state)) for row in rows]
    steps: list[JSON] = [{"at": at.isoformat(), "name": dict(state.name)} for at, state in known if state is not None]
    return steps[-MOST_STEPS:]


def standing_case(session: Session, case_id: str | None) -> Case | None:
    """The case, or the one that it was merged into."""
    for _ in range(8):
        case = session.get(Case, case_id) if case_id else None
        if case is None or case.merged_into_id is None:
            return case
        case_id = case.merged_into_id
    return None


def masked(answers: Mapping[str, Any]) -> dict[str, JSON]:
    """Name and telephone as they may be shown to whoever holds the code."""
    shown: dict[str, JSON] = {}
    for field in ("person_name", "helped_name"):
        if answers.get(field):
            shown[field] = mask_name(str(answers[field]))
    if answers.get("phone"):
        shown["phone"] = mask_phone(str(answers["phone"]))
    return shown


def write_view(session: Session, row: OutsideRequest, definitions: Mapping[str, Definition]) -> bool:
    """Bring ``row``'s view up to date with its case; False when there is no case yet."""
    case = standing_case(session, row.case_id)
    if case is None:
        return False
    kept: dict[str, JSON] = {name: row.view[name] for name in ("kind", "masked", "rating") if name in row.view}
    row.view = {**kept, **case_view(session, case, definitions)}
    row.view = {**row.view, "may_rate": may_rate(session, case)}
    row.case_id, row.case_version = case.case_id, case.version
    return True
