"""The names that kinds of case carry, as words for the browser's modules: no code knows a kind's states by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from events.cases.definition import Definition
from events.cases.kinds_in_force import definitions_in_force


def kind_words(language: str) -> dict[str, str]:
    """``kind.{definition}.{state|stage|command|clock|kind}.{id}`` → its name, for every kind in force."""
    return {
        f"kind.{d.definition_id}.{what}.{name}": words.get(language) or next(iter(words.values()))
        for d in definitions_in_force().values()
        for what, name, words in _names(d)
        if words
    }


def _names(d: Definition) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    yield "kind", d.definition_id, d.name
    yield from (("state", name, state.name) for name, state in d.states.items())
    yield from (("stage", stage.id, stage.name) for stage in d.stages)
    yield from (("command", name, spec.name) for name, spec in d.commands.items())
    yield from (("clock", name, clock.name) for name, clock in d.clocks.items())
