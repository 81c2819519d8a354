"""Runs the checks as often as each says, inside the one working worker; opens the cases of what is found."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.bus import Bus
from core.clock import Clock
from core.errors import YiwangError
from core.records import Severity
from core.settings import Settings
from events.cases.drafts import CaseDraft
from events.cases.service import CaseService
from measures.checks import Check, Run, run_check
from measures.library import Library, library
from storage.session import read_scope, session_scope

log = logging.getLogger("yiwang.checks")
LOOK_S = 60.0


class CheckRunner:
    """The checks in force and when each ran last; a restart runs all of them once, which finds nothing twice."""

    def __init__(self, engine: Engine, clock: Clock, service: CaseService, folder: Path) -> None:
        self._engine, self._clock, self._service, self._folder = engine, clock, service, folder
        self._ran: dict[str, datetime] = {}

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(LOOK_S)

    def look(self) -> dict[str, Run]:
        """Run what is due; a check that fails is logged and the others run."""
        with read_scope(self._engine) as session:
            found = library(session, self._folder)
        return {c.id: run for c in found.checks.values() if self._due(c) and (run := self._one(c, found)) is not None}

    def _due(self, check: Check) -> bool:
        last = self._ran.get(check.id)
        return last is None or self._clock.now() - last >= timedelta(hours=check.every_hours)

    def _one(self, check: Check, found: Library) -> Run | None:
        self._ran[check.id] = self._clock.now()
        try:
            with session_scope(self._engine) as session:
                run = run_check(session, check, found.measures[check.measure], self._clock, self._open)
        except YiwangError as error:
            log.warning("check %s: %s", check.id, error)
            return None
        if run.new or run.gone or run.over:
            told = (check.id, run.new, run.gone, run.opened, run.over)
            log.info("check %s: %d new, %d gone, %d cases, %d left out", *told)
        return run

    def _open(self, session: Session, check: Check, subject: str, title: str, row: Mapping[str, Any]) -> str:
        """The case of one finding; its file says which check found which row."""
        department = row.get("department")
        form = {"place": title[:200]} | ({"department_id": str(department)} if department else {})
        draft = CaseDraft(
            title=title, definition_id=check.opens, kind="", class_code=check.class_code,
            severity=Severity(check.severity), source_type="platform", source_id=f"check:{check.id}",
            description=f"{check.zh} / {check.en}", form=form, why={"check": {"id": check.id, "subject": subject}},
        )  # fmt: skip
        return self._service.open_case(session, draft).case_id


def check_runner(
    settings: Settings, _bus: Bus, engine: Engine, clock: Clock, service: CaseService
) -> Callable[[], Awaitable[None]]:
    """The runner as the worker takes it."""
    return CheckRunner(engine, clock, service, settings.data_dir / "boards").run
