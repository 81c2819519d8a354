"""The health of every accepted device: a state machine with reasons.  A silent sensor is a signal.

States, worst first: ``silent``, ``flapping``, ``clock_off``, ``signal_bad``, ``out_of_range``, ``stuck``, ``online``.
:func:`judge` is pure; :class:`HealthMonitor` keeps one :class:`DeviceTrack` per device, feeds it from the pipeline, and
announces each change as a ``device_health`` observation (``open`` for trouble, ``clear`` for online).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from core import plugins
from core.clock import Clock
from core.ids import derived_id
from core.records import DeviceConfig, Observation, Quality, Reading
from ingest.live import LiveStates
from ingest.outlet import NotDurable
from ingest.registry import DeviceRegistry

log = logging.getLogger("yiwang.ingest")

_FRAMES = 20
_FRAMES_MASK = (1 << _FRAMES) - 1
UNKNOWN, ONLINE = "unknown", "online"


def expected_intervals() -> dict[str, float]:
    """Seconds between two signs of life of a healthy device, by source, as the sources' plug-ins state them."""
    stated = {kind: plugins.about("source", kind).interval_s for kind in plugins.titles("source", "en")}
    return {kind: interval for kind, interval in stated.items() if interval}


@dataclass(frozen=True, kw_only=True)
class HealthPolicy:
    """Thresholds.  ``interval_s`` is a source's expected interval where the registry states none."""

    interval_s: dict[str, float] = field(default_factory=lambda: expected_intervals())
    silent_intervals: float = 3.0
    silent_min_s: float = 90.0  # three heart-beats of a fire panel
    flaps: int = 5  # losses within flap_window_s
    flap_window_s: float = 600.0
    clock_tolerance_s: float = 300.0
    streak: int = 3  # so many bad (or good again) in a row change the state
    stuck_after_s: float = 86_400.0
    stuck_count: int = 100
    refused_share: float = 0.25  # of the last 20 frames


@dataclass(slots=True)
class _Value:
    """How long a quantity has shown the same number, and how often in a row it was out of range or good."""

    value: float
    since: datetime
    count: int = 1
    bad: int = 0
    good: int = 0
    out: bool = False


@dataclass(slots=True)
class DeviceTrack:
    """What was seen of one device."""

    started: datetime
    known: bool = False  # heard before this process began
    state: str = UNKNOWN
    reason: str = ""
    since: datetime | None = None
    last_heard: datetime | None = None
    was_silent: bool = False
    losses: tuple[datetime, ...] = ()  # the last 16
    frames: int = 0  # the last 20 as bits, 1: refused (ten thousand devices: a deque each would take six megabytes)
    frame_count: int = 0
    clock_bad: int = 0
    clock_good: int = 0
    clock_off: bool = False
    clock_offset_s: float | None = None
    signal_bad: int = 0
    values: dict[str, _Value] = field(default_factory=dict)
    pending: Observation | None = None

    def frame(self, refused: bool) -> None:
        """Note a frame."""
        self.frames = (self.frames << 1 | refused) & _FRAMES_MASK
        self.frame_count = min(self.frame_count + 1, _FRAMES)

    def lost(self, at: datetime) -> None:
        """Note a loss."""
        self.losses = (*self.losses[-15:], at)


def silence_limit_s(device: DeviceConfig, policy: HealthPolicy) -> float | None:
    """After how many seconds the device counts as silent; ``None`` when nobody expects it to speak."""
    expected = device.expected_interval_s or policy.interval_s.get(device.source)
    return None if expected is None else max(policy.silent_min_s, policy.silent_intervals * expected)


def judge(track: DeviceTrack, device: DeviceConfig, now: datetime, policy: HealthPolicy) -> tuple[str, str]:
    """(state, reason) of the device at ``now``."""
    if track.last_heard is None and not track.known:
        return track.state, track.reason  # never heard: not put up yet, or not connected; no fault of the device
    limit = silence_limit_s(device, policy)
    quiet_s = (now - (track.last_heard or track.started)).total_seconds()
    if limit is not None and quiet_s > limit:
        heard = "nothing since ingest started" if track.last_heard is None else f"nothing for {quiet_s:.0f} s"
        return "silent", f"{heard}, expected every {limit / policy.silent_intervals:.0f} s"
    if track.last_heard is None:
        return track.state, track.reason
    recent = [at for at in track.losses if (now - at).total_seconds() <= policy.flap_window_s]
    if len(recent) >= policy.flaps:
        return "flapping", f"lost {len(recent)} times within {policy.flap_window_s / 60:.0f} min"
    if track.clock_off:
        if track.clock_offset_s is None:
            return "clock_off", "its clock shows no possible time"
        return "clock_off", f"its clock is {abs(track.clock_offset_s):.0f} s " + (
            "ahead" if track.clock_offset_s > 0 else "behind"
        )
    damaged = track.frames.bit_count()
    if track.frame_count >= 8 and damaged / track.frame_count > policy.refused_share:
        return "signal_bad", f"{damaged} of its last {track.frame_count} frames were damaged"
    if track.signal_bad >= policy.streak:
        return "signal_bad", "it reports a bad signal"
    for name, value in track.values.items():
        if value.out:
            return "out_of_range", f"{name} = {value.value:g} is outside its range"
    stuck = _stuck(track, device, now, policy)
    return ("stuck", stuck) if stuck else (ONLINE, "")


def _stuck(track: DeviceTrack, device: DeviceConfig, now: datetime, policy: HealthPolicy) -> str:
    """Why a value counts as stuck.  Zero may stand for months (a dry road, no rain)."""
    limits = device.attributes.get("stuck_after_s", {})
    for name, value in track.values.items():
        given = limits.get(name.partition("/")[0]) if isinstance(limits, dict) else limits
        limit = float(given) if given is not None else policy.stuck_after_s
        if value.value == 0 and given is None:
            continue
        lasted = (now - value.since).total_seconds()
        if value.count >= policy.stuck_count and lasted >= limit:
            return f"{name} has shown {value.value:g} for {lasted / 3600:.1f} h"
    return ""


