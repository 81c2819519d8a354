"""What a gateway may publish and subscribe: its own topics, telemetry of the aircraft that belong to it."""

from __future__ import annotations

from collections.abc import Iterable

from core.records import DeviceConfig
from ingest.drones.live.fleet import SOURCE, gateways_of

_DOWN = ("services", "events_reply", "requests_reply", "property/set", "drc/down")


def gateway_topics(gateway: DeviceConfig, registry: Iterable[DeviceConfig]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(publish, subscribe) filters; an aircraft of another gateway, or one that nobody accepted, is not among them."""
    sn = gateway.address
    own = sorted(
        device.address for device in registry
        if device.source == SOURCE and device.status == "accepted" and sn in gateways_of(device)
    )  # fmt: skip
    publish = [f"sys/product/{sn}/status", f"thing/product/{sn}/#"]
    publish += [f"thing/product/{aircraft}/{part}" for aircraft in own for part in ("osd", "state")]
    subscribe = [f"sys/product/{sn}/status_reply", *(f"thing/product/{sn}/{part}" for part in _DOWN)]
    return tuple(publish), tuple(subscribe)
