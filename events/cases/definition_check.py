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

from events.cases.definition import ANY, NEW, RELATIONS, REMEMBERED, ClockMoves, Definition
from events.cases.effects import EFFECTS, GIVEN
from events.cases.errors import DefinitionInvalid
from events.cases.lifecycle import GUARDS

FOLDER = Path(__file__).parent.parent / "definitions"


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
        at = f"command {command!r}"
        for move in spec.moves:
            named = [*move.from_, *([move.to] if move.to else [])]
            yield from (
                f"{at}: unknown state {s!r}" for s in named if s not in d.states and s not in (ANY, REMEMBERED, NEW)
            )
        yield from (f"{at}: unknown field {f!r}" for f in (*spec.required, *spec.optional) if f not in d.fields)
        yield from (f"{at}: unknown effect {e!r}" for e in spec.effects if e not in EFFECTS and e not in GIVEN)
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
