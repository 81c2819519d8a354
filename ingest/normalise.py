"""From what a device said to what the platform may judge: calibrated, range-checked, placed, without repeats.

Pure but for :class:`StandingAlarm`, the memory of which alarms stand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import msgspec

from core.clock import BEIJING
from core.ids import derived_id
from core.records import DeviceConfig, Observation, Quality, Reading
from ingest.times import read_zone

BEIJING_SOURCES = frozenset(("gb26875", "sl651", "hj212", "jt808"))
"""Protocols whose times carry no offset."""
_NO_CONFIG = DeviceConfig(device_id="", source="", address="")


def normalise_reading(reading: Reading, device: DeviceConfig | None) -> Reading:
    """The reading with calibration, range check, site and quarantine flag applied.

    ``device`` is ``None`` when the registry does not know it.  Calibration and ranges are per quantity;
    a value outside its range keeps its number and gets ``Quality.OUT_OF_RANGE``.
    """
    value, quality, attributes = reading.value, reading.quality, reading.attributes
    config = device or _NO_CONFIG
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        calibration = config.calibration.get(reading.quantity)
        if calibration:
            value = value * float(calibration.get("scale", 1.0)) + float(calibration.get("offset", 0.0))
        span = config.ranges.get(reading.quantity)
        if span and quality is Quality.GOOD and not span[0] <= value <= span[1]:
            quality = Quality.OUT_OF_RANGE
    if is_quarantined(device):
        attributes = {**attributes, "quarantine": True}
    return msgspec.structs.replace(
        reading,
        value=value,
        quality=quality,
        attributes=attributes,
        site_id=reading.site_id or config.site_id,
        observed_at=device_moment(reading.observed_at, reading.received_at, device),
    )


def device_moment(at: datetime, received_at: datetime, device: DeviceConfig | None) -> datetime:
    """When it happened, for a device whose clock runs in another zone than its protocol says (Beijing).

    ``attributes.clock_zone`` of the registry names the zone (``UTC``, ``+09:00``, ``Asia/Urumqi``).
    """
    zone = None if device is None else device.attributes.get("clock_zone")
    if not zone or device is None or device.source not in BEIJING_SOURCES or at == received_at:
        return at
    try:
        return at.astimezone(BEIJING).replace(tzinfo=read_zone(str(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        return at


def normalise_observation(observation: Observation, device: DeviceConfig | None) -> Observation:
    """The observation with site, place and quarantine flag filled in from the registry."""
    config = device or _NO_CONFIG
    attributes = observation.attributes
    if observation.source_type == "device" and is_quarantined(device):
        attributes = {**attributes, "quarantine": True}
    return msgspec.structs.replace(
        observation,
        site_id=observation.site_id or config.site_id,
        location=observation.location or config.location,
        attributes=attributes,
        observed_at=device_moment(observation.observed_at, observation.received_at, device),
    )


def state_observation(reading: Reading) -> Observation:
    """A truth value as an observation: ``open`` while it holds, ``clear`` when it does not."""
    return Observation(
        observation_id=derived_id("state", reading.reading_id),
        kind=reading.quantity,
        state="open" if reading.value else "clear",
        source_type="device",
        source_id=reading.device_id,
        observed_at=reading.observed_at,
        received_at=reading.received_at,
        site_id=reading.site_id,
        location=reading.location,
        zone=reading.channel or None,
        attributes=reading.attributes,
    )


def discovered(device_id: str, source: str, at: datetime) -> Observation:
    """The announcement of a device that the registry does not know; the worker puts it into quarantine."""
    config = DeviceConfig(device_id=device_id, source=source, address=device_id.partition(":")[2])
    return Observation(
        # once a day at most: a device that an administrator removed is found again
        observation_id=derived_id("device_discovered", device_id, at.date().isoformat()),
        kind="device_discovered",
        state="measure",
        source_type="device",
        source_id=device_id,
        observed_at=at,
        received_at=at,
        attributes=msgspec.to_builtins(config),
    )


def is_quarantined(device: DeviceConfig | None) -> bool:
    """Whether what the device says is stored and shown only."""
    return device is None or device.status != "accepted"


StandingKey = tuple[str, str, str]


def standing_key(observation: Observation) -> StandingKey:
    """What an alarm stands for: device, kind and the component inside the device."""
    channel = observation.attributes.get("channel") or observation.zone or ""
    return (observation.source_id, observation.kind, str(channel))


@dataclass(slots=True)
class _State:
    """What an alarm's state is; ``durable`` None: it was said before a restart."""

    state: str
    at: datetime
    durable: asyncio.Future[None] | None


