"""Moving a camera (PTZ): through ONVIF or WVP-GB28181-pro, one person at a time, never for longer than a few seconds.

Which way a camera is moved stands in its attributes: ``gateway_id`` (``<device>/<channel>`` of WVP, as
``python -m app gateway wvp cameras --csv`` writes it) or ``onvif`` (address of the device service; without it, and with
``ptz`` true, the usual one of the stream's host).  The account of an ONVIF camera is that of its stream's address.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from core.addresses import check_camera, read_networks
from core.clock import Clock
from core.errors import YiwangError
from core.settings import Settings
from dashboard.queries import movable
from dashboard.services import Services
from ingest.gateways.contract import Move
from ingest.gateways.onvif import Onvif
from ingest.gateways.onvif_ptz import Preset, go_to, move, presets
from ingest.gateways.wvp import Wvp
from storage.tables.registry import Camera

LONGEST_S = 5.0  # a movement that nobody stops ends after this
HELD_S = 15.0  # who moves a camera keeps it so long
_WAYS: dict[str, tuple[float, float, float]] = {
    "left": (-1, 0, 0), "right": (1, 0, 0), "up": (0, 1, 0), "down": (0, -1, 0), "upleft": (-1, 1, 0),
    "upright": (1, 1, 0), "downleft": (-1, -1, 0), "downright": (1, -1, 0), "zoomin": (0, 0, 1),
    "zoomout": (0, 0, -1), "stop": (0, 0, 0),
}  # fmt: skip


class CameraNotMovable(YiwangError):
    code = "camera_not_movable"
    message = "camera {camera} cannot be moved from here: {detail}"
    remedy = "enter its ONVIF address or its id at the video gateway in the camera's settings"
    zh = "摄像机 {camera} 不能在这里转动：{detail}"
    zh_remedy = "请在摄像机设置里填写 ONVIF 地址或视频网关编号"


class CameraMovedByOther(YiwangError):
    code = "camera_moved_by_other"
    message = "{name} is moving this camera"
    remedy = "wait {seconds} seconds"
    zh = "{name} 正在转动这台摄像机"
    zh_remedy = "请等待 {seconds} 秒"


class Mover(Protocol):
    """What moves one camera."""

    async def begin(self, way: Move, speed: float) -> None: ...

    async def presets(self) -> list[Preset]: ...

    async def go_to(self, preset: str) -> None: ...

    async def close(self) -> None: ...


class OnvifMover:
    """Over the camera's own PTZ service, with its first profile where none is named."""

    def __init__(self, camera: Onvif, profile: str = "") -> None:
        self._camera, self._profile = camera, profile

    async def _of(self) -> str:
        if not self._profile:
            found = await self._camera.profiles()
            if not found:
                raise CameraNotMovable(camera=self._camera.address, detail="it has no media profile")
            self._profile = found[0].token
        return self._profile

    async def begin(self, way: Move, speed: float) -> None:
        """ContinuousMove, or Stop."""
        pan, tilt, zoom = (v * speed for v in _WAYS[way])
        await move(self._camera, await self._of(), pan, tilt, zoom)

    async def presets(self) -> list[Preset]:
        """Stored views."""
        return await presets(self._camera, await self._of())

    async def go_to(self, preset: str) -> None:
        """A stored view."""
        await go_to(self._camera, await self._of(), preset)

    async def close(self) -> None:
        """Hang up."""
        await self._camera.close()


class WvpMover:
    """Over the video gateway of GB/T 28181; its stored views are numbers."""

    def __init__(self, gateway: Wvp, gateway_id: str) -> None:
        self._gateway, self._id = gateway, gateway_id

    async def begin(self, way: Move, speed: float) -> None:
        """Speeds of GB/T 28181 appendix A.3: pan and tilt 0–255, zoom 0–15."""
        await self._gateway.ptz(self._id, way, round(speed * 255), max(1, round(speed * 15)))

    async def presets(self) -> list[Preset]:
        """WVP names none without asking the device; 1 to 8 are what most installations use."""
        return [Preset(str(n), str(n)) for n in range(1, 9)]

    async def go_to(self, preset: str) -> None:
        """A stored view by its number."""
        await self._gateway.call_preset(self._id, int(preset) if preset.isascii() and preset.isdecimal() else 0)

    async def close(self) -> None:
        """Hang up."""
        await self._gateway.close()