class HealthMonitor:
    """Watches all accepted devices of a registry; see the module."""

    def __init__(
        self,
        registry: DeviceRegistry,
        live: LiveStates,
        announce: Callable[[Observation], Awaitable[asyncio.Future[None]]],
        clock: Clock,
        policy: HealthPolicy | None = None,
    ) -> None:
        self._registry, self._live, self._announce, self._clock = registry, live, announce, clock
        self.policy = policy or HealthPolicy()
        self._tracks: dict[str, DeviceTrack] = {}

    def track(self, device_id: str) -> DeviceTrack:
        """The device's track; a new one continues the state that was live before a restart."""
        found = self._tracks.get(device_id)
        if found is None:
            live = self._live.get(device_id) or {}
            found = self._tracks[device_id] = DeviceTrack(started=self._clock.now(), known="heard_at" in live)
            before = live.get("health")
            if before:
                found.state, found.reason, found.since = before["state"], before["reason"], before["since"]
        return found

    # fed by the pipeline and the transports ----------------------------------------
    def heard(self, device_id: str, now: datetime) -> None:
        """A good frame or message came."""
        track = self.track(device_id)
        track.last_heard = now
        track.frame(False)

    def refused(self, device_id: str) -> None:
        """A damaged frame came that still named the device."""
        self.track(device_id).frame(True)

    def disconnected(self, device_id: str, now: datetime) -> None:
        """The device's connection ended."""
        self.track(device_id).lost(now)

    def clock_seen(self, device_id: str, device_time: datetime | None, now: datetime) -> None:
        """The clock that a frame showed; ``None`` when it was no possible time."""
        track = self.track(device_id)
        offset = None if device_time is None else (device_time - now).total_seconds()
        if offset is None or abs(offset) > self.policy.clock_tolerance_s:
            track.clock_bad, track.clock_good = track.clock_bad + 1, 0
            track.clock_offset_s = offset
            track.clock_off = track.clock_off or track.clock_bad >= self.policy.streak
        else:
            track.clock_bad, track.clock_good = 0, track.clock_good + 1
            track.clock_off = track.clock_off and track.clock_good < self.policy.streak

    def reading(self, reading: Reading) -> None:
        """A value, after calibration and range check."""
        track = self.track(reading.device_id)
        if reading.quality is Quality.CLOCK_BAD:
            self.clock_seen(reading.device_id, None, reading.received_at)
        track.signal_bad = track.signal_bad + 1 if reading.quality is Quality.SIGNAL_BAD else 0
        value = reading.value
        if isinstance(value, (bool, str)) or value is None:
            return
        name = f"{reading.quantity}/{reading.channel}" if reading.channel else reading.quantity
        known = track.values.get(name)
        if known is None:
            if len(track.values) >= 100:
                return
            known = track.values[name] = _Value(value, reading.observed_at, 0)
        if known.value != value:
            known.value, known.since, known.count = value, reading.observed_at, 0
        known.count += 1
        self._range(known, reading.quality is Quality.OUT_OF_RANGE)

    def _range(self, known: _Value, out: bool) -> None:
        known.bad, known.good = (known.bad + 1, 0) if out else (0, known.good + 1)
        if known.bad >= self.policy.streak:
            known.out = True
        elif known.good >= self.policy.streak:
            known.out = False

    # judged ----------------------------------------------------------------------
    async def run(self, stop: asyncio.Event, every_s: float = 2.0) -> None:
        """Judge all devices every ``every_s`` seconds until ``stop``."""
        while not stop.is_set():
            await self.sweep()
            try:
                await asyncio.wait_for(stop.wait(), every_s)
            except TimeoutError:
                continue

    async def sweep(self) -> list[Observation]:
        """Judge every accepted device once; returns what was announced."""
        now, changes = self._clock.now(), []
        for number, device in enumerate(self._registry):
            if number % 500 == 499:
                await asyncio.sleep(0)  # ten thousand devices must not hold up the sockets
            if device.status != "accepted":
                continue
            track = self.track(device.device_id)
            state, reason = judge(track, device, now, self.policy)
            if state == "silent" and not track.was_silent and track.last_heard is not None:
                track.lost(now)
            track.was_silent = state == "silent"
            if state not in (track.state, UNKNOWN):
                track.pending = self._change(track, device, state, reason, now)
            if track.pending is not None:
                changes.append((track, track.pending))
        return await self._tell(changes)

    def _change(self, track: DeviceTrack, device: DeviceConfig, state: str, reason: str, now: datetime) -> Observation:
        previous, track.state, track.reason, track.since = track.state, state, reason, now
        self._live.health(device.device_id, device.source, state, reason, now)
        return Observation(
            observation_id=derived_id("device_health", device.device_id, state, now),
            kind="device_health",
            state="clear" if state == ONLINE else "open",
            source_type="device",
            source_id=device.device_id,
            observed_at=now,
            received_at=now,
            attributes={"state": state, "reason": reason, "previous": previous},
        )

    async def _tell(self, changes: list[tuple[DeviceTrack, Observation]]) -> list[Observation]:
        told = [(track, observation, await self._announce(observation)) for track, observation in changes]
        durable = []
        for track, observation, future in told:
            try:
                await future
            except NotDurable as error:
                log.debug("health of %s is told later: %s", observation.source_id, error)
                continue
            durable.append(observation)
            if track.pending is observation:
                track.pending = None
        return durable
