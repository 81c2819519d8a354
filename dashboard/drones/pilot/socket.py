"""Pilot's WebSocket: where every aircraft is and who comes and goes, for the map of each controller (TSA).

Pilot appends its token as ``x-auth-token``.  Pushed are ``device_osd``, ``device_online``, ``device_offline`` and
``device_update_topo`` (standards/10 §1.2); what Pilot says on it is read and dropped.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from core.errors import Forbidden
from dashboard.api.deps import services_of
from dashboard.drones.pilot.tokens import read
from dashboard.errors import NotSignedIn
from dashboard.services import Services

router = APIRouter(tags=["drones"])
MOST = 200  # controllers at once
EVERY_S = 0.5
RECHECK_S = 30.0
_NOT_SIGNED_IN, _REFUSED, _FULL = 4401, 4403, 1013
Poses = Mapping[str, Mapping[str, Any]]
_open: set[int] = set()


def news(before: Poses, now: Poses, at_ms: int) -> Iterator[dict[str, Any]]:
    """What changed from one look to the next, as Pilot is told it."""
    for sn in now.keys() - before.keys():
        yield from (_said("device_online", {"sn": sn}, at_ms), _said("device_update_topo", {}, at_ms))
    for sn in before.keys() - now.keys():
        yield from (_said("device_offline", {"sn": sn}, at_ms), _said("device_update_topo", {}, at_ms))
    for sn, pose in now.items():
        if pose.get("lon") is not None and pose != before.get(sn):
            yield _said("device_osd", {"sn": sn, "host": _host(pose)}, at_ms)


def _said(code: str, data: Mapping[str, Any], at_ms: int) -> dict[str, Any]:
    return {"biz_code": code, "version": "1.0", "timestamp": at_ms, "data": dict(data)}


def _host(pose: Mapping[str, Any]) -> dict[str, float]:
    """Degrees from true north within ±180, metres; a number that is not known is 0, as Pilot's own sample has it."""
    heading = float(pose.get("heading") or 0.0)
    return {
        "latitude": float(pose["lat"]), "longitude": float(pose["lon"]),
        "height": float(pose.get("ellipsoid_m") or 0.0), "attitude_head": (heading + 180) % 360 - 180,
        "elevation": float(pose.get("height_m") or 0.0), "horizontal_speed": float(pose.get("speed_ms") or 0.0),
        "vertical_speed": 0.0,
    }  # fmt: skip


@router.websocket("/manage/api/v1/ws")
async def socket(websocket: WebSocket) -> None:
    """Poses of all aircraft until Pilot leaves, its token ends or its account loses the right."""
    use, token = services_of(websocket), websocket.query_params.get("x-auth-token", "")
    await websocket.accept()
    if (refused := await asyncio.to_thread(_refused, use, token)) or len(_open) >= MOST:
        await websocket.close(refused or _FULL)
        return
    _open.add(id(websocket))
    reading = asyncio.create_task(_read(websocket))
    try:
        await _push(websocket, use, token, reading)
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        _open.discard(id(websocket))
        reading.cancel()


def _refused(use: Services, token: str) -> int:
    """The code with which the socket is closed; 0: none."""
    try:
        read(use, token)
    except NotSignedIn:
        return _NOT_SIGNED_IN
    except Forbidden:
        return _REFUSED
    return 0


async def _read(websocket: WebSocket) -> None:
    """Until Pilot leaves."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _push(websocket: WebSocket, use: Services, token: str, reading: asyncio.Task[None]) -> None:
    before: Poses = {}
    checked = 0.0
    while not reading.done():
        now = {sn: dict(pose) for sn, pose in use.hub.aircraft.items()}
        moment: datetime = use.clock.now()
        for message in news(before, now, round(moment.timestamp() * 1000)):
            await websocket.send_text(json.dumps(message))
        before = now
        checked += EVERY_S
        if checked >= RECHECK_S:
            checked = 0.0
            if refused := await asyncio.to_thread(_refused, use, token):
                await websocket.close(refused)
                return
        await asyncio.wait([reading], timeout=EVERY_S)
