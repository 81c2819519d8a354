"""JT/T 808: what positions say about the world, as readings and observations."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from core.ids import derived_id
from core.records import Observation, Quality, Reading
from ingest.contract import observed
from ingest.sources import _jt808_tables as tables
from ingest.sources._jt808_body import PROTOCOL, Position
from ingest.sources._jt808_frame import Jt808Packet

_SIGNAL = re.compile(r"([0-9a-f]{2})\.([0-9]|[12][0-9]|3[01])$")
_UNITS = {"mileage_km": "km", "fuel_l": "L", "cargo_temperature_c": "℃"}


def check_signals(signals: dict[str, str]) -> None:
    """ValueError when a signal is not ``<item in hex>.<bit>``."""
    for name, place in signals.items():
        if not _SIGNAL.match(place):
            raise ValueError(f"signals: {name} = {place!r} is not <item in hex>.<bit>, e.g. 2a.4")


def readings(packet: Jt808Packet, received_at: datetime, signals: dict[str, str]) -> tuple[Reading, ...]:
    """Speed (with direction, altitude, switches), mileage, fuel, cargo temperature and the named signals."""
    out: list[Reading] = []
    for position in packet.positions:
        values = position.values()
        found: dict[str, float | int] = {"speed_kmph": position.speed_kmph}
        found |= {name: values[name] for name in _UNITS if name in values}
        found |= _signals(position, signals)
        out += _of_position(packet, position, found, values, received_at)
    return tuple(out)


def _signals(position: Position, signals: dict[str, str]) -> dict[str, int]:
    items = dict(position.items)
    out = {}
    for name, place in signals.items():
        item, _, bit = place.partition(".")
        data = items.get(int(item, 16))
        if data is not None:
            out[name] = int.from_bytes(data, "big") >> int(bit) & 1
    return out


def _of_position(
    packet: Jt808Packet,
    position: Position,
    found: dict[str, float | int],
    values: dict[str, Any],
    received_at: datetime,
) -> list[Reading]:
    at, quality = observed(position.time, received_at)
    serial = packet.serial if quality is Quality.CLOCK_BAD else ""
    location = position.location
    if location is None and quality is Quality.GOOD:
        quality = Quality.SIGNAL_BAD  # no fix: speed and place are the last known ones
    out = []
    for name, value in found.items():
        attributes: dict[str, Any] = {}
        if name == "speed_kmph":
            attributes = {
                "direction_deg": position.direction_deg,
                "altitude_m": position.altitude_m,
                "acc_on": bool(position.status & 1),
                **{k: values[k] for k in ("satellites", "network_rssi", "signals") if k in values},
            }
            if position.status & 1 << 5:
                attributes["coordinates_encrypted"] = True
        out.append(
            Reading(
                reading_id=derived_id(PROTOCOL, packet.address, name, position.raw, serial),
                source=PROTOCOL,
                device_id=f"{PROTOCOL}:{packet.address}",
                quantity=name,
                value=value,
                observed_at=at,
                received_at=received_at,
                unit="km/h" if name == "speed_kmph" else _UNITS.get(name, ""),
                quality=quality if name == "speed_kmph" or quality is Quality.CLOCK_BAD else Quality.GOOD,
                location=location,
                attributes=attributes,
            )
        )
    return out


def observations(packet: Jt808Packet, received_at: datetime) -> tuple[Observation, ...]:
    """Alarms as they stand in the newest position.  A catch-up batch tells of the past: it only opens, marked late."""
    if not packet.positions:
        return ()
    late = packet.fields.get("batch_type") == "catch_up"
    out = []
    for position in packet.positions if late else packet.positions[-1:]:
        names = tables.raised(tables.ALARMS, position.alarm)
        at, quality = observed(position.time, received_at)
        attributes: dict[str, Any] = {"flags": names}
        if quality is not Quality.GOOD:
            attributes["quality"] = quality.value
        for kind, wanted in tables.ALARM_KINDS.items():
            standing = bool(set(wanted) & set(names))
            if late and not standing:
                continue
            out.append(
                Observation(
                    observation_id=derived_id(PROTOCOL, packet.address, kind, position.raw, packet.serial),
                    kind=kind,
                    state="open" if standing else "clear",
                    source_type="device",
                    source_id=f"{PROTOCOL}:{packet.address}",
                    observed_at=at,
                    received_at=received_at,
                    location=position.location,
                    attributes=attributes | ({"late": True} if late else {}),
                )
            )
    return tuple(out)
