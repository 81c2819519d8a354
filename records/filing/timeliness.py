"""Complete, on time, locked; and the two rates over units (standards/11 §9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from core.legal_time.calendar import WorkCalendar, statutory_calendar
from core.legal_time.workdays import work_days_after
from core.service_quality import rate

WORK_DAY = "work_day"
NATURAL_DAY = "natural_day"


@dataclass(frozen=True, slots=True)
class FilingRule:
    """Days after the period's end: ``timely_days`` for on time, ``expiry_days`` until the lock (0 = never locks)."""

    timely_days: int
    expiry_days: int = 0
    unit: str = NATURAL_DAY


@dataclass(frozen=True, slots=True)
class Timeliness:
    """Complete and on time are two facts; ``due`` is the last day that is on time."""

    complete: bool
    on_time: bool
    locked: bool
    due: date
    overdue: bool


def timeliness(
    period_end: date, completed: date | None, rule: FilingRule, today: date, calendar: WorkCalendar | None = None
) -> Timeliness:
    """Judge one filing; what is filed before the period's end is on time."""
    due = _after(period_end, rule.timely_days, rule.unit, calendar)
    locked = rule.expiry_days > 0 and today > _after(period_end, rule.expiry_days, rule.unit, calendar)
    on_time = completed is not None and completed <= due
    return Timeliness(completed is not None, on_time, locked, due, completed is None and today > due)


def _after(end: date, days: int, unit: str, calendar: WorkCalendar | None) -> date:
    if unit == WORK_DAY:
        return work_days_after(end, days, calendar or statutory_calendar()).due
    return end + timedelta(days=days)


@dataclass(frozen=True, slots=True)
class FilingRates:
    """Percent with one decimal; None when nothing was expected."""

    expected: int
    rate: float | None
    rate_on_time: float | None


def filing_rates(units: int, exempt: int, actual: int, actual_on_time: int) -> FilingRates:
    """Expected = units − exempt; exempt units are in neither number, so no rate passes 100 %."""
    expected = max(units - exempt, 0)
    return FilingRates(
        expected, rate(min(actual, expected), expected, 1), rate(min(actual_on_time, expected), expected, 1)
    )
