"""Outgoing connections: case changes to other platforms as these want them, signed, tried again, failures shown.

A change makes one outbox row for each connection that wants it, in the transaction that marks the change as told; the
body is made then, so that a later change does not alter what is told.  What a receiver refuses stands in the delivery
list with its answer until it is taken or given up (then it is a dead letter, and can be sent again).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.bounds import Bounds, check_url
from core.errors import YiwangError
from core.exchange import ConnectionConfig
from core.late import Late
from core.network.outgoing import PushParams, filled
from core.records import CaseChanged
from core.settings import Settings
from events.notify.webhooks import TIMEOUT_S, WebhookFailed, sign
from storage.connections import read_connections
from storage.session import read_scope
from storage.tables.cases import Case
from storage.tables.exchange import ExchangeOrder

if TYPE_CHECKING:
    import httpx

    from core.network import fetching
else:
    httpx, fetching = Late("httpx"), Late("core.network.fetching")

MAX_ANSWER_BYTES = 64 << 10


class Outgoing:
    """Makes and delivers bodies for the outgoing connections."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine

    def bodies(self, session: Session, change: CaseChanged, event: dict[str, Any]) -> list[dict[str, Any]]:
        """One outbox body for each connection that wants ``change``; a drill tells nobody."""
        configs = [] if self._settings.subject_prefix else read_connections(session, "out")
        if not any(config.enabled for config in configs):
            return []
        order = session.scalars(select(ExchangeOrder).where(ExchangeOrder.case_id == change.case_id)).first()
        found = []
        for config in configs:
            params = _params(config)
            if config.enabled and params and params.wants(change, order.connection_id if order else ""):
                facts = _facts(session, change, order, params)
                payload = filled(params.template, facts) if params.template else event
                found.append({"subscriber": config.connection_id, "connection": True, "payload": payload})
        return found

    async def post(self, delivery_id: str, body: dict[str, Any]) -> None:
        """Deliver; :class:`WebhookFailed` says what came instead.  A connection that is gone or off is passed over."""
        name = str(body.get("subscriber"))
        with read_scope(self._engine) as session:
            config = next((c for c in read_connections(session, "out") if c.connection_id == name), None)
        params = _params(config) if config is not None and config.enabled else None
        if config is None or params is None:
            return
        data = json.dumps(body["payload"], ensure_ascii=False).encode()
        try:
            known = config.secrets(self._settings.records_key)
            headers = _headers(params, known, data, delivery_id)
            status, answer = await self._send(params.url, headers, data)
        except YiwangError as error:
            raise WebhookFailed(name=name, detail=str(error)) from error
        except httpx.HTTPError as error:
            raise WebhookFailed(name=name, detail=f"{type(error).__name__} {error}".strip()) from error
        shown = answer[:200].decode("utf-8", "replace")
        if not 200 <= status < 300:
            raise WebhookFailed(name=name, detail=f"HTTP {status} {shown}".strip())
        if params.ok_path and _said(answer, params.ok_path) not in params.ok:
            raise WebhookFailed(name=name, detail=f"it answered {shown}")

    async def _send(self, url: str, headers: dict[str, str], data: bytes) -> tuple[int, bytes]:
        parts = check_url("url", url)
        address, host = await Bounds.parse(self._settings.connection_networks).url("url", url)
        sent = {**headers, "Host": parts.netloc.decode()}
        options: dict[str, Any] = {"headers": sent, "content": data, "extensions": {"sni_hostname": host}}
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
            response, raw = await fetching.fetch(
                client, "POST", parts.copy_with(host=address), most=MAX_ANSWER_BYTES, cut=True, **options
            )
        return response.status_code, raw


def _params(config: ConnectionConfig) -> PushParams | None:
    """The parameters; None when they cannot be read (they were checked when they were saved)."""
    try:
        return msgspec.convert(config.params, PushParams, strict=False)
    except (msgspec.ValidationError, ValueError, YiwangError):
        return None


def _facts(session: Session, change: CaseChanged, order: ExchangeOrder | None, params: PushParams) -> dict[str, Any]:
    """What a template may name."""
    case = session.get(Case, change.case_id)
    return {
        "number": change.number, "case_id": change.case_id, "version": change.version, "state": change.state,
        "stage": change.stage, "command": change.command, "word": params.words.get(change.command, change.command),
        "title": case.title if case else change.title, "class_code": change.class_code,
        "severity": int(change.severity), "changed_at": change.changed_at.isoformat(),
        "department": case.department_id if case else None, "order": order.number if order else None,
        "form": dict(case.form) if case else {}, "departments": list(change.department_ids),
    }  # fmt: skip


def _headers(params: PushParams, known: dict[str, str], data: bytes, delivery_id: str) -> dict[str, str]:
    now = int(time.time())
    kind = "application/json" if params.template else "application/cloudevents+json"
    headers = {**params.headers, "Content-Type": f"{kind}; charset=utf-8", "User-Agent": "Yiwang-Webhook/1",
               "X-Yiwang-Delivery": delivery_id}  # fmt: skip
    if params.sign == "bearer":
        headers["Authorization"] = f"Bearer {_secret(known, 'token')}"
    elif params.sign == "yiwang":
        headers["X-Yiwang-Signature"] = sign(_secret(known, "signing_secret"), data, now)
    elif params.sign == "hotline":
        nonce = secrets.token_hex(8)
        text = f"{params.app_id}{now}{nonce}".encode() + data
        mac = hmac.new(_secret(known, "app_secret").encode(), text, hashlib.sha256).hexdigest()
        headers |= {"X-App-Id": params.app_id, "X-Timestamp": str(now), "X-Nonce": nonce, "X-Sign": mac}
    return headers


def _secret(known: dict[str, str], name: str) -> str:
    if not known.get(name):
        raise WebhookFailed(name=name, detail="the secret is not set")
    return known[name]


def _said(answer: bytes, path: str) -> str:
    try:
        found = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError):
        return ""
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return "" if found is None else str(found)
