"""May this command move this case now, and where to?  Pure: the definition, the case's state, the actor in; a move out.

The order of the questions: is the command known, does the state allow it, may this actor, is the form complete, do the
guards hold.  Every "no" is a typed error that says what is possible instead.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.errors import YiwangError
from core.legal_time.calendar import WorkCalendar, statutory_calendar
from core.records import JSON, Actor, Command, Record
from events.cases.course.refused import named_by
from events.cases.course.relations import CaseState, may, part_of, who_text
from events.cases.course.whole_form import with_form_answers
from events.cases.definition import ANY, REMEMBERED, ClockMoves, CommandSpec, Definition, Move
from events.cases.definition_parts import EffectSpec
from events.cases.errors import BounceLimit, CommandUnknown, FormInvalid, GuardFailed, MoveForbidden, MoveIllegal
from events.cases.verbs.guards import FIRM, GUARDS


class Transition(Record, frozen=True):
    """A legal move.  ``part`` is the part in which the actor acts ("" where that does not matter)."""

    command: str
    from_state: str
    to_state: str
    stage: str
    open: bool
    part: str = ""
    effects: tuple[EffectSpec, ...] = ()
    clocks: ClockMoves = ClockMoves()
    approval: str = ""
    data: dict[str, JSON] = {}
    reason: str = ""


def advance(
    case: CaseState, command: Command, actor: Actor, definition: Definition, calendar: WorkCalendar | None = None
) -> Transition:
    """The transition that ``command`` by ``actor`` makes; a typed error when it may not be.

    ``calendar``: by which a whole form counts work days; without one the statutory calendar.
    """
    try:
        return _advance(case, command, actor, definition, calendar)
    except YiwangError as error:
        named_by(error, definition)
        raise


def _advance(
    case: CaseState, command: Command, actor: Actor, definition: Definition, calendar: WorkCalendar | None
) -> Transition:
    spec = definition.commands.get(command.name)
    if spec is None:
        known = ", ".join(definition.commands)
        raise CommandUnknown(definition=definition.definition_id, command=command.name, known=known)
    if not _moves_from(case, spec):
        raise _illegal(case, command.name, actor, definition)
    if not may(actor, case, spec.who) and not ("system" in actor.roles and command.name in definition.triggered):
        raise MoveForbidden(
            command=command.name, detail="your role or department does not allow it", who=who_text(spec.who)
        )
    move, part = move_of(case, spec, actor)
    if move is None:
        raise _illegal(case, command.name, actor, definition)
    command = with_form_answers(definition, command, case.now, calendar or statutory_calendar())
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
                    if guard["guard"] in FIRM:
                        GUARDS[str(guard["guard"])](case, _probe(name), actor, definition, guard)
            except (GuardFailed, BounceLimit):
                continue
            names.append(name)
    return names


def check_form(definition: Definition, command: Command) -> None:
    """Hold the command's data against its form; :class:`FormInvalid` names the first field that does not fit."""
    if not command.data and definition.empty_fits(command.name):
        return
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


def _probe(name: str) -> Command:
    return Command(name=name, case_id="", actor_id="")
