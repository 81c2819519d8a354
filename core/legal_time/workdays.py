"""Limits in whole days, as laws state them: the day of the event is not counted, the last day counts whole.

For limits with hours inside see :mod:`core.legal_time.workclock`.  ``provisional`` says that a year was counted
whose holiday notice is not in the calendar.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.errors import InputInvalid
from core.legal_time.calendar import WorkCalendar

_MOST_DAYS = 366 * 300


@dataclass(frozen=True, slots=True)
class DayLimit:
    """The last day of a limit."""

    due: date
    provisional: bool = False


def work_days_after(
    start: date, days: int, calendar: WorkCalendar, suspended: tuple[tuple[date, date], ...] = ()
) -> DayLimit:
    """The ``days``-th work day after ``start``.

    A suspension ``(began, ended)`` takes out the days after it began up to and including the day it ended.
    0 days is the day itself.
    """
    if days < 0:
        raise InputInvalid(field="days", detail=f"{days} is less than 0", how="give a number of work days")
    ordinal, left, last = start.toordinal(), days, start.toordinal() + _MOST_DAYS
    pauses = [(begin.toordinal(), end.toordinal()) for begin, end in suspended]
    while left:
        ordinal += 1
        if ordinal > last or ordinal > date.max.toordinal() - 1:
            raise InputInvalid(
                field="calendar", detail="has too few work days for the limit", how="mend the weekend, or the limit"
            )
        if calendar.works(ordinal) and not any(begin < ordinal <= end for begin, end in pauses):
            left -= 1
    due = date.fromordinal(ordinal)
    return DayLimit(due, _provisional(start, due, calendar))


def work_days_between(start: date, end: date, calendar: WorkCalendar) -> int:
    """Work days in ``(start, end]``: 0 on the same day, negative when ``end`` lies before."""
    if end < start:
        return -work_days_between(end, start, calendar)
    return sum(calendar.works(o) for o in range(start.toordinal() + 1, end.toordinal() + 1))


def natural_days_after(start: date, days: int, calendar: WorkCalendar) -> DayLimit:
    """The ``days``-th natural day after ``start``; a period that ends on a rest day ends on the next work day.

    民法典 第203条 (standards/11 §10, from memory: verify before a legal effect hangs on it).
    """
    ordinal = start.toordinal() + days
    while not calendar.works(ordinal) and not calendar.never_after(ordinal):
        ordinal += 1
    due = date.fromordinal(ordinal)
    return DayLimit(due, _provisional(start, due, calendar))


def shortest_span(work_days: int) -> int:
    """The fewest natural days that ``work_days`` work days can take without shifted workdays."""
    return work_days + 2 * ((work_days - 1) // 5) if work_days > 0 else 0


def longest_span(work_days: int) -> int:
    """The most natural days that ``work_days`` work days can take without a holiday."""
    return work_days + 2 * -(-work_days // 5) if work_days > 0 else 0


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later; a day that the month lacks becomes its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        if last <= day.day:
            try:
                return date(year, month + 1, last)
            except ValueError:
                continue
    raise InputInvalid(field="date", detail=f"{day} + {months} months", how="give a date within the calendar")


def _provisional(first: date, last: date, calendar: WorkCalendar) -> bool:
    if not calendar.published:
        return False
    return any(year not in calendar.published for year in range(first.year, last.year + 1))
