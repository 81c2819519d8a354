"""Who files for a unit, who approves it, who sees what: by division, department and role."""

from __future__ import annotations

from core.errors import Forbidden, NotFound
from core.records import Actor
from records.filing.tree import UnitTree

OWNERS = frozenset({"admin", "manager", "system"})


def own_units(actor: Actor, tree: UnitTree) -> list[str]:
    """The units that the person belongs to: of his division, of his department (staff); all tops for owners."""
    if set(actor.roles) & OWNERS:
        return [unit for unit, parent in tree.parents.items() if parent is None]
    return [unit for unit in _of(actor) if unit in tree.parents]


def _of(actor: Actor) -> list[str]:
    department = actor.department_id if "staff" in actor.roles else None
    return [unit for unit in dict.fromkeys((actor.division_code, department)) if unit]


def may_see(actor: Actor, unit: str, tree: UnitTree) -> bool:
    """A unit sees itself and what is below; owners see all."""
    return any(tree.within(unit, own) for own in own_units(actor, tree))


def must_see(actor: Actor, unit: str, tree: UnitTree) -> str:
    """``unit``; :class:`NotFound` also for one that the person may not see."""
    if unit not in tree.parents or not may_see(actor, unit, tree):
        raise NotFound(what="unit", key=unit)
    return unit


def must_file(actor: Actor, unit: str, tree: UnitTree) -> None:
    """Only the unit itself files, or an owner for it; :class:`Forbidden` otherwise."""
    must_see(actor, unit, tree)
    if not set(actor.roles) & OWNERS and unit not in _of(actor):
        raise Forbidden(action=f"file for {unit}")


def must_approve(actor: Actor, unit: str, tree: UnitTree) -> None:
    """A unit above approves (the top itself is approved by owners); nobody approves himself."""
    must_see(actor, unit, tree)
    if not set(actor.roles) & OWNERS and unit in _of(actor):
        raise Forbidden(action=f"approve your own unit {unit}")
