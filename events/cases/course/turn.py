"""Whose turn is it?  Pure: who is expected to act on a case in its present state."""

from __future__ import annotations

from core.records import Actor
from events.cases.course.relations import CaseState, may
from events.cases.definition import Definition
from events.cases.lifecycle import allowed, move_of


def has_turn(case: CaseState, actor: Actor, definition: Definition) -> bool:
    """Is ``actor`` expected to act now?

    The state's own ``turn`` says who; without one it is everybody who may give a command that changes the state.
    A closed case waits for nobody.
    """
    state = definition.states[case.state]
    if not state.open:
        return False
    if state.turn is not None:
        return may(actor, case, state.turn)
    return any(changes_state(case, actor, definition, name) for name in allowed(case, actor, definition))


def changes_state(case: CaseState, actor: Actor, definition: Definition, name: str) -> bool:
    """Would command ``name``, given by ``actor``, lead to another state?"""
    move = move_of(case, definition.commands[name], actor)[0]
    return move is not None and move.to is not None and move.to != case.state
