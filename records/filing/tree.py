"""The units that file, and the ones above them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.language.reading import own_name
from storage.tables.filing import FilingUnit


@dataclass(frozen=True)
class UnitTree:
    """``parents``: unit → the one above (None on top); ``names``."""

    parents: Mapping[str, str | None]
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def children(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for unit, parent in self.parents.items():
            if parent is not None:
                found.setdefault(parent, []).append(unit)
        return {unit: sorted(below) for unit, below in found.items()}

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        return tuple(sorted(unit for unit in self.parents if unit not in self.children))

    def must_have(self, unit: str) -> str:
        """``unit``; :class:`NotFound` when there is none."""
        if unit not in self.parents:
            raise NotFound(what="unit", key=unit)
        return unit

    def above(self, unit: str) -> Iterator[str]:
        """The units above, the nearest first."""
        seen = {unit}
        parent = self.parents.get(unit)
        while parent is not None and parent not in seen:
            seen.add(parent)
            yield parent
            parent = self.parents.get(parent)

    def leaves_below(self, unit: str) -> list[str]:
        """The leaves of a unit; a leaf is its own."""
        below = self.children.get(unit)
        if not below:
            return [unit]
        return [leaf for child in below for leaf in self.leaves_below(child)]

    def within(self, unit: str, top: str) -> bool:
        """Is ``unit`` ``top`` itself or below it?"""
        return unit == top or top in self.above(unit)


def load_tree(session: Session) -> UnitTree:
    """The units of the database, named in the reader's language."""
    rows = session.scalars(select(FilingUnit)).all()
    names = {row.unit_id: own_name(row.name, row.name_en) for row in rows}
    return UnitTree({row.unit_id: row.parent_id for row in rows}, names)


def save_units(
    session: Session, units: Iterable[tuple[str, str, str | None]], english: Mapping[str, str] | None = None
) -> None:
    """Add or change units ``(id, name, parent)``, upper ones first; ``english``: id → English name."""
    for unit_id, name, parent in units:
        row = FilingUnit(unit_id=unit_id, name=name, parent_id=parent, division_code=unit_id[:12])
        if english:
            row.name_en = english.get(unit_id)
        session.merge(row)
        session.flush()
