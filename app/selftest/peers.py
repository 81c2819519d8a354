"""A fire panel and a water gauge, speaking the real protocols over the real sockets."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from core.clock import SystemClock
from core.errors import YiwangError
from core.settings import Settings
from ingest.sources import gb26875
from ingest.sources._gb26875_frame import Gb26875Packet

CENTRE = 88888
SMOKE_DETECTOR, FIRE_SYSTEM = 40, 1
NORMAL, NORMAL_AND_FIRE = 0x0001, 0x0003


class Unconfirmed(YiwangError):
    code = "unconfirmed"
    message = "{peer} got no confirmation within {seconds} s"
    remedy = "look into the logs of ingest and nats-server"


class Panel:
    """A user-information device: sends component states, waits for each confirm."""

    def __init__(self, settings: Settings, address: str) -> None:
        self._settings = settings
        self._address = address
        self._serial = 0

    async def send_fire(self, *, twice: bool) -> float:
        """A smoke detector alarms; with ``twice`` the same frame is sent again, as after a lost confirm."""
        return await self._send(NORMAL_AND_FIRE, twice=twice)

    async def send_normal(self) -> float:
        """The detector is back to normal."""
        return await self._send(NORMAL, twice=False)

    async def _send(self, status: int, *, twice: bool) -> float:
        now = SystemClock().now().replace(microsecond=0)
        self._serial += 1
        item = {
            "system_type": FIRE_SYSTEM, "system_address": 1, "component_type": SMOKE_DETECTOR,
            "component_address": bytes((10, 0, 2, 0)), "status": status, "text": "三层走廊烟感", "time": now,
        }  # fmt: skip
        frame = gb26875.encode(
            command=2,
            serial=self._serial,
            source=int(self._address),
            destination=CENTRE,
            time=now,
            adu=gb26875.encode_unit(2, item),
        )
        started = time.perf_counter()
        reader, writer = await asyncio.open_connection(self._settings.panel_host, self._settings.source_port("gb26875"))
        try:
            for _ in range(2 if twice else 1):
                writer.write(frame[:20])  # half a frame, then the rest: TCP keeps no boundaries
                await writer.drain()
                writer.write(frame[20:])
                await self._confirmed(reader)
            return time.perf_counter() - started
        finally:
            writer.close()

    async def _confirmed(self, reader: asyncio.StreamReader, seconds: float = 10.0) -> None:
        buffer = b""
        try:
            async with asyncio.timeout(seconds):
                while chunk := await reader.read(4096):
                    decoded = gb26875.decode(buffer + chunk)
                    buffer = decoded.rest
                    for packet in decoded.frames:
                        if isinstance(packet, Gb26875Packet) and (packet.command, packet.serial) == (3, self._serial):
                            return
        except TimeoutError:
            pass  # told below, with the peer's name
        raise Unconfirmed(peer=f"panel {self._address}", seconds=seconds)


class Gauge:
    """A water gauge: QoS 1 publishes, each waited for."""

    def __init__(self, settings: Settings, address: str) -> None:
        self._topic = f"sensors/{address}"
        self._address = address
        self._sequence = 0
        self.sent = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=address)
        self._client.username_pw_set(settings.mqtt_device_user, settings.mqtt_device_password)
        self._client.connect(settings.mqtt_host, settings.mqtt_port)
        self._client.loop_start()

    async def send(self, water_level_m: float, *, twice: bool = False) -> float:
        """Publish one level; with ``twice`` the same reading again."""
        self._sequence += 1
        body = {"time": datetime.now(UTC).isoformat(), "seq": self._sequence, "water_level_m": water_level_m}
        started = time.perf_counter()
        for _ in range(2 if twice else 1):
            await self._publish(json.dumps(body).encode())
        self.sent += 1
        return time.perf_counter() - started

    async def send_garbage(self) -> None:
        """What is not JSON must be refused and must harm nothing."""
        await self._publish(b"\x00\xff not json")

    async def _publish(self, payload: bytes, seconds: float = 10.0) -> None:
        handle = self._client.publish(self._topic, payload, qos=1)
        await asyncio.to_thread(handle.wait_for_publish, seconds)
        if not handle.is_published():
            raise Unconfirmed(peer=f"gauge {self._address}", seconds=seconds)

    def close(self) -> None:
        """Disconnect."""
        self._client.loop_stop()
        self._client.disconnect()
