"""The course of a case: stages, states, what leads where, what the platform does by itself."""

from __future__ import annotations

from collections.abc import Iterator

from events.cases.definition import ANY, NEW, REMEMBERED, CommandSpec, Definition
from events.cases.definition_parts import SITES, TRIGGERS, Trigger
from events.cases.definition_problems import DefinitionProblem, problem, unknown

AUTOMATIC = ("register_from", "register", "dispatch", "merge", "recur", "on_report")
_TIMES = ("date", "date-time")
Step = tuple[set[str], str]  # from these states to that one


def course_problems(d: Definition) -> Iterator[DefinitionProblem]:
    """Of stages, states, automatic commands, triggers, the second look, and whether a case can end."""
    stages = [stage.id for stage in d.stages]
    yield from (
        problem(f"stages/{s}", "stage_twice", name=s) for s in sorted({s for s in stages if stages.count(s) > 1})
    )
    for name, state in d.states.items():
        if state.stage not in stages:
            yield unknown(f"states/{name}/stage", "stage_unknown", state.stage, stages, state=name)
    if d.initial not in d.states:
        yield unknown("initial", "initial_unknown", d.initial, d.states)
    elif not d.states[d.initial].open:
        yield problem("initial", "initial_closed", name=d.initial)
    if "report" not in d.commands:
        yield problem("commands", "report_missing")
    if d.sites not in SITES:
        yield unknown("sites", "sites_unknown", d.sites, SITES)
    if d.numbering.series not in ("day", "year"):
        yield unknown("numbering/series", "value_wrong", d.numbering.series, ("day", "year"))
    for path, value, least in (("version", d.version, 1), ("bounce_limit", d.bounce_limit, 0)):
        if value < least:
            yield problem(path, "too_small", name=value, least=least)
    yield from _of_automatic(d)
    for n, trigger in enumerate(d.triggers):
        yield from _of_trigger(d, f"triggers/{n}", trigger)
    yield from _of_recheck(d)
    if d.states and all(state.open for state in d.states.values()):
        yield problem("states", "closed_never")


def _of_automatic(d: Definition) -> Iterator[DefinitionProblem]:
    report = d.commands.get("report")
    asked = {*report.required, *report.optional} if report else set()
    for key, name in d.automatic.items():
        at = f"automatic/{key}"
        if key not in AUTOMATIC:
            yield unknown(at, "automatic_key_unknown", key, AUTOMATIC)
        elif key == "register_from":
            if name not in d.states:
                yield unknown(at, "automatic_unknown", name, d.states, key=key)
        elif name not in d.commands:
            yield unknown(at, "automatic_unknown", name, d.commands, key=key)
        else:
            spec = d.commands[name]
            if spec.who and not any(not line.roles or "system" in line.roles for line in spec.who):
                yield problem(at, "automatic_who", key=key, name=name)
            missing = [field for field in spec.required if field not in asked]
            for field in missing if key == "on_report" and report and "route" not in spec.effect_names else ():
                yield problem(at, "automatic_data", key=key, name=name, field=field)


def _of_trigger(d: Definition, at: str, trigger: Trigger) -> Iterator[DefinitionProblem]:
    if trigger.on not in TRIGGERS:
        yield unknown(f"{at}/on", "trigger_unknown", trigger.on, TRIGGERS)
    yield from (unknown(f"{at}/from", "state_unknown", s, d.states) for s in trigger.from_ if s not in d.states)
    spec = d.commands.get(trigger.command)
    if spec is None:
        yield unknown(f"{at}/command", "command_unknown", trigger.command, d.commands)
    else:
        possible = origins(d, spec)
        for state in trigger.from_:
            if state in d.states and state not in possible:
                yield problem(f"{at}/from", "trigger_never", name=trigger.command, state=state)
        for field in spec.required:
            if field not in trigger.data:
                yield problem(f"{at}/data", "trigger_data", name=trigger.command, field=field)
        own = {*spec.required, *spec.optional, "comment"}
        yield from (unknown(f"{at}/data", "field_unknown", f, own) for f in trigger.data if f not in own)
    if trigger.on == "clock_ended" and trigger.clock not in d.clocks:
        yield unknown(f"{at}/clock", "clock_unknown", trigger.clock, d.clocks)
    if trigger.on == "at":
        schema = d.fields.get(trigger.field)
        if schema is None:
            yield unknown(f"{at}/field", "field_unknown", trigger.field, d.fields)
        elif schema.get("type", "string") in ("integer", "number", "boolean", "array", "object"):
            yield problem(f"{at}/field", "trigger_no_time", name=trigger.field)
    if trigger.on == "children_closed" and not _opens_children(d):
        yield problem(at, "trigger_childless")


