"""Commits what has arrived: one transaction a batch, alarms first, then the acknowledgement.

A batch that fails is tried again message by message.  A message that fails by itself ``MAX_TRIES`` times is
written to ``dead_letter`` and put aside; a database that is away is waited for and blames nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field

import nats.errors
from nats.aio.msg import Msg
from sqlalchemy import Engine

from core.bus import Bus
from core.clock import Clock
from core.errors import YiwangError
from core.records import Observation, Reading, decode_many, parts_of
from events.correlation.intake import Intake, Taken
from events.runtime import dead_letters
from events.runtime.stream_pull import ACK_WAIT_S, LeaderNews, Puller
from storage.availability import is_away
from storage.session import session_scope, take_turn

log = logging.getLogger("yiwang.worker")

OBS_BATCH = 96  # a burst in which each opens a case must not hold the database for seconds
READ_BATCH = 128  # messages, each of up to 64 readings
MAX_TRIES = 5
SUSPECT_DELIVERIES = 5  # delivered this often without an answer: it may have killed us, so handle it alone
AWAY_S = 0.3  # a database that is away is tried again
RENEW_S = 0.3  # a pull that could not be started anew, for its consumer has no leader yet
REST_S = 0.05
TICK_S = 5.0  # how often rules that wait for time to pass are asked


@dataclass
class Flow:
    """A stream, the pulls of our partitions, and how a batch of it is taken in."""

    stream: str
    batch: int
    record: type[Observation] | type[Reading]
    pulls: dict[int, Puller] = field(default_factory=dict)  # by partition

    @property
    def waiting(self) -> int:
        return sum(pull.waiting for pull in self.pulls.values())


class Committer:
    """Takes messages from the flows and commits them."""

    def __init__(self, engine: Engine, intake: Intake, clock: Clock, bus: Bus):
        self._engine = engine
        self._intake = intake
        self._clock = clock
        self._bus = bus
        self._flows = (Flow("OBS", OBS_BATCH, Observation), Flow("READ", READ_BATCH, Reading))
        self._leaders = [LeaderNews(bus, f.stream, lambda f=f: list(f.pulls.values())) for f in self._flows]  # type: ignore[misc]
        self._arrived = asyncio.Event()
        self._turning = asyncio.Lock()
        self._database_away = False
        self._renewing: dict[Puller, asyncio.Task[None]] = {}
        self.resting = False  # nothing is committed: whether our partitions are still ours is not known
        self.ticks = True  # of several workers one asks the rules that wait for time to pass
        self._ticked_at = clock.monotonic()
        self.committed = 0
        self.totals = Taken()

    async def start(self) -> None:
        """Hear of other leaders of our consumers."""
        for news in self._leaders:
            await news.start()

    async def enter(self, partitions: Collection[int]) -> set[int]:
        """Begin to pull ``partitions``, all at once: none is a head start ahead of the others.

        Returns those that cannot be pulled yet: a stream or consumer chooses its leader.
        """
        wanted = sorted(partitions)
        begun = await asyncio.gather(*(self._begin(partition) for partition in wanted))
        for partition, pulls in zip(wanted, begun, strict=True):
            for flow, pull in zip(self._flows, pulls, strict=False):
                flow.pulls[partition] = pull
        return {partition for partition, pulls in zip(wanted, begun, strict=True) if not pulls}

    async def _begin(self, partition: int) -> list[Puller]:
        """A pull of each flow, or none at all."""
        pulls = [self._pull(flow, partition) for flow in self._flows]
        try:
            await asyncio.gather(*(pull.start() for pull in pulls))
        except (nats.errors.Error, TimeoutError) as error:
            log.info("partition %d is not taken up yet: %r", partition, error)
            for pull in pulls:
                with suppress(nats.errors.Error):
                    await pull.stop()
            return []
        return pulls

    def _pull(self, flow: Flow, partition: int) -> Puller:
        name = flow.stream.lower()
        durable = f"{self._bus.prefix.replace('.', '_')}worker-{name}-{partition}"
        subject = f"{name}.{partition}.>"
        return Puller(self._bus, flow.stream, durable, subject, bound=flow.batch, arrived=self._arrived)

    async def leave(self, partition: int) -> None:
        """Put ``partition`` down between two batches: what is in hand and not committed comes to its next owner."""
        async with self._turning:
            gone = [pull for flow in self._flows if (pull := flow.pulls.pop(partition, None)) is not None]
        await self._end_renewals(gone)
        for pull in gone:
            await pull.stop()

    async def close(self) -> None:
        """Stop all pulls."""
        await self._end_renewals(list(self._renewing))
        for news in self._leaders:
            await news.stop()
        for flow in self._flows:
            for pull in flow.pulls.values():
                await pull.stop()

    async def run(self) -> None:
        """Commit for ever."""
        while True:
            if self.resting:
                await asyncio.sleep(REST_S)
                continue
            self._renew_stale()
            if not any(flow.waiting for flow in self._flows):
                self._arrived.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._arrived.wait(), 1.0)
                for flow in self._flows:
                    for pull in list(flow.pulls.values()):
                        await pull.keep_alive()
            for flow in self._flows:
                async with self._turning:
                    await self._turn(flow)
            if self._clock.monotonic() - self._ticked_at >= TICK_S:
                self._ticked_at = self._clock.monotonic()
                await asyncio.to_thread(self._tick)

    def _renew_stale(self) -> None:
        """Begin to start anew what another connection or another leader of its consumer left without a request."""
        self._renewing = {pull: task for pull, task in self._renewing.items() if not task.done()}
        for pull in (pull for flow in self._flows for pull in flow.pulls.values()):
            if pull.stale and pull not in self._renewing:
                self._renewing[pull] = asyncio.create_task(self._renew(pull))

    async def _renew(self, pull: Puller) -> None:
        """Between two batches: what is in hand comes again, in order."""
        async with self._turning:
            with suppress(nats.errors.Error):
                await pull.stop()
        while True:
            try:
                return await pull.start()
            except (nats.errors.Error, Exception) as error:  # noqa: BLE001 - supervisor: a partition must not stay deaf
                log.info("%s is not pulled again yet: %r", pull.durable, error)
                await asyncio.sleep(RENEW_S)

    async def _end_renewals(self, pulls: Collection[Puller]) -> None:
        tasks = [task for pull in pulls if (task := self._renewing.pop(pull, None)) is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _tick(self) -> None:
        """Between batches, so that nobody else writes the rules' memory meanwhile (in a thread)."""
        if not self.ticks or not self._intake.book.ticking:
            return
        with session_scope(self._engine) as session:
            take_turn(session)
            _add(self.totals, self._intake.tick(session))

    async def _turn(self, flow: Flow) -> None:
        """One transaction with what ``flow`` has, a fair share of each partition."""
        share = max(1, flow.batch // max(1, sum(1 for pull in flow.pulls.values() if pull.waiting)))
        taken = [(pull, messages) for pull in flow.pulls.values() if (messages := pull.take(share))]
        if not taken:
            return
        messages = sorted((m for _, some in taken for m in some), key=lambda m: m.metadata.sequence.stream)
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
                    await asyncio.sleep(AWAY_S)
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
