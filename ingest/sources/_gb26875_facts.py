"""GB/T 26875.3-2011: what a packet says about the world, as readings and observations."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from core.ids import derived_id
from core.records import Observation, Quality, Reading
from ingest.contract import observed
from ingest.sources import _gb26875_tables as tables
from ingest.sources._gb26875_adu import PROTOCOL, InformationObject, Unit, operation_flags, split_address, status_flags
from ingest.sources._gb26875_frame import Gb26875Packet


def channel_of(unit: Unit, item: InformationObject, style: str = "zone_position") -> str:
    """Where in the device, e.g. ``1/1/40/10-2``: system type, address, component type, zone-position."""
    if item.system_type is None:
        return ""
    parts = [str(item.system_type), str(item.system_address)]
    if item.component_address is not None:
        parts += [str(item.component_type), "-".join(map(str, split_address(item.component_address, style).values()))]
    return "/".join(parts)


def readings(packet: Gb26875Packet, received_at: datetime, style: str = "zone_position") -> tuple[Reading, ...]:
    """Analogue values.  Pressures come in MPa whatever the panel's code, so that one limit fits all panels."""
    unit = packet.unit
    if unit is None or unit.adu_type != 3 or packet.command not in (2, 5):
        return ()
    out = []
    for item in unit.items:
        name, value, unit_text = tables.analogue(item.analogue_type or 0, item.value or 0)
        attributes: dict[str, Any] = {}
        if name == "pressure_kpa":
            attributes = {"reported": value, "reported_unit": "kPa"}
            name, value, unit_text = "pressure_mpa", round(value / 1000, 6), "MPa"
        at, quality = _when(packet, item, received_at)
        out.append(
            Reading(
                reading_id=identity(packet, item, name, quality),
                source=PROTOCOL,
                device_id=f"{PROTOCOL}:{packet.source}",
                quantity=name,
                value=value,
                observed_at=at,
                received_at=received_at,
                channel=channel_of(unit, item, style),
                unit=unit_text,
                quality=quality,
                attributes=attributes,
            )
        )
    return tuple(out)


def observations(packet: Gb26875Packet, received_at: datetime, style: str = "zone_position") -> tuple[Observation, ...]:
    """Alarms, faults and operations.  A status says for every kind whether it stands (open) or not (clear)."""
    unit = packet.unit
    if unit is None or packet.command not in (2, 5):
        return ()
    out: list[Observation] = []
    for item in unit.items:
        channel = channel_of(unit, item, style)
        if unit.adu_type in (1, 2, 21):
            out += _alarms(packet, item, status_flags(unit, item), received_at, channel)
        elif unit.adu_type in (4, 24):
            out += _operations(packet, item, operation_flags(unit, item), received_at, channel)
    return tuple(out)


def _alarms(
    packet: Gb26875Packet, item: InformationObject, flags: dict[str, bool], received_at: datetime, channel: str
) -> list[Observation]:
    extra: dict[str, Any] = {"flags": [name for name, on in flags.items() if on]}
    if not flags.get("normal_running", True):
        extra["test_mode"] = True  # reported, never a reason to hold an alarm back
    out = []
    for kind, names in tables.ALARM_KINDS.items():
        if names[0] not in flags:
            continue  # this unit type cannot tell
        state: Literal["open", "clear"] = "open" if any(flags.get(name) for name in names) else "clear"
        out.append(observation(packet, item, kind, state, received_at, channel, extra))
    return out


def _operations(
    packet: Gb26875Packet, item: InformationObject, flags: dict[str, bool], received_at: datetime, channel: str
) -> list[Observation]:
    extra: dict[str, Any] = {"operations": [name for name, on in flags.items() if on], "operator": item.operator}
    if packet.command == 5:  # read from the panel's log: what happened then raises and ends nothing now
        return [observation(packet, item, "panel_operation", "measure", received_at, channel, extra | {"record": True})]
    out = [observation(packet, item, "panel_operation", "measure", received_at, channel, extra)]
    if flags["manual_alarm"]:
        out.append(observation(packet, item, "manual_alarm", "open", received_at, channel, extra))
    if flags.get("duty_check_answered"):
        out.append(observation(packet, item, "duty_check_unanswered", "clear", received_at, "", extra))
    return out


def observation(
    packet: Gb26875Packet,
    item: InformationObject,
    kind: str,
    state: Literal["open", "clear", "measure"],
    received_at: datetime,
    channel: str,
    extra: dict[str, Any],
) -> Observation:
    at, quality = _when(packet, item, received_at)
    attributes: dict[str, Any] = {"channel": channel, **extra}
    if item.system_type is not None:
        attributes["system"] = tables.code_name(tables.SYSTEM_TYPES, item.system_type)
    if item.component_type is not None:
        attributes["component"] = tables.code_name(tables.COMPONENT_TYPES, item.component_type)
    if item.text:
        attributes["description"] = item.text
    if quality is not Quality.GOOD:
        attributes["quality"] = quality.value
    return Observation(
        observation_id=identity(packet, item, kind, quality, state, channel),
        kind=kind,
        state=state,
        source_type="device",
        source_id=f"{PROTOCOL}:{packet.source}",
        observed_at=at,
        received_at=received_at,
        attributes=attributes,
    )


def _when(packet: Gb26875Packet, item: InformationObject, received_at: datetime) -> tuple[datetime, Quality]:
    return observed(item.time or (packet.time if item.label is None else None), received_at)


def identity(packet: Gb26875Packet, item: InformationObject, kind: str, quality: Quality, *more: str) -> str:
    unit = packet.unit
    label = packet.label if quality is Quality.CLOCK_BAD or item.label is None else b""
    adu_type = 0 if unit is None else unit.adu_type
    return derived_id(PROTOCOL, packet.source, packet.serial, adu_type, item.raw, label, kind, *more)
