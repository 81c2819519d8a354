"""Totals of the units below: exact, partial where a part is missing, stale after a change (standards/11 §9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from core.errors import InputInvalid
from core.service_quality import rate

RULES = ("sum", "ratio", "latest", "count", "list", "none")
MISSING_STATES = frozenset({"open", "saved", "returned"})  # a returned child is missing again


@dataclass(frozen=True, slots=True)
class Child:
    """One unit's part: ``value`` (or ``num`` and ``den`` of a ratio), its filing's ``state``, ``exempt``."""

    unit: str
    value: Any = None
    num: Any = None
    den: Any = None
    exempt: bool = False
    state: str = "filed"
    at: str = ""  # when it was filed: the order of ``latest``


@dataclass(frozen=True, slots=True)
class Total:
    """``value`` None: no part was there.  ``missing`` are the units without a part."""

    value: Any
    partial: bool
    missing: tuple[str, ...] = ()


def roll_up(rule: str, children: Iterable[Child]) -> Total:
    """The total of ``children`` by ``rule``; a missing value is not zero, an exempt unit is not missing."""
    if rule not in RULES:
        raise InputInvalid(field="rule", detail=f"{rule!r} is not a roll-up rule", how=f"use one of {', '.join(RULES)}")
    expected = [child for child in children if not child.exempt]
    present = [child for child in expected if _present(rule, child)]
    missing = tuple(child.unit for child in expected if not _present(rule, child))
    if rule == "none":
        return Total(None, False, ())
    return Total(_value(rule, present), bool(missing), missing)


def _present(rule: str, child: Child) -> bool:
    if child.state in MISSING_STATES:
        return False
    if rule == "ratio":
        return _given(child.num) and _given(child.den)
    return _given(child.value)


def _given(value: Any) -> bool:
    return value is not None and value != "" and value != []


def _value(rule: str, present: Sequence[Child]) -> Any:
    if rule == "count":
        return len(present)
    if not present:
        return None
    if rule == "sum":
        return plain(sum((exact(child.value, child.unit) for child in present), Decimal(0)))
    if rule == "ratio":
        upper = sum((exact(child.num, child.unit) for child in present), Decimal(0))
        lower = sum((exact(child.den, child.unit) for child in present), Decimal(0))
        return rate(float(upper), float(lower))
    if rule == "latest":
        return max(present, key=lambda child: child.at).value
    return [child.value for child in present]


def exact(value: Any, unit: str) -> Decimal:
    """A number as decimal digits, so that 0.1 × 3 is 0.3."""
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise InputInvalid(
            field=unit, detail=f"{value!r} is not a number", how="mend the cell and roll up again"
        ) from error
    if not number.is_finite() or isinstance(value, bool):
        raise InputInvalid(field=unit, detail=f"{value!r} is not a number", how="mend the cell and roll up again")
    return number


def plain(number: Decimal) -> int | float:
    """An int where it is whole, else the nearest float."""
    return int(number) if number == number.to_integral_value() else float(number)


@dataclass
class Part:
    value: Any
    approved: bool


@dataclass
class TotalsBook:
    """One question's cells and totals through edits and approvals: which total no longer equals its parts.

    ``parents`` gives the unit above; a unit without an entry belongs to every total (one level, as in a town).
    """

    parents: Mapping[str, str] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    totals: dict[str, Any] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)

    def approve(self, unit: str, value: Any = None) -> None:
        part = self.parts.get(unit)
        kept = part.value if part is not None and value is None else value
        if part is None or not part.approved or part.value != kept:
            self._touch(unit)
        self.parts[unit] = Part(kept, True)

    def unapprove(self, unit: str) -> None:
        part = self.parts.get(unit)
        if part is not None and part.approved:
            self.parts[unit] = Part(part.value, False)
            self._touch(unit)

    def edit(self, unit: str, value: Any) -> None:
        part = self.parts.get(unit)
        if part is not None and part.approved:
            raise InputInvalid(field=unit, detail="is approved and locked", how="take the approval back first")
        if part is None or part.value != value:
            self.parts[unit] = Part(value, False)
            self._touch(unit)

    def roll_up(self, unit: str, rule: str = "sum") -> Total:
        children = [
            Child(name, part.value, state="approved" if part.approved else "saved")
            for name, part in self.parts.items()
            if name != unit and self.parents.get(name, unit) == unit
        ]
        total = roll_up(rule, children)
        if self.totals.get(unit) != total.value:
            self._touch(unit)
        self.totals[unit] = total.value
        self.stale.discard(unit)
        return total

    def _touch(self, unit: str) -> None:
        """Mark every total above as stale; what was shown stays until it is rolled up again."""
        if unit not in self.parents:
            self.stale.update(name for name in self.totals if name != unit)
            return
        seen: set[str] = set()
        above = self.parents.get(unit)
        while above is not None and above not in seen:
            seen.add(above)
            if above in self.totals:
                self.stale.add(above)
            above = self.parents.get(above)
