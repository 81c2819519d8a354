"""Filters of case lists: what a person chose, as conditions, and those that he keeps under a name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

import msgspec
from sqlalchemy import delete, func, select

from core.clock import BEIJING
from core.errors import InputInvalid
from core.records import Record
from dashboard.auth import Principal
from dashboard.services import Services
from events.cases.queries import CaseFilter
from storage.session import read_scope, session_scope
from storage.tables.files import CaseSavedFilter

MOST_KEPT = 50
LONGEST_NAME = 60
PERIODS = ("today", "yesterday", "week", "30_days", "month", "last_month", "year")


class Chosen(Record, frozen=True):
    """What is chosen on the page; "" and None: everything.

    ``state``: open or closed.  ``severity``: "1" (IV) … "4" (I), at least.  ``period``: one of :data:`PERIODS`, when
    the case was opened, counted from the day on which the list is read.  ``late``: open and past the deadline.
    """

    view: str = "turn"
    q: str = ""
    kind: str | None = None
    state: str | None = None
    severity: str | None = None
    department: str | None = None
    period: str | None = None
    late: bool = False


def chosen_of(body: Mapping[str, Any]) -> Chosen:
    """``body`` of the page or of a kept filter.

    Raises:
        InputInvalid: a value that the page does not offer.
    """
    try:
        found = msgspec.convert(dict(body), Chosen)
        if found.state not in (None, "", "open", "closed") or found.severity not in (None, "", "1", "2", "3", "4"):
            raise ValueError(f"state {found.state!r}, severity {found.severity!r}")
        if found.period not in (None, "", *PERIODS):
            raise ValueError(f"period {found.period!r}")
        return found
    except (msgspec.ValidationError, ValueError) as error:
        raise InputInvalid(field="filter", detail=str(error), how="choose what the page offers") from error


def conditions(found: Chosen, now: datetime) -> CaseFilter:
    """The filter as the case lists take it."""
    begin, end = _between(found.period, now)
    return CaseFilter(
        open=True if found.late else {"open": True, "closed": False}.get(found.state or ""),
        severity=int(found.severity) if found.severity else None,
        department=found.department or None,
        definition=found.kind or None,
        opened_from=begin,
        opened_to=end,
        overdue_at=now if found.late else None,
    )


def _between(period: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The first instant of the period and the first after it, by Beijing days."""
    today = datetime.combine(now.astimezone(BEIJING).date(), time(), BEIJING)
    month = today.replace(day=1)
    match period:
        case "today":
            return today, None
        case "yesterday":
            return today - timedelta(days=1), today
        case "week":
            return today - timedelta(days=6), None
        case "30_days":
            return today - timedelta(days=29), None
        case "month":
            return month, None
        case "last_month":
            return (month - timedelta(days=1)).replace(day=1), month
        case "year":
            return today.replace(month=1, day=1), None
        case _:
            return None, None


def kept(use: Services, who: Principal) -> dict[str, Chosen]:
    """The person's own filters by name; one that this version no longer understands is left out."""
    query = select(CaseSavedFilter).where(CaseSavedFilter.user_id == who.actor.user_id).order_by(CaseSavedFilter.name)
    found = {}
    with read_scope(use.engine) as session:
        for row in session.scalars(query):
            try:
                found[row.name] = chosen_of(row.body)
            except InputInvalid:
                continue
    return found


def keep(use: Services, who: Principal, name: str, found: Chosen) -> None:
    """Keep a filter under ``name``; one of that name is replaced.

    Raises:
        InputInvalid: no name, too long a name, or too many filters.
    """
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise InputInvalid(field="name", detail=f"{len(name)} characters", how=f"give 1 … {LONGEST_NAME}")
    mine = CaseSavedFilter.user_id == who.actor.user_id
    with session_scope(use.engine) as session:
        others = session.scalar(select(func.count()).where(mine, CaseSavedFilter.name != name)) or 0
        if others >= MOST_KEPT:
            raise InputInvalid(field="name", detail=f"{others} filters are kept", how="drop one that is not used")
        row = CaseSavedFilter(user_id=who.actor.user_id, name=name, body=msgspec.to_builtins(found),
                              saved_at=use.clock.now())  # fmt: skip
        session.merge(row)


def drop(use: Services, who: Principal, name: str) -> None:
    """Drop one of the person's own filters."""
    with session_scope(use.engine) as session:
        session.execute(delete(CaseSavedFilter).where(
            CaseSavedFilter.user_id == who.actor.user_id, CaseSavedFilter.name == name
        ))  # fmt: skip