def mover_of(settings: Settings, clock: Clock, camera: Camera, stream: str) -> Mover:
    """What moves ``camera``; ``stream`` is its opened address.

    Raises:
        CameraNotMovable: nothing in its settings says how.
        InputInvalid: the address leads where no camera may be (YIWANG_CAMERA_NETWORKS).
    """
    about: dict[str, Any] = camera.attributes or {}
    if not movable(camera):
        raise CameraNotMovable(camera=camera.camera_id, detail="it is not marked as movable")
    if about.get("gateway_id") and settings.wvp_url:
        return WvpMover(Wvp(settings.wvp_url, settings.wvp_user, settings.wvp_password), str(about["gateway_id"]))
    parts = urlsplit(stream)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    address = str(about.get("onvif") or (f"http://{host}/onvif/device_service" if host else ""))
    if not address:
        raise CameraNotMovable(camera=camera.camera_id, detail="neither an ONVIF address nor a gateway is known")
    check_camera("onvif", address, read_networks("YIWANG_CAMERA_NETWORKS", settings.camera_networks), settings.data_dir)
    one = Onvif(address, unquote(parts.username or ""), unquote(parts.password or ""), clock)
    return OnvifMover(one, str(about.get("onvif_profile") or ""))


@dataclass
class _Held:
    user_id: str
    name: str
    until: datetime
    mover: Mover
    ending: asyncio.Task[None] | None = None


@dataclass
class Steering:
    """Who moves which camera now; belongs to the event loop of the web process."""

    clock: Clock
    held: dict[str, _Held] = field(default_factory=dict)

    async def begin(self, camera_id: str, user: tuple[str, str], mover: Mover, way: Move, speed: float) -> None:
        """Move for at most ``LONGEST_S``; ``stop`` ends it.

        Raises:
            CameraMovedByOther: somebody else began to move it a moment ago.
        """
        held = await self._take(camera_id, user, mover)
        await held.mover.begin(way, speed)
        if held.ending is not None:
            held.ending.cancel()
        held.ending = None if way == "stop" else asyncio.create_task(self._stop_later(held))

    async def go_to(self, camera_id: str, user: tuple[str, str], mover: Mover, preset: str) -> None:
        """To a stored view."""
        held = await self._take(camera_id, user, mover)
        await held.mover.go_to(preset)

    async def _take(self, camera_id: str, user: tuple[str, str], mover: Mover) -> _Held:
        now = self.clock.now()
        held = self.held.get(camera_id)
        if held is not None and held.user_id != user[0] and held.until > now:
            await mover.close()
            raise CameraMovedByOther(name=held.name, seconds=round((held.until - now).total_seconds()) or 1)
        if held is not None and held.user_id == user[0] and held.until > now:
            await mover.close()
        else:
            await self._let_go(camera_id)
            held = self.held[camera_id] = _Held(*user, now, mover)
        held.until = now + timedelta(seconds=HELD_S)
        for other in [key for key, one in self.held.items() if one.until <= now]:
            await self._let_go(other)
        return held

    async def _let_go(self, camera_id: str) -> None:
        held = self.held.pop(camera_id, None)
        if held is not None:
            await held.mover.close()

    async def _stop_later(self, held: _Held) -> None:
        """The page may be gone, its stop lost: the camera must not turn for ever."""
        await asyncio.sleep(LONGEST_S)
        for _ in range(3):
            with contextlib.suppress(YiwangError):
                await held.mover.begin("stop", 0.0)
                return
            await asyncio.sleep(1.0)


def steering(use: Services) -> Steering:
    """The process's own."""
    found: Steering = use.counters.setdefault("steering", Steering(use.clock))
    return found
