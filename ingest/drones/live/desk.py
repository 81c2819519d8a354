"""Listens to the gateways on our broker and answers them; carries orders and tells the pages.

The broker is NATS's own MQTT listener, so a topic ``thing/product/SN/osd`` is the subject ``thing.product.SN.osd``.
Telemetry is news, not a record: it goes to the pages at once and is not stored.  An event is confirmed to the gateway
when we have taken it; what is not confirmed it sends again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Coroutine
from typing import Any

import msgspec
import nats.errors
from nats.aio.msg import Msg

from core.bus import Bus
from core.clock import Clock
from core.errors import RecordError
from core.ids import derived_id, new_id
from core.records import DeviceConfig, Observation, Quality, Reading, decode, encode
from core.settings import Settings
from ingest.counters import Refusal
from ingest.drones.live.fleet import SOURCE, Fleet, Heard, device_id
from ingest.drones.live.orders import MEDIA, POSES, SUBJECT, TIMEOUT_S, AircraftAnswer, AircraftOrder
from ingest.drones.live.requests import stored
from ingest.outlet import NotDurable
from ingest.pipeline import Pipeline
from ingest.registry import DeviceRegistry

log = logging.getLogger("yiwang.ingest")

SUBJECTS = ("sys.product.*.status", "thing.product.*.osd", "thing.product.*.state", "thing.product.*.events",
            "thing.product.*.requests", "thing.product.*.services_reply")  # fmt: skip
FLUSH_S = 0.25
REST_S = 5.0  # while nothing flies
ALLOWED = frozenset({"live_start_push", "live_stop_push", "live_set_quality", "live_lens_change"})
"""What may be ordered: the picture.  Nothing that flies an aircraft is sent from here."""

_MOST_WAITING, _MOST_BACKLOG = 200, 5000


class GatewayDesk:
    """One for the ingest process."""

    def __init__(
        self, registry: DeviceRegistry, pipeline: Pipeline, clock: Clock, settings: Settings | None = None
    ) -> None:
        self.fleet = Fleet(registry.get, settings)
        self._pipeline, self._clock, self._settings = pipeline, clock, settings
        self._counters = pipeline.counters.of(SOURCE)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._moved: dict[str, dict[str, Any]] = {}
        self._gone: list[str] = []
        self._stirred = asyncio.Event()
        self._bus: Bus | None = None
        self._backlog: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(_MOST_BACKLOG)
        self._orders: set[asyncio.Task[None]] = set()

    async def run(self, bus: Bus, stop: asyncio.Event) -> None:
        """Serve until ``stop``; a drill leaves the gateways to the live city."""
        if bus.prefix:
            await stop.wait()
            return
        self._bus = bus
        subscriptions = [await bus.client.subscribe(subject, cb=self._on_message) for subject in SUBJECTS]
        subscriptions.append(await bus.client.subscribe(bus.subject(SUBJECT), cb=self._on_order))
        worker = asyncio.create_task(self._work())
        try:
            while not stop.is_set():
                await self._gather(stop)
                await self._tell_pages()
                if worker.done():
                    worker.result()
        finally:
            worker.cancel()
            for task in list(self._orders):
                task.cancel()
            for subscription in subscriptions:
                with contextlib.suppress(nats.errors.Error):
                    await subscription.unsubscribe()

    async def _gather(self, stop: asyncio.Event) -> None:
        """Until something moved, and then as long as poses are bundled."""
        news = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._stirred.wait())]
        await asyncio.wait(news, timeout=REST_S, return_when=asyncio.FIRST_COMPLETED)
        for each in news:
            each.cancel()
        if self._stirred.is_set() and not stop.is_set():
            self._stirred.clear()
            await asyncio.sleep(FLUSH_S)

    async def _on_message(self, message: Msg) -> None:
        topic = message.subject.replace(".", "/")
        try:
            self._backlog.put_nowait((topic, message.data))
        except asyncio.QueueFull:
            self._counters.count("dropped")

    async def _work(self) -> None:
        while True:
            topic, payload = await self._backlog.get()
            try:
                await self.take(topic, payload)
            except (nats.errors.Error, NotDurable, OSError) as error:
                log.warning("dji: %s not taken: %s", topic[:80], error)

    async def take(self, topic: str, payload: bytes) -> None:
        """Judge a message and do what follows from it; its replies go out last."""
        heard = self.fleet.take(topic, payload)
        self._counters.count("messages")
        now = self._clock.now()
        for refusal in heard.refused:
            kept = Refusal(refusal.code, refusal.detail, now, payload[:200], topic)
            self._pipeline.note_refused(SOURCE, kept, refusal.device_id)
        for alive in heard.alive:
            await self._pipeline.take(SOURCE, alive)
        for pose in heard.poses:
            self._moved[pose["sn"]] = pose
        self._gone += heard.gone
        if self._moved or self._gone:
            self._stirred.set()
        await self._follow(heard)
        for reply_topic, body in heard.replies:
            await self._publish(reply_topic, {**body, "timestamp": int(now.timestamp() * 1000)})

    async def _follow(self, heard: Heard) -> None:
        for sn, gateway, model in heard.found:
            await self._pipeline.announce(self._discovered(sn, gateway, model))
        if heard.alarms is not None:
            await self._alarms(*heard.alarms)
        if heard.weather is not None:
            await self._weather(*heard.weather)
        if heard.media is not None and self._bus is not None:
            await self._bus.client.publish(self._bus.subject(MEDIA), msgspec.json.encode(heard.media))
        if heard.answered is not None:
            self._resolve(heard.answered)
        if heard.storage is not None and len(self._orders) < _MOST_WAITING:
            self._beside(self._storage(*heard.storage))

    async def _storage(self, sn: str, topic: str, body: dict[str, Any]) -> None:
        """The bucket's service may take seconds: nobody else waits for it."""
        data = await asyncio.to_thread(stored, self._settings, sn)
        with contextlib.suppress(nats.errors.Error):
            await self._publish(topic, {**body, "data": data, "timestamp": int(self._clock.now().timestamp() * 1000)})

    def _discovered(self, sn: str, gateway: str, model: str) -> Observation:
        now = self._clock.now()
        attributes: dict[str, Any] = {"gateways": [gateway], "model_key": model}
        config = DeviceConfig(
            device_id=device_id(sn), source=SOURCE, address=sn, device_type="aircraft", attributes=attributes
        )
        return Observation(
            observation_id=derived_id("device_discovered", config.device_id, now.date().isoformat()),
            kind="device_discovered", state="measure", source_type="device", source_id=config.device_id,
            observed_at=now, received_at=now, attributes=msgspec.to_builtins(config),
        )  # fmt: skip

    async def _alarms(self, gateway: str, alarms: list[dict[str, Any]]) -> None:
        """Each message is the complete list: grave ones open a fault, a list without any ends it."""
        now = self._clock.now()
        grave = [alarm for alarm in alarms if alarm["level"] == "warn"]
        codes = ", ".join(alarm["code"] for alarm in grave)[:200]
        observation = Observation(
            observation_id=derived_id("hms", gateway, new_id()), kind="device_fault",
            state="open" if grave else "clear", source_type="device", source_id=gateway, observed_at=now,
            received_at=now,
            attributes={"channel": "hms", "reason": codes, "alarms": alarms},
        )  # fmt: skip
        await self._pipeline.take(SOURCE, gateway, (), [observation])

    async def _weather(self, dock: str, values: dict[str, float]) -> None:
        now = self._clock.now()
        readings = [
            Reading(
                reading_id=derived_id(dock, name, now.isoformat()), source=SOURCE, device_id=dock, quantity=name,
                value=value, observed_at=now, received_at=now, quality=Quality.GOOD,
            )
            for name, value in values.items()
        ]  # fmt: skip
        await self._pipeline.take(SOURCE, dock, readings)

    async def _publish(self, topic: str, body: dict[str, Any]) -> None:
        if self._bus is not None:
            await self._bus.client.publish(topic.replace("/", "."), json.dumps(body).encode())

    # pages ----------------------------------------------------------------
    async def _tell_pages(self) -> None:
        if self._bus is None or not (self._moved or self._gone) or not self._bus.client.is_connected:
            return
        moved, self._moved = self._moved, {}
        gone, self._gone = self._gone, []
        body = msgspec.json.encode({"moved": list(moved.values()), "gone": gone})
        await self._bus.client.publish(self._bus.subject(POSES), body)

    # orders ---------------------------------------------------------------
    async def _on_order(self, message: Msg) -> None:
        if len(self._orders) >= _MOST_WAITING:
            await message.respond(encode(AircraftAnswer("busy", "too many orders wait for their answers")))
            return
        self._beside(self._answer(message))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._orders.add(task)
        task.add_done_callback(self._orders.discard)

    async def _answer(self, message: Msg) -> None:
        try:
            answer = await self.order(decode(AircraftOrder, message.data))
        except RecordError as error:
            answer = AircraftAnswer("refused", str(error))
        with contextlib.suppress(nats.errors.Error):
            await message.respond(encode(answer))

    async def order(self, order: AircraftOrder) -> AircraftAnswer:
        """Send an order and wait for its answer, at most :data:`TIMEOUT_S`; "no answer" is never "done"."""
        fleet = self.fleet
        if order.method == "fleet":
            known: dict[str, Any] = {
                "poses": list(fleet.poses.values()),
                "behind": fleet.behind,
                "streams": fleet.streams,
            }
            return AircraftAnswer("", output=known)
        if order.method not in ALLOWED:
            return AircraftAnswer("refused", f"{order.method[:40]} is not sent from here")
        gateway = order.sn if order.sn in fleet.behind else fleet.gateway_of(order.sn)
        if not gateway:
            return AircraftAnswer("no_gateway", f"{order.sn[:64]} is behind no gateway that is connected")
        tid, loop = new_id(), asyncio.get_running_loop()
        self._waiting[tid] = loop.create_future()
        body = {"tid": tid, "bid": new_id(), "timestamp": int(self._clock.now().timestamp() * 1000),
                "gateway": gateway, "method": order.method, "data": order.data}  # fmt: skip
        try:
            await self._publish(f"thing/product/{gateway}/services", body)
            said = await asyncio.wait_for(self._waiting[tid], TIMEOUT_S)
        except TimeoutError:
            return AircraftAnswer("no_answer", f"{gateway} did not answer within {TIMEOUT_S:g} s")
        finally:
            self._waiting.pop(tid, None)
        result = said["result"] if isinstance(said["result"], int) else -1
        output = said["output"] if isinstance(said["output"], dict) else {}
        return AircraftAnswer("" if result == 0 else "refused", f"result {result}", result, output)

    def _resolve(self, said: dict[str, Any]) -> None:
        """By ``tid``; old docks answer with a wrong one: then the only order of that kind that waits is meant."""
        waiting = self._waiting.get(said["tid"])
        if waiting is None and len(self._waiting) == 1:
            waiting = next(iter(self._waiting.values()))
        if waiting is not None and not waiting.done():
            waiting.set_result(said)
        else:
            self._counters.count("answers_unasked")
