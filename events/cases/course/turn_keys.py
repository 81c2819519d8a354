"""Whose turn a case is, as keys in a table: "my turn" is one look into an index, however many cases are open.

Beside them stand the keys of who has to do with the case at all, open or closed: ``w:d:DEPARTMENT`` (ever given a
part), ``w:u:USER`` (handles it, had a part, is a party) and ``w:r:USER`` (reported it).

A key is ``u:USER``, ``r:ROLE``, ``d:DEPARTMENT:ROLE`` (``d:DEPARTMENT:*``: anybody there), ``v:ROLE:DIVISION`` or
``*``.  They follow from a state's ``turn`` and from who has which part; the person's own keys are looked up in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from sqlalchemy import Table, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.records import Actor
from events.cases.definition import ANY, REMEMBERED, Definition
from events.cases.definition_parts import Who
from storage.sql.statements import ReadyStatement
from storage.tables.cases import Case, CaseAssignment, CaseParty
from storage.tables.files import CaseTurn

_PARTIES = select(CaseParty.user_id).where(CaseParty.case_id == bindparam("case_id"))
_TABLE = cast(Table, CaseTurn.__table__)
_DELETE = ReadyStatement(
    delete(_TABLE).where(
        _TABLE.c.key == bindparam("k"), _TABLE.c.opened_at == bindparam("o"), _TABLE.c.case_id == bindparam("c")
    ),
    keys=("k", "o", "c"),
)
_INSERT = {  # keys may be there already: they are the same
    "postgresql": ReadyStatement(
        postgresql.insert(_TABLE).on_conflict_do_nothing(), keys=("key", "opened_at", "case_id")
    ),
    "sqlite": ReadyStatement(sqlite.insert(_TABLE).on_conflict_do_nothing()),
}
_AT_WORK = ("dispatched", "accepted")
_DIVISION_LENGTHS = (2, 4, 6, 9, 12)


def before_move(session: Session, case: Case, definition: Definition, parts: Sequence[CaseAssignment]) -> None:
    """Note whose turn it is before a move: what is written follows from that, nobody needs to look it up."""
    known: dict[str, frozenset[str]] = session.info.setdefault("turn_keys", {})
    if case.case_id not in known:
        known[case.case_id] = _all_keys(session, case, definition, parts)


def keep_turn(session: Session, case: Case, definition: Definition, parts: Sequence[CaseAssignment]) -> None:
    """Write the keys of whose turn it is now, where they differ from those before."""
    known: dict[str, frozenset[str]] = session.info.setdefault("turn_keys", {})
    wanted, before = _all_keys(session, case, definition, parts), known.get(case.case_id, frozenset())
    known[case.case_id] = wanted
    gone = [{"k": k, "o": case.opened_at, "c": case.case_id} for k in sorted(before - wanted)]
    _DELETE.run(session, *gone)
    rows = [{"key": k, "opened_at": case.opened_at, "case_id": case.case_id} for k in sorted(wanted - before)]
    _INSERT[session.get_bind().dialect.name].run(session, *rows)


def _all_keys(session: Session, case: Case, definition: Definition, parts: Sequence[CaseAssignment]) -> frozenset[str]:
    parties: Sequence[str] = ()
    if case.confidential:
        parties = session.scalars(_PARTIES, {"case_id": case.case_id}).all()
    wanted = involved(case, parts, parties)
    return wanted | keys_of(case, definition, parts, parties) if case.open else wanted


def involved(case: Case, parts: Iterable[CaseAssignment], parties: Iterable[str]) -> frozenset[str]:
    """The keys of everybody who has to do with the case."""
    found = {f"w:u:{case.handler_id}", f"w:r:{case.reporter_id}", *(f"w:u:{each}" for each in parties)}
    for part in parts:
        found |= {f"w:d:{part.department_id}", f"w:u:{part.user_id}"}
    return frozenset(found - {"w:u:None", "w:r:None"})


def turn_lines(definition: Definition, state: str) -> tuple[Who, ...]:
    """Who is expected to act in ``state``: its own ``turn``, else those whose commands change the state."""
    lines = definition.turns.get(state)
    if lines is None:
        lines = definition.turns[state] = _lines(definition, state)
    return lines


def _lines(definition: Definition, state: str) -> tuple[Who, ...]:
    own = definition.states[state].turn
    if own is not None:
        return own
    found: dict[Who, None] = {}
    for spec in definition.commands.values():
        if any(_leaves(move.from_, move.to, state) for move in spec.moves):
            found.update((line, None) for line in spec.who if not line.from_ or state in line.from_)
    return tuple(found)


def _leaves(from_: tuple[str, ...], to: str | None, state: str) -> bool:
    return (state in from_ or ANY in from_) and to is not None and (to == REMEMBERED or to != state)


def keys_of(
    case: Case, definition: Definition, parts: Iterable[CaseAssignment], parties: Iterable[str]
) -> frozenset[str]:
    """The keys of whose turn it is."""
    found: set[str] = set()
    rows = list(parts)
    for line in turn_lines(definition, case.state):
        if not line.from_ or case.state in line.from_:
            found.update(_keys(line, case, rows, parties))
    return frozenset(found - {"u:", "u:None"})


def _keys(line: Who, case: Case, parts: list[CaseAssignment], parties: Iterable[str]) -> Iterable[str]:
    match line.relation:
        case "any":
            return [f"r:{role}" for role in line.roles] or ["*"]
        case "handler":
            return [f"u:{case.handler_id}"]
        case "reporter":
            return [f"u:{case.reporter_id}"]
        case "party":
            return [f"u:{each}" for each in parties]
        case "asked":
            return [f"u:{part.user_id}" for part in parts if part.user_id and part.state != "over"]
        case "own_division":
            code = case.division_code or ""
            beats = ["", *(code[:n] for n in _DIVISION_LENGTHS if len(code) >= n)]
            return [f"v:{role}:{beat}" for role in line.roles for beat in beats]
        case "lead_department":
            return _of([case.department_id], line)
        case "assigned_department":
            live = [part.department_id for part in parts if part.state in (*_AT_WORK, "finished")]
            return _of(live, line)
        case relation:
            roles = ("assist",) if relation == "unfinished_assist" else ("lead", "assist")
            return _of([p.department_id for p in parts if p.state in _AT_WORK and p.role in roles], line)


def _of(departments: Iterable[str | None], line: Who) -> list[str]:
    return [f"d:{d}:{role}" for d in departments if d for role in line.roles or ("*",)]


def keys_for(actor: Actor) -> list[str]:
    """The keys under which a person finds what is his turn."""
    keys = ["*", f"u:{actor.user_id}", *(f"r:{role}" for role in actor.roles)]
    if actor.department_id:
        keys += [f"d:{actor.department_id}:{role}" for role in (*actor.roles, "*")]
    return keys + [f"v:{role}:{actor.division_code or ''}" for role in actor.roles]


def fresh(session: Session, case: Case) -> None:
    """A case that was just opened has no keys yet: nobody needs to look."""
    session.info.setdefault("turn_keys", {})[case.case_id] = frozenset()


def complete(session: Session, definitions: Mapping[str, Definition], limit: int = 500) -> int:
    """Write the keys of open cases that have none of whose turn it is (from before there were any); how many cases."""
    turns = select(CaseTurn.case_id).where(CaseTurn.case_id == Case.case_id, CaseTurn.key.not_like("w:%"))
    missing = select(Case).where(Case.open.is_(True), ~turns.exists(), Case.definition_id.in_(definitions))
    done = 0
    for case in session.scalars(missing.limit(limit)):
        definition = definitions[case.definition_id]
        if case.state in definition.states and turn_lines(definition, case.state):
            parts = session.scalars(select(CaseAssignment).where(CaseAssignment.case_id == case.case_id)).all()
            session.info.setdefault("turn_keys", {})[case.case_id] = frozenset()
            keep_turn(session, case, definition, parts)
            done += 1
    return done
