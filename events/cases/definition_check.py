"""Loading case definitions, and everything that can be wrong with one.

Loading checks that everything a definition names exists, so that a misspelt state is found at start and not in the
night.  Above effects and guards, because their names are part of what is checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from core.errors import YiwangError
from core.forms.checks import form_problems
from core.forms.compiled import compile_form
from core.forms.expression import parse as parse_expression
from core.forms.from_schema import fields_of_form, form_of_fields
from core.forms.kinds import type_problems
from core.forms.model import parse_form
from core.forms.structure import lay_flat
from events.cases.definition import ANY, NEW, RELATIONS, REMEMBERED, ClockMoves, CommandSpec, Definition
from events.cases.definition_parts import SITES, TRIGGERS, Who, effect_name, effect_params
from events.cases.definition_problems import DefinitionProblem, problem
from events.cases.definition_words import in_full
from events.cases.errors import DefinitionInvalid
from events.cases.verbs.effects import EFFECTS, GIVEN
from events.cases.verbs.guards import GUARDS

FOLDER = Path(__file__).parent.parent / "definitions"
LONGEST = {"definition_id": 40, "state": 24, "stage": 24, "command": 24, "clock": 24, "field": 60}
_TO = {"turn", "arbiter", "approver", "checker", "asked_party", "requester", "parties", "lead"}
_ROLES = {"admin", "operator", "dispatcher", "staff", "inspector", "grid_worker", "manager", "drone", "viewer"}

_OTHERS = {"system", "party", "security", "auditor"}  # the platform itself, who has no account, the kept-apart powers


def parse_definition(body: Mapping[str, Any]) -> Definition:
    """A definition from its JSON form; :class:`DefinitionInvalid` says what does not fit."""
    name = str(body.get("definition_id", "?"))
    try:
        definition = msgspec.convert(in_full(body), Definition)
    except (msgspec.ValidationError, TypeError) as error:
        raise DefinitionInvalid(definition=name, detail=str(error)) from error
    for found in problems(definition):
        raise DefinitionInvalid(definition=name, detail=found.text)
    unknown = set(body.get("turn") or {}) - set(definition.states)
    if unknown:
        raise DefinitionInvalid(definition=name, detail=f"turn: unknown state {sorted(unknown)[0]!r}")
    return definition


def problems(d: Definition) -> Iterator[DefinitionProblem]:
    """Everything that is wrong with ``d``, each with where it is."""
    yield from _too_long(d)
    stages = {s.id for s in d.stages}
    for name, state in d.states.items():
        if state.stage not in stages:
            yield problem(f"states/{name}/stage", "stage_unknown", state=name, name=state.stage)
    if d.initial not in d.states:
        yield problem("initial", "initial_unknown", name=d.initial)
    yield from (problem("shown_clock", "shown_clock_unknown", name=k) for k in d.shown_clock if k not in d.clocks)
    for key, command in d.automatic.items():
        if command not in (d.states if key == "register_from" else d.commands):
            yield problem(f"automatic/{key}", "automatic_unknown", key=key, name=command)
    for command, spec in d.commands.items():
        yield from _of_command(d, f"commands/{command}", spec)
    for name, state in d.states.items():
        yield from _of_who(d, f"states/{name}/turn", state.turn or ())
    for name, lines in d.visibility.items():
        yield from _of_who(d, f"visibility/{name}", lines)
    yield from _of_notices(d)
    yield from _of_triggers(d)
    yield from _of_rest(d)
    yield from _of_forms(d)
    yield from _dead_ends(d)


def _too_long(d: Definition) -> Iterator[DefinitionProblem]:
    names = {
        "definition_id": [d.definition_id], "state": d.states, "stage": [s.id for s in d.stages],
        "command": d.commands, "clock": d.clocks, "field": d.fields,
    }  # fmt: skip
    for what, some in names.items():
        for name in some:
            if len(name) > LONGEST[what]:
                where = what if what == "definition_id" else f"{what}s/{name}/name"
                yield problem(where, "too_long", what=what, name=name, most=LONGEST[what])


def _of_command(d: Definition, at: str, spec: CommandSpec) -> Iterator[DefinitionProblem]:
    for move in spec.moves:
        for name in [*move.from_, *([move.to] if move.to else [])]:
            if name not in d.states and name not in (ANY, REMEMBERED, NEW):
                yield problem(f"{at}/moves", "state_unknown", name=name)
    for field in ("required", "optional"):
        names = getattr(spec, field)
        yield from (problem(f"{at}/{field}", "field_unknown", name=f) for f in names if f not in d.fields)
    own = (*spec.required, *spec.optional)
    yield from (problem(f"{at}/keep", "keep_unknown", name=f) for f in spec.keep if f not in own)
    yield from _of_who(d, f"{at}/who", spec.who)
    for effect in spec.effects:
        name, params = effect_name(effect), effect_params(effect)
        if name not in EFFECTS and name not in GIVEN:
            yield problem(f"{at}/effects", "effect_unknown", name=name)
        if name == "spawn" and not params.get("definition"):
            yield problem(f"{at}/effects", "spawn_nameless")
        if name == "issue" and params.get("template") not in d.templates:
            yield problem(f"{at}/effects", "template_unknown", name=params.get("template"))
    for guard in spec.guards:
        yield from _of_guard(d, f"{at}/guards", guard)
    for kind in _clock_kinds(spec.clocks):
        if kind not in d.clocks and kind != ANY:
            yield problem(f"{at}/clocks", "clock_unknown", name=kind)
    if spec.approval and spec.approval not in d.approvals:
        yield problem(f"{at}/approval", "approval_unknown", name=spec.approval)


def _of_guard(d: Definition, at: str, guard: Mapping[str, Any]) -> Iterator[DefinitionProblem]:
    name = guard.get("guard")
    if name not in GUARDS:
        yield problem(at, "guard_unknown", name=name)
        return
    if "clock" in guard and guard["clock"] not in d.clocks:
        yield problem(at, "guard_clock_unknown", guard=name, name=guard["clock"])
    wanted = {"record_valid": "field", "holds": "expr", "documents": "types", "within_clock": "clock"}.get(str(name))
    if wanted and wanted not in guard:
        yield problem(at, "guard_incomplete", guard=name, name=wanted)
    for field in [*guard.get("fields", ()), *([guard["field"]] if "field" in guard else [])]:
        if field not in d.fields:
            yield problem(at, "guard_field_unknown", guard=name, name=field)
    if d.documents:
        unknown = (t for t in guard.get("types", ()) if t not in d.documents)
        yield from (problem(at, "guard_document_unknown", guard=name, name=t) for t in unknown)
    if name == "holds" and "expr" in guard:
        try:
            expression = parse_expression(str(guard["expr"]))
            for reference in expression.references() - set(d.fields):
                yield problem(at, "guard_field_unknown", guard=name, name=reference)
            structure = lay_flat(form_of_fields(d.fields, (), list(d.fields)))
            for item in [each for each in structure.items if not each.repeats][:1]:
                for wrong in type_problems(expression.tree, item, structure):
                    yield problem(at, "guard_expression", detail=wrong)
        except YiwangError as error:
            yield problem(at, "guard_expression", detail=error)


def _of_who(d: Definition, at: str, who: Iterable[Who]) -> Iterator[DefinitionProblem]:
    for line in who:
        if line.relation not in RELATIONS:
            yield problem(at, "relation_unknown", name=line.relation)
        yield from (problem(at, "role_unknown", name=r) for r in line.roles if r not in _ROLES | _OTHERS)
        yield from (problem(at, "state_unknown", name=s) for s in line.from_ if s not in d.states and s != NEW)


def _of_notices(d: Definition) -> Iterator[DefinitionProblem]:
    for n, line in enumerate(d.notify):
        at = f"notify/{n}"
        known = {*d.commands, *d.states}
        yield from (problem(f"{at}/on", "notice_on_unknown", name=on) for on in line.on if on not in known)
        for to in line.to:
            if isinstance(to, Who):
                yield from _of_who(d, f"{at}/to", (to,))
            elif ":" not in to and to not in _TO | RELATIONS | _ROLES:
                yield problem(f"{at}/to", "notice_to_unknown", name=to)


def _of_triggers(d: Definition) -> Iterator[DefinitionProblem]:
    for n, trigger in enumerate(d.triggers):
        at = f"triggers/{n}"
        if trigger.on not in TRIGGERS:
            yield problem(f"{at}/on", "trigger_unknown", name=trigger.on, known=", ".join(TRIGGERS))
        if trigger.command not in d.commands:
            yield problem(f"{at}/command", "command_unknown", name=trigger.command)
        if trigger.on == "clock_ended" and trigger.clock not in d.clocks:
            yield problem(f"{at}/clock", "clock_unknown", name=trigger.clock)
        if trigger.on == "at" and trigger.field not in d.fields:
            yield problem(f"{at}/field", "field_unknown", name=trigger.field)
        yield from (problem(f"{at}/from", "state_unknown", name=s) for s in trigger.from_ if s not in d.states)


def _of_rest(d: Definition) -> Iterator[DefinitionProblem]:
    from_reminders = [(f"clocks/{k}/remind", s.remind, s.limit.unit) for k, s in d.clocks.items()]
    for at, listed, unit in (("remind", d.remind, "work_day"), *from_reminders):
        for text in listed or ():
            number, _, words = str(text).strip().lstrip("+-− ").partition(" ")
            if not number.replace(".", "", 1).isdigit() or (words.strip() and words.strip().rstrip("s") not in _UNITS):
                yield problem(at, "reminder_invalid", name=text, unit=unit)
    if d.sites not in SITES:
        yield problem("sites", "sites_unknown", name=d.sites, known=", ".join(SITES))
    for kind, clock in d.clocks.items():
        if clock.part not in ("", "lead", "assist", ANY):
            yield problem(f"clocks/{kind}/part", "part_unknown", name=clock.part, known=f"lead, assist, {ANY}")
    if d.counting is not None and d.counting.on_time and d.counting.on_time not in d.clocks:
        yield problem("counting", "counting_unknown", name=d.counting.on_time)
    if d.recheck is not None:
        if d.recheck.state not in d.states:
            yield problem("recheck", "recheck_state_unknown", name=d.recheck.state)
        named = (d.recheck.clear, d.recheck.standing, d.recheck.person, d.recheck.close, d.recheck.relapse)
        unknown = (c for c in named if c and c not in d.commands)
        yield from (problem("recheck", "recheck_command_unknown", name=c) for c in unknown)


def _of_forms(d: Definition) -> Iterator[DefinitionProblem]:
    """The whole forms of commands: each is sound, and each question is a field of the command."""
    for command, body in d.forms.items():
        spec, at = d.commands.get(command), f"forms/{command}"
        if spec is None:
            yield problem(at, "form_command_unknown", name=command)
            continue
        try:
            form = parse_form(body)
        except YiwangError as error:
            yield problem(at, "form_wrong", at="form", detail=error)
            continue
        for found in form_problems(form):
            if found.blocking:
                name = "" if found.index is None else compile_form(form).structure.items[found.index].name
                yield problem(at, "form_wrong", at=name or found.word or "form", detail=found.code)
        own = (*spec.required, *spec.optional)
        unknown = (name for name in fields_of_form(form) if name not in own)
        yield from (problem(f"commands/{command}/optional", "field_unknown", name=name) for name in unknown)


_UNITS = {"work_hour", "work_day", "urgent_hour", "urgent_day", "工作时", "工作日", "紧急工作时", "自然日"}


def _dead_ends(d: Definition) -> Iterator[DefinitionProblem]:
    """Open states from which no closed one can be reached: a case there could never end."""
    ends = {name for name, state in d.states.items() if not state.open}
    reaching = set(ends)
    steps = [
        (set(d.states) if ANY in move.from_ else set(move.from_), move.to)
        for spec in d.commands.values()
        for move in spec.moves
        if move.to and NEW not in move.from_
    ]
    back = {state for origin, to in steps for state in origin if to == REMEMBERED}  # goes where it came from
    grew = True
    while grew:
        more = {s for origin, to in steps for s in origin if to in reaching} - reaching
        if reaching - ends:
            more |= back - reaching
        grew = bool(more)
        reaching |= more
    entered = {d.initial, *(to for _, to in steps if to != REMEMBERED)}
    for name in d.states:
        if name in entered and name not in reaching:
            yield problem(f"states/{name}/open", "dead_end", name=name)


def _clock_kinds(moves: ClockMoves) -> Iterable[str]:
    return {*moves.start, *moves.stop, *moves.suspend, *moves.resume, *moves.reopen}


def load_definition(path: Path) -> Definition:
    """The definition in a file, JSON or YAML."""
    try:
        text = path.read_text("utf-8")
        body = yaml.safe_load(text) if path.suffix.lower() in (".yaml", ".yml") else json.loads(text)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise DefinitionInvalid(definition=path.name, detail=str(error)) from error
    if not isinstance(body, dict):
        raise DefinitionInvalid(definition=path.name, detail="is no object")
    return parse_definition(body)


@cache
def shipped_definitions() -> dict[str, Definition]:
    """The definitions that come with Yiwang, by id."""
    found = (load_definition(path) for path in sorted(FOLDER.glob("*.json")))
    return {d.definition_id: d for d in found}
