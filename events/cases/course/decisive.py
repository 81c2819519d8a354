"""In which order commands are offered: what decides comes first, remarks and what is rare come last.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from events.cases.definition import ANY, CommandSpec, Definition


def decisive_first(definition: Definition, names: Iterable[str], state: str) -> list[str]:
    """``names`` as a person in ``state`` should meet them.

    First what the definition marks ``forward``, then what changes the state, then what is possible in some states
    only, then what is possible in every state and changes none (a remark, a file), last what it marks ``rare``.
    """
    order = {name: at for at, name in enumerate(definition.commands)}
    specs = definition.commands
    return sorted(names, key=lambda name: (*_rank(specs[name], state), order[name]))


def forward_among(definition: Definition, names: Iterable[str], state: str) -> frozenset[str]:
    """Those that move the case on: marked so, or where none is, the first that changes the state."""
    listed = decisive_first(definition, names, state)
    marked = frozenset(name for name in listed if definition.commands[name].forward)
    if marked:
        return marked
    specs = definition.commands
    return frozenset([name for name in listed if _moves(specs[name], state) and not specs[name].rare][:1])


def _rank(spec: CommandSpec, state: str) -> tuple[bool, bool, bool, bool]:
    return spec.rare, not spec.forward, not _moves(spec, state), _anywhere(spec)


def _moves(spec: CommandSpec, state: str) -> bool:
    return any(move.to and move.to != state for move in spec.moves if state in move.from_ or ANY in move.from_)


def _anywhere(spec: CommandSpec) -> bool:
    return all(move.to is None and ANY in move.from_ for move in spec.moves)
