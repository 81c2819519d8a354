"""May this command move this case now, and where to?  Pure: the definition, the case's state, the actor in; a move out.

The order of the questions: is the command known, does the state allow it, may this actor, is the form complete, do the
guards hold.  Every "no" is a typed error that says what is possible instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from core.records import JSON, Actor, Command, Record
from events.cases.definition import ANY, REMEMBERED, ClockMoves, CommandSpec, Definition, Move, Who
from events.cases.errors import BounceLimit, CommandUnknown, FormInvalid, GuardFailed, MoveForbidden, MoveIllegal


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


class Transition(Record, frozen=True):
    """A legal move.  ``part`` is the part in which the actor acts ("" where that does not matter)."""

    command: str
    from_state: str
    to_state: str
    stage: str
    open: bool
    part: str = ""
    effects: tuple[str, ...] = ()
    clocks: ClockMoves = ClockMoves()
    approval: str = ""
    data: dict[str, JSON] = {}
    reason: str = ""


def advance(case: CaseState, command: Command, actor: Actor, definition: Definition) -> Transition:
    """The transition that ``command`` by ``actor`` makes; a typed error when it may not be."""
    spec = definition.commands.get(command.name)
    if spec is None:
        known = ", ".join(definition.commands)
        raise CommandUnknown(definition=definition.definition_id, command=command.name, known=known)
    if not _moves_from(case, spec):
        raise _illegal(case, command.name, actor, definition)
    if not may(actor, case, spec.who):
        raise MoveForbidden(
            command=command.name, detail="your role or department does not allow it", who=_who_text(spec.who)
        )
    move, part = move_of(case, spec, actor)
    if move is None:
        raise _illegal(case, command.name, actor, definition)
    check_form(definition, command)
    for guard in spec.guards:
        if guard.get("part", part) == part:
            GUARDS[str(guard["guard"])](case, command, actor, definition, guard)
    to_state = case.state if move.to is None else case.remembered if move.to == REMEMBERED else move.to
    if to_state not in definition.states:
        raise GuardFailed(command=command.name, detail="the state before is not known", how="use reopen or dispatch")
    clocks = spec.clocks if spec.clocks.part in ("", part) else ClockMoves()
    state = definition.states[to_state]
    return Transition(
        command=command.name,
        from_state=case.state,
        to_state=to_state,
        stage=state.stage,
        open=state.open,
        part=part,
        effects=spec.effects,
        clocks=clocks,
        approval=spec.approval,
        data=command.data,
        reason=str(command.data.get("reason", "")),
    )


def allowed(case: CaseState, actor: Actor, definition: Definition) -> list[str]:
    """Names of the commands that ``actor`` may give now (form and evidence apart)."""
    names = []
    for name, spec in definition.commands.items():
        if _moves_from(case, spec) and may(actor, case, spec.who) and move_of(case, spec, actor)[0] is not None:
            try:
                for guard in spec.guards:
                    if guard["guard"] in _FIRM:
                        GUARDS[str(guard["guard"])](case, _probe(name), actor, definition, guard)
            except (GuardFailed, BounceLimit):
                continue
            names.append(name)
    return names


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
        case "lead_department":
            return actor.department_id is not None and actor.department_id == case.department_id
        case "handler":
            return actor.user_id == case.handler_id
        case "reporter":
            return actor.user_id == case.reporter_id
        case "own_division":
            return not actor.division_code or (case.division_code or "").startswith(actor.division_code)
        case "party":
            return actor.user_id in case.parties
        case "asked":
            return any(p.user_id == actor.user_id for p in case.parts)
        case _:
            return False


def part_of(actor: Actor, case: CaseState) -> PartState | None:
    """The actor's department's part in handling; the lead's goes before."""
    parts = sorted(case.parts, key=lambda p: p.role != "lead")
    return next((p for p in parts if p.department_id == actor.department_id and p.role != "check"), None)


def check_form(definition: Definition, command: Command) -> None:
    """Hold the command's data against its form; :class:`FormInvalid` names the first field that does not fit."""
    _check_text(command)
    for error in definition.validator(command.name).iter_errors(command.data):
        field = ".".join(str(p) for p in error.absolute_path)
        if error.validator == "required" and isinstance(error.instance, Mapping):
            field = ".".join(
                [*([field] if field else []), next(f for f in error.validator_value if f not in error.instance)]
            )
        form = definition.form(command.name)
        how = f"required: {', '.join(form['required']) or 'nothing'}; known: {', '.join(form['properties'])}"
        raise FormInvalid(field=field or "data", command=command.name, detail=error.message[:300], how=how)


def _check_text(command: Command) -> None:
    """Refuse texts that no database takes: NUL characters and half surrogate pairs."""
    if not _is_text(command.data):
        raise FormInvalid(
            field="data", command=command.name, detail="holds a character that is no text", how="send Unicode text"
        )


def _is_text(value: JSON) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, Mapping):
        return all(_is_text(k) and _is_text(v) for k, v in value.items())
    return all(map(_is_text, value)) if isinstance(value, list | tuple) else True


def _moves_from(case: CaseState, spec: CommandSpec) -> bool:
    return any(case.state in move.from_ or ANY in move.from_ for move in spec.moves)


