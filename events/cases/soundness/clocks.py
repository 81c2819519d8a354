"""Clocks: limits that can be met, reminders that can be read, every clock started and stopped by something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.errors import YiwangError
from events.cases.definition import ANY, ClockMoves, Definition
from events.cases.definition_problems import DefinitionProblem, problem, unknown
from events.legal_time.requests import parse_reminder

PARTS = ("lead", "assist", ANY)
MOST = {"urgent_hour": 87_600, "work_hour": 20_000, "work_day": 2_500, "urgent_day": 3_650}  # ten years
GAMING = ("fast_finish", "late_return")


def clock_problems(d: Definition) -> Iterator[DefinitionProblem]:
    """Of clocks, reminders, what is shown and counted."""
    for kind, clock in d.clocks.items():
        at = f"clocks/{kind}"
        value, unit = clock.limit.value, clock.limit.unit
        if value <= 0:
            yield problem(f"{at}/limit", "limit_too_small", value=f"{value:g}")
        elif value > MOST[unit]:
            yield problem(f"{at}/limit", "limit_too_long", value=f"{value:g}", unit=unit, most=MOST[unit])
        if clock.part not in ("", *PARTS):
            yield unknown(f"{at}/part", "part_unknown", clock.part, PARTS)
        if clock.field and clock.field not in d.fields:
            yield unknown(f"{at}/field", "field_unknown", clock.field, d.fields)
        yield from _reminders(f"{at}/remind", clock.remind, unit)
    yield from _reminders("remind", d.remind, "work_day")
    yield from (unknown("shown_clock", "shown_clock_unknown", k, d.clocks) for k in d.shown_clock if k not in d.clocks)
    yield from _unmoved(d)
    yield from _of_counting(d)


def _reminders(at: str, listed: Iterable[str] | None, unit: str) -> Iterator[DefinitionProblem]:
    for text in listed or ():
        try:
            parse_reminder(text, unit)
        except YiwangError:
            yield problem(at, "reminder_invalid", name=text, unit=unit)


def _unmoved(d: Definition) -> Iterator[DefinitionProblem]:
    """Clocks that no command starts, and those that are started and never stop."""
    started, stopped = _named(d, "start"), _named(d, "stop")
    ended = {trigger.clock for trigger in d.triggers if trigger.on == "clock_ended"}
    part_ends = any({"finish_part", "leave_part"} & set(spec.effect_names) for spec in d.commands.values())
    for kind, clock in d.clocks.items():
        if kind not in started:
            yield problem(f"clocks/{kind}", "clock_never_started", name=kind)
        elif not {kind, ANY} & stopped and kind not in ended and not (clock.part and part_ends):
            yield problem(f"clocks/{kind}", "clock_never_stopped", name=kind)


def _named(d: Definition, what: str) -> set[str]:
    return {kind for spec in d.commands.values() for kind in getattr(spec.clocks, what)}


def _of_counting(d: Definition) -> Iterator[DefinitionProblem]:
    if d.counting is None:
        return
    if d.counting.on_time and d.counting.on_time not in d.clocks:
        yield unknown("counting/on_time", "counting_unknown", d.counting.on_time, d.clocks)
    for state in d.counting.handled:
        if state not in d.states:
            yield unknown("counting/handled", "counting_state_unknown", state, d.states)
    for guard in d.counting.guards:
        if guard not in GAMING:
            yield unknown("counting/guards", "counting_guard_unknown", guard, GAMING)


def clock_kinds(moves: ClockMoves) -> set[str]:
    """Every clock that a command moves."""
    return {*moves.start, *moves.stop, *moves.suspend, *moves.resume, *moves.reopen}
