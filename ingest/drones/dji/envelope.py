"""The envelope of every message and who may send it (standards/10 §1.4)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from core.errors import YiwangError

MOST_BYTES = 1 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = {("sys", "product"): 4, ("thing", "product"): 4}


class BadJson(YiwangError):
    code = "bad_json"
    message = "the message on {topic} is no JSON object"
    remedy = "it is kept in the log of refused messages"
    zh = "{topic} 上的消息不是 JSON 对象"
    zh_remedy = "已记入被拒消息记录"


class TopicUnknown(YiwangError):
    code = "topic_unknown"
    message = "{topic} is no topic of the Cloud API"
    remedy = "publish under thing/product/SN/… or sys/product/SN/status"
    zh = "{topic} 不是上云 API 的主题"
    zh_remedy = "请发布到 thing/product/SN/… 或 sys/product/SN/status"


class NotAuthorised(YiwangError):
    code = "not_authorised"
    message = "{user} may not speak for {device}"
    remedy = "a gateway speaks for itself and for the aircraft that it has announced"
    zh = "{user} 不能代表 {device} 发言"
    zh_remedy = "网关只代表自己和它所申报的飞行器"


def device_of(topic: str) -> tuple[str, str]:
    """(serial number, last part) of a topic."""
    parts = topic.split("/")
    if len(parts) < 4 or tuple(parts[:2]) not in _PARTS or not parts[2]:
        raise TopicUnknown(topic=topic[:200])
    return parts[2], "/".join(parts[3:])


def parse(topic: str, text: str | bytes) -> dict[str, Any]:
    """The message as an object; :class:`BadJson` for anything else."""
    if len(text) > MOST_BYTES:
        raise BadJson(topic=topic)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadJson(topic=topic) from error
    if not isinstance(found, dict):
        raise BadJson(topic=topic)
    return found


def authorise(user: str | None, device: str, gateway: str, announced: frozenset[str] | None = None) -> None:
    """The broker's user is the device, or its gateway; ``announced`` are the gateway's aircraft, where known."""
    if user is None or user == device:
        return
    if user == gateway and (announced is None or device in announced):
        return
    raise NotAuthorised(user=user, device=device)


def data_of(message: dict[str, Any]) -> dict[str, Any]:
    """``data``, empty when it is missing or no object."""
    found = message.get("data")
    return found if isinstance(found, dict) else {}


def moment(milliseconds: Any) -> str | None:
    """ISO text in UTC of a timestamp in milliseconds."""
    if not isinstance(milliseconds, int | float) or isinstance(milliseconds, bool):
        return None
    try:
        found = _EPOCH + timedelta(milliseconds=milliseconds)
    except (OverflowError, ValueError):
        return None
    return found.isoformat(timespec="milliseconds" if found.microsecond else "seconds").replace("+00:00", "Z")


def reply(topic: str, message: dict[str, Any], output: dict[str, Any] | None = None) -> dict[str, Any]:
    """Topic and payload of an answer: same tid, bid and method, ``result`` 0."""
    data: dict[str, Any] = {"result": 0} | ({} if output is None else {"output": output})
    kept = {name: message[name] for name in ("tid", "bid", "method") if name in message}
    return {"topic": topic + "_reply", "payload": {**kept, "data": data}}