def _opens_children(d: Definition) -> bool:
    return any({"spawn", "split"} & set(spec.effect_names) for spec in d.commands.values())


def _of_recheck(d: Definition) -> Iterator[DefinitionProblem]:
    if d.recheck is None:
        return
    if d.recheck.state not in d.states:
        yield unknown("recheck/state", "recheck_state_unknown", d.recheck.state, d.states)
    for key in ("clear", "standing", "person", "finished", "close", "relapse"):
        name = getattr(d.recheck, key)
        if name and name not in d.commands:
            yield unknown(f"recheck/{key}", "recheck_command_unknown", name, d.commands)
    for state in d.recheck.relapse_from:
        if state not in d.states:
            yield unknown("recheck/relapse_from", "recheck_state_unknown", state, d.states)
    if d.recheck.relapse_s < 0:
        yield problem("recheck/relapse_s", "too_small", name=d.recheck.relapse_s, least=0)
    if not 1 <= d.recheck.advice_from <= 5:
        known = [str(level) for level in range(1, 6)]
        yield unknown("recheck/advice_from", "value_wrong", d.recheck.advice_from, known)


def origins(d: Definition, spec: CommandSpec) -> set[str]:
    """The states in which a command is possible."""
    named = {state for move in spec.moves for state in move.from_}
    return set(d.states) if ANY in named else named


def end_problems(d: Definition) -> Iterator[DefinitionProblem]:
    """Open states from which no closed one can be reached: a case there could never end; states nothing leads to.

    Worth asking only where everything else is right: a misspelt state would be told as a dead end, too.
    """
    ends = {name for name, state in d.states.items() if not state.open}
    steps: list[Step] = [
        ((set(d.states) if ANY in move.from_ else set(move.from_)) & _given_in(d, name, spec), move.to)
        for name, spec in d.commands.items()
        for move in spec.moves
        if move.to and NEW not in move.from_
    ]
    if any(to == REMEMBERED for _, to in steps) and not _remembers(d):
        for name, spec in d.commands.items():
            if any(move.to == REMEMBERED for move in spec.moves):
                yield problem(f"commands/{name}/moves", "remembered_never")
    entered = {d.initial, *(to for _, to in steps if to != REMEMBERED), *_reported(d)}
    reaching = _reaching(ends, steps)
    for name in d.states:
        if name in entered and name not in reaching:
            yield problem(f"states/{name}/open", "dead_end", name=name)
        elif name not in entered:
            yield problem(f"states/{name}", "state_unreachable", name=name)


def _given_in(d: Definition, name: str, spec: CommandSpec) -> set[str]:
    """The states in which there is somebody who gives a command: a person, or the platform where it is told to."""
    if name in _platform_gives(d):
        return set(d.states)
    lines = [line for line in spec.who if set(line.roles) != {"system"}]
    if any(not line.from_ for line in lines):
        return set(d.states)
    return {state for line in lines for state in line.from_}


def _platform_gives(d: Definition) -> set[str]:
    """Commands that triggers, the second look, opening, or an effect of this or of a child's file give."""
    recheck = d.recheck
    keys = ("clear", "standing", "person", "finished", "close", "relapse")
    looked = {getattr(recheck, key) for key in keys} if recheck is not None else set()
    named = {
        str(each.get("command")) for spec in d.commands.values() for each in spec.effects if isinstance(each, dict)
    }
    return {*d.triggered, *d.automatic.values(), *looked, *named}


def _reaching(ends: set[str], steps: list[Step]) -> set[str]:
    """States from which an end can be reached."""
    reaching = set(ends)
    back = {state for origin, to in steps for state in origin if to == REMEMBERED}  # goes where it came from
    grew = True
    while grew:
        more = {s for origin, to in steps for s in origin if to in reaching} - reaching
        if reaching - ends:
            more |= back - reaching
        grew = bool(more)
        reaching |= more
    return reaching


def _reported(d: Definition) -> set[str]:
    """States in which a case may begin besides the initial one."""
    spec = d.commands.get("report")
    begun = {move.to for move in spec.moves if move.to} if spec else set()
    return begun | {name for key, name in d.automatic.items() if key == "register_from"}


def _remembers(d: Definition) -> bool:
    return any("remember_state" in spec.effect_names for spec in d.commands.values())
