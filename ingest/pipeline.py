"""What every source hands its findings to: look up the device, normalise, drop repeats, publish."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Literal, Protocol, TypeVar

from core.clock import Clock
from core.ids import derived_id
from core.media import MediaStore
from core.records import DeviceConfig, Observation, Reading
from ingest.counters import Counters, Refusal
from ingest.live import LiveStates
from ingest.normalise import (
    StandingAlarm,
    cleared_by,
    device_moment,
    discovered,
    normalise_observation,
    normalise_reading,
    restated,
    state_observation,
)
from ingest.outlet import NotDurable, Outlet
from ingest.registry import DeviceRegistry

log = logging.getLogger("yiwang.ingest")

_DISCOVERED_LIMIT = 50_000
_STRANGERS = 500  # devices that are not known whose refusals are remembered

Durable = asyncio.Future[None]


class HealthSink(Protocol):
    """Who watches over the devices' health."""

    def heard(self, device_id: str, now: datetime) -> None: ...

    def reading(self, reading: Reading) -> None: ...

    def clock_seen(self, device_id: str, device_time: datetime | None, now: datetime) -> None: ...

    def refused(self, device_id: str) -> None: ...

    def disconnected(self, device_id: str, now: datetime) -> None: ...


class Pipeline:
    """Readings and observations of all sources on their way to the bus."""

    def __init__(
        self,
        registry: DeviceRegistry,
        outlet: Outlet,
        live: LiveStates,
        counters: Counters,
        clock: Clock,
        health: HealthSink | None = None,
        media: MediaStore | None = None,
    ) -> None:
        self.registry = registry
        self.counters = counters
        self.clock = clock
        self.live = live
        self.health = health
        self._media = media
        self.standing = StandingAlarm()
        self._outlet = outlet
        self._discovered: dict[str, Durable] = {}
        self._of_strangers: dict[str, list[Refusal]] = {}  # refused before the device was known

    async def take(
        self,
        source: str,
        device_id: str,
        readings: Sequence[Reading] = (),
        observations: Sequence[Observation] = (),
        *,
        replayed: bool = False,
    ) -> list[Durable]:
        """Publish what one frame or message of ``device_id`` said.

        Returns the futures of everything that must be durable before the device may be confirmed; an empty
        list when there is nothing to wait for.  A truth value among the readings becomes a state observation.
        ``replayed``: the broker gave an old message again (MQTT's retain); it is stored where it has a time of its
        own, and is no sign of life.
        """
        counters = self.counters.of(source)
        device = self.registry.get(device_id)
        now = self.clock.now()
        waiting: list[Durable] = []
        if replayed:
            readings, observations = _with_own_time(readings), _with_own_time(observations)
            if device is None or not (readings or observations):
                counters.count("retained_skipped")
                return waiting
        if device is None:
            foreign = bool(observations) and all(o.source_type != "device" for o in observations)
            if not foreign:  # another platform's event is no device that somebody has to accept
                await self._discover(device_id, source, now, waiting)
        elif device.status == "disabled":
            counters.count("from_disabled")
            return waiting
        health = self.health if device is not None and not replayed else None  # strangers have no health
        if not replayed:
            self.live.heard(device_id, source, now)
            for refusal in self._of_strangers.pop(device_id, ()):
                self.live.refused(device_id, source, refusal)
        if health is not None:
            health.heard(device_id, now)
        for reading in readings:
            reading = normalise_reading(reading, device)
            self.live.reading(reading)
            if health is not None:
                health.reading(reading)
            if isinstance(reading.value, bool):
                await self._observe(state_observation(reading), device, waiting)
            else:
                counters.count("readings")
                waiting.append(await self._outlet.reading(reading))
        for observation in observations:
            await self._observe(observation, device, waiting)
        for operation in observations:
            for cleared in cleared_by(operation, self.standing):
                await self._observe(cleared, device, waiting)
        return waiting

    async def picture(self, source: str, device_id: str, data: bytes) -> list[Durable]:
        """Seal a picture that a device sent and announce it (``device_picture``); futures as for :meth:`take`."""
        if self._media is None or not data:
            return []
        now = self.clock.now()
        media_type = "image/jpeg" if data.startswith(b"\xff\xd8") else "application/octet-stream"
        seal = partial(self._media.put, data, kind="photo", media_type=media_type, taken_at=now)
        evidence = await asyncio.to_thread(seal)
        observation = Observation(
            observation_id=derived_id("device_picture", device_id, evidence.sha256),
            kind="device_picture",
            state="measure",
            source_type="device",
            source_id=device_id,
            observed_at=now,
            received_at=now,
            evidence=(evidence,),
        )
        return await self.take(source, device_id, observations=(observation,))

    def clock_seen(self, device_id: str, device_time: datetime | None) -> None:
        """The device's clock as a frame showed it."""
        device = self.registry.get(device_id)
        if self.health is not None and device is not None:
            now = self.clock.now()
            shown = None if device_time is None else device_moment(device_time, now, device)
            self.health.clock_seen(device_id, shown, now)

    def refused(self, device_id: str) -> None:
        """A damaged frame that still named its device."""
        if self.health is not None and self.registry.get(device_id) is not None:
            self.health.refused(device_id)

    def note_refused(self, source: str, refusal: Refusal, device_id: str = "") -> None:
        """Count what was refused and keep it where its owner looks: at the device, else at the source.

        What a message that makes a device known had wrong with it comes to the device too.
        """
        counters = self.counters.of(source)
        counters.refuse(refusal.code)
        device = self.registry.get(device_id) if device_id else None
        if device is not None or self.live.get(device_id) is not None:
            self.live.refused(device_id, device.source if device else source, refusal)
        else:
            counters.keep(refusal)
            if device_id and (device_id in self._of_strangers or len(self._of_strangers) < _STRANGERS):
                self._of_strangers[device_id] = [*self._of_strangers.get(device_id, ())[-4:], refusal]

    def disconnected(self, device_id: str) -> None:
        """The device's connection ended."""
        if self.health is not None and self.registry.get(device_id) is not None:
            self.health.disconnected(device_id, self.clock.now())

    async def announce(self, observation: Observation) -> Durable:
        """Publish an observation of ingest itself (health, duty check unanswered)."""
        device = self.registry.get(observation.source_id)
        self.counters.of(device.source if device else "ingest").count("observations")
        return await self._outlet.observation(normalise_observation(observation, device))

    async def _observe(self, observation: Observation, device: DeviceConfig | None, waiting: list[Durable]) -> None:
        observation = normalise_observation(observation, device)
        if observation.state != "measure":
            same = self.standing.repeats(observation)
            if same is not None:
                waiting.append(same)
                return
            newer = self.standing.later(observation)
            if newer is not None:
                await self._observe_late(observation, newer, waiting)
                return
        durable = await self._outlet.observation(observation)
        if observation.state != "measure":
            self.standing.announce(observation, durable)
            self._show_standing(observation.source_id)
        self.counters.of(observation.source_id.partition(":")[0]).count("observations")
        waiting.append(durable)

    def _show_standing(self, device_id: str) -> None:
        self.live.standing(device_id, self.standing.open_of(device_id), self.standing.states_of(device_id))

    async def _observe_late(
        self, observation: Observation, newer: tuple[Literal["open", "clear"], datetime], waiting: list[Durable]
    ) -> None:
        """A state that was observed before the one that holds: an alarm is told, and at once that it is over."""
        self.counters.of(observation.source_id.partition(":")[0]).count("late_states")
        if observation.state == "clear":
            return  # whatever it ended stands again, or was ended since
        waiting.append(await self._outlet.observation(observation))
        waiting.append(await self._outlet.observation(restated(observation, *newer, self.clock.now())))
        self.counters.of(observation.source_id.partition(":")[0]).count("observations", 2)

    async def _discover(self, device_id: str, source: str, now: datetime, waiting: list[Durable]) -> None:
        known = self._discovered.get(device_id)
        failed = known is not None and known.done() and (known.cancelled() or known.exception() is not None)
        if known is None or failed:
            if len(self._discovered) >= _DISCOVERED_LIMIT:
                self.counters.of(source).count("discovery_refused")
                return
            log.info("unknown device %s: quarantined", device_id)
            known = await self._outlet.observation(discovered(device_id, source, now))
            self._discovered[device_id] = known
            self.counters.of(source).count("discovered")
        waiting.append(known)


R = TypeVar("R", Reading, Observation)


def _with_own_time(said: Sequence[R]) -> list[R]:
    """Those whose moment the device itself gave, and could have."""
    return [record for record in said if record.observed_at != record.received_at]


async def durable(waiting: Iterable[Durable]) -> bool:
    """Whether everything in ``waiting`` became durable; never raises :class:`NotDurable`."""
    held = True
    for future in waiting:
        try:
            await asyncio.shield(future)
        except NotDurable as error:
            log.debug("not confirmed: %s", error)
            held = False
    return held
