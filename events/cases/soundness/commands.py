"""Commands: moves between states that exist, people who may give them, fields, clocks, approvals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from events.cases.definition import ANY, NEW, REMEMBERED, CommandSpec, Definition
from events.cases.definition_problems import DefinitionProblem, problem, unknown
from events.cases.soundness.clocks import PARTS, clock_kinds
from events.cases.soundness.course import origins
from events.cases.soundness.people import who_problems
from events.cases.soundness.verbs import effect_problems, guard_problems

LONGEST = {"definition_id": 40, "state": 24, "stage": 24, "command": 24, "clock": 24, "field": 60}
_PART_STATES = ("dispatched", "accepted", "finished", "waiting", "over")


def command_problems(d: Definition) -> Iterator[DefinitionProblem]:
    """Of every command."""
    for name, spec in d.commands.items():
        at = f"commands/{name}"
        yield from _of_moves(d, at, name, spec)
        yield from _of_fields(d, at, spec)
        if not spec.who and name not in d.triggered:
            yield problem(f"{at}/who", "who_missing")
        yield from who_problems(d, f"{at}/who", spec.who)
        yield from effect_problems(d, f"{at}/effects", spec)
        yield from guard_problems(d, f"{at}/guards", spec.guards)
        for kind in sorted(clock_kinds(spec.clocks)):
            if kind not in d.clocks and kind != ANY:
                yield unknown(f"{at}/clocks", "clock_unknown", kind, d.clocks)
        if spec.clocks.part not in ("", *PARTS):
            yield unknown(f"{at}/clocks", "part_unknown", spec.clocks.part, PARTS)
        if spec.approval and spec.approval not in d.approvals:
            yield unknown(f"{at}/approval", "approval_unknown", spec.approval, d.approvals)


def _of_moves(d: Definition, at: str, command: str, spec: CommandSpec) -> Iterator[DefinitionProblem]:
    if not spec.moves or any(not move.from_ for move in spec.moves):
        yield problem(f"{at}/moves", "move_missing")
    for move in spec.moves:
        for name in [*move.from_, *([move.to] if move.to else [])]:
            if name not in d.states and name not in (ANY, REMEMBERED, NEW):
                yield unknown(f"{at}/moves", "state_unknown", name, d.states)
        if move.to in (ANY, NEW) or REMEMBERED in move.from_:
            yield unknown(f"{at}/moves", "state_unknown", move.to if move.to in (ANY, NEW) else REMEMBERED, d.states)
        if NEW in move.from_ and command != "report":
            yield problem(f"{at}/moves", "move_new")
        if move.part not in ("", *PARTS):
            yield unknown(f"{at}/moves", "part_unknown", move.part, PARTS)
        if move.part_state and move.part_state not in _PART_STATES:
            yield unknown(f"{at}/moves", "value_wrong", move.part_state, _PART_STATES)


def _of_fields(d: Definition, at: str, spec: CommandSpec) -> Iterator[DefinitionProblem]:
    for key in ("required", "optional"):
        names = getattr(spec, key)
        yield from (unknown(f"{at}/{key}", "field_unknown", f, d.fields) for f in names if f not in d.fields)
        yield from (problem(f"{at}/{key}", "twice", name=f) for f in sorted({f for f in names if names.count(f) > 1}))
    yield from (problem(f"{at}/optional", "field_twice", name=f) for f in spec.optional if f in spec.required)
    own = (*spec.required, *spec.optional)
    yield from (unknown(f"{at}/keep", "keep_unknown", f, own) for f in spec.keep if f not in own)


def length_problems(d: Definition) -> Iterator[DefinitionProblem]:
    """Names that no column of the tables holds."""
    names = {
        "definition_id": [d.definition_id], "state": d.states, "stage": [s.id for s in d.stages],
        "command": d.commands, "clock": d.clocks, "field": d.fields,
    }  # fmt: skip
    for what, some in names.items():
        for name in some:
            where = what if what == "definition_id" else f"{what}s/{name}/name"
            if len(name) > LONGEST[what]:
                yield problem(where, "too_long", what=what, name=name, most=LONGEST[what])
            elif not name.strip() or any(sign in name for sign in "/{}\n\t"):
                yield problem(where, "name_wrong", name=name)


def naming_problems(d: Definition) -> Iterator[DefinitionProblem]:
    """Names that miss a language; commands that cannot be told apart where both are possible."""
    listed: list[tuple[str, Mapping[str, str]]] = [("name", d.name)]
    listed += [(f"stages/{stage.id}/name", stage.name) for stage in d.stages]
    listed += [(f"states/{name}/name", state.name) for name, state in d.states.items()]
    listed += [(f"commands/{name}/name", spec.name) for name, spec in d.commands.items()]
    listed += [(f"clocks/{kind}/name", clock.name) for kind, clock in d.clocks.items() if clock.name]
    listed += [(f"notify/{n}/text", line.text) for n, line in enumerate(d.notify) if line.text]
    listed += [(f"documents/{name}", words) for name, words in d.documents.items()]
    for name, schema in d.fields.items():
        if isinstance(schema.get("title"), Mapping):
            listed.append((f"fields/{name}/title", schema["title"]))
    for where, words in listed:
        for language in ("zh", "en"):
            if not str(words.get(language) or "").strip():
                yield problem(where, "translation_missing", language=language)
    yield from _alike(d)


def _alike(d: Definition) -> Iterator[DefinitionProblem]:
    told: dict[tuple[str, str], str] = {}
    doubled: set[tuple[str, str]] = set()
    for name, spec in d.commands.items():
        title = spec.name.get("zh", "")
        for state in sorted(origins(d, spec) & set(d.states)) if title else ():
            other = told.setdefault((state, title), name)
            if other != name and (other, name) not in doubled:
                doubled.add((other, name))
                yield problem(f"commands/{name}/name", "title_same", name=name, other=other, title=title, state=state)
