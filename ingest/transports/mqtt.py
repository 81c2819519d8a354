"""MQTT subscriber: a persistent QoS 1 session that acknowledges a message after it is durable.

The broker is NATS's own MQTT listener.  A stream must not capture MQTT subjects directly: the broker would PUBACK
messages that a full or missing stream never stored.  So ingest subscribes with a fixed client id and without clean
session, and PUBACKs each message after JetStream acknowledged its readings; what it does not PUBACK the broker sends
again after its ack_wait (20 s).

Retained messages that the broker gives again at every subscription are no new readings (``Pipeline.take``).  Every
SUBACK is looked at: a filter that the broker refuses is named, counted and asked for again.

paho runs on asyncio's own loop (no thread): the socket is registered as reader and writer.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from core.clock import Clock
from core.errors import YiwangError
from core.settings import Settings
from ingest.counters import Refusal
from ingest.pipeline import Durable, Pipeline
from ingest.router import Parsed

log = logging.getLogger("yiwang.ingest")

MAX_PAYLOAD_BYTES = 65_536
IN_FLIGHT = 2_000  # publishes under way before reading from the broker pauses
_SETTLE_S = 2.0
_ASK_AGAIN_S = 30.0

Parser = Callable[[str, bytes, datetime], Parsed]
"""(topic, payload, received_at) → what it says; raises a YiwangError when it refuses the whole message."""


class SubscriptionRefused(YiwangError):
    code = "subscription_refused"
    message = "the MQTT broker refuses to subscribe {topic!r}: nothing on it is heard"
    remedy = "check the rights of ingest's account and the broker's max_ack_pending"


class PayloadTooLarge(YiwangError):
    code = "payload_too_large"
    message = "{topic}: payload of {size} bytes"
    remedy = "send at most {limit} bytes a message"


class MqttRefused(YiwangError):
    code = "mqtt_refused"
    message = "the MQTT broker at {url} refused us: {detail}"
    remedy = "check the account in the settings and the broker's log"


@dataclass(slots=True)
class _Open:
    """A message that is not acknowledged yet."""

    mid: int
    qos: int
    session: int
    waiting: int = 0
    failed: bool = False


class MqttSubscriber:
    """Subscribes, parses, publishes, acknowledges."""

    def __init__(
        self,
        settings: Settings,
        pipeline: Pipeline,
        parse: Parser,
        clock: Clock,
        *,
        topics: Sequence[str] = ("sensors/#",),
        forgotten: Sequence[str] = (),
        client_id: str = "yiwang-ingest",
    ) -> None:
        """``forgotten``: filters that this session held before and shall not hold any longer."""
        self._settings, self._pipeline, self._parse, self._clock = settings, pipeline, parse, clock
        self._topics, self._forgotten = tuple(topics), tuple(forgotten)
        self._asked: dict[int, tuple[str, ...]] = {}
        self._deaf: set[str] = set()
        self._ask_at = 0.0
        self._counters = pipeline.counters.of("mqtt")
        self._queue: deque[tuple[str, bytes, _Open, bool]] = deque()
        self._wake = asyncio.Event()
        self._lost = asyncio.Event()
        self._refusal = ""
        self._session = 0
        self._open = 0
        self._paused = False
        self._socket: Any = None
        self._client_id = client_id
        self._client = self._make_client(client_id)

    def _make_client(self, client_id: str) -> paho.Client:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True)
        client.username_pw_set(self._settings.mqtt_user, self._settings.mqtt_password)
        tls = tls_context(self._settings)
        if tls is not None:
            client.tls_set_context(tls)
            client.tls_insecure_set(True)  # our own broker, known by its certificate and not by its name
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        return client

    async def run(self, stop: asyncio.Event) -> None:
        """One connection's life: returns at ``stop``, raises when the broker is lost or refuses us."""
        self._lost.clear()
        self._session += 1
        url = f"{self._settings.mqtt_host}:{self._settings.mqtt_port}"
        # paho's connect() blocks: look first, without blocking, whether anybody is there
        _, probe = await asyncio.wait_for(
            asyncio.open_connection(self._settings.mqtt_host, self._settings.mqtt_port), 5.0
        )
        probe.close()
        self._client = self._make_client(self._client_id)
        self._paused = False
        self._client.connect_timeout = 3.0
        self._client.connect(self._settings.mqtt_host, self._settings.mqtt_port, keepalive=30)
        worker = asyncio.create_task(self._work(), name="mqtt-worker")
        ends = [worker, asyncio.create_task(stop.wait()), asyncio.create_task(self._lost.wait())]
        try:
            while not any(task.done() for task in ends):
                self._client.loop_misc()
                self._ask_again()
                await asyncio.wait(ends, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            if worker.done():
                worker.result()
            if self._lost.is_set():
                raise MqttRefused(url=url, detail=self._refusal) if self._refusal else ConnectionResetError(url)
        finally:
            await self._settle(stop)
            for task in ends:
                task.cancel()
            self._queue.clear()
            self._open = 0
            self._client.disconnect()
            self._client.loop_misc()

    async def _settle(self, stop: asyncio.Event) -> None:
        """At an orderly stop give what is under way a moment to be acknowledged."""
        deadline = asyncio.get_running_loop().time() + _SETTLE_S
        while stop.is_set() and self._open and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - ≤ 2 s
            await asyncio.sleep(0.02)

    # paho callbacks, all on the loop's thread -------------------------------------
    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if code.is_failure:
            self._refusal = str(code)
            self._lost.set()
            return
        self._refusal = ""
        if self._forgotten:
            client.unsubscribe(list(self._forgotten))
        self._subscribe(self._topics)

    def _subscribe(self, topics: Sequence[str]) -> None:
        if topics:
            _, mid = self._client.subscribe([(topic, 1) for topic in topics])
            if mid is not None:
                self._asked[mid] = tuple(topics)
        self._ask_at = asyncio.get_running_loop().time() + _ASK_AGAIN_S

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, mid: int, codes: list[ReasonCode], _properties: Any
    ) -> None:
        for topic, code in zip(self._asked.pop(mid, ()), codes, strict=False):
            if not code.is_failure:
                if topic in self._deaf:
                    log.warning("mqtt: %s is subscribed now", topic)
                self._deaf.discard(topic)
                continue
            refusal = SubscriptionRefused(topic=topic)
            if topic not in self._deaf:
                log.warning("mqtt: %s", refusal)
                self._pipeline.note_refused("mqtt", Refusal(refusal.code, str(refusal), self._clock.now(), b"", topic))
            self._deaf.add(topic)

    def _ask_again(self) -> None:
        """Ask for refused filters again now and then: the broker's limits or rights may have changed."""
        self._counters.events["deaf_topics"] = len(self._deaf)
        if self._deaf and asyncio.get_running_loop().time() >= self._ask_at:
            self._subscribe(sorted(self._deaf))

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, _code: Any, _properties: Any) -> None:
        self._lost.set()

    def _on_socket_open(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._socket = sock
        asyncio.get_running_loop().add_reader(sock, self._readable)

    def _on_socket_close(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        asyncio.get_running_loop().remove_reader(sock)
        self._socket = None

    def _on_register_write(self, client: paho.Client, _data: Any, sock: Any) -> None:
        asyncio.get_running_loop().add_writer(sock, client.loop_write)

    def _on_unregister_write(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        asyncio.get_running_loop().remove_writer(sock)

    def _readable(self) -> None:
        for _ in range(64):  # several packets per wake-up, then the loop's other work
            before = len(self._queue)
            self._client.loop_read(1)
            if len(self._queue) == before:
                break
        pending = getattr(self._socket, "pending", None)  # TLS: what is decrypted already wakes nobody
        if pending is not None and not self._paused and pending():
            asyncio.get_running_loop().call_soon(self._readable)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        entry = _Open(message.mid, message.qos, self._session)
        self._open += 1
        self._queue.append((message.topic, bytes(message.payload), entry, message.retain))
        self._wake.set()
        if self._open >= IN_FLIGHT and not self._paused and self._socket is not None:
            self._paused = True
            asyncio.get_running_loop().remove_reader(self._socket)

    # work --------------------------------------------------------------------------
    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._handle(*self._queue.popleft())

    async def _handle(self, topic: str, payload: bytes, entry: _Open, retained: bool) -> None:
        self._counters.count("retained" if retained else "messages")
        try:
            if len(payload) > MAX_PAYLOAD_BYTES:
                raise PayloadTooLarge(topic=topic, size=len(payload), limit=MAX_PAYLOAD_BYTES)
            parsed = self._parse(topic, payload, self._clock.now())
        except YiwangError as error:
            self._refuse(topic, payload, error)
            self._done(entry)  # acknowledged: sending it again would not make it better
            return
        for refusal in parsed.refused:
            self._refuse(topic, payload, refusal)
        waiting: list[Durable] = []
        for device_id, readings, observations in parsed.devices:
            source = device_id.partition(":")[0]
            waiting += await self._pipeline.take(source, device_id, readings, observations, replayed=retained)
        entry.waiting = len(waiting)
        if not waiting:
            self._done(entry)
        for future in waiting:
            future.add_done_callback(lambda done, entry=entry: self._settled(entry, done))  # type: ignore[misc]

    def _refuse(self, topic: str, payload: bytes, error: YiwangError) -> None:
        refusal = Refusal(error.code, str(error), self._clock.now(), payload, topic)
        self._pipeline.note_refused("mqtt", refusal, str(error.data.get("device", "")))
        log.debug("mqtt: %s refused: %s", topic, error)

    def _settled(self, entry: _Open, future: Durable) -> None:
        entry.waiting -= 1
        entry.failed = entry.failed or future.cancelled() or future.exception() is not None
        if entry.waiting == 0:
            self._done(entry)

    def _done(self, entry: _Open) -> None:
        if entry.session != self._session:
            return  # the connection it came on is gone; the broker delivers it again
        self._open -= 1
        if entry.failed:
            self._counters.count("unconfirmed")
        elif entry.qos:
            self._client.ack(entry.mid, entry.qos)
        if self._paused and self._open < IN_FLIGHT // 2 and self._socket is not None:
            self._paused = False
            asyncio.get_running_loop().add_reader(self._socket, self._readable)


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """How ingest reaches the broker's listener when that speaks TLS; None when it does not."""
    if not settings.mqtt_tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the broker's own certificate is anchor enough
    context.load_verify_locations(settings.mqtt_tls_cert)
    if settings.mqtt_tls_client_ca:
        context.load_cert_chain(settings.mqtt_tls_cert, settings.mqtt_tls_key)
    return context