@dataclass
class StandingAlarm:
    """Which alarms and states stand, and since when, so that a repeat is not announced again.

    A state that is unknown (after a restart) is announced whatever it is.  A state whose announcement did
    not become durable is forgotten, so that the device's repeat announces it again.  A state that was observed
    earlier than the one that is known never replaces it.
    """

    limit: int = 200_000
    _states: dict[str, dict[tuple[str, str], _State]] = field(default_factory=dict)
    _count: int = 0

    def hint(self, device_id: str, states: Mapping[str, tuple[str, datetime]]) -> None:
        """What was known before a restart (as :meth:`states_of` said).

        Only a reset and the order in time look at it: it may be seconds old, and a fire alarm must not be held back
        on its word.
        """
        for name, (state, at) in states.items():
            kind, _, channel = name.partition(":")
            self._put(device_id, (kind, channel), _State(state, at, None))

    def repeats(self, observation: Observation) -> asyncio.Future[None] | None:
        """The announcement that said the same already (perhaps still under way), ``None`` when it is news."""
        device_id, kind, channel = standing_key(observation)
        known = self._states.get(device_id, {}).get((kind, channel))
        if known is None or known.state != observation.state:
            return None
        known.at = max(known.at, _moment(observation))
        return known.durable

    def later(self, observation: Observation) -> tuple[Literal["open", "clear"], datetime] | None:
        """The other state and its time when that was observed later than ``observation``: then it still holds."""
        device_id, kind, channel = standing_key(observation)
        known = self._states.get(device_id, {}).get((kind, channel))
        if known is None or known.state == observation.state or known.at <= observation.observed_at:
            return None
        return ("open" if known.state == "open" else "clear"), known.at

    def announce(self, observation: Observation, durable: asyncio.Future[None]) -> None:
        """Remember that ``observation`` is being announced."""
        device_id, kind, channel = standing_key(observation)
        key = (kind, channel)
        entry = _State(observation.state, _moment(observation), durable)
        self._put(device_id, key, entry)
        states = self._states[device_id]

        def settle(future: asyncio.Future[None]) -> None:
            lost = future.cancelled() or future.exception() is not None
            if lost and states.get(key) is entry:
                del states[key]
                self._count -= 1

        durable.add_done_callback(settle)

    def _put(self, device_id: str, key: tuple[str, str], entry: _State) -> None:
        if self._count >= self.limit:
            self._forget_oldest()
        states = self._states.setdefault(device_id, {})
        self._count += key not in states
        states[key] = entry

    def _forget_oldest(self) -> None:
        """Forget the device that was remembered first: its next states are announced again, which is harmless."""
        gone = self._states.pop(next(iter(self._states)))
        self._count -= len(gone)

    def open_keys(self, device_id: str) -> list[StandingKey]:
        """What stands open at the device, or stood before a restart."""
        known = self._states.get(device_id, {})
        return [(device_id, *key) for key, entry in known.items() if entry.state == "open"]

    def open_of(self, device_id: str) -> list[str]:
        """The same as ``kind`` or ``kind:channel``."""
        return [_name(kind, channel) for _, kind, channel in self.open_keys(device_id)]

    def states_of(self, device_id: str) -> dict[str, tuple[str, datetime]]:
        """Every known state with its time, by ``kind`` or ``kind:channel``."""
        known = self._states.get(device_id, {})
        return {_name(*key): (entry.state, entry.at) for key, entry in known.items()}


def _name(kind: str, channel: str) -> str:
    return f"{kind}:{channel}" if channel else kind


def _moment(observation: Observation) -> datetime:
    """When it was observed; never later than it came, or a clock that is ahead would rule for hours."""
    return min(observation.observed_at, observation.received_at)


def restated(late: Observation, state: Literal["open", "clear"], at: datetime, now: datetime) -> Observation:
    """What holds now, said once more behind ``late``, which was observed earlier and came afterwards."""
    return msgspec.structs.replace(
        late,
        observation_id=derived_id("restated", late.observation_id, state, at),
        state=state,
        observed_at=at,
        received_at=now,
        attributes={**late.attributes, "restated": True},
    )


_CLEARED_BY_RESET = ("fire_alarm", "manual_alarm", "supervisory_alarm")


def cleared_by(operation: Observation, standing: StandingAlarm) -> list[Observation]:
    """The alarms that a reset at the panel ends: also those that stood before the connection or ingest was made anew.

    ``operation`` is a ``panel_operation``; its channel, if any, limits the reset to that system.
    """
    done = operation.attributes.get("operations", ())
    if operation.kind != "panel_operation" or not ({"reset", "alarm_cleared"} & set(done)):
        return []
    if operation.attributes.get("record"):  # read from the panel's log: it happened long ago
        return []
    within = str(operation.attributes.get("channel", ""))
    return [
        msgspec.structs.replace(
            operation,
            observation_id=derived_id("reset", operation.observation_id, kind, channel),
            kind=kind,
            state="clear",
            attributes={"channel": channel, "reason": "reset at the panel"},
        )
        for _, kind, channel in standing.open_keys(operation.source_id)
        if kind in _CLEARED_BY_RESET and (not within or channel.startswith(f"{within}/"))
    ]
