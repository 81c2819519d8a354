"""The platform's own moves: timed triggers of case definitions, carried out when they come due."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy import Engine

from core.clock import Clock
from core.errors import YiwangError
from events.cases.course.triggers import Due, due_triggers
from events.cases.service import CaseService
from storage.session import read_scope, session_scope
from storage.tables.cases import Case

log = logging.getLogger("yiwang.triggers")

POLL_S = 10.0


class TriggerSweep:
    """Gives the commands of triggers that came due, each once."""

    def __init__(self, engine: Engine, clock: Clock, service: CaseService) -> None:
        self._engine = engine
        self._clock = clock
        self._service = service
        self._refused: dict[str, int] = {}  # key → version of the case at which its command was refused

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            await asyncio.to_thread(self.sweep)
            await asyncio.sleep(POLL_S)

    def sweep(self) -> int:
        """Carry out what is due; how many commands were given."""
        definitions = [d for d in self._service.definitions.values() if d.triggers]
        if not definitions:
            return 0
        with read_scope(self._engine) as session:
            due = [each for d in definitions for each in due_triggers(session, d, self._clock.now())]
        return sum(self._fire(each) for each in due)

    def _fire(self, due: Due) -> bool:
        case_id, trigger, key = due
        with session_scope(self._engine) as session:
            case = session.get(Case, case_id, with_for_update=True)
            if case is None or not case.open or self._refused.get(f"{case_id}:{key}") == case.version:
                return False
            version = case.version
            try:
                self._service.trigger_in(session, case, trigger, key)
            except YiwangError as error:
                log.info("trigger %s of %s: %s", trigger.command, case_id, error)
                session.rollback()
                self._refused[f"{case_id}:{key}"] = version
                return False
        return True
