"""双公示 as fields of a record: on which day a decision was taken, and whether it was published in time.

The last day to publish is seven work days after the decision by the district's calendar, which no database knows: the
days of three years are handed to it as one text of fixed width, looked up by the distance from its first day.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, Text, and_, bindparam, case, cast, func, literal, or_

from core.clock import BEIJING
from core.legal_time.calendar import WorkCalendar
from measures.source import Asked
from records.publicity.deadlines import PUBLISH_WORK_DAYS
from storage.tables.records import RegisterRecord as Row

KNOWN_DAYS = 3 * 366  # decisions older than that have no timeliness here; the page 双公示 judges every one
_WIDTH = 10
_REGISTERS = ("licence_publicity", "penalty_publicity")
_DAY = r"^\d{4}-\d{2}-\d{2}$"


def decided() -> ColumnElement[str]:
    """The day of the decision, of either register."""
    return func.coalesce(
        func.nullif(Row.data["XK_JDRQ"].as_string(), ""), func.nullif(Row.data["CF_JDRQ"].as_string(), "")
    )


def authority() -> ColumnElement[str]:
    """Who decided, of either register."""
    return func.coalesce(Row.data["XK_XKJG"].as_string(), Row.data["CF_CFJG"].as_string())


def timeliness(asked: Asked) -> ColumnElement[str | None]:
    """``on_time``, ``late``, ``overdue`` (not published, the limit has passed), ``open``; NULL for other records."""
    today = asked.now.astimezone(BEIJING).date()
    first = today - timedelta(days=KNOWN_DAYS)
    at, published = decided(), func.nullif(Row.data["published"].as_string(), "")
    due = func.substr(bindparam(None, _days(first, today, asked.calendar), Text), _place(asked, at, first), _WIDTH)
    return case(
        (Row.register_id.not_in(_REGISTERS), None),
        (or_(at.is_(None), at < first.isoformat(), at > today.isoformat(), published < at), None),
        (and_(published.is_(None), due < today.isoformat()), literal("overdue")),
        (published.is_(None), literal("open")),
        (published <= due, literal("on_time")),
        else_=literal("late"),
    )


def _place(asked: Asked, at: ColumnElement[str], first: date) -> ColumnElement[Any]:
    """Where the day's limit begins in the text, counted from 1; a text that is no day has no place."""
    distance: ColumnElement[Any]
    if asked.postgres:
        distance = case((at.op("~")(_DAY), cast(at, Date) - first), else_=None)
    else:
        distance = cast(func.julianday(at) - func.julianday(first.isoformat()), Integer)
    return cast(distance, Integer) * _WIDTH + 1


def _days(first: date, last: date, calendar: WorkCalendar) -> str:
    """The last day to publish of every day from ``first`` to ``last``, one behind the other."""
    works = [o for o in range(first.toordinal() + 1, last.toordinal() + 60) if calendar.works(o)]
    found, at = [], 0
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        while works[at] <= ordinal:
            at += 1
        found.append(date.fromordinal(works[at + PUBLISH_WORK_DAYS - 1]).isoformat())
    return "".join(found)
