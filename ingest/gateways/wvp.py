"""WVP-GB28181-pro: catalogue, live streams, PTZ and snapshots over its REST interface.

Every reply is ``{code, msg, data}``: 0 good, 401 log in again (done once), 486 the camera did not send in time (tried
again with growing pauses).  The pass word travels as MD5, as WVP wants it: use HTTPS or a private network.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from core.records import GeoPoint
from ingest.gateways.client import GatewayClient
from ingest.gateways.contract import (
    GatewayCamera,
    GatewayLoginFailed,
    GatewayRefused,
    GatewayUnreachable,
    Move,
    PlayTimeout,
    StreamUrls,
    choose,
    split_id,
)

_PAGE, _MOST_PAGES = 200, 500
_LOGIN, _LATE = 401, 486


class Wvp:
    """One WVP server.  ``timeout_s`` must exceed its play time-out (10 to 15 s)."""

    def __init__(
        self,
        base: str,
        user: str,
        password: str,
        *,
        timeout_s: float = 20.0,
        play_tries: int = 3,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = GatewayClient(base, timeout_s)
        self._user, self._password = user, password
        self._play_tries, self._sleep = play_tries, sleep
        self._token = ""

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def cameras(self) -> list[GatewayCamera]:
        """Every channel of every device."""
        out: list[GatewayCamera] = []
        for device in await self._pages("/api/device/query/devices"):
            device_id = str(device.get("deviceId") or "")
            if device_id:
                channels = await self._pages(f"/api/device/query/devices/{device_id}/channels")
                out += [_camera(device, channel) for channel in channels]
        return out

    async def sync(self, device_id: str) -> None:
        """Ask the device for its catalogue again."""
        await self._call(f"/api/device/query/devices/{device_id}/sync")

    async def stream(self, camera_id: str) -> StreamUrls:
        """Start (or join) the live stream; :class:`PlayTimeout` when the camera does not send."""
        device, channel = split_id(camera_id)
        for attempt in range(self._play_tries):
            try:
                data = await self._call(f"/api/play/start/{device}/{channel}")
            except GatewayRefused as error:
                if error.data["number"] != _LATE:
                    raise
                if attempt + 1 < self._play_tries:
                    await self._sleep(2.0**attempt)
                continue
            urls = choose(data if isinstance(data, dict) else {})
            if not urls.analysis:
                raise GatewayRefused(call="play", detail="the answer holds no stream address", number=0)
            return urls
        raise PlayTimeout(camera=camera_id, tries=self._play_tries)

    async def stop(self, camera_id: str) -> None:
        """Stop the live stream; harmless when it does not run."""
        device, channel = split_id(camera_id)
        try:
            await self._call(f"/api/play/stop/{device}/{channel}")
        except GatewayRefused as error:
            if error.data["number"] != 404:
                raise

    async def snapshot(self, camera_id: str) -> bytes:
        """A JPEG."""
        device, channel = split_id(camera_id)
        content = await self._raw("/api/play/snap", {"deviceId": device, "channelId": channel})
        if not content.startswith(b"\xff\xd8"):
            reply = self._client.parse(content)
            raise GatewayRefused(call="snap", detail=str(reply.get("msg", "no picture")), number=reply.get("code"))
        return content

    async def ptz(self, camera_id: str, move: Move, speed: int = 100, zoom_speed: int = 5) -> None:
        """Begin a movement (``stop`` ends it)."""
        device, channel = split_id(camera_id)
        params = {"command": move, "horizonSpeed": speed, "verticalSpeed": speed, "zoomSpeed": zoom_speed}
        await self._call(f"/api/front-end/ptz/{device}/{channel}", params)

    async def call_preset(self, camera_id: str, number: int) -> None:
        """Go to a stored view."""
        device, channel = split_id(camera_id)
        await self._call(f"/api/front-end/preset/call/{device}/{channel}", {"presetId": number})

    async def _pages(self, path: str) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        for page in range(1, _MOST_PAGES + 1):
            data = await self._call(path, {"page": page, "count": _PAGE})
            rows = data.get("list") if isinstance(data, dict) else None
            if not isinstance(rows, list):
                raise GatewayRefused(call=path, detail="the answer holds no list", number=0)
            out += [row for row in rows if isinstance(row, dict)]
            total = data.get("total") if isinstance(data, dict) else None
            if len(rows) < _PAGE or (isinstance(total, int) and len(out) >= total):
                break
        return out

    async def _call(self, path: str, params: dict[str, Any] | None = None) -> Any:
        reply = self._client.parse(await self._raw(path, params or {}))
        if reply.get("code") != 0:
            raise GatewayRefused(call=path, detail=str(reply.get("msg", "")), number=reply.get("code"))
        return reply.get("data")

    async def _raw(self, path: str, params: dict[str, Any]) -> bytes:
        """The content of an answer, after a new login when the token has expired."""
        for first in (True, False):
            if not self._token:
                await self._login()
            status, kind, content = await self._client.fetch(path, params, {"access-token": self._token})
            expired = status == _LOGIN or (kind.endswith("json") and self._client.parse(content).get("code") == _LOGIN)
            if not expired:
                break
            self._token = ""
            if not first:
                raise GatewayLoginFailed(url=self._client.base, detail="a fresh token was refused")
        if status >= 500 and not kind.endswith("json"):
            raise GatewayUnreachable(url=self._client.base, detail=f"status {status}")
        return content

    async def _login(self) -> None:
        word = hashlib.md5(self._password.encode(), usedforsecurity=False).hexdigest()
        status, _, content = await self._client.fetch("/api/user/login", {"username": self._user, "password": word})
        reply = self._client.parse(content) if status in (200, 400, 401, 403) else {}
        data = reply.get("data")
        token = data.get("accessToken") if isinstance(data, dict) else None
        if reply.get("code") != 0 or not isinstance(token, str) or not token:
            raise GatewayLoginFailed(url=self._client.base, detail=str(reply.get("msg", f"status {status}")))
        self._token = token


def _camera(device: dict[str, Any], channel: dict[str, Any]) -> GatewayCamera:
    channel_id = str(channel.get("deviceId") or channel.get("gbDeviceId") or channel.get("channelId") or "")
    status = channel.get("status")
    lon, lat = channel.get("longitude"), channel.get("latitude")
    place = None
    if isinstance(lon, int | float) and isinstance(lat, int | float) and lon and lat and abs(lat) <= 90:
        place = GeoPoint(lon=float(lon), lat=float(lat))
    return GatewayCamera(
        camera_id=f"{device.get('deviceId')}/{channel_id}",
        name=str(channel.get("name") or channel_id),
        online=status in (True, 1, "ON", "on"),
        location=place,
        ptz=channel.get("ptzType") in (1, 2, 4, "1", "2", "4"),
        maker=str(channel.get("manufacturer") or channel.get("manufacture") or ""),
        address=str(channel.get("address") or ""),
        civil_code=str(channel.get("civilCode") or ""),
    )
