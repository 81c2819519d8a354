"""What a trial shows after each step, and whether that is what the script expects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.records import Actor
from events.cases.access import visible_cases
from events.cases.clocks import deadlines_of
from events.cases.course.shown_clock import shown_clock
from events.cases.course.turn import has_turn
from events.cases.definition import Definition
from events.cases.definition_store import definition_of
from events.cases.lifecycle import allowed
from events.cases.state import case_state, clocks_of, parts_of
from storage.tables.cases import Case

EMPTY: dict[str, Any] = {
    "case": None, "state": None, "stage": None, "open": None, "turn": [], "allowed": {}, "clocks": [],
    "shown_clock": None, "children": [],
}  # fmt: skip


def observe(
    session: Session, case_id: str, people: Sequence[Actor], now: datetime, definitions: Mapping[str, Definition]
) -> dict[str, Any]:
    """State, turn, allowed commands, running clocks and children of a case; ``turn`` are people's ids."""
    case = session.get(Case, case_id) if case_id else None
    if case is None:
        return {**EMPTY, "allowed": {person.user_id: [] for person in people}}
    definition = definition_of(session, case, definitions)
    rows = clocks_of(session, case_id)
    state = case_state(session, case, now, clocks=rows)
    parts = {part.assignment_id: part.department_id for part in parts_of(session, case_id)}
    running = [row for row in rows if row.stopped_at is None]
    seeing = [person for person in people if _sees(session, person, case_id, definitions)]
    children = session.scalars(select(Case).where(Case.parent_case_id == case_id).order_by(Case.opened_at, Case.number))
    return {
        "case": case.number,
        "state": case.state,
        "stage": case.stage,
        "open": case.open,
        "turn": [person.user_id for person in seeing if has_turn(state, person, definition)],
        "allowed": {
            person.user_id: allowed(state, person, definition) if person in seeing else [] for person in people
        },
        "clocks": [
            {"kind": row.kind, "part": parts.get(row.assignment_id or ""), "deadline": _stamp(row.deadline_at)}
            for row in running
        ],
        "shown_clock": shown_clock(definition, case.state, deadlines_of(rows)),
        "children": [
            {"case": c.number, "definition": c.definition_id, "state": c.state, "title": c.title, "open": c.open}
            for c in children
        ],
        "data": case.form,
    }


def _sees(session: Session, person: Actor, case_id: str, definitions: Mapping[str, Definition]) -> bool:
    return (
        session.scalar(select(Case.case_id).where(Case.case_id == case_id, visible_cases(person, definitions)))
        is not None
    )


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(BEIJING).isoformat()


def differences(wanted: Mapping[str, Any], seen: Mapping[str, Any]) -> list[str]:
    """What of ``wanted`` does not hold, one text each; empty when all does.

    ``turn`` must name exactly these people; ``allowed`` lists commands that a person must have among others ([]: none
    at all); of ``clocks``, ``notices`` and ``children`` each listed one must be there, its fields as given (a notice's
    text may be a part of the whole; []: none at all; a number: so many); ``error`` is a code, a mapping or null.
    """
    return [
        f"{key}: expected {value!r}, found {seen.get(key)!r}"
        for key, value in wanted.items()
        if not _HOLDS.get(key, _equal)(value, seen.get(key))
    ]


def _equal(wanted: Any, seen: Any) -> bool:
    if isinstance(wanted, Mapping) and isinstance(seen, Mapping):
        return all(_equal(value, seen.get(key)) for key, value in wanted.items())
    return bool(wanted == seen)


def _same_people(wanted: Any, seen: Any) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted or []
    return {str(name) for name in names} == set(seen)


def _may(wanted: Any, seen: Any) -> bool:
    if not isinstance(wanted, Mapping):
        return False
    for person, commands in wanted.items():
        have = seen.get(str(person), [])
        names = [commands] if isinstance(commands, str) else commands or []
        if (not names and have) or not set(names) <= set(have):
            return False
    return True


def _among(wanted: Any, seen: Any) -> bool:
    if isinstance(wanted, int):
        return len(seen) == wanted
    if not wanted:
        return not seen
    return all(any(_item(each, found) for found in seen) for each in (wanted if isinstance(wanted, list) else [wanted]))


def _item(wanted: Any, found: Mapping[str, Any]) -> bool:
    if isinstance(wanted, str):
        return wanted in found.values()
    if not isinstance(wanted, Mapping):
        return False
    return all(_field(key, value, found.get(key)) for key, value in wanted.items())


def _field(key: str, wanted: Any, found: Any) -> bool:
    if key == "text" and isinstance(wanted, str) and isinstance(found, str):
        return wanted in found
    if key == "deadline" and isinstance(wanted, str) and isinstance(found, str):
        moment = datetime.fromisoformat(wanted)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)
        return moment.replace(microsecond=0) == datetime.fromisoformat(found).replace(microsecond=0)
    return bool(wanted == found)


def _error(wanted: Any, seen: Any) -> bool:
    if isinstance(wanted, str):
        return seen is not None and seen["code"] == wanted
    if isinstance(wanted, Mapping):
        return seen is not None and all(seen.get(key) == value for key, value in wanted.items())
    return seen is None if not wanted else seen is not None


def _shown(wanted: Any, seen: Any) -> bool:
    return bool((wanted.get("kind") if isinstance(wanted, Mapping) else wanted) == seen)


_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "turn": _same_people, "allowed": _may, "clocks": _among, "notices": _among, "children": _among, "error": _error,
    "shown_clock": _shown,
}  # fmt: skip
