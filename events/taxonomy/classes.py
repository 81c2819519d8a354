"""Components and events (部件和事件): classes, filing conditions, limits — editable defaults, by code-set version.

A class is written ``event-05-06`` or ``component-01-01``: kind, 大类, 小类.  The numbers of the 2007 and 2013 code sets
differ (04 and 05 of the events are swapped), so a code never goes without its version.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.ids import derived_id
from core.legal_time.limits import Limit
from core.records import Record
from events.taxonomy.codesets import CURRENT, as_current, old_classes
from storage.tables.cases import CaseStandard

SHIPPED = Path(__file__).parent / "case_standards.csv"
_HOURS = {"urgent_hour": 1.0, "work_hour": 3.0, "urgent_day": 24.0, "work_day": 24.0}  # for "which is stricter" only


class Standard(Record, frozen=True):
    """One filing condition (立案情形) of a class, its handling limit and its closing condition (结案条件)."""

    class_version: str
    kind: str  # event, component
    big_code: str
    big_name: str
    small_code: str
    small_name: str
    condition: str = ""
    limit_value: float | None = None
    limit_unit: str = ""
    close_condition: str = ""
    local_extension: bool = False
    source: str = ""
    enabled: bool = True

    @property
    def class_code(self) -> str:
        return f"{self.kind}-{self.big_code}-{self.small_code}"

    @property
    def standard_id(self) -> str:
        return derived_id("standard", self.class_version, self.class_code, self.condition)

    @property
    def limit(self) -> Limit | None:
        if self.limit_value is None or not self.limit_unit:
            return None
        return Limit(value=self.limit_value, unit=self.limit_unit)  # type: ignore[arg-type]


@cache
def shipped_standards() -> tuple[Standard, ...]:
    """The table that comes with Yiwang: one city's official list and the demo district's extensions."""
    with SHIPPED.open(encoding="utf-8", newline="") as file:
        return tuple(msgspec.convert(dict(row), Standard, strict=False) for row in csv.DictReader(file))


def class_names() -> dict[tuple[str, str], str]:
    """The names of the classes we know by (code, version)."""
    names = {(s.class_code, s.class_version): s.small_name for s in shipped_standards()}
    return names | {(old.code, "2007"): old.name for old in old_classes().values()}


@cache
def _shipped_limits() -> dict[tuple[str, str], Limit]:
    found: dict[tuple[str, str], list[Limit]] = {}
    for standard in shipped_standards():
        if standard.limit is not None:
            found.setdefault((standard.class_code, standard.class_version), []).append(standard.limit)
    return {key: strictest(limits) for key, limits in found.items()}


def strictest(limits: Iterable[Limit]) -> Limit:
    """The shortest of several limits (hours of work roughly weighed against natural ones)."""
    return min(limits, key=lambda limit: limit.value * _HOURS[limit.unit])


def limit_of(session: Session, class_code: str, class_version: str) -> Limit | None:
    """The handling limit of a class: the strictest of its conditions until somebody says which one holds.

    The district's own table goes before the one we ship; a class of 2007 has the limit of its equal of 2013.
    """
    if not class_code:
        return None
    rows = session.execute(
        select(CaseStandard.limit_value, CaseStandard.limit_unit, CaseStandard.enabled).where(
            CaseStandard.class_code == class_code, CaseStandard.class_version == class_version
        )
    ).all()
    if not rows:
        return _shipped_limits().get((as_current(class_code, class_version), CURRENT))
    limits = [
        Limit(value=r.limit_value, unit=r.limit_unit) for r in rows if r.enabled and r.limit_value and r.limit_unit
    ]
    return strictest(limits) if limits else None
