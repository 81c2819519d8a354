"""What was refused of devices' messages: by device, and by source where no known device is named.

Ingest counts every refusal and keeps the last ones in the live states (KV ``live``): five at a device, twenty at a
source, each ``{"at", "code", "detail", "where", "message" | "message_hex", "bytes"}``, the newest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage.registry import registry_key

Row = dict[str, Any]
States = Mapping[str, Row]


def device_refusals(states: States, device_id: str) -> Row:
    """``{"count", "last"}`` of a device; count 0 when nothing was refused since its live state began."""
    live = states.get(registry_key("device", device_id), {})
    return live.get("refused") or {"count": 0, "last": []}


def source_refusals(states: States) -> list[Row]:
    """By source: how often each code was refused, and the last refusals that name no known device."""
    out = []
    for key, state in sorted(states.items()):
        if key.startswith("source.") and (state.get("refused") or state.get("last_refused")):
            out.append({n: state.get(n) for n in ("source", "events", "refused", "last_refused")})
    return out
