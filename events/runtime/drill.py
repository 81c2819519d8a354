"""The drill: a recorded period lived through again, faster, beside the live city and without touching it.

Own subjects (``drill.<id>.``), database and clock, silent notifiers (``in_app`` on the drill's own subjects alone).
The same worker runs it: rules, correlation, routing, clocks, deadlines and notices are the real ones.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, insert, select

from core.bus import Bus, connect
from core.clock import SystemClock
from core.records import Observation, Record
from core.settings import Settings
from events.correlation.replay import busiest, reading_of, recorded
from events.rules.rulebook import read_rulebook, sync_defaults
from events.runtime.worker import main as worker_main
from storage.schema import create_all, full_metadata
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case, CaseObservation, Notice, Outbox
from storage.tables.observations import DeadLetter, ObservationRow
from storage.tables.readings import ReadingRow

COPIED = (
    "division", "grid_cell", "department", "site", "camera", "device", "rule", "user_account", "user_role",
    "case_standard", "duty_shift",
)  # fmt: skip
SETTLE_S = 30.0
AHEAD_S = 0.05


class DrillClock:
    """Wall time that starts at ``start`` and runs ``speed`` times as fast; the monotonic counter is the real one."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start, self._speed, self._began = start, speed, time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)

    def monotonic(self) -> float:
        return time.monotonic()

    def seconds_until(self, moment: datetime) -> float:
        """Real seconds until the drill's clock shows ``moment``."""
        return (moment - self.now()).total_seconds() / self._speed


class DrillReport(Record, frozen=True, omit_defaults=False):
    """What a drill came to."""

    drill_id: str
    since: datetime
    until: datetime
    speed: float
    published: int
    stored: int
    cases: int
    linked: int
    notices: int
    dead_letters: int
    unsent: int
    busiest_10_min: int
    by_department: dict[str, int]
    by_severity: dict[str, int]
    by_state: dict[str, int]
    real_seconds: float
    database_url: str


@dataclass(frozen=True)
class DrillPlan:
    """Which period, how fast, under which name."""

    drill_id: str
    since: datetime
    until: datetime
    speed: float


def drill_settings(settings: Settings, drill_id: str) -> Settings:
    """``settings`` with the drill's own folder, database and subjects."""
    folder = settings.data_dir / "drills" / drill_id
    return settings.with_(
        data_dir=folder, database_url=f"sqlite:///{folder / 'drill.db'}", subject_prefix=f"drill.{drill_id}."
    )


def prepare(settings: Settings, own: Settings) -> Engine:
    """A fresh drill database with the live city's registry, rules and people (without passwords)."""
    own.data_dir.mkdir(parents=True, exist_ok=True)
    live, drill = make_engine(settings.database_url), make_engine(own.database_url)
    create_all(drill)
    tables = full_metadata().tables
    with read_scope(live) as source, session_scope(drill) as target:
        for name in COPIED:
            rows = [dict(row) for row in source.execute(select(tables[name])).mappings()]
            for row in rows:
                if "password_hash" in row:
                    row["password_hash"] = ""
            for start in range(0, len(rows), 500):
                target.execute(insert(tables[name]), rows[start : start + 500])
        sync_defaults(target, SystemClock().now())
    live.dispose()
    return drill


async def run_drill(
    settings: Settings, plan: DrillPlan, stop: asyncio.Event, told: Callable[[str], None] = lambda _: None
) -> DrillReport:
    """Live through ``plan``; the drill's streams are gone afterwards, its database stays."""
    own = drill_settings(settings, plan.drill_id)
    drill = await asyncio.to_thread(prepare, settings, own)
    began = time.monotonic()
    bus = await connect(own, f"drill-{plan.drill_id}", wait_s=5)
    worker_stop = asyncio.Event()
    worker: asyncio.Task[None] | None = None
    try:
        await bus.ensure()
        clock = DrillClock(plan.since, plan.speed)
        worker = asyncio.create_task(worker_main(own, worker_stop, clock))
        published = await _publish(settings, own, bus, plan, clock, stop, told)
        await _settle(drill, published)
        return await asyncio.to_thread(_report, drill, plan, published, time.monotonic() - began, own)
    finally:
        worker_stop.set()
        if worker is not None:
            await asyncio.gather(worker, return_exceptions=True)
        await bus.discard()
        await bus.close()
        drill.dispose()


async def _publish(
    settings: Settings, own: Settings, bus: Bus, plan: DrillPlan, clock: DrillClock, stop: asyncio.Event,
    told: Callable[[str], None],
) -> set[str]:  # fmt: skip
    """Publish what was recorded when its moment comes; returns the ids."""
    live, drill = make_engine(settings.database_url), make_engine(own.database_url)
    published: set[str] = set()
    last_told = time.monotonic()
    with read_scope(drill) as session:
        book = read_rulebook(session)
    kinds = {kind for spec in book.specs.values() for kind in spec.applies_to}
    with read_scope(live) as session:
        for observation in recorded(session, plan.since, plan.until, kinds):
            wait = clock.seconds_until(observation.observed_at)
            if wait > AHEAD_S:
                await asyncio.wait({asyncio.create_task(stop.wait())}, timeout=wait)
            if stop.is_set():
                break
            await _publish_one(bus, session, observation)
            published.add(observation.observation_id)
            if time.monotonic() - last_told > 5:
                last_told = time.monotonic()
                told(f"{clock.now():%m-%d %H:%M:%S} UTC, {len(published)} published")
    live.dispose()
    drill.dispose()
    return published


async def _publish_one(bus: Bus, session: Any, observation: Observation) -> None:
    row = session.get(ReadingRow, observation.observation_id) if observation.state == "measure" else None
    if row is None:
        await bus.observe(observation)
    else:
        reading = reading_of(row)
        await bus.publish(bus.reading_subject(reading), reading, reading.reading_id)


async def _settle(drill: Engine, published: set[str]) -> None:
    """Wait until everything published is stored and everything announced."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        stored, unsent = await asyncio.to_thread(_progress, drill)
        if stored >= len(published) and not unsent:
            return
        await asyncio.sleep(0.2)


def _progress(drill: Engine) -> tuple[int, int]:
    with read_scope(drill) as session:
        kept = select(ObservationRow.observation_id).union(select(ReadingRow.reading_id)).subquery()
        stored = session.scalar(select(func.count()).select_from(kept)) or 0
        unsent = session.scalar(select(func.count()).select_from(Outbox).where(Outbox.sent_at.is_(None))) or 0
    return stored, unsent


def _report(drill: Engine, plan: DrillPlan, published: set[str], seconds: float, own: Settings) -> DrillReport:
    stored, unsent = _progress(drill)
    with read_scope(drill) as session:
        cases = session.scalars(select(Case)).all()

        def count(table: Any) -> int:
            return session.scalar(select(func.count()).select_from(table)) or 0

        return DrillReport(
            drill_id=plan.drill_id,
            since=plan.since,
            until=plan.until,
            speed=plan.speed,
            published=len(published),
            stored=stored,
            cases=len(cases),
            linked=count(CaseObservation),
            notices=count(Notice),
            dead_letters=count(DeadLetter),
            unsent=unsent,
            busiest_10_min=busiest([c.opened_at.astimezone(UTC) for c in cases], 600),
            by_department=dict(Counter(c.department_id or "-" for c in cases).most_common()),
            by_severity={str(k): v for k, v in sorted(Counter(c.severity for c in cases).items())},
            by_state=dict(Counter(c.state for c in cases).most_common()),
            real_seconds=round(seconds, 1),
            database_url=own.database_url,
        )
