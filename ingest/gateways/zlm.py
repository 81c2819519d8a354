"""ZLMediaKit: pulls cameras with plain RTSP, gives stream addresses and snapshots, and tells by hooks what happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from ingest.gateways.client import GatewayClient
from ingest.gateways.contract import GatewayCamera, GatewayLoginFailed, GatewayRefused, StreamUrls, choose

_VHOST = "__defaultVhost__"
_DEFAULT_SECRETS = ("035c73f7-bb6b-4889-a715-d9eb2d1925cc",)


class Zlm:
    """One ZLMediaKit server; ``source_of`` gives the address that a camera id is pulled from."""

    def __init__(
        self,
        base: str,
        secret: str,
        source_of: Callable[[str], str | None],
        *,
        rtsp_port: int = 554,
        app: str = "live",
        timeout_s: float = 15.0,
    ) -> None:
        if not secret or secret in _DEFAULT_SECRETS:
            raise GatewayLoginFailed(url=base, detail="the shipped default secret is public: change it in config.ini")
        self._client = GatewayClient(base, timeout_s)
        self._secret, self._source_of, self._rtsp_port, self._app = secret, source_of, rtsp_port, app
        self._keys: dict[str, str] = {}

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()

    async def cameras(self) -> list[GatewayCamera]:
        """The streams that are there now."""
        data = await self._call("getMediaList", {"schema": "rtsp", "vhost": _VHOST})
        names = [str(row.get("stream")) for row in data.get("data") or [] if isinstance(row, dict)]
        return [GatewayCamera(camera_id=name, name=name, online=True) for name in names]

    async def stream(self, camera_id: str) -> StreamUrls:
        """Pull the camera (once) and say where it plays."""
        source = self._source_of(camera_id)
        if not source:
            raise GatewayRefused(call="addStreamProxy", detail=f"no address is known for {camera_id}", number=0)
        name = quote(camera_id, safe="")
        where = {"vhost": _VHOST, "app": self._app, "stream": name}
        online = await self._call("isMediaOnline", {"schema": "rtsp", **where})
        if not online.get("online"):
            more = {"url": source, "rtp_type": 0, "timeout_sec": 10, "retry_count": 3, "auto_close": 1}
            data = (await self._call("addStreamProxy", {**where, **more})).get("data")
            if isinstance(data, dict) and isinstance(data.get("key"), str):
                self._keys[camera_id] = data["key"]
        return self.urls(name)

    def urls(self, name: str) -> StreamUrls:
        """Where stream ``name`` plays."""
        parts = urlsplit(self._client.base)
        http, host = self._client.base, parts.hostname or ""
        path = f"{self._app}/{name}"
        return choose(
            {
                "rtsp": f"rtsp://{host}:{self._rtsp_port}/{path}",
                "flv": f"{http}/{path}.live.flv",
                "ts": f"{http}/{path}.live.ts",
                "fmp4": f"{http}/{path}.live.mp4",
                "hls": f"{http}/{path}/hls.m3u8",
                "whep": f"{http}/index/api/whep?app={self._app}&stream={name}",
            }
        )

    async def stop(self, camera_id: str) -> None:
        """Stop pulling the camera."""
        key = self._keys.pop(camera_id, "")
        if key:
            await self._call("delStreamProxy", {"key": key})
            return
        name = quote(camera_id, safe="")
        await self._call("close_streams", {"vhost": _VHOST, "app": self._app, "stream": name, "force": 1})

    async def snapshot(self, camera_id: str) -> bytes:
        """A JPEG of the camera's stream."""
        source = self._source_of(camera_id)
        if not source:
            raise GatewayRefused(call="getSnap", detail=f"no address is known for {camera_id}", number=0)
        params = {"secret": self._secret, "url": source, "timeout_sec": 10, "expire_sec": 5}
        _, _, content = await self._client.fetch("/index/api/getSnap", params)
        if not content.startswith(b"\xff\xd8"):
            reply = self._client.parse(content)
            raise GatewayRefused(call="getSnap", detail=str(reply.get("msg", "no picture")), number=reply.get("code"))
        return content

    async def _call(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        _, _, content = await self._client.fetch(f"/index/api/{name}", {"secret": self._secret, **params})
        reply = self._client.parse(content)
        if reply.get("code") == -100:
            raise GatewayLoginFailed(url=self._client.base, detail="wrong secret")
        if reply.get("code") != 0:
            raise GatewayRefused(call=name, detail=str(reply.get("msg", "")), number=reply.get("code"))
        return reply
