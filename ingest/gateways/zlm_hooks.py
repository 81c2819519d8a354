"""Web hooks of ZLMediaKit: what happened to which stream, and the answer that it waits for."""

from __future__ import annotations

from typing import Any

import msgspec

from ingest.gateways.contract import GatewayRefused

_HOOKS = (
    "on_publish",
    "on_play",
    "on_stream_changed",
    "on_stream_none_reader",
    "on_stream_not_found",
    "on_record_mp4",
    "on_server_started",
    "on_server_keepalive",
    "on_server_exited",
    "on_rtp_server_timeout",
    "on_send_rtp_stopped",
    "on_http_access",
    "on_rtsp_auth",
    "on_flow_report",
)


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A web hook of ZLMediaKit: what happened to which stream."""

    name: str
    app: str = ""
    stream: str = ""
    schema: str = ""
    online: bool | None = None
    data: dict[str, Any] = {}


def read_hook(name: str, body: bytes) -> tuple[Hook, dict[str, Any]]:
    """The event and the answer that ZLMediaKit wants within 10 s; :class:`GatewayRefused` for what is no hook.

    A stream that nobody watches is closed; a stream that is not found may be asked for again (the answer is "go on").
    """
    if name not in _HOOKS:
        raise GatewayRefused(call=name[:40], detail="no such hook", number=0)
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise GatewayRefused(call=name, detail="the hook's body is no JSON", number=0) from error
    if not isinstance(data, dict):
        raise GatewayRefused(call=name, detail="the hook's body is no object", number=0)
    text = {k: str(data.get(k, "")) for k in ("app", "stream", "schema")}
    online = bool(data.get("regist")) if name == "on_stream_changed" else None
    answer: dict[str, Any] = {"code": 0, "msg": "success"}
    if name == "on_stream_none_reader":
        answer["close"] = True
    return Hook(name=name, online=online, data=data, **text), answer
