"""What a city puts beside the database and a running process takes up: kinds of case, routing table, calendars."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from sqlalchemy import Engine, select

from core.errors import YiwangError
from core.legal_time.calendar_folder import CalendarFolder
from events.cases.kinds_in_force import KindFolder
from events.dispatching.routing_in_force import RoutingFile
from storage.session import read_scope
from storage.tables.registry import Department

log = logging.getLogger("yiwang.city")
WATCH_S = 5.0


class CityRules:
    """``<data>/definitions``, ``routing.yaml`` and ``calendars``, looked at every :data:`WATCH_S` s in each process."""

    def __init__(self, engine: Engine, data_dir: Path) -> None:
        self._engine = engine
        self.kinds = KindFolder(data_dir / "definitions")
        self.routing = RoutingFile(data_dir)
        self.calendars = CalendarFolder(data_dir / "calendars")

    def look(self) -> None:
        """Take up what changed; a broken file is told in ``problems`` and changes nothing."""
        self.kinds.look(self._engine)
        if self.calendars.look():
            log.info("other calendars are in force: %s", ", ".join(self.calendars))
        with read_scope(self._engine) as session:
            departments = frozenset(session.scalars(select(Department.department_id)))
        if self.routing.look(departments):
            log.info("another routing table is in force")

    @property
    def problems(self) -> list[tuple[str, YiwangError]]:
        """File and what is wrong with it."""
        routing = [("routing.yaml", self.routing.problem)] if self.routing.problem else []
        kinds = [(f"definitions/{name}", error) for name, error in sorted(self.kinds.problems.items())]
        return [*kinds, *((f"calendars/{name}", e) for name, e in sorted(self.calendars.problems.items())), *routing]

    async def run(self) -> None:
        """Until cancelled; a look that fails is logged, the next one may go well."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except Exception:
                log.exception("the city's files cannot be looked at")
            await asyncio.sleep(WATCH_S)