def move_of(case: CaseState, spec: CommandSpec, actor: Actor) -> tuple[Move | None, str]:
    """The first move that fits the state and the actor's part, and that part; ``(None, "")`` when there is none."""
    own = part_of(actor, case)
    role = own.role if own is not None else "lead"
    for move in spec.moves:
        if case.state not in move.from_ and ANY not in move.from_:
            continue
        if move.part and move.part != role:
            continue
        if move.part_state and (own is None or own.state != move.part_state):
            continue
        return move, move.part
    return None, ""


def _illegal(case: CaseState, command: str, actor: Actor, definition: Definition) -> MoveIllegal:
    names = allowed(case, actor, definition)
    return MoveIllegal(
        state=case.state, command=command, allowed=names, allowed_text=", ".join(names) or "nothing for you"
    )


def _who_text(who: tuple[Who, ...]) -> str:
    return "; ".join(
        f"{', '.join(w.roles) or 'everybody'}{'' if w.relation == 'any' else f' ({w.relation})'}" for w in who
    )


def _probe(name: str) -> Command:
    return Command(name=name, case_id="", actor_id="")


# Guards: conditions that definitions may name -----------------------------------------------------------------------
Guard = Callable[[CaseState, Command, Actor, Definition, Mapping[str, Any]], None]


def _evidence(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    purpose = str(guard["purpose"])
    sent = command.data.get("evidence")
    if case.evidence.get(purpose) or sent or command.data.get(str(guard.get("unless", ""))):
        return
    raise GuardFailed(
        command=command.name,
        detail=f"there is no photograph ({purpose}) since the work was given out",
        how=f"attach one with purpose {purpose!r}, or say why there is none in {guard.get('unless')!r}",
    )


def _parts_finished(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    states = guard.get("states", ("accepted",))
    late = [p.department_id for p in case.parts if p.role == "assist" and p.state in states]
    if late:
        raise GuardFailed(
            command=command.name,
            detail=f"assisting departments are still at work: {', '.join(late)}",
            how="let them finish, or ask the dispatcher to transfer without them",
        )


def _within_clock(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    kind = str(guard["clock"])
    if kind not in case.deadlines:
        raise GuardFailed(command=command.name, detail=f"the {kind} window is closed", how="use return with a reason")
    end = case.deadlines[kind]
    if end is not None and case.now > end:
        raise GuardFailed(
            command=command.name, detail=f"the {kind} window ended at {end.isoformat()}", how="use return with a reason"
        )


def _before_deadline(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    end = case.deadlines.get(str(guard["clock"]))
    if end is not None and case.now > end:
        raise GuardFailed(
            command=command.name,
            detail=f"the deadline was {end.isoformat()}; it can no longer be moved",
            how="finish the work; the reason for being late goes into the result",
        )


def _below_bounce_limit(
    case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]
) -> None:
    if case.bounces >= d.bounce_limit:
        raise BounceLimit(bounces=case.bounces, arbiter=d.arbiter.name.get("en", "") if d.arbiter else "admin")


def _arbiter(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    if case.bounces < d.bounce_limit or d.arbiter is None or {"admin", *d.arbiter.roles} & set(actor.roles):
        return
    raise BounceLimit(bounces=case.bounces, arbiter=d.arbiter.name.get("en", ""))


def _pending(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    name = str(guard["approval"])
    request = case.pending.get(name)
    if request is None:
        raise GuardFailed(command=command.name, detail=f"no {name} was asked for", how=f"request_{name} comes first")
    level = int(request.get("level", 0))
    if not may(actor, case, d.approvals[name].levels[level]):
        raise GuardFailed(
            command=command.name,
            detail=f"level {level + 1} of {len(d.approvals[name].levels)} is for somebody else",
            how=f"it waits for: {_who_text(d.approvals[name].levels[level])}",
        )
    if actor.user_id in (request.get("requested_by"), *request.get("approved_by", [])):
        raise GuardFailed(
            command=command.name, detail="nobody approves twice or his own request", how="ask somebody else"
        )


def _no_pending(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    name = str(guard["approval"])
    if name in case.pending:
        raise GuardFailed(command=command.name, detail=f"an {name} is already asked for", how="wait for its answer")


def _not_handler(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    if actor.user_id in case.worked_by:
        raise GuardFailed(command=command.name, detail="you handled it yourself", how="somebody else checks it")


def _children_closed(case: CaseState, command: Command, actor: Actor, d: Definition, guard: Mapping[str, Any]) -> None:
    if case.open_children:
        raise GuardFailed(
            command=command.name,
            detail=f"parts of it are open: {', '.join(case.open_children)}",
            how="close them first; each closes by itself",
        )


GUARDS: dict[str, Guard] = {
    "children_closed": _children_closed,
    "evidence": _evidence,
    "parts_finished": _parts_finished,
    "within_clock": _within_clock,
    "before_deadline": _before_deadline,
    "below_bounce_limit": _below_bounce_limit,
    "arbiter_above_bounce_limit": _arbiter,
    "pending": _pending,
    "no_pending": _no_pending,
    "not_handler": _not_handler,
}
_FIRM = frozenset(GUARDS) - {"evidence"}
