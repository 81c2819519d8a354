"""``update_topo``: which aircraft stands behind a remote control or dock (standards/10 §1.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ingest.drones.dji.envelope import authorise, data_of, device_of, reply
from ingest.drones.dji.models import model_key, name

_MOST = 32


def update(topic: str, message: dict[str, Any], known: Iterable[str] = (), user: str | None = None) -> dict[str, Any]:
    """Gateway, who is there, who has gone, and the reply; repeated messages change nothing."""
    sn, _ = device_of(topic)
    authorise(user, sn, sn)
    data = data_of(message)
    subs = data.get("sub_devices")
    devices = [d for d in subs if isinstance(d, dict) and d.get("sn")] if isinstance(subs, list) else []
    online = [_device(str(d["sn"]), d, gateway=False) for d in devices[:_MOST]]
    present, before = {d["sn"] for d in online}, list(known)
    return {
        "gateway": _device(sn, data, gateway=True), "online": online,
        "new": [d["sn"] for d in online if d["sn"] not in before],
        "offline": [other for other in before if other not in present and other != sn],
        "reply": reply(topic, message),
    }  # fmt: skip


def _device(sn: str, given: dict[str, Any], *, gateway: bool) -> dict[str, str]:
    key = model_key(given, gateway=gateway)
    return {"sn": sn[:64], "model_key": key, "name": name(key)}
