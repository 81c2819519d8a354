"""MQTT subscriber: a persistent QoS 1 session that acknowledges a message after it is durable.

The broker is NATS's own MQTT listener.  A stream must not capture MQTT subjects directly: the broker would PUBACK
messages that a full or missing stream never stored.  So ingest subscribes with a fixed client id and without clean
session, and PUBACKs each message after JetStream acknowledged its readings; what it does not PUBACK the broker sends
again after its ack_wait (20 s).

Retained messages that the broker gives again at every subscription are no new readings (``Pipeline.take``).  Every
SUBACK is looked at: a filter that the broker refuses is named, counted and asked for again.

What a read brought is taken at once and acknowledged at once (:mod:`ingest.transports.mqtt_wire`).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.errors import YiwangError
from core.settings import Settings
from ingest.counters import Refusal
from ingest.pipeline import Durable, Pipeline
from ingest.router import Parsed
from ingest.transports import mqtt_wire as wire
from ingest.transports.mqtt_line import KEEPALIVE_S, Line

log = logging.getLogger("yiwang.ingest")

MAX_PAYLOAD_BYTES = 65_536
IN_FLIGHT = 2_000  # publishes under way before reading from the broker pauses
_SETTLE_S = 2.0
_ASK_AGAIN_S = 30.0
_CONNECT_S = 8.0

Parser = Callable[[str, bytes, datetime], Parsed]
"""(topic, payload, received_at) → what it says; raises a YiwangError when it refuses the whole message."""


class SubscriptionRefused(YiwangError):
    code = "subscription_refused"
    message = "the MQTT broker refuses to subscribe {topic!r}: nothing on it is heard"
    remedy = "check the rights of ingest's account and the broker's max_ack_pending"
    zh = "MQTT 服务器拒绝订阅 {topic!r}：收不到其上的消息"
    zh_remedy = "请检查接入账号的权限和服务器的 max_ack_pending"


class PayloadTooLarge(YiwangError):
    code = "payload_too_large"
    message = "{topic}: payload of {size} bytes"
    remedy = "send at most {limit} bytes a message"
    zh = "{topic}：内容有 {size} 字节"
    zh_remedy = "每条消息最多 {limit} 字节"


class MqttRefused(YiwangError):
    code = "mqtt_refused"
    message = "the MQTT broker at {url} refused us: {detail}"
    remedy = "check the account in the settings and the broker's log"
    zh = "MQTT 服务器 {url} 拒绝了我们：{detail}"
    zh_remedy = "请检查设置中的账号和服务器日志"


@dataclass(slots=True)
class _Open:
    """A message that is not acknowledged yet."""

    mid: int
    qos: int
    session: int
    waiting: int = 0
    failed: bool = False

    def settled(self, done: Callable[[_Open], None]) -> Callable[[Durable], None]:
        """What to call when one of the things that it waits for became durable, or did not."""

        def settle(future: Durable) -> None:
            self.waiting -= 1
            self.failed = self.failed or future.cancelled() or future.exception() is not None
            if self.waiting == 0:
                done(self)

        return settle


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
        self._counters = pipeline.counters.of("mqtt")
        self._client_id = client_id
        self._queue: deque[tuple[wire.Publish, _Open]] = deque()
        self._wake = asyncio.Event()
        self._line: Line | None = None
        self._session = 0
        self._open = 0
        self._acks: list[int] = []
        self._asked: dict[int, tuple[str, ...]] = {}
        self._deaf: set[str] = set()
        self._ask_at = 0.0
        self._mid = 0

    async def run(self, stop: asyncio.Event) -> None:
        """One connection's life: returns at ``stop``, raises when the broker is lost or refuses us."""
        self._session += 1
        line = await self._connected()
        worker = asyncio.create_task(self._work(), name="mqtt-worker")
        ends = [worker, asyncio.create_task(stop.wait()), asyncio.create_task(line.lost.wait())]
        try:
            while not any(task.done() for task in ends):
                self._tend(line)
                await asyncio.wait(ends, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            if worker.done():
                worker.result()
            if line.lost.is_set():
                raise ConnectionResetError(line.why or self._url)
        finally:
            await self._settle(stop)
            for task in ends:
                task.cancel()
            self._queue.clear()
            self._acks.clear()
            self._open = 0
            self._line = None
            line.close(wire.DISCONNECT)

    @property
    def _url(self) -> str:
        return f"{self._settings.mqtt_host}:{self._settings.mqtt_port}"

    async def _connected(self) -> Line:
        """A connection that the broker accepted, its filters asked for."""
        loop = asyncio.get_running_loop()
        tls = tls_context(self._settings)
        async with asyncio.timeout(_CONNECT_S):
            _, line = await loop.create_connection(
                lambda: Line(self._take), self._settings.mqtt_host, self._settings.mqtt_port, ssl=tls
            )
            self._line = line
            account = self._settings.mqtt_user, self._settings.mqtt_password
            line.write(wire.connect(self._client_id, *account, KEEPALIVE_S))
            answer = await line.connack
        if answer.code:
            line.close()
            raise MqttRefused(url=self._url, detail=wire.REFUSALS.get(answer.code, f"code {answer.code}"))
        if self._forgotten:
            line.write(wire.unsubscribe(self._next_mid(), self._forgotten))
        self._subscribe(self._topics)
        return line

    def _tend(self, line: Line) -> None:
        """Once a second: the keep-alive, filters that were refused."""
        line.keep_alive(asyncio.get_running_loop().time())
        self._counters.events["deaf_topics"] = len(self._deaf)
        if self._deaf and asyncio.get_running_loop().time() >= self._ask_at:
            self._subscribe(sorted(self._deaf))  # the broker's limits or rights may have changed

    async def _settle(self, stop: asyncio.Event) -> None:
        """At an orderly stop give what is under way a moment to be acknowledged."""
        deadline = asyncio.get_running_loop().time() + _SETTLE_S
        while stop.is_set() and self._open and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - ≤ 2 s
            await asyncio.sleep(0.02)
        self._flush_acks()

    def _next_mid(self) -> int:
        self._mid = self._mid % 0xFFFF + 1
        return self._mid

    def _subscribe(self, topics: Sequence[str]) -> None:
        self._ask_at = asyncio.get_running_loop().time() + _ASK_AGAIN_S
        if topics and self._line is not None:
            mid = self._next_mid()
            self._asked[mid] = tuple(topics)
            self._line.write(wire.subscribe(mid, topics))

    def _subscribed(self, answer: wire.Suback) -> None:
        for topic, code in zip(self._asked.pop(answer.mid, ()), answer.codes, strict=False):
            if code < 0x80:
                if topic in self._deaf:
                    log.warning("mqtt: %s is subscribed now", topic)
                self._deaf.discard(topic)
                continue
            refusal = SubscriptionRefused(topic=topic)
            if topic not in self._deaf:
                log.warning("mqtt: %s", refusal)
                self._pipeline.note_refused("mqtt", Refusal(refusal.code, str(refusal), self._clock.now(), b"", topic))
            self._deaf.add(topic)

    # work --------------------------------------------------------------------------
    def _take(self, packets: list[wire.Packet]) -> None:
        """What one read brought."""
        for packet in packets:
            if isinstance(packet, wire.Publish):
                self._open += 1
                self._queue.append((packet, _Open(packet.mid, packet.qos, self._session)))
            elif isinstance(packet, wire.Suback):
                self._subscribed(packet)
        if self._queue:
            self._wake.set()
        if self._open >= IN_FLIGHT and self._line is not None:
            self._line.pause()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._handle(*self._queue.popleft())

    async def _handle(self, message: wire.Publish, entry: _Open) -> None:
        topic, payload = message.topic, message.payload
        self._counters.count("retained" if message.retain else "messages")
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
            waiting += await self._pipeline.take(source, device_id, readings, observations, replayed=message.retain)
        entry.waiting = len(waiting)
        if not waiting:
            self._done(entry)
        for future in waiting:
            future.add_done_callback(entry.settled(self._done))

    def _refuse(self, topic: str, payload: bytes, error: YiwangError) -> None:
        refusal = Refusal(error.code, str(error), self._clock.now(), payload, topic)
        self._pipeline.note_refused("mqtt", refusal, str(error.data.get("device", "")))
        log.debug("mqtt: %s refused: %s", topic, error)

    def _done(self, entry: _Open) -> None:
        if entry.session != self._session:
            return  # the connection it came on is gone; the broker delivers it again
        self._open -= 1
        if entry.failed:
            self._counters.count("unconfirmed")
        elif entry.qos:
            if not self._acks:
                asyncio.get_running_loop().call_soon(self._flush_acks)
            self._acks.append(entry.mid)
        if self._open < IN_FLIGHT // 2 and self._line is not None:
            self._line.resume()

    def _flush_acks(self) -> None:
        if self._acks and self._line is not None:
            self._line.write(wire.pubacks(self._acks))
        self._acks.clear()


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
