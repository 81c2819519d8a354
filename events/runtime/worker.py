"""The worker: durable consumption of observations and readings, and the jobs of the house.

A pull per partition for OBS and for READ feeds one committer (:mod:`events.runtime.committer`).  Several workers share
the partitions (:mod:`events.runtime.shares`): a partition has one of them at a time, so its order holds, and one of
them does the jobs that only one may do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

import nats.errors
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from core.bus import Bus, connect
from core.clock import Clock, SystemClock
from core.settings import Settings
from events.cases.clock_recount import CalendarWatch
from events.cases.course.turn_keys import complete
from events.cases.definition_store import sync_definitions
from events.cases.service import CaseService
from events.correlation.case_placement import Desk
from events.correlation.intake import Intake
from events.correlation.places import PlaceRegistry
from events.dispatching.emergency_plans import sync_plans
from events.dispatching.routing_in_force import routing_in_force
from events.evidence.anchor import anchorer_of
from events.notify.alarm_flood import AlarmControl
from events.notify.deadlines import DeadlineSweep
from events.rules.rulebook import default_rulebook, sync_defaults
from events.runtime.city_rules import CityRules
from events.runtime.committer import Committer
from events.runtime.field_learning import FieldLearning
from events.runtime.kept_current import load_rules, watch_registry, watch_rules
from events.runtime.night_watch import NightWatch
from events.runtime.orders import OrderDesk
from events.runtime.outbox import Relay
from events.runtime.readings_upkeep import ReadingsUpkeep
from events.runtime.shares import JOBS, Shares
from events.runtime.source_recheck import Rechecker
from events.runtime.triggers import TriggerSweep
from events.runtime.wiring import case_service
from storage.availability import is_away
from storage.session import make_engine, session_scope, take_turn

log = logging.getLogger("yiwang.worker")

AGAIN_S = 0.3  # a stream without a leader, or a bus that does not answer, is asked again

Job = Callable[[], Awaitable[None]]
MakeJob = Callable[[Settings, Bus, Engine, Clock, CaseService], Job]  # work of a higher room, run by one worker


async def main(
    settings: Settings, stop: asyncio.Event, clock: Clock | None = None, more: Sequence[MakeJob] = ()
) -> None:
    """Run a worker until ``stop``; with others it shares the work.  ``more``: jobs of higher rooms."""
    clock = clock or SystemClock()
    engine = make_engine(settings.database_url)
    bus = await connect(settings, "worker")
    ended: set[str] = set()
    stands = False  # the streams do
    try:
        while not stop.is_set():
            # A bus without its majority, or one that stores nothing (its disk is full), is waited for; so is a
            # database that is away: a process that ends and is started again costs seconds more.
            try:
                if not stands:
                    await bus.ensure()
                stands = await _member(settings, bus, engine, clock, stop, more, ended)
            except (nats.errors.Error, TimeoutError) as error:
                stands = False
                log.info("the bus: %r", error)
            except SQLAlchemyError as error:
                if not is_away(error):
                    raise
            if not stop.is_set():
                log.warning("the bus or the database does not answer, or others took over: beginning again")
                await asyncio.sleep(AGAIN_S)
    finally:
        await bus.close()
        engine.dispose()


async def _member(
    settings: Settings, bus: Bus, engine: Engine, clock: Clock, stop: asyncio.Event, more: Sequence[MakeJob],
    ended: set[str],
) -> bool:  # fmt: skip
    """One membership: until ``stop``, or until the others took us for dead.  ``ended``: our earlier ones.

    False where the bus said nothing for long: perhaps its streams are gone.
    """
    shares = Shares(bus, clock, [JOBS, *map(str, range(settings.partitions))], ended)
    crew = Crew(settings, bus, engine, clock, more)
    try:
        await crew.start()
        stopped = asyncio.create_task(_until(stop))
        kept = asyncio.create_task(shares.keep(lambda: crew.hear(shares)))
        work = asyncio.create_task(crew.follow(shares))
        try:
            await asyncio.wait({stopped, kept, work}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end({stopped, kept, work})
    finally:
        await crew.close()
        await shares.leave()
    if not work.cancelled():
        work.result()
    return kept.cancelled() or kept.result()


class Crew:
    """What one worker does: the committer with its partitions, and the jobs when they are its own."""

    def __init__(self, settings: Settings, bus: Bus, engine: Engine, clock: Clock, more: Sequence[MakeJob]) -> None:
        self._settings, self._bus, self._engine, self._clock, self._more = settings, bus, engine, clock, more
        self._city = CityRules(engine, settings.data_dir)
        self._registry = PlaceRegistry(clock)
        self.changed = asyncio.Event()
        self._rested = False
        self._always: list[asyncio.Task[None]] = []
        self._jobs: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take up rules and kinds, and commit what comes once partitions are ours."""
        await asyncio.to_thread(self._sync)
        district, calendars = self._settings.district, self._city.calendars
        self._service = case_service(self._engine, self._clock, district=district, calendars=calendars)
        desk = Desk(self._service, self._clock, self._registry, routing_in_force)
        orders = OrderDesk(self._service, self._clock)
        intake = Intake(self._clock, default_rulebook(), self._registry, desk, orders)
        self._committer = Committer(self._engine, intake, self._clock, self._bus)
        self._committer.ticks = False
        await self._committer.start()
        await asyncio.to_thread(load_rules, self._engine, intake)
        jobs: list[Job] = [self._committer.run, self._city.run, lambda: watch_rules(self._engine, intake)]
        self._always = [asyncio.create_task(_supervised(job)) for job in jobs]
        log.info("worker ready: %d rules, %d partitions", len(intake.book.specs), self._settings.partitions)

    def _sync(self) -> None:
        with session_scope(self._engine) as session:
            take_turn(session)
            sync_defaults(session, self._clock.now())
            sync_plans(session, self._clock.now())
            for problem in sync_definitions(session):
                log.warning("%s", problem)
        self._city.look()

    def hear(self, shares: Shares) -> None:
        """What is ours changed, or nobody knows for the moment: then nothing more is begun, at once."""
        self._committer.resting = shares.resting
        if shares.resting:
            self._rested = True
            for job in self._jobs:
                job.cancel()
        self.changed.set()

    async def follow(self, shares: Shares) -> None:
        """Put down what is no longer ours and take up what is, for ever."""
        while True:
            await self.changed.wait()
            self.changed.clear()
            if self._rested:
                self._rested = False
                await self._put_down(JOBS)
                shares.doing.discard(JOBS)
            if shares.resting:
                continue
            for unit in shares.doing - shares.wanted:
                await self._put_down(unit)
                shares.doing.discard(unit)
            units = shares.wanted - shares.doing
            shares.doing |= units
            left = await self._take_up(units)
            shares.doing -= left
            if left:
                asyncio.get_running_loop().call_later(AGAIN_S, self.changed.set)

    async def close(self) -> None:
        """End everything."""
        await end([*self._always, *self._jobs])
        if self._always:
            with contextlib.suppress(nats.errors.Error):
                await self._committer.close()

    async def _take_up(self, units: Collection[str]) -> set[str]:
        """Begin ``units``; those that cannot be begun yet."""
        left = await self._committer.enter([int(unit) for unit in units if unit != JOBS])
        if JOBS in units:
            self._committer.ticks = True
            self._jobs = [asyncio.create_task(_supervised(self._run_jobs))]
        return set(map(str, left))

    async def _put_down(self, unit: str) -> None:
        if unit != JOBS:
            await self._committer.leave(int(unit))
            return
        self._committer.ticks = False
        await end(self._jobs)
        self._jobs = []

    async def _run_jobs(self) -> None:
        """What only one worker may do."""
        await asyncio.to_thread(_complete_turns, self._engine, self._service)
        self._jobs += [asyncio.create_task(_supervised(job)) for job in self._list_jobs()]

    def _list_jobs(self) -> list[Job]:
        bus, engine, clock, service, settings = self._bus, self._engine, self._clock, self._service, self._settings
        relay = Relay(bus, engine, clock, settings)
        watch = NightWatch(engine, clock, settings, relay.channels)
        return [
            CalendarWatch(engine, service, lambda: bool(self._city.calendars.problems)).run,
            lambda: watch_registry(bus, engine, self._registry),
            relay.run,
            DeadlineSweep(engine, clock, relay.channels, relay.quiet, calendars=service.calendars).run,
            TriggerSweep(engine, clock, service).run,
            AlarmControl(engine, clock, relay.channels).run,
            Rechecker(bus, engine, clock, service, settings).run,
            ReadingsUpkeep(engine, clock).run,
            anchorer_of(settings, engine, clock, bus, watch.tell_audit).run,
            watch.watch_disk,
            watch.sweep,
            watch.verify_nightly,
            FieldLearning(bus, engine, clock).run,
            *(make(settings, bus, engine, clock, service) for make in self._more),
        ]


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


def _complete_turns(engine: Engine, service: CaseService) -> None:
    """Cases from before there were keys of whose turn it is get theirs."""
    while True:
        with session_scope(engine) as session:
            if not complete(session, service.definitions):
                return


async def end(tasks: Collection[asyncio.Task[Any]], again_s: float = 2.0) -> None:
    """Cancel ``tasks`` until all have ended.

    Once is not always enough: a group whose member fails while it is cancelled raises that failure instead, and
    ``asyncio.wait_for`` of Python 3.11 loses a cancellation that comes with its result.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again_s)


async def _supervised(job: Callable[[], Awaitable[None]]) -> None:
    """Run ``job`` for ever: logged once on loss and once on recovery."""
    failed = False
    while True:
        started = asyncio.get_running_loop().time()
        try:
            await job()
            return
        except (nats.errors.Error, Exception) as error:  # noqa: BLE001 - supervisor
            if not failed:
                failed = True
                log.warning("%s stopped and will be tried again: %r", _name(job), error)
        await asyncio.sleep(1.0)
        if asyncio.get_running_loop().time() - started > 30:
            failed = False


def _name(job: Any) -> str:
    return str(getattr(job, "__qualname__", job))
