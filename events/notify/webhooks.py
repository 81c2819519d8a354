"""Webhooks out: other platforms are told of case changes, as CloudEvents 1.0, signed, with retries.

Subscribers stand in ``webhooks.json`` of the data folder::

    [{"name": "emergency", "url": "https://…", "secret": "…", "commands": ["dispatch", "close"], "min_severity": 2}]

Each delivery is an outbox row of its own, so one dead receiver holds up nobody.  The signature is
``X-Yiwang-Signature: t=<unix s>,v1=<hex HMAC-SHA256 of "<t>." + body>``; a receiver refuses what is older than five
minutes and drops an ``id`` it has seen.  A drill tells nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import ssl
import time
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec

from core.errors import SettingsError, YiwangError
from core.late import Late
from core.network.fetching import fetch
from core.records import CaseChanged, Record
from core.settings import Settings

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

log = logging.getLogger("yiwang.webhooks")

TIMEOUT_S = 10.0  # of silence
WHOLE_S = 30.0  # of an answer, however slowly it comes
_SAFE = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"%')  # CloudEvents HTTP binding, 3.1.3.2
MAX_ANSWER_BYTES = 4096


class WebhookFailed(YiwangError):
    code = "webhook_failed"
    message = "webhook {name} did not take the event: {detail}"
    remedy = "it is tried again with growing pauses; check the address and the receiver"
    zh = "推送 {name} 没有被接收：{detail}"
    zh_remedy = "会隔一段时间再试；请检查地址和接收方"


class Subscriber(Record, frozen=True):
    """Who is told of what; ``commands`` empty: everything."""

    name: str
    url: str
    secret: str
    commands: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()  # prefixes of class codes
    departments: tuple[str, ...] = ()
    min_severity: int = 1

    def wants(self, change: CaseChanged) -> bool:
        """Whether ``change`` is for this subscriber."""
        return (
            (not self.commands or change.command in self.commands)
            and (not self.classes or change.class_code.startswith(self.classes))
            and (not self.departments or bool(set(self.departments) & set(change.department_ids)))
            and int(change.severity) >= self.min_severity
        )


def read_subscribers(settings: Settings) -> dict[str, Subscriber]:
    """The subscribers by name, those that are in order."""
    return checked_subscribers(settings)[0]


def checked_subscribers(settings: Settings) -> tuple[dict[str, Subscriber], list[SettingsError]]:
    """The subscribers of ``webhooks.json`` that are in order, by name, and what is wrong with the others."""
    path = settings.data_dir / "webhooks.json"
    if settings.subject_prefix or not path.exists():
        return {}, []
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=list[msgspec.Raw])
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        return {}, [SettingsError(field=str(path), detail=str(error), how="correct or delete the file")]
    found: dict[str, Subscriber] = {}
    problems = []
    for number, raw in enumerate(rows, 1):
        try:
            one = _subscriber(f"{path} row {number}", raw)
        except SettingsError as error:
            problems.append(error)
        else:
            found[one.name] = one
    return found, problems


def _subscriber(where: str, raw: msgspec.Raw) -> Subscriber:
    try:
        one = msgspec.json.decode(raw, type=Subscriber)
    except msgspec.DecodeError as error:
        raise SettingsError(field=where, detail=str(error), how="correct or delete the row") from error
    where = f"{where} {one.name}"
    try:
        address = urlsplit(one.url)
    except ValueError as error:
        raise SettingsError(field=f"{where} url", detail=str(error), how="write an http(s) address") from error
    if address.scheme not in ("http", "https") or not address.hostname:
        raise SettingsError(field=f"{where} url", detail=one.url, how="write an http(s) address")
    if len(one.secret) < 16:
        raise SettingsError(field=f"{where} secret", detail="too short", how="use 16 characters or more")
    return one


def sign(secret: str, body: bytes, at: int) -> str:
    """The signature header of ``body`` sent at ``at`` (unix s)."""
    mac = hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"


def verify(secret: str, body: bytes, header: str, now: int, max_age_s: int = 300) -> bool:
    """Whether ``header`` is ours for ``body`` and fresh: what a receiver does."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    try:
        at = int(parts.get("t", ""))
    except ValueError:
        return False
    right = hmac.compare_digest(sign(secret, body, at).encode(), header.encode("utf-8", "replace"))
    return right and abs(now - at) <= max_age_s


class Webhooks:
    """Makes and posts deliveries."""

    def __init__(self, settings: Settings) -> None:
        self._subscribers, problems = checked_subscribers(settings)
        for problem in problems:
            log.warning("%s; the other subscribers are served", problem)
        self._source = settings.public_url

    def bodies(self, change: CaseChanged) -> list[dict[str, Any]]:
        """One outbox body for each subscriber that wants ``change``."""
        return [
            {"subscriber": one.name, "event": self.event(change)}
            for one in self._subscribers.values()
            if one.wants(change) and not change.confidential
        ]

    def event(self, change: CaseChanged) -> dict[str, Any]:
        """``change`` as a CloudEvent; ``source`` and ``id`` together are unique."""
        return {
            "specversion": "1.0",
            "id": f"{change.case_id}:{change.version}",
            "source": self._source,
            "type": f"cn.yiwang.case.{change.command}",
            "subject": change.number,
            "time": change.changed_at.isoformat(),
            "datacontenttype": "application/json",
            "data": msgspec.to_builtins(change),
        }

    def headers(self, change: CaseChanged) -> dict[str, str]:
        """``change`` as a CloudEvent in binary mode on the bus: the attributes as headers, the record as the data.

        CloudEvents' NATS binding: names begin with ``ce-``, values are percent-encoded.
        """
        event = self.event(change)
        plain = {k: v for k, v in event.items() if k not in ("data", "datacontenttype")}
        return {f"ce-{k}": quote(str(v), safe=_SAFE) for k, v in plain.items()} | {
            "Content-Type": event["datacontenttype"]
        }

    async def post(self, delivery_id: str, body: dict[str, Any]) -> None:
        """Deliver; :class:`WebhookFailed` unless the answer is 2xx.  A subscriber that is gone is passed over."""
        subscriber = self._subscribers.get(str(body.get("subscriber")))
        if subscriber is not None:
            await self._post(subscriber, delivery_id, body["event"])

    async def _post(self, subscriber: Subscriber, delivery_id: str, event: dict[str, Any]) -> None:
        data = json.dumps(event, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "User-Agent": "Yiwang-Webhook/1",
            "X-Yiwang-Delivery": delivery_id,
            "X-Yiwang-Signature": sign(subscriber.secret, data, int(time.time())),
        }
        try:
            status, _ = await post_once(subscriber.url, data, headers, MAX_ANSWER_BYTES)
        except httpx.HTTPError as error:
            raise WebhookFailed(name=subscriber.name, detail=f"{type(error).__name__} {error}".strip()) from error
        if not 200 <= status < 300:
            raise WebhookFailed(name=subscriber.name, detail=f"HTTP {status}")


async def post_once(url: str, data: bytes, headers: dict[str, str], most: int) -> tuple[int, bytes]:
    """Status and the first ``most`` bytes of the answer; ``httpx.HTTPError``, also when it takes :data:`WHOLE_S`.

    A receiver that moved must be entered anew: signed events follow nobody.
    """
    async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, verify=_system_authorities()) as client:
        response, answer = await fetch(
            client, "POST", url, most=most, cut=True, deadline_s=WHOLE_S, content=data, headers=headers
        )
    return response.status_code, answer


@cache
def _system_authorities() -> ssl.SSLContext:
    return ssl.create_default_context()
