"""From what a device said to what the platform may judge: calibrated, range-checked, placed, without repeats.

Pure but for :class:`Standing`, the memory of which alarms stand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from core.ids import derived_id
from core.records import DeviceConfig, Observation, Quality, Reading

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
        reading, value=value, quality=quality, attributes=attributes, site_id=reading.site_id or config.site_id
    )


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


@dataclass
class Standing:
    """Which alarms and states stand, so that a repeat is not announced again.

    A state that is unknown (after a restart) is announced whatever it is.  A state whose announcement did
    not become durable is forgotten, so that the device's repeat announces it again.
    """

    limit: int = 200_000
    _states: dict[str, dict[tuple[str, str], tuple[str, asyncio.Future[None]]]] = field(default_factory=dict)
    _hints: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    _count: int = 0

    def hint(self, device_id: str, open_kinds: Iterable[str]) -> None:
        """What stood open before a restart (as :meth:`open_of` said).

        Only a reset looks at it: it may be seconds old, and a fire alarm must not be held back on its word.
        """
        found = {(kind, channel) for kind, _, channel in (name.partition(":") for name in open_kinds)}
        if found:
            self._hints[device_id] = found

    def repeats(self, observation: Observation) -> asyncio.Future[None] | None:
        """The announcement that said the same already (perhaps still under way), ``None`` when it is news."""
        device_id, kind, channel = standing_key(observation)
        known = self._states.get(device_id, {}).get((kind, channel))
        if known is None or known[0] != observation.state:
            return None
        return known[1]

    def announce(self, observation: Observation, durable: asyncio.Future[None]) -> None:
        """Remember that ``observation`` is being announced."""
        device_id, kind, channel = standing_key(observation)
        key = (kind, channel)
        if self._count >= self.limit:
            self._forget_oldest()
        states = self._states.setdefault(device_id, {})
        self._count += key not in states
        states[key] = (observation.state, durable)
        self._hints.get(device_id, set()).discard(key)

        def settle(future: asyncio.Future[None]) -> None:
            lost = future.cancelled() or future.exception() is not None
            if lost and states.get(key, ("", None))[1] is future:
                del states[key]
                self._count -= 1

        durable.add_done_callback(settle)

    def _forget_oldest(self) -> None:
        """Forget the device that was remembered first: its next states are announced again, which is harmless."""
        gone = self._states.pop(next(iter(self._states)))
        self._count -= len(gone)

    def open_keys(self, device_id: str) -> list[StandingKey]:
        """What stands open at the device, or stood before a restart."""
        known = [key for key, (state, _) in self._states.get(device_id, {}).items() if state == "open"]
        return [(device_id, *key) for key in [*known, *sorted(self._hints.get(device_id, ()))]]

    def open_of(self, device_id: str) -> list[str]:
        """The same as ``kind`` or ``kind:channel``."""
        return [f"{kind}:{channel}" if channel else kind for _, kind, channel in self.open_keys(device_id)]


_CLEARED_BY_RESET = ("fire_alarm", "manual_alarm", "supervisory_alarm")


def cleared_by(operation: Observation, standing: Standing) -> list[Observation]:
    """The alarms that a reset at the panel ends: also those that stood before the connection or ingest was made anew.

    ``operation`` is a ``panel_operation``; its channel, if any, limits the reset to that system.
    """
    done = operation.attributes.get("operations", ())
    if operation.kind != "panel_operation" or not ({"reset", "alarm_cleared"} & set(done)):
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
