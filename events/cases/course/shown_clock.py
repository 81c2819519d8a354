"""Which of a case's running clocks is shown and warned of: the one that somebody must meet next.  Pure.

A definition may list its clocks in ``shown_clock``; then the first of them that runs is shown.  Without a list it is
the earliest running clock that a command from the present state would stop: that is what the people of this state must
meet.  A clock that only bounds a right (the window of a ``within_clock`` guard) is nobody's deadline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from events.cases.definition import ANY, Definition

_NEVER = datetime.max.replace(tzinfo=UTC)


def shown_clock(definition: Definition, state: str, running: Mapping[str, datetime | None]) -> str | None:
    """The kind to show; ``running``: the deadline of each running clock, None while suspended.  None: none runs."""
    if not running:
        return None
    listed = [kind for kind in definition.shown_clock if kind in running]
    if listed:
        return next((kind for kind in listed if running[kind] is not None), listed[0])
    duties = running.keys() - definition.windows
    stoppable = stopped_from(definition, state)
    due = duties if ANY in stoppable else duties & stoppable
    return _earliest(due or duties or running.keys(), running)


def _earliest(kinds: Iterable[str], running: Mapping[str, datetime | None]) -> str:
    return min(kinds, key=lambda kind: (running[kind] or _NEVER, kind))


def stopped_from(definition: Definition, state: str) -> frozenset[str]:
    """Clocks that some command stops which is possible in ``state``; ``*`` only when nothing else is named."""
    found: set[str] = set()
    for spec in definition.commands.values():
        if any(state in move.from_ or ANY in move.from_ for move in spec.moves):
            found.update(spec.clocks.stop)
            if {"finish_part", "leave_part"} & set(spec.effect_names):  # a part's clocks stop with it
                found.update(kind for kind, clock in definition.clocks.items() if clock.part)
    named = found - {ANY} - definition.windows
    return frozenset(named or found)
