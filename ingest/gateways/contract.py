"""What every video gateway offers, and its typed errors."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

from core.errors import YiwangError
from core.records import GeoPoint

Move = Literal[
    "left", "right", "up", "down", "upleft", "upright", "downleft", "downright", "zoomin", "zoomout", "stop"
]  # fmt: skip


class GatewayUnreachable(YiwangError):
    code = "gateway_unreachable"
    message = "the video gateway at {url} does not answer: {detail}"
    remedy = "check that it runs and the network; it is tried again"
    zh = "视频网关 {url} 没有应答：{detail}"
    zh_remedy = "请检查它是否运行以及网络；会再试"


class GatewayRefused(YiwangError):
    code = "gateway_refused"
    message = "the video gateway refused {call}: {detail} (code {number})"
    remedy = "check the id, the account's rights and the gateway's log"
    zh = "视频网关拒绝 {call}：{detail}（代码 {number}）"
    zh_remedy = "请检查编号、账号权限和网关日志"


class GatewayLoginFailed(YiwangError):
    code = "gateway_login_failed"
    message = "the video gateway at {url} did not accept the account: {detail}"
    remedy = "check user name and password, or the secret"
    zh = "视频网关 {url} 不接受该账号：{detail}"
    zh_remedy = "请检查用户名和密码，或密钥"


class PlayTimeout(YiwangError):
    code = "play_timeout"
    message = "camera {camera} did not send its stream in {tries} tries"
    remedy = "check that the camera is online and its upload bandwidth"
    zh = "摄像机 {camera} 试了 {tries} 次都没有送出码流"
    zh_remedy = "请检查摄像机是否在线及其上行带宽"


class GatewayCamera(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as the gateway lists it; ``camera_id`` is ``<device>/<channel>``, the place WGS-84 where known."""

    camera_id: str
    name: str
    online: bool
    location: GeoPoint | None = None
    ptz: bool = False
    maker: str = ""
    address: str = ""
    civil_code: str = ""


class StreamUrls(msgspec.Struct, frozen=True, kw_only=True):
    """``analysis``: what our own decoder opens (RTSP first); ``browser``: what a browser plays; ``all`` by kind."""

    analysis: str
    browser: str
    all: dict[str, str] = {}


class VideoGateway(Protocol):
    """A gateway."""

    async def cameras(self) -> list[GatewayCamera]: ...

    async def stream(self, camera_id: str) -> StreamUrls: ...

    async def stop(self, camera_id: str) -> None: ...

    async def snapshot(self, camera_id: str) -> bytes: ...

    async def close(self) -> None: ...


_ANALYSIS = ("rtsp", "rtsps", "rtmp", "flv", "ts", "hls", "fmp4")
_BROWSER = ("https_flv", "flv", "wss_flv", "ws_flv", "https_fmp4", "fmp4", "https_hls", "hls", "rtcs", "rtc")


def choose(urls: dict[str, Any]) -> StreamUrls:
    """RTSP before the others for analysis, HTTP-FLV before the others for the browser."""
    known = {k: v for k, v in urls.items() if isinstance(v, str) and "://" in v}
    analysis = next((known[k] for k in _ANALYSIS if k in known), "")
    browser = next((known[k] for k in _BROWSER if k in known), "")
    return StreamUrls(analysis=analysis, browser=browser, all=known)


def split_id(camera_id: str) -> tuple[str, str]:
    """``<device>/<channel>``; a device alone is its own channel."""
    device, _, channel = camera_id.partition("/")
    return device, channel or device
