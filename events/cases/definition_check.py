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
from core.forms.expression import parse as parse_expression
from events.cases.definition import ANY, NEW, RELATIONS, REMEMBERED, ClockMoves, CommandSpec, Definition
from events.cases.definition_parts import SITES, TRIGGERS, Who, effect_name, effect_params
from events.cases.definition_words import in_full
from events.cases.errors import DefinitionInvalid
from events.cases.verbs.effects import EFFECTS, GIVEN
from events.cases.verbs.guards import GUARDS

FOLDER = Path(__file__).parent.parent / "definitions"
LONGEST = {"definition_id": 40, "state": 24, "stage": 24, "command": 24, "clock": 24, "field": 60}
_TO = {"turn", "arbiter", "approver", "checker", "asked_party", "requester", "parties", "lead"}
_ROLES = {"admin", "operator", "dispatcher", "staff", "inspector", "grid_worker", "manager", "drone", "viewer"}


def parse_definition(body: Mapping[str, Any]) -> Definition:
    """A definition from its JSON form; :class:`DefinitionInvalid` says what does not fit."""
    name = str(body.get("definition_id", "?"))
    try:
        definition = msgspec.convert(in_full(body), Definition)
    except (msgspec.ValidationError, TypeError) as error:
        raise DefinitionInvalid(definition=name, detail=str(error)) from error
    for problem in problems(definition):
        raise DefinitionInvalid(definition=name, detail=problem)
    unknown = set(body.get("turn") or {}) - set(definition.states)
    if unknown:
        raise DefinitionInvalid(definition=name, detail=f"turn: unknown state {sorted(unknown)[0]!r}")
    return definition


def problems(d: Definition) -> Iterator[str]:
    """Everything that is wrong with ``d``, each with where it is."""
    yield from _too_long(d)
    stages = {s.id for s in d.stages}
    yield from (f"state {n!r} has unknown stage {s.stage!r}" for n, s in d.states.items() if s.stage not in stages)
    if d.initial not in d.states:
        yield f"initial state {d.initial!r} does not exist"
    yield from (f"shown_clock: unknown clock {kind!r}" for kind in d.shown_clock if kind not in d.clocks)
    for key, command in d.automatic.items():
        known = d.states if key == "register_from" else d.commands
        if command not in known:
            yield f"automatic {key!r}: {command!r} does not exist"
    for command, spec in d.commands.items():
        yield from (f"command {command!r}: {text}" for text in _of_command(d, spec))
    for name, state in d.states.items():
        yield from (f"state {name!r}, turn: {text}" for text in _of_who(d, state.turn or ()))
    yield from _of_notices(d)
    yield from _of_triggers(d)
    yield from _of_rest(d)
    yield from _dead_ends(d)


def _too_long(d: Definition) -> Iterator[str]:
    names = {
        "definition_id": [d.definition_id], "state": d.states, "stage": [s.id for s in d.stages],
        "command": d.commands, "clock": d.clocks, "field": d.fields,
    }  # fmt: skip
    for what, some in names.items():
        yield from (
            f"{what} {name!r} has more than {LONGEST[what]} characters" for name in some if len(name) > LONGEST[what]
        )


def _of_command(d: Definition, spec: CommandSpec) -> Iterator[str]:
    for move in spec.moves:
        named = [*move.from_, *([move.to] if move.to else [])]
        yield from (f"unknown state {s!r}" for s in named if s not in d.states and s not in (ANY, REMEMBERED, NEW))
    yield from (f"unknown field {f!r}" for f in (*spec.required, *spec.optional) if f not in d.fields)
    yield from (f"keep: unknown field {f!r}" for f in spec.keep if f not in (*spec.required, *spec.optional))
    yield from _of_who(d, spec.who)
    for effect in spec.effects:
        name, params = effect_name(effect), effect_params(effect)
        if name not in EFFECTS and name not in GIVEN:
            yield f"unknown effect {name!r}"
        if name == "spawn" and not params.get("definition"):
            yield "effect spawn names no definition"
        if name == "issue" and params.get("template") not in d.templates:
            yield f"effect issue: unknown template {params.get('template')!r}"
    for guard in spec.guards:
        yield from _of_guard(d, guard)
    for kind in _clock_kinds(spec.clocks):
        if kind not in d.clocks and kind != ANY:
            yield f"unknown clock {kind!r}"
    if spec.approval and spec.approval not in d.approvals:
        yield f"unknown approval {spec.approval!r}"


