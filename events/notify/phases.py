"""When somebody is reminded of a deadline: before, at and after it, in the time that its limit is counted in.  Pure.

A definition (or one of its clocks) lists them: ``-3 work_day``, ``-1 work_hour``, ``0``, ``+1 work_day``.  Without a
list: an hour and a quarter of an hour before, at, an hour and a day after, in working time where the limit is.
"""

from __future__ import annotations

from functools import lru_cache

from core.legal_time.limits import Limit
from core.records import Record
from events.cases.definition import Definition
from events.legal_time.requests import parse_reminder

_ZH = {"work_hour": "个工作小时", "work_day": "个工作日", "urgent_hour": "小时", "urgent_day": "天"}
_EN = {"work_hour": "working hour", "work_day": "working day", "urgent_hour": "hour", "urgent_day": "day"}


class Phase(Record, frozen=True):
    """``sign``: −1 before the deadline, 0 at it, 1 after; ``role``: who is told besides those who must meet it."""

    name: str
    sign: int
    by: Limit
    heading: str
    role: str = ""


def _phase(name: str, sign: int, value: float, unit: str, heading: str, role: str = "") -> Phase:
    return Phase(name=name, sign=sign, by=Limit(value=value, unit=unit), heading=heading, role=role)  # type: ignore[arg-type]


def _standard(hour: str, day: str) -> tuple[Phase, ...]:
    return (
        _phase("before_1h", -1, 1, hour, "1小时后到期 / Due in an hour"),
        _phase("before_15min", -1, 0.25, hour, "15分钟后到期 / Due in 15 minutes"),
        _phase("at", 0, 0, hour, "已到期 / Due now", "dispatcher"),
        _phase("after_1h", 1, 1, hour, "超期1小时 / Overdue by an hour", "dispatcher"),
        _phase("after_24h", 1, 1, day, "超期1天 / Overdue by a day", "manager"),
    )


NATURAL = _standard("urgent_hour", "urgent_day")
WORKING = _standard("work_hour", "work_day")


@lru_cache(maxsize=512)
def parse_phase(text: str, unit: str = "work_day") -> Phase:
    """``"-1 work_day"``, ``"0"``, ``"+2"`` (then in ``unit``) as a phase."""
    sign, by = parse_reminder(text, unit)
    if not by.value:
        return _phase("at", 0, 0, by.unit, "已到期 / Due now")
    number, plural = f"{by.value:g}", "" if by.value == 1 else "s"
    words_zh, words_en = f"{number}{_ZH[by.unit]}", f"{number} {_EN[by.unit]}{plural}"
    if sign == "-":
        name, heading = f"before_{number}_{by.unit}", f"还有{words_zh}到期 / Due in {words_en}"
        return Phase(name=name, sign=-1, by=by, heading=heading)
    name, heading = f"after_{number}_{by.unit}", f"超期{words_zh} / Overdue by {words_en}"
    return Phase(name=name, sign=1, by=by, heading=heading)


def phases_of(definition: Definition | None, kind: str, unit: str) -> tuple[Phase, ...]:
    """The phases of a clock ``kind`` whose limit is in ``unit`` ("" for one that nobody knows)."""
    spec = definition.clocks.get(kind) if definition is not None else None
    listed = spec.remind if spec is not None and spec.remind is not None else definition.remind if definition else None
    if listed is not None:
        return tuple(parse_phase(text, unit or "work_day") for text in listed)
    return WORKING if unit.startswith("work") else NATURAL


def all_phases(definitions: list[Definition]) -> dict[tuple[int, float, str], Phase]:
    """Every phase that any clock may have, by what it shifts a deadline by."""
    found = [*NATURAL, *WORKING]
    for definition in definitions:
        for kind, spec in definition.clocks.items():
            found += phases_of(definition, kind, spec.limit.unit)
        for text in definition.remind or ():
            found += [parse_phase(text, unit) for unit in _ZH]
    return {key_of(phase): phase for phase in found}


def key_of(phase: Phase) -> tuple[int, float, str]:
    """What tells two phases apart."""
    return phase.sign, phase.by.value, phase.by.unit if phase.sign else ""
