"""Taking a wrongly joined condition out of a case again: it gets a case of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.records import Actor, Observation
from events.cases.transition import Work
from events.correlation.case_placement import Desk
from events.correlation.distinct import declare_distinct
from events.correlation.open_cases import is_standing
from events.correlation.places import PlaceRegistry
from events.correlation.rule_memory import CASE_OF, insert_into
from storage.tables.cases import Case, CaseObservation
from storage.tables.observations import ObservationRow, RuleState


def detach_effect(desk_of: Callable[[Work], tuple[Desk, PlaceRegistry]]) -> Callable[[Work], None]:
    """The effect ``detach`` of case definitions, with the desk and registry that ``desk_of`` gives."""

    def effect(work: Work) -> None:
        desk, registry = desk_of(work)
        opened = detach(work.session, desk, registry, work.case, work.data["standing_key"], work.actor)
        work.reason_data["opened"] = {"case_id": opened.case_id, "number": opened.number}

    return effect


def detach(session: Session, desk: Desk, registry: PlaceRegistry, case: Case, standing_key: str, actor: Actor) -> Case:
    """Give the condition ``standing_key`` of ``case`` a case of its own, with its observations: a join undone.

    The links stay on the old case, marked ``moved_to``, so that its history remains readable.
    """
    links = _links(session, case, standing_key)
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
    declare_distinct(case, opened, actor.user_id, desk.now().isoformat(), "detach")
    statement = insert_into(session, RuleState)
    statement = statement.on_conflict_do_update(
        index_elements=["rule_id", "state_key"], set_={"body": statement.excluded.body}
    )
    now = desk.now()
    row = {"rule_id": CASE_OF, "state_key": standing_key[:160], "body": {"case_id": opened.case_id}, "updated_at": now}
    session.execute(statement, row)
    assert is_standing(opened) is stood
    return opened


def _links(session: Session, case: Case, standing_key: str) -> Sequence[CaseObservation]:
    """The links of a condition that are still the case's; a typed error when they are none, or all it has."""
    found = session.scalars(select(CaseObservation).where(CaseObservation.case_id == case.case_id)).all()
    here = [link for link in found if "moved_to" not in (link.reason or {})]
    links = [link for link in here if (link.reason or {}).get("standing_key") == standing_key]
    if not links or len(links) == len(here):
        raise InputInvalid(
            field="standing_key",
            detail="no such condition in this case, or it is the only one",
            how="name one of the conditions in the case's why.standing",
        )
    return links