def _of_guard(d: Definition, guard: Mapping[str, Any]) -> Iterator[str]:
    name = guard.get("guard")
    if name not in GUARDS:
        yield f"unknown guard {name!r}"
        return
    if "clock" in guard and guard["clock"] not in d.clocks:
        yield f"guard {name}: unknown clock {guard['clock']!r}"
    wanted = {"record_valid": "field", "holds": "expr", "documents": "types", "within_clock": "clock"}.get(str(name))
    if wanted and wanted not in guard:
        yield f"guard {name}: {wanted!r} is missing"
    for field in [*guard.get("fields", ()), *([guard["field"]] if "field" in guard else [])]:
        if field not in d.fields:
            yield f"guard {name}: unknown field {field!r}"
    if d.documents:
        yield from (f"guard {name}: unknown document {t!r}" for t in guard.get("types", ()) if t not in d.documents)
    if name == "holds" and "expr" in guard:
        try:
            for reference in parse_expression(str(guard["expr"])).references() - set(d.fields):
                yield f"guard holds: unknown field {reference!r}"
        except YiwangError as error:
            yield f"guard holds: {error}"


def _of_who(d: Definition, who: Iterable[Who]) -> Iterator[str]:
    for line in who:
        if line.relation not in RELATIONS:
            yield f"unknown relation {line.relation!r}"
        yield from (f"unknown state {s!r}" for s in line.from_ if s not in d.states and s != NEW)


def _of_notices(d: Definition) -> Iterator[str]:
    for n, line in enumerate(d.notify):
        at = f"notify[{n}]"
        yield from (f"{at}: {on!r} is no command or state" for on in line.on if on not in {*d.commands, *d.states})
        for to in line.to:
            if isinstance(to, Who):
                yield from (f"{at}: {text}" for text in _of_who(d, (to,)))
            elif ":" not in to and to not in _TO | RELATIONS | _ROLES:
                yield f"{at}: nobody is meant by {to!r}"


def _of_triggers(d: Definition) -> Iterator[str]:
    for n, trigger in enumerate(d.triggers):
        at = f"triggers[{n}]"
        if trigger.on not in TRIGGERS:
            yield f"{at}: {trigger.on!r} is none of {', '.join(TRIGGERS)}"
        if trigger.command not in d.commands:
            yield f"{at}: unknown command {trigger.command!r}"
        if trigger.on == "clock_ended" and trigger.clock not in d.clocks:
            yield f"{at}: unknown clock {trigger.clock!r}"
        if trigger.on == "at" and trigger.field not in d.fields:
            yield f"{at}: unknown field {trigger.field!r}"
        yield from (f"{at}: unknown state {s!r}" for s in trigger.from_ if s not in d.states)


def _of_rest(d: Definition) -> Iterator[str]:
    from_reminders = [(f"clock {k!r}", s.remind, s.limit.unit) for k, s in d.clocks.items()]
    for at, listed, unit in (("remind", d.remind, "work_day"), *from_reminders):
        for text in listed or ():
            number, _, words = str(text).strip().lstrip("+-− ").partition(" ")
            if not number.replace(".", "", 1).isdigit() or (words.strip() and words.strip().rstrip("s") not in _UNITS):
                yield f"{at}: {text!r} is no reminder such as -1 {unit}"
    if d.sites not in SITES:
        yield f"sites: {d.sites!r} is none of {', '.join(SITES)}"
    for kind, clock in d.clocks.items():
        if clock.part not in ("", "lead", "assist", ANY):
            yield f"clock {kind!r}: part {clock.part!r} is none of lead, assist, {ANY}"
    if d.counting is not None and d.counting.on_time and d.counting.on_time not in d.clocks:
        yield f"counting: unknown clock {d.counting.on_time!r}"
    if d.recheck is not None:
        if d.recheck.state not in d.states:
            yield f"recheck: unknown state {d.recheck.state!r}"
        named = (d.recheck.clear, d.recheck.standing, d.recheck.person, d.recheck.close, d.recheck.relapse)
        yield from (f"recheck: unknown command {c!r}" for c in named if c and c not in d.commands)


_UNITS = {"work_hour", "work_day", "urgent_hour", "urgent_day", "工作时", "工作日", "紧急工作时", "自然日"}


def _dead_ends(d: Definition) -> Iterator[str]:
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
            yield f"state {name!r} is open and can never end: no command leads from it to a closed state"


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
