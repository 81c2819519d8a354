"""SL 651-2014: what a message says about the world, as readings and observations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.ids import derived_id
from core.records import Observation, Quality, Reading
from ingest.contract import observed
from ingest.sources import _sl651_tables as tables
from ingest.sources._sl651_body import PROTOCOL, Body, Element, Group
from ingest.sources._sl651_frame import Sl651Packet


def readings(packet: Sl651Packet, body: Body, received_at: datetime) -> tuple[Reading, ...]:
    """Every element that has a name.  Five-minute rains of an hourly report become ``rain_mm`` increments.

    Only bodies that measure: in a reply of configuration (40 to 43) the same bytes are parameters.
    """
    out = []
    if packet.function not in tables.MEASURING:
        return ()
    for group in body.groups:
        for item in group.elements:
            if item.code in tables.ELEMENTS and item.status is None:
                out.append(_reading(packet, body, group, item, received_at))
    return tuple(out)


def _reading(packet: Sl651Packet, body: Body, group: Group, item: Element, received_at: datetime) -> Reading:
    known = tables.ELEMENTS[item.code]
    at, quality = observed(item.at, received_at)
    sent = body.sent_raw if quality is Quality.CLOCK_BAD else ""  # without a clock the sending tells reports apart
    serial = body.serial if sent or item.index is None else ""
    attributes: dict[str, Any] = {"key": known.key}
    name = known.name
    if item.code == 0xF4:
        name = "rain_mm"
        attributes["interval_s"] = 300
    if packet.function == 0x33:
        attributes["add_report"] = True
    if packet.function == 0x30:
        quality, attributes["test"] = Quality.MAINTENANCE, True
    if item.value is None:
        quality = Quality.MISSING
    station = group.station or packet.station
    place = item.index if item.at is None else ""
    return Reading(
        reading_id=derived_id(PROTOCOL, station, name, item.code, item.at, serial, sent, place, item.raw),
        source=PROTOCOL,
        device_id=f"{PROTOCOL}:{station}",
        quantity=name,
        value=item.value,
        observed_at=at,
        received_at=received_at,
        unit=known.unit,
        quality=quality,
        attributes=attributes,
    )


def observations(packet: Sl651Packet, body: Body, received_at: datetime) -> tuple[Observation, ...]:
    """Alarms of the status word (element 45)."""
    out = []
    if packet.function not in tables.MEASURING:
        return ()
    for group in body.groups:
        for item in group.elements:
            if item.status is None:
                continue
            flags = [name for bit, name in tables.STATUS_BITS.items() if item.status >> bit & 1]
            at, quality = observed(item.at or body.sent_at, received_at)
            station, sent = group.station or packet.station, body.sent_raw
            for kind, names in tables.ALARM_KINDS.items():
                out.append(
                    Observation(
                        observation_id=derived_id(PROTOCOL, station, kind, item.at, body.serial, sent, item.raw),
                        kind=kind,
                        state="open" if set(names) & set(flags) else "clear",
                        source_type="device",
                        source_id=f"{PROTOCOL}:{station}",
                        observed_at=at,
                        received_at=received_at,
                        attributes={"flags": flags, **({} if quality is Quality.GOOD else {"quality": quality.value})},
                    )
                )
    return tuple(out)
