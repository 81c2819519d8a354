"""A simulated road water gauge with a rain gauge: publishes JSON over MQTT QoS 1."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from core.settings import Settings

log = logging.getLogger("yiwang.simulate")

HELP = "water gauge (MQTT QoS 1)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the gauge."""
    parser.add_argument("--device", default="mqtt:erdao-underpass-01", help="device id; the topic is sensors/<address>")
    parser.add_argument("--host", help="default: the MQTT broker of the settings")
    parser.add_argument("--port", type=int)
    parser.add_argument(
        "--scenario",
        default="demo",
        choices=("demo", "dry", "rise", "fall", "flood"),
        help="demo: rain, rising and falling water in cycles; rise, fall: once, then exit; flood: load",
    )
    parser.add_argument("--interval", type=float, default=5.0, help="seconds between two messages")
    parser.add_argument("--period", type=float, default=1200.0, help="demo: seconds from rain to rain")
    parser.add_argument("--level", type=float, default=0.35, help="highest water level in m")
    parser.add_argument("--steps", type=int, default=6, help="rise, fall: messages from bottom to top")
    parser.add_argument("--count", type=int, default=10_000, help="flood: messages to send")
    parser.add_argument("--rate", type=float, default=1000.0, help="flood: messages a second")


class Broker:
    """The device's MQTT connection: persistent session, so that nothing queued is lost over a reconnection."""

    def __init__(self, settings: Settings, host: str, port: int, client_id: str) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
        self._client.username_pw_set(settings.mqtt_device_user, settings.mqtt_device_password)
        self._client.max_inflight_messages_set(200)
        self._client.reconnect_delay_set(1, 30)
        self._client.on_publish = self._on_publish
        self._client.on_disconnect = self._on_disconnect
        self._host, self._port = host, port
        self._began: dict[int, float] = {}
        self.latencies_ms: list[float] = []
        self.sent = 0

    def open(self) -> None:
        """Connect in the background, for ever."""
        self._client.connect_async(self._host, self._port, keepalive=30)
        self._client.loop_start()

    def publish(self, topic: str, body: dict[str, Any]) -> None:
        """Queue a message."""
        self.sent += 1
        info = self._client.publish(topic, json.dumps(body), qos=1)
        self._began.setdefault(info.mid, time.perf_counter())

    @property
    def unacknowledged(self) -> int:
        """Messages that the broker has not acknowledged."""
        return self.sent - len(self.latencies_ms)

    def close(self) -> None:
        """Hang up."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_publish(self, _client: paho.Client, _data: Any, mid: int, _code: Any, _properties: Any) -> None:
        now = time.perf_counter()
        self.latencies_ms.append((now - self._began.pop(mid, now)) * 1000)

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if getattr(code, "is_failure", False):
            log.warning("gauge: broker lost (%s), retrying", code)


def cycle(at_s: float, period_s: float, highest_m: float) -> tuple[float, float]:
    """(water level in m, rain in mm/h) at ``at_s`` seconds of the cycle: rain, rise, stand, fall, dry.

    Rises in the first 30 % of the period, stands until 45 %, is gone at 75 %.
    """
    phase = (at_s % period_s) / period_s
    if phase < 0.30:
        level = highest_m * (1 - math.cos(math.pi * phase / 0.30)) / 2
    elif phase < 0.45:
        level = highest_m
    elif phase < 0.75:
        level = highest_m * (1 + math.cos(math.pi * (phase - 0.45) / 0.30)) / 2
    else:
        level = 0.0
    return level, 60.0 if phase < 0.40 else 0.0


def levels(args: argparse.Namespace) -> Iterator[tuple[float, float]]:
    """(level, rain in mm/h) message by message."""
    if args.scenario in {"rise", "fall"}:
        for step in range(args.steps + 1):
            share = step / args.steps
            yield args.level * (share if args.scenario == "rise" else 1 - share), 40.0 * (args.scenario == "rise")
        return
    number = 0
    while True:
        yield (0.0, 0.0) if args.scenario == "dry" else cycle(number * args.interval, args.period, args.level)
        number += 1


async def run(args: argparse.Namespace, settings: Settings, stop: asyncio.Event) -> dict[str, Any]:
    """Play the scenario; figures of what was sent and acknowledged by the broker."""
    address = args.device.partition(":")[2] or args.device
    client_id = f"sim-{address}" + (f"-{args.scenario}" if args.scenario in {"rise", "fall", "flood"} else "")
    broker = Broker(settings, args.host or settings.mqtt_host, args.port or settings.mqtt_port, client_id)
    broker.open()
    try:
        if args.scenario == "flood":
            await _flood(broker, args, address, stop)
        else:
            await _play(broker, args, address, stop)
        deadline = time.monotonic() + 30
        while broker.unacknowledged and time.monotonic() < deadline and not stop.is_set():  # noqa: ASYNC110 - ≤ 30 s
            await asyncio.sleep(0.02)
    finally:
        await asyncio.to_thread(broker.close)
    times = sorted(broker.latencies_ms)
    return {
        "sent": broker.sent,
        "acknowledged": len(times),
        "failed": int(broker.unacknowledged > 0 and args.scenario not in {"demo", "dry"}),
        "p50_ms": round(times[len(times) // 2], 1) if times else None,
        "p95_ms": round(times[int(len(times) * 0.95)], 1) if times else None,
    }


async def _play(broker: Broker, args: argparse.Namespace, address: str, stop: asyncio.Event) -> None:
    rng = random.Random()
    for number, (level, rain) in enumerate(levels(args)):
        body: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "seq": number,
            "water_level_m": round(max(0.0, level + rng.uniform(-0.002, 0.002)), 3),
            "rain_mm": round(rain * args.interval / 3600, 3),
            "battery_v": round(12.1 + rng.uniform(-0.05, 0.05), 2),
        }
        broker.publish(f"sensors/{address}", body)
        try:
            await asyncio.wait_for(stop.wait(), args.interval)
        except TimeoutError:
            continue
        return


async def _flood(broker: Broker, args: argparse.Namespace, address: str, stop: asyncio.Event) -> None:
    began = time.monotonic()
    for number in range(args.count):
        if stop.is_set():
            return
        moment = datetime.now(UTC).isoformat(timespec="microseconds")
        broker.publish(f"sensors/{address}", {"time": moment, "seq": number, "water_level_m": (number % 20) / 1000})
        ahead = began + number / args.rate - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)
        while broker.unacknowledged > 2000 and not stop.is_set():  # noqa: ASYNC110 - polls paho's thread
            await asyncio.sleep(0.01)
