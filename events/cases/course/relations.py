"""How a person stands to a case: the state that a command is judged by, and who may.  Pure."""

from __future__ import annotations

from datetime import datetime

from core.records import JSON, Actor, Record
from events.cases.definition_parts import Who


class PartState(Record, frozen=True):
    """A department's part: ``role`` lead, assist or check; ``state`` dispatched, accepted, finished."""

    department_id: str
    role: str
    state: str
    user_id: str | None = None


class CaseState(Record, frozen=True):
    """What the engine needs to know of a case to judge a command."""

    state: str
    now: datetime
    department_id: str | None = None
    handler_id: str | None = None
    reporter_id: str | None = None
    division_code: str | None = None
    parts: tuple[PartState, ...] = ()
    parties: tuple[str, ...] = ()
    evidence: dict[str, int] = {}  # purpose → files since the last dispatch or rework
    pending: dict[str, dict[str, JSON]] = {}  # approvals asked for
    remembered: str = ""  # the state to go back to
    bounces: int = 0
    deadlines: dict[str, datetime | None] = {}  # of the running clocks; None: suspended
    open_children: tuple[str, ...] = ()  # numbers of open parts of a bracket
    worked_by: tuple[str, ...] = ()  # everybody who accepted or finished a part
    parent_worked_by: tuple[str, ...] = ()  # the same of the case that this one is about (a rated one)
    form: dict[str, JSON] = {}  # the case's own data
    documents: tuple[str, ...] = ()  # kinds of document that it has, when a guard asks
    records: dict[str, bool] = {}  # field → does the register's record it names hold now, when a guard asks
    today: str = ""  # ISO, in Beijing


PARTY = "party"  # of whoever holds a code for this very case and has no account; no account can have this role


def may(actor: Actor, case: CaseState, who: tuple[Who, ...]) -> bool:
    """Does any line of ``who`` hold for ``actor``?"""
    for line in who:
        if line.roles and not set(line.roles) & set(actor.roles):
            continue
        if line.from_ and case.state not in line.from_:
            continue
        if related(actor, case, line.relation):
            return True
    return False


def related(actor: Actor, case: CaseState, relation: str) -> bool:
    """Does ``actor`` stand in ``relation`` to the case?"""
    match relation:
        case "any":
            return True
        case "assigned_department":
            return part_of(actor, case) is not None
        case "unfinished_part" | "unfinished_assist":
            role = "assist" if relation == "unfinished_assist" else None
            return any(_unfinished(part, actor, role) for part in case.parts)
        case "lead_department":
            return actor.department_id is not None and actor.department_id == case.department_id
        case "handler":
            return actor.user_id == case.handler_id
        case "reporter":
            return actor.user_id == case.reporter_id or PARTY in actor.roles
        case "own_division":
            return not actor.division_code or (case.division_code or "").startswith(actor.division_code)
        case "party":
            return actor.user_id in case.parties or PARTY in actor.roles
        case "asked":
            return any(p.user_id == actor.user_id for p in case.parts)
        case _:
            return False


def _unfinished(part: PartState, actor: Actor, role: str | None) -> bool:
    return (
        part.state in ("dispatched", "accepted")
        and part.department_id == actor.department_id
        and (part.role == role if role else part.role != "check")
    )


def part_of(actor: Actor, case: CaseState) -> PartState | None:
    """The actor's department's part in handling; the lead's goes before, and what is not finished before what is:
    a department may be asked again."""
    parts = sorted(case.parts, key=lambda p: (p.role != "lead", p.state == "finished"))
    return next((p for p in parts if p.department_id == actor.department_id and p.role != "check"), None)


def who_text(who: tuple[Who, ...]) -> str:
    return "; ".join(
        f"{', '.join(w.roles) or 'everybody'}{'' if w.relation == 'any' else f' ({w.relation})'}" for w in who
    )
