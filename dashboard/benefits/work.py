"""The benefits' work in the worker process: judges what is on once a day and whenever records changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.bus import Bus
from core.clock import BEIJING, Clock
from core.errors import YiwangError
from core.ids import id_before
from core.settings import Settings
from dashboard.benefits.cases import CasesOfPayers, take_answers
from events.cases.service import CaseService
from records.benefits.evaluating import BenefitRun, close_file, ended_periods, run_benefit
from records.benefits.rules import Benefit, benefits_in, period_of_day
from records.benefits.switching import state_of
from storage.session import read_scope, session_scope
from storage.tables.items import BenefitSwitch
from storage.tables.records import RecordEvent, RegisterRecord

log = logging.getLogger("yiwang.benefits")
LOOK_S = 30.0
OVERLAP_S = 600.0  # a transaction may become visible this long after it made its ids
MOST_CHANGED = 50_000  # more changed records: the whole register is judged


class BenefitWork:
    """One worker's benefits; every look is idempotent, a worker that takes over goes on."""

    def __init__(self, engine: Engine, clock: Clock, cases: CaseService, folder: Path) -> None:
        self._engine, self._clock, self._folder = engine, clock, folder
        self._cases = CasesOfPayers(cases)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except YiwangError as error:
                log.warning("benefits: %s", error)
            await asyncio.sleep(LOOK_S)

    def look(self) -> list[BenefitRun]:
        """Take the payers' answers over, then run what is due; a benefit that fails is logged, the others run."""
        with session_scope(self._engine) as session:
            while take_answers(session, self._clock):
                session.flush()
        done: list[BenefitRun] = []
        for benefit in benefits_in(self._folder).values():
            try:
                done += self._one(benefit)
            except YiwangError as error:
                log.warning("benefit %s: %s", benefit.id, error)
        return done

    def _one(self, benefit: Benefit) -> list[BenefitRun]:
        today = self._clock.now().astimezone(BEIJING).date()
        with read_scope(self._engine) as session:
            row = session.get(BenefitSwitch, benefit.id)
            if state_of(row, benefit) != "on" or row is None:
                return []
            whole, only, newest = self._due(session, row, today)
            ended = ended_periods(session, benefit, today) if whole else []
        if not whole and not only:
            return []
        runs = [self._run(benefit, period, None) for period in ended]
        self._close(benefit, runs)
        runs.append(self._run(benefit, period_of_day(benefit, today), None if whole else only))
        self._keep(benefit, newest, today if whole and not runs[-1].over else None)
        return runs

    def _due(self, session: Session, row: BenefitSwitch, today: date) -> tuple[bool, set[str], tuple[str, str]]:
        """Whether the whole register is due, else which records changed; and the newest change and record."""
        newest = _newest(session)
        if row.evaluated_on != today:
            return True, set(), newest
        if newest == (row.seen_event, row.seen_record):
            return False, set(), newest
        made = select(RegisterRecord.record_id).where(RegisterRecord.record_id > id_before(row.seen_record, OVERLAP_S))
        changed = select(RecordEvent.record_id).where(RecordEvent.event_id > id_before(row.seen_event, OVERLAP_S))
        only = set(session.scalars(made.union(changed).limit(MOST_CHANGED + 1)))
        return len(only) > MOST_CHANGED, only, newest

    def _run(self, benefit: Benefit, period: str, only: set[str] | None) -> BenefitRun:
        run = run_benefit(self._engine, benefit, period, self._clock.now(), self._cases, only)
        if run.new or run.gone or run.over:
            told = (benefit.id, period, run.entitled, run.new, run.gone, run.opened, run.over)
            log.info("benefit %s %s: %d entitled, %d new, %d gone, %d cases, %d wait", *told)
        return run

    def _close(self, benefit: Benefit, runs: list[BenefitRun]) -> None:
        with session_scope(self._engine) as session:
            for run in runs:
                if not run.over:
                    close_file(session, benefit.id, run.period, self._clock.now())

    def _keep(self, benefit: Benefit, newest: tuple[str, str], day: date | None) -> None:
        with session_scope(self._engine) as session:
            row = session.get_one(BenefitSwitch, benefit.id)
            row.seen_event, row.seen_record = newest
            row.evaluated_at = self._clock.now()
            row.evaluated_on = day or row.evaluated_on


def _newest(session: Session) -> tuple[str, str]:
    event, record = func.max(RecordEvent.event_id), func.max(RegisterRecord.record_id)
    return session.scalar(select(event)) or "", session.scalar(select(record)) or ""


def benefit_job(
    settings: Settings, _bus: Bus, engine: Engine, clock: Clock, cases: CaseService
) -> Callable[[], Awaitable[None]]:
    """The job as the worker takes it."""
    return BenefitWork(engine, clock, cases, settings.data_dir / "benefits").run
