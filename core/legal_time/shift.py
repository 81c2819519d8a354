"""An instant moved by an amount of legal time, on or back.  Pure.

On is :func:`core.legal_time.workclock.deadline`; back is its mirror: one working hour before Monday 08:20 is
Friday 17:20 where work ends at 18:00.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.legal_time.calendar import WorkCalendar
from core.legal_time.limits import Limit
from core.legal_time.workclock import DeadlineUnreachable, amount, deadline, windows_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DAYS = 3660


def shifted(moment: datetime, by: Limit, calendar: WorkCalendar, *, back: bool = False) -> datetime:
    """``moment`` (aware) moved on by ``by``, or ``back``; :class:`DeadlineUnreachable` after ten years without work."""
    if not by.value:
        return moment
    if not back:
        at = deadline(moment, by, calendar).at
        assert at is not None  # nothing suspends this
        return at
    need = amount(by, calendar)
    if not by.unit.startswith("work"):
        return moment - timedelta(microseconds=need)
    return _back(moment, need, calendar)


def _back(moment: datetime, need: int, calendar: WorkCalendar) -> datetime:
    position = (moment - _EPOCH) // timedelta(microseconds=1)
    ordinal = moment.astimezone(calendar.zone).date().toordinal()
    for day in range(ordinal, ordinal - _MOST_DAYS, -1):
        if not calendar.works(day):
            continue
        for begin, end in reversed(windows_of(calendar, day)):
            last = min(end, position)
            if last <= begin:
                continue
            if last - begin >= need:
                return (_EPOCH + timedelta(microseconds=last - need)).astimezone(calendar.zone)
            need -= last - begin
    raise DeadlineUnreachable(field="calendar", detail=f"has no work for {_MOST_DAYS} days", how="mend the calendar")


