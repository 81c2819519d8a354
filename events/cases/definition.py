"""Case definitions: stages, states, commands, who may, forms, guards, clocks — data, never code.

A definition is a JSON file in ``events/definitions/``; docs/case-engine.md lists its fields.  Loading one checks that
everything it names exists, so that a misspelt state is found at start and not in the night.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from core.legal_time.limits import Limit
from core.records import JSON, Record
from events.cases.errors import DefinitionInvalid

FOLDER = Path(__file__).parent.parent / "definitions"
REMEMBERED = "@remembered"
NEW = "@new"  # the state of a case that is not there yet
ANY = "*"
RELATIONS = frozenset(
    {"any", "assigned_department", "lead_department", "handler", "reporter", "own_division", "party", "asked"}
)
# Fields that every command may carry: where and when a phone without network recorded it, and a remark.
COMMON_FIELDS: dict[str, JSON] = {
    "comment": {"type": "string", "maxLength": 2000},
    "location": {
        "type": ["object", "null"],
        "required": ["lon", "lat"],
        "properties": {
            "lon": {"type": "number", "minimum": -180, "maximum": 180},
            "lat": {"type": "number", "minimum": -90, "maximum": 90},
            "accuracy_m": {"type": ["number", "null"], "minimum": 0, "maximum": 5000},
        },
    },
    "recorded_at": {"type": ["string", "null"], "maxLength": 40},
    "why": {"type": "object"},
}


class Stage(Record, frozen=True):
    id: str
    name: dict[str, str]


class State(Record, frozen=True):
    stage: str
    name: dict[str, str]
    open: bool = True


class Who(Record, frozen=True, rename={"from_": "from"}):
    """Any of ``roles`` (empty: all) who stands in ``relation`` to the case, in the states ``from`` (empty: all)."""

    roles: tuple[str, ...] = ()
    relation: str = "any"
    from_: tuple[str, ...] = ()


class Move(Record, frozen=True, rename={"from_": "from"}):
    """``to`` None: the state stays.  ``part``: only for an actor whose department has that part (lead, assist)."""

    from_: tuple[str, ...]
    to: str | None = None
    part: str = ""
    part_state: str = ""


class ClockMoves(Record, frozen=True):
    """What a command does to clocks; ``part`` limits it to moves of that part."""

    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    suspend: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    reopen: tuple[str, ...] = ()
    part: str = ""


class CommandSpec(Record, frozen=True):
    name: dict[str, str]
    moves: tuple[Move, ...]
    who: tuple[Who, ...]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    clocks: ClockMoves = ClockMoves()
    effects: tuple[str, ...] = ()
    guards: tuple[dict[str, JSON], ...] = ()
    approval: str = ""


class ClockSpec(Record, frozen=True):
    """``from_class``: the case's own limit (of its class or draft) goes before ``limit``."""

    limit: Limit
    from_class: bool = False


class Approval(Record, frozen=True):
    """Levels of approval, each by somebody else; ``then`` what happens after the last."""

    levels: tuple[tuple[Who, ...], ...]
    then: dict[str, tuple[str, ...]] = {}


class Arbiter(Record, frozen=True):
    roles: tuple[str, ...]
    name: dict[str, str]


class Definition(Record, frozen=True):
    """One kind of case.  ``automatic``: commands that ``system`` gives for a draft that is sure enough."""

    definition_id: str
    version: int
    name: dict[str, str]
    stages: tuple[Stage, ...]
    states: dict[str, State]
    initial: str
    commands: dict[str, CommandSpec]
    fields: dict[str, dict[str, JSON]]
    clocks: dict[str, ClockSpec]
    approvals: dict[str, Approval] = {}
    automatic: dict[str, str] = {}
    visibility: dict[str, tuple[Who, ...]] = {}
    bounce_limit: int = 3
    arbiter: Arbiter | None = None
    confidential: bool = False  # every case of this kind is
    source: str = ""

    def form(self, command: str) -> dict[str, JSON]:
        """The JSON Schema of a command's data."""
        spec = self.commands[command]
        names = (*spec.required, *spec.optional)
        return {
            "type": "object",
            "required": list(spec.required),
            "properties": {**COMMON_FIELDS, **{n: self.fields[n] for n in names}},
            "additionalProperties": False,
        }


def parse_definition(body: Mapping[str, Any]) -> Definition:
    """A definition from its JSON form; :class:`DefinitionInvalid` says what does not fit."""
    name = str(body.get("definition_id", "?"))
    try:
        definition = msgspec.convert(body, Definition)
    except msgspec.ValidationError as error:
        raise DefinitionInvalid(definition=name, detail=str(error)) from error
    for problem in _problems(definition):
        raise DefinitionInvalid(definition=name, detail=problem)
    return definition


def _problems(d: Definition) -> Iterator[str]:
    from events.cases.effects import EFFECTS  # effects and guards are code; their names are checked here
    from events.cases.lifecycle import GUARDS

    stages = {s.id for s in d.stages}
    yield from (f"state {n!r} has unknown stage {s.stage!r}" for n, s in d.states.items() if s.stage not in stages)
    if d.initial not in d.states:
        yield f"initial state {d.initial!r} does not exist"
    for key, command in d.automatic.items():
        known = d.states if key == "register_from" else d.commands
        if command not in known:
            yield f"automatic {key!r}: {command!r} does not exist"
    for command, spec in d.commands.items():
        at = f"command {command!r}"
        for move in spec.moves:
            named = [*move.from_, *([move.to] if move.to else [])]
            yield from (
                f"{at}: unknown state {s!r}" for s in named if s not in d.states and s not in (ANY, REMEMBERED, NEW)
            )
        yield from (f"{at}: unknown field {f!r}" for f in (*spec.required, *spec.optional) if f not in d.fields)
        yield from (f"{at}: unknown effect {e!r}" for e in spec.effects if e not in EFFECTS)
        yield from (f"{at}: unknown guard {g.get('guard')!r}" for g in spec.guards if g.get("guard") not in GUARDS)
        yield from (f"{at}: unknown relation {w.relation!r}" for w in spec.who if w.relation not in RELATIONS)
        for kind in _clock_kinds(spec.clocks):
            if kind not in d.clocks and kind != ANY:
                yield f"{at}: unknown clock {kind!r}"
        if spec.approval and spec.approval not in d.approvals:
            yield f"{at}: unknown approval {spec.approval!r}"


def _clock_kinds(moves: ClockMoves) -> Iterable[str]:
    return {*moves.start, *moves.stop, *moves.suspend, *moves.resume, *moves.reopen}


def load_definition(path: Path) -> Definition:
    """The definition in a file."""
    try:
        body = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DefinitionInvalid(definition=path.name, detail=str(error)) from error
    return parse_definition(body)


@cache
def shipped_definitions() -> dict[str, Definition]:
    """The definitions that come with Yiwang, by id."""
    found = (load_definition(path) for path in sorted(FOLDER.glob("*.json")))
    return {d.definition_id: d for d in found}


class Validators:
    """Compiled form validators, one per command, made when first needed."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int, str], Draft202012Validator] = {}

    def of(self, definition: Definition, command: str) -> Draft202012Validator:
        key = (definition.definition_id, definition.version, command)
        if key not in self._made:
            self._made[key] = Draft202012Validator(definition.form(command))
        return self._made[key]


VALIDATORS = Validators()
