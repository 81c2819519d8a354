"""Queue and appointments of the counter: a number for each, called in order, appointments before walk-ins when due."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.codes.masking import mask_name
from core.errors import InputInvalid, NotFound
from core.ids import new_id
from dashboard.items.counter import CounterDesk
from dashboard.items.errors import SlotTaken
from storage.session import read_scope, session_scope
from storage.tables.items import CounterTicket

A_SLOT = 6  # appointments in half an hour; a setting of the hall
AHEAD = 14  # days that one may book ahead
_SLOT = re.compile(r"(0[89]|1[0-6]):(00|30)", re.ASCII)
ENDS = ("served", "missed", "cancelled")


@dataclass(frozen=True)
class QueueDesk(CounterDesk):
    """The queue of a hall."""

    def listed(self, day: date | None = None) -> list[dict[str, Any]]:
        """The day's numbers in the order in which they are called."""
        with read_scope(self.services.engine) as session:
            sql = select(CounterTicket).where(CounterTicket.day == (day or self.today))
            return [ticket_line(row) for row in sorted(session.scalars(sql), key=self._order)]

    def _order(self, row: CounterTicket) -> tuple[int, int, str]:
        """Open before ended; appointments whose time has come first, then walk-ins, then later appointments."""
        now = f"{self.services.clock.now().astimezone(BEIJING):%H:%M}"
        early = row.kind == "appointment" and row.slot > now
        return (row.state in ENDS, 2 if early else int(row.kind != "appointment"), row.slot + row.number)

    def draw(
        self, kind: str, holder: str, item_id: str = "", day: date | None = None, slot: str = ""
    ) -> dict[str, Any]:
        """A number: ``walk_in`` for today, or an ``appointment`` of a day and time."""
        on = day or self.today
        if kind not in ("walk_in", "appointment"):
            raise InputInvalid(field="kind", detail=f"{kind!r}", how="walk_in or appointment")
        if kind == "walk_in":
            on, slot = self.today, ""
        elif not _SLOT.fullmatch(slot) or not self.today <= on <= self.today + timedelta(days=AHEAD):
            raise InputInvalid(field="slot", detail=f"{on} {slot!r}", how=f"half hours, {AHEAD} days ahead")
        with session_scope(self.services.engine) as session:
            if kind == "appointment":
                self._must_have_room(session, on, slot)
            row = CounterTicket(
                ticket_id=new_id(), day=on, number=self._number(session, on, kind), kind=kind, slot=slot,
                item_id=item_id[:26], holder=mask_name(holder.strip())[:80],
                state="waiting" if kind == "walk_in" else "booked", made_by=self.actor.user_id,
                made_at=self.services.clock.now(),
            )  # fmt: skip
            session.add(row)
            session.flush()
            return ticket_line(row)

    def _must_have_room(self, session: Session, on: date, slot: str) -> None:
        taken = select(func.count()).where(
            CounterTicket.day == on, CounterTicket.slot == slot, CounterTicket.state != "cancelled"
        )
        if (session.scalar(taken) or 0) >= A_SLOT:
            raise SlotTaken(slot=slot, day=on.isoformat(), most=A_SLOT)

    def _number(self, session: Session, on: date, kind: str) -> str:
        """A001 for whoever walks in, Y001 for an appointment; counted apart each day."""
        letter = "A" if kind == "walk_in" else "Y"
        sql = select(func.count()).where(CounterTicket.day == on, CounterTicket.number.startswith(letter))
        return f"{letter}{(session.scalar(sql) or 0) + 1:03d}"

    def call(self, window: str) -> dict[str, Any]:
        """The next number to a window; :class:`NotFound` when nobody waits."""
        with session_scope(self.services.engine) as session:
            sql = select(CounterTicket).where(
                CounterTicket.day == self.today, CounterTicket.state.in_(("waiting", "booked"))
            )
            rows = sorted(session.scalars(sql.with_for_update()), key=self._order)
            if not rows:
                raise NotFound(what="waiting number", key=self.today.isoformat())
            row = rows[0]
            row.state, row.window, row.called_at = "called", window.strip()[:12], self.services.clock.now()
            return ticket_line(row)

    def end(self, ticket_id: str, state: str) -> dict[str, Any]:
        """Served, missed or cancelled."""
        if state not in ENDS:
            raise InputInvalid(field="state", detail=f"{state!r}", how=f"use one of {', '.join(ENDS)}")
        with session_scope(self.services.engine) as session:
            row = session.get(CounterTicket, ticket_id)
            if row is None:
                raise NotFound(what="ticket", key=ticket_id)
            row.state, row.ended_at = state, self.services.clock.now()
            return ticket_line(row)


def ticket_line(row: CounterTicket) -> dict[str, Any]:
    """A number as pages show it; the holder's name is masked."""
    return {
        "ticket_id": row.ticket_id, "day": row.day, "number": row.number, "kind": row.kind, "slot": row.slot,
        "holder": row.holder, "state": row.state, "window": row.window, "case_id": row.case_id, "item_id": row.item_id,
    }  # fmt: skip
