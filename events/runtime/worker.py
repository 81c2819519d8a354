"""The worker: durable consumption of observations and readings, one group commit at a time.

A pull per partition for OBS and for READ feeds one committer.  The committer takes what has arrived, alarms
first, and writes it in one transaction (observation, rule state, case, outbox row), then acknowledges.  One
writer per process suits SQLite, and a partition's order holds because nobody else works on it.

A batch that fails is tried again message by message.  A message that fails by itself ``MAX_TRIES`` times is
written to ``dead_letter`` and put aside; a database that is away is waited for and blames nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import nats.errors
from nats.aio.msg import Msg
from sqlalchemy import Engine

from core.bus import Bus, connect
from core.clock import Clock, SystemClock
from core.errors import YiwangError
from core.legal_time.calendar import calendars_of
from core.records import Observation, Reading, decode_many, parts_of
from core.settings import Settings
from events.cases.clock_recount import recount
from events.cases.course.turn_keys import complete
from events.cases.definition_store import sync_definitions
from events.cases.service import CaseService
from events.correlation.case_placement import Desk
from events.correlation.intake import Intake, Taken
from events.correlation.places import PlaceRegistry
from events.dispatching.emergency_plans import sync_plans
from events.dispatching.routing_in_force import routing_in_force
from events.evidence.anchor import anchorer_of
from events.notify.alarm_flood import AlarmControl
from events.notify.deadlines import DeadlineSweep
from events.rules.rulebook import default_rulebook, read_rulebook, rulebook_mark, sync_defaults
from events.runtime import dead_letters
from events.runtime.city_rules import CityRules
from events.runtime.night_watch import NightWatch
from events.runtime.orders import OrderDesk
from events.runtime.outbox import Relay
from events.runtime.readings_upkeep import ReadingsUpkeep
from events.runtime.single_owner import Claim
from events.runtime.source_recheck import Rechecker
from events.runtime.stream_pull import ACK_WAIT_S, Puller
from events.runtime.triggers import TriggerSweep
from events.runtime.wiring import case_service
from storage.availability import is_away
from storage.registry import publish_registry
from storage.session import make_engine, read_scope, session_scope

log = logging.getLogger("yiwang.worker")

OBS_BATCH = 96  # a burst in which each opens a case must not hold the database for seconds
READ_BATCH = 128  # messages, each of up to 64 readings
MAX_TRIES = 5
SUSPECT_DELIVERIES = 5  # delivered this often without an answer: it may have killed us, so handle it alone
POLL_S = 2.0
TICK_S = 5.0  # how often rules that wait for time to pass are asked


@dataclass(frozen=True)
class Flow:
    """A stream, its pulls by partition, and how a batch of it is taken in."""

    stream: str
    batch: int
    pulls: tuple[Puller, ...]
    record: type[Observation] | type[Reading]

    @property
    def waiting(self) -> int:
        return sum(pull.waiting for pull in self.pulls)


class Committer:
    """Takes messages from the flows and commits them."""

    def __init__(self, engine: Engine, intake: Intake, clock: Clock, flows: Sequence[Flow], arrived: asyncio.Event):
        self._engine = engine
        self._intake = intake
        self._clock = clock
        self._flows = flows
        self._arrived = arrived
        self._database_away = False
        self._ticked_at = clock.monotonic()
        self.committed = 0
        self.totals = Taken()

    async def run(self) -> None:
        """Commit for ever."""
        while True:
            if not any(flow.waiting for flow in self._flows):
                self._arrived.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._arrived.wait(), 1.0)
                for flow in self._flows:
                    for pull in flow.pulls:
                        await pull.keep_alive()
            for flow in self._flows:
                await self._turn(flow)
            if self._clock.monotonic() - self._ticked_at >= TICK_S:
                self._ticked_at = self._clock.monotonic()
                await asyncio.to_thread(self._tick)

    def _tick(self) -> None:
        """Between batches, so that nobody else writes the rules' memory meanwhile (in a thread)."""
        if not self._intake.book.ticking:
            return
        with session_scope(self._engine) as session:
            _add(self.totals, self._intake.tick(session))

    async def _turn(self, flow: Flow) -> None:
        """One transaction with what ``flow`` has, a fair share of each partition."""
        share = max(1, flow.batch // max(1, sum(1 for pull in flow.pulls if pull.waiting)))
        taken = [(pull, messages) for pull in flow.pulls if (messages := pull.take(share))]
        if not taken:
            return
        messages = [message for _, some in taken for message in some]
        suspects = any(m.metadata.num_delivered > SUSPECT_DELIVERIES for m in messages)
        beat = asyncio.create_task(_heartbeat(taken))
        try:
            if suspects or not await self._commit(flow, messages):
                for message in messages:
                    await self._commit_alone(flow, message)
        finally:
            beat.cancel()
        self.committed += len(messages)
        for pull, some in taken:
            await pull.acknowledge(some)

    async def _commit(self, flow: Flow, messages: list[Msg]) -> bool:
        """Whether the whole batch could be committed."""
        try:
            await asyncio.to_thread(self._write, flow, [m.data for m in messages])
        except Exception as error:  # noqa: BLE001 - supervisor: whatever it is, it is isolated message by message next
            log.info("a batch of %d from %s is taken one by one: %s", len(messages), flow.stream, error)
            return False
        return True

    async def _commit_alone(self, flow: Flow, message: Msg) -> None:
        """A message by itself; of several records in one each by itself."""
        for payload in parts_of(message.data):
            await self._commit_one(flow, message, payload)

    async def _commit_one(self, flow: Flow, message: Msg, payload: bytes) -> None:
        tries = 0
        while True:
            try:
                await asyncio.to_thread(self._write, flow, [payload])
                if self._database_away:
                    self._database_away = False
                    log.warning("the database is back")
                return
            except Exception as error:  # noqa: BLE001 - supervisor: a poisoned message is put aside, not the worker
                if is_away(error):
                    if not self._database_away:
                        self._database_away = True
                        log.warning("the database is away, waiting for it: %s", error)
                    await asyncio.sleep(1.0)
                    continue
                tries += 1
                if tries >= MAX_TRIES or isinstance(error, YiwangError):
                    await self._put_aside(flow, message, payload, error, tries)
                    return
                await asyncio.sleep(0.05 * tries)

    async def _put_aside(self, flow: Flow, message: Msg, payload: bytes, error: Exception, tries: int) -> None:
        log.warning("put aside a message of %s on %s: %s", flow.stream, message.subject, error)
        await asyncio.to_thread(
            dead_letters.put_aside, self._engine, flow.stream, message, payload, error, tries, self._clock.now()
        )

    def _write(self, flow: Flow, payloads: list[bytes]) -> Taken:
        """One transaction (in a thread)."""
        records = [record for data in payloads for record in decode_many(flow.record, data)]
        with session_scope(self._engine) as session:
            if flow.record is Reading:
                taken = self._intake.take_readings(session, records)  # type: ignore[arg-type]
            else:
                taken = self._intake.take_observations(session, records)  # type: ignore[arg-type]
        _add(self.totals, taken)
        return taken


async def _heartbeat(taken: list[tuple[Puller, list[Msg]]]) -> None:
    while True:
        await asyncio.sleep(ACK_WAIT_S / 3)
        for pull, messages in taken:
            await pull.in_progress(messages)


def _add(totals: Taken, taken: Taken) -> None:
    for name in ("received", "new", "evaluated", "findings", "opened", "attached", "quarantined"):
        setattr(totals, name, getattr(totals, name) + getattr(taken, name))


Job = Callable[[], Awaitable[None]]
MakeJob = Callable[[Settings, Bus, Engine, Clock, CaseService], Job]  # work of a higher room, run by the worker


async def main(
    settings: Settings, stop: asyncio.Event, clock: Clock | None = None, more: Sequence[MakeJob] = ()
) -> None:
    """Run the worker until ``stop``; a second one waits as a hot spare.  ``more``: jobs of higher rooms."""
    clock = clock or SystemClock()
    engine = make_engine(settings.database_url)
    bus = await connect(settings, "worker")
    try:
        await bus.ensure()
        claim = Claim(bus, "worker", clock)
        while not stop.is_set() and await claim.take(stop):
            work = asyncio.create_task(_work(settings, bus, engine, clock, stop, more))
            kept = asyncio.create_task(claim.keep())
            await asyncio.wait({work, kept}, return_when=asyncio.FIRST_COMPLETED)
            kept.cancel()
            if work.done():
                await claim.release()
                work.result()
            else:
                log.warning("another worker took over; waiting as a spare")
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
    finally:
        await bus.close()
        engine.dispose()


def _complete_turns(engine: Engine, service: CaseService) -> None:
    """Cases from before there were keys of whose turn it is get theirs."""
    while True:
        with session_scope(engine) as session:
            if not complete(session, service.definitions):
                return


async def _work(
    settings: Settings, bus: Bus, engine: Engine, clock: Clock, stop: asyncio.Event, more: Sequence[MakeJob]
) -> None:
    city = CityRules(engine, settings.data_dir)

    def first() -> None:
        with session_scope(engine) as session:
            sync_defaults(session, clock.now())
            sync_plans(session, clock.now())
            for problem in sync_definitions(session):
                log.warning("%s", problem)
        city.look()

    await asyncio.to_thread(first)
    registry = PlaceRegistry(clock)
    service = case_service(engine, clock, district=settings.district, calendars=calendars_of(settings.data_dir))
    await asyncio.to_thread(recount, engine, service)
    await asyncio.to_thread(_complete_turns, engine, service)
    desk = Desk(service, clock, registry, routing_in_force)
    intake = Intake(clock, default_rulebook(), registry, desk, OrderDesk(service, clock))
    arrived = asyncio.Event()
    flows = await _flows(bus, arrived)
    relay = Relay(bus, engine, clock, settings)
    watch = NightWatch(engine, clock, settings, relay.channels)
    jobs: list[Job] = [
        Committer(engine, intake, clock, flows, arrived).run,
        city.run,
        lambda: _watch_rules(engine, intake),
        lambda: _watch_registry(bus, engine, registry),
        relay.run,
        DeadlineSweep(
            engine,
            clock,
            relay.channels,
            relay.quiet,
            calendar=service.calendars["default"],
        ).run,
        TriggerSweep(engine, clock, service).run,
        AlarmControl(engine, clock, relay.channels).run,
        Rechecker(bus, engine, clock, service, settings).run,
        ReadingsUpkeep(engine, clock).run,
        anchorer_of(settings, engine, clock, bus, watch.tell_audit).run,
        watch.watch_disk,
        watch.sweep,
        watch.verify_nightly,
        *(make(settings, bus, engine, clock, service) for make in more),
    ]
    await asyncio.to_thread(_load_rules, engine, intake)
    log.info("worker ready: %d rules, %d partitions", len(intake.book.specs), settings.partitions)
    tasks = [asyncio.create_task(_supervised(job)) for job in jobs]
    try:
        await stop.wait()
    finally:
        await end(tasks)
        for flow in flows:
            for pull in flow.pulls:
                await pull.stop()


async def _flows(bus: Bus, arrived: asyncio.Event) -> list[Flow]:
    flows = []
    for stream, batch, record in (("OBS", OBS_BATCH, Observation), ("READ", READ_BATCH, Reading)):
        pulls = []
        for p in range(bus.settings.partitions):
            durable = f"{bus.prefix.replace('.', '_')}worker-{stream.lower()}-{p}"
            pull = Puller(bus, stream, durable, f"{stream.lower()}.{p}.>", bound=batch, arrived=arrived)
            await pull.start()
            pulls.append(pull)
        flows.append(Flow(stream=stream, batch=batch, pulls=tuple(pulls), record=record))
    return flows


async def end(tasks: Collection[asyncio.Task[None]], again_s: float = 2.0) -> None:
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


def _load_rules(engine: Engine, intake: Intake) -> tuple[int, str]:
    with read_scope(engine) as session:
        mark = rulebook_mark(session)
        book = read_rulebook(session)
    for problem in book.problems:
        log.warning("%s", problem)
    intake.book = book
    return mark


async def _watch_rules(engine: Engine, intake: Intake) -> None:
    """Exchange the rulebook when the table changes."""

    def mark_now() -> tuple[int, str]:
        with read_scope(engine) as session:
            return rulebook_mark(session)

    mark = await asyncio.to_thread(_load_rules, engine, intake)
    while True:
        await asyncio.sleep(POLL_S)
        if await asyncio.to_thread(mark_now) != mark:
            mark = await asyncio.to_thread(_load_rules, engine, intake)
            log.info("rules reloaded: %d", len(intake.book.specs))


async def _watch_registry(bus: Bus, engine: Engine, registry: PlaceRegistry) -> None:
    """Publish cameras and devices to key-value at start and whenever a revision grew."""
    while True:
        if await publish_registry(bus, engine):
            registry.forget()
        await asyncio.sleep(POLL_S)
