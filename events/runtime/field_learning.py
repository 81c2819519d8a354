"""The worker's part in learning from the field: the nightly report, and the evaluation sets on the bus.

The vision workers, which know no database, read each algorithm's set from the bucket ``registry`` (``fieldset.<kind>``)
and try every new model on it before they use it (:mod:`vision.fleet.model_trial`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from sqlalchemy import Engine, func, select

from core.bus import Bus
from core.clock import BEIJING, Clock
from core.records import encode
from core.sight.field_set import FieldSet, field_key
from events.learning.field_set import kinds, read_field_set
from events.learning.report import night_of, write_report, written
from events.runtime.night_watch import NIGHT_HOUR
from storage.session import read_scope, session_scope
from storage.tables.cases import Case

log = logging.getLogger("yiwang.learning")

LOOK_S = 300.0


class FieldLearning:
    """Looks every five minutes whether cameras' cases were closed; the report is written after 3 o'clock."""

    def __init__(self, bus: Bus, engine: Engine, clock: Clock) -> None:
        self._bus, self._engine, self._clock = bus, engine, clock
        self._mark: Any = None
        self._told: dict[str, bytes] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.to_thread(self.report)
            await self.tell()
            await asyncio.sleep(LOOK_S)

    def report(self) -> int:
        """Write tonight's report once the night has come; its lines, 0 when there was nothing to do."""
        now = self._clock.now()
        if now.astimezone(BEIJING).hour < NIGHT_HOUR:
            return 0
        with read_scope(self._engine) as session:
            if written(session, now):
                return 0
        with session_scope(self._engine) as session:
            return write_report(session, now)

    async def tell(self) -> int:
        """Put the sets that changed on the bus; how many."""
        found = await asyncio.to_thread(self._sets)
        bucket = await self._bus.bucket("registry")
        told = 0
        for one in found:
            data = encode(one)
            if self._told.get(one.kind) != data:
                await bucket.put(field_key(one.kind), data)
                self._told[one.kind] = data
                told += 1
        return told

    def _sets(self) -> list[FieldSet]:
        """All sets, if a case of a camera was closed since the last look."""
        with read_scope(self._engine) as session:
            closed = select(func.count(), func.max(Case.updated_at))
            mark: Any = session.execute(closed.where(Case.source_type == "camera", Case.open.is_(False))).one()
            mark = (*mark, night_of(self._clock.now()))  # evidence goes with its retention, which no case tells
            if mark == self._mark:
                return []
            sets = {kind: read_field_set(session, kind) for kind in kinds(session)}
        self._mark = mark
        return [*sets.values(), *(FieldSet(kind=kind) for kind in self._told if kind not in sets)]
