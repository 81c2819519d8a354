"""MQTT of another platform: we subscribe at the sender's broker; messages are acknowledged when they are durable."""

from __future__ import annotations

import asyncio
import queue
import ssl
import threading
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from core.plugins import About, Words
from ingest.connections.contract import ConnectionFailed, Fetched, Wiring
from ingest.jsontext import NotJson, read_json

ABOUT = About(
    zh="对方消息服务器（MQTT）",
    en="The sender's broker (MQTT)",
    transport="poll",
    direction="in",
    interval_s=1.0,
    secrets=("password",),
    help=Words(
        '填写对方消息服务器和订阅主题。每条消息是一条记录，{"topic", "payload"}；没有入库的消息不会被确认。',
        'Type the sender\'s broker and the topic. Each message is an item, {"topic", "payload"}; what is not '
        "durable is not acknowledged.",
    ),
    params={
        "host": Words("主机", "Host"),
        "port": Words("端口", "Port"),
        "topic": Words("主题", "Topic"),
        "user": Words("账号", "Account"),
        "client_id": Words("客户端标识", "Client id"),
        "tls": Words("使用 TLS", "TLS"),
    },
)
_WAIT_S, _CONNECT_S, _MOST = 1.0, 10.0, 500


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``client_id`` must stay the same: the broker keeps messages for it while we are away."""

    host: str
    topic: str
    port: int = 1883
    user: str = ""
    client_id: str = "yiwang-exchange"
    tls: bool = False

    def __post_init__(self) -> None:
        if not self.topic or len(self.topic.encode()) > 500:
            raise ValueError("topic: 1 to 500 bytes")


def build(params: Params, *, wiring: Wiring) -> Mqtt:
    """The connector."""
    return Mqtt(params, wiring)


class Mqtt:
    """One subscription at a foreign broker."""

    def __init__(self, params: Params, wiring: Wiring) -> None:
        self.params, self.wiring = params, wiring
        self._client: paho.Client | None = None
        self._arrived: queue.Queue[paho.MQTTMessage] = queue.Queue(maxsize=_MOST)
        self._taken: list[paho.MQTTMessage] = []
        self._said = ""
        self._granted = threading.Event()

    async def close(self) -> None:
        """Hang up; the broker keeps what comes meanwhile."""
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(_hang_up, client)

    async def confirm(self) -> None:
        """Acknowledge what the last fetch gave."""
        for message in self._taken:
            if self._client is not None:
                self._client.ack(message.mid, message.qos)
        self._taken = []

    async def fetch(self, cursor: str) -> Fetched:
        """What arrived, at most ``_MOST`` messages."""
        if self._client is None:
            address = await self.wiring.bounds.host("host", self.params.host)
            await asyncio.to_thread(self._open, address)
        if self._client is None or not self._client.is_connected():
            raise ConnectionFailed(where=self._where, detail=self._said or "is not connected")
        items = await asyncio.to_thread(self._collect)
        return Fetched(items, cursor, len(items) == _MOST)

    @property
    def _where(self) -> str:
        return f"{self.params.host}:{self.params.port}"

    def _open(self, address: str) -> None:
        p = self.params
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=p.client_id, clean_session=False, manual_ack=True)
        if p.user:
            client.username_pw_set(p.user, self.wiring.secret("password"))
        if p.tls:
            client.tls_set_context(ssl.create_default_context())
        client.on_connect, client.on_subscribe, client.on_message = self._connected, self._subscribed, self._message
        try:
            client.connect(p.host if p.tls else address, p.port, keepalive=30)
        except (OSError, ValueError) as error:
            raise ConnectionFailed(where=self._where, detail=str(error)) from error
        client.loop_start()
        if not self._granted.wait(_CONNECT_S):
            _hang_up(client)
            raise ConnectionFailed(where=self._where, detail=self._said or "does not confirm the subscription")
        self._client = client

    def _connected(self, client: paho.Client, _user: Any, _flags: Any, reason: Any, _more: Any) -> None:
        if reason.is_failure:
            self._said = f"refused us: {reason}"
        else:
            client.subscribe(self.params.topic, qos=1)

    def _subscribed(self, _client: paho.Client, _user: Any, _mid: int, reasons: Any, _more: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._said = f"refused the topic: {reasons[0]}"
        else:
            self._granted.set()

    def _message(self, _client: paho.Client, _user: Any, message: paho.MQTTMessage) -> None:
        self._arrived.put(message)

    def _collect(self) -> list[Any]:
        found: list[paho.MQTTMessage] = []
        try:
            found.append(self._arrived.get(timeout=_WAIT_S))
            while len(found) < _MOST:
                found.append(self._arrived.get_nowait())
        except queue.Empty:
            pass
        self._taken += found
        return [{"topic": m.topic, "payload": _read(m.payload)} for m in found]


def _read(payload: bytes | bytearray) -> Any:
    try:
        return read_json(bytes(payload))
    except NotJson:
        return payload[:1000].decode("utf-8", "replace")


def _hang_up(client: paho.Client) -> None:
    client.disconnect()
    client.loop_stop()
