"""The ingest process against a real nats-server: late confirm, quarantine, good neighbours of bad input."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import nats.errors
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.bus import Bus, connect
from core.ids import subject_token
from core.records import (
    DeviceCommand,
    DeviceCommandResult,
    DeviceConfig,
    Observation,
    Quality,
    Reading,
    Record,
    decode,
    decode_many,
    encode,
)
from core.settings import Settings
from ingest import supervisor
from ingest.sources import gb26875
from ingest.sources._gb26875_adu import encode_unit
from ingest.sources._gb26875_frame import Gb26875Packet

R = TypeVar("R", bound=Record)
pytestmark = pytest.mark.anyio

FIRE = bytes.fromhex(
    "4040010001 0120 3A091A090C 790300000000 385B01000000 3000 02 0201 0101 28 0A000200 0200"
    + "20" * 30
    + "00 023A091A090C 46 2323"
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def enrol(bus: Bus, *devices: DeviceConfig) -> None:
    bucket = await bus.bucket("registry")
    for device in devices:
        await bucket.put(f"device.{subject_token(device.device_id).replace(':', '=')}", encode(device))


@asynccontextmanager
async def ingesting(settings: Settings, *devices: DeviceConfig) -> AsyncIterator[Bus]:
    bus = await connect(settings, "test")
    await bus.ensure()
    await enrol(bus, *devices)
    stop = asyncio.Event()
    task = asyncio.create_task(supervisor.main(settings, stop))
    try:
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", settings.source_port("gb26875"))
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)
        yield bus
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)
        await bus.client.close()


async def collect(bus: Bus, kind: type[R], stream: str, subject: str, count: int, wait_s: float = 5) -> list[R]:
    """The first ``count`` records of ``subject`` since the stream began."""
    pull = await bus.pull(stream, f"t{subject_token(subject).replace('>', '')}", subject)
    found: list[R] = []
    deadline = asyncio.get_running_loop().time() + wait_s
    while len(found) < count and asyncio.get_running_loop().time() < deadline:
        try:
            for message in await pull.fetch(count, timeout=0.3):
                found += decode_many(kind, message.data)
                await message.ack()
        except (TimeoutError, nats.errors.TimeoutError):
            continue
    return found


async def readings(bus: Bus, count: int, wait_s: float = 5) -> list[Reading]:
    """The first ``count`` readings since the stream began."""
    return (await collect(bus, Reading, "READ", "read.>", count, wait_s))[:count]


PANEL = DeviceConfig(device_id="gb26875:889", source="gb26875", address="889", status="accepted", site_id="fire-01")
GAUGE = DeviceConfig(
    device_id="mqtt:g1",
    source="mqtt",
    address="g1",
    status="accepted",
    site_id="water-01",
    calibration={"water_level_m": {"scale": 1.0, "offset": -0.02}},
    ranges={"water_level_m": (-0.5, 5.0)},
)


async def exchange(settings: Settings, data: bytes, size: int = 30, wait_s: float = 3) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", settings.source_port("gb26875"))
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.readexactly(size), wait_s)
    except (TimeoutError, asyncio.IncompleteReadError, ConnectionResetError):
        return b""
    finally:
        writer.close()


async def test_fire_alarm_is_confirmed_and_announced_once(nats_server: Settings) -> None:
    async with ingesting(nats_server, PANEL) as bus:
        for _ in range(2):  # the resend of a frame whose confirm got lost
            answer = await exchange(nats_server, FIRE)
            assert [p.command for p in gb26875.decode(answer).frames] == [3]
        alarms = await collect(bus, Observation, "OBS", "obs.*.fire_alarm.>", 2, 1.5)
    assert [(a.state, a.site_id, "quarantine" in a.attributes) for a in alarms] == [("open", "fire-01", False)]


async def test_no_confirm_while_the_stream_is_full(nats_server: Settings) -> None:
    async with ingesting(nats_server, PANEL) as bus:
        info = await bus.js.stream_info("OBS")
        info.config.max_bytes = 1
        await bus.js.update_stream(info.config)
        assert await exchange(nats_server, FIRE, wait_s=1) == b""
        info.config.max_bytes = 1 << 20
        await bus.js.update_stream(info.config)
        answer = await exchange(nats_server, FIRE)
        assert [p.command for p in gb26875.decode(answer).frames] == [3]
        assert len(await collect(bus, Observation, "OBS", "obs.*.fire_alarm.>", 2, 1.5)) == 1


async def test_random_bytes_disturb_nobody(nats_server: Settings) -> None:
    async with ingesting(nats_server, PANEL):
        _, bad = await asyncio.open_connection("127.0.0.1", nats_server.source_port("gb26875"))
        bad.write(bytes(range(256)) * 40)
        answer = await exchange(nats_server, b"\x31\x32" + FIRE)
        assert [p.command for p in gb26875.decode(answer).frames] == [3]
        bad.close()


async def test_unknown_device_goes_to_quarantine(nats_server: Settings) -> None:
    async with ingesting(nats_server) as bus:
        await exchange(nats_server, FIRE)
        found = await collect(bus, Observation, "OBS", "obs.>", 2)
    kinds = {o.kind: o for o in found}
    assert kinds["device_discovered"].source_id == "gb26875:889"
    assert kinds["fire_alarm"].attributes["quarantine"] is True


def publish(settings: Settings, *messages: tuple[str, str | bytes]) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="test-device")
    client.username_pw_set(settings.mqtt_device_user, settings.mqtt_device_password)
    client.connect("127.0.0.1", settings.mqtt_port)
    client.loop_start()
    try:
        for topic, payload in messages:
            client.publish(topic, payload, qos=1).wait_for_publish(5)
    finally:
        client.disconnect()
        client.loop_stop()


async def test_mqtt_bad_payloads_are_refused_and_good_neighbours_stored(nats_server: Settings) -> None:
    now = datetime.now(UTC)
    async with ingesting(nats_server, GAUGE) as bus:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(
            publish,
            nats_server,
            ("sensors/g1", "not json"),
            ("sensors/g1", json.dumps({"time": now.isoformat(), "seq": 1, "water_level_m": 0.27, "rain_mm": 1})),
            ("sensors/g1", json.dumps({"text": "x" * 200_000})),
            ("sensors/g1/water_level_m", json.dumps({"value": 9.0, "time": now.isoformat()})),
            ("sensors/g1", json.dumps({"time": "1970-01-01T00:00:10Z", "water_level_m": 0.3})),
            ("sensors/a/b/c/d", "1"),
            ("sensors/g1", json.dumps({"time": (now + timedelta(seconds=5)).isoformat(), "door_open": True})),
        )
        found = await collect(bus, Reading, "READ", "read.>", 5, 3)
        states = await collect(bus, Observation, "OBS", "obs.*.door_open.>", 1)
        live = await bus.bucket("live")
        await asyncio.sleep(6)
        counters = json.loads((await live.get("source.mqtt")).value or b"")
        state = json.loads((await live.get("device.mqtt=g1")).value or b"")
    got = sorted((r.quantity, round(float(r.value or 0), 3), r.quality) for r in found)
    assert got == [
        ("rain_mm", 1.0, Quality.GOOD),
        ("water_level_m", 0.25, Quality.GOOD),
        ("water_level_m", 0.28, Quality.CLOCK_BAD),
        ("water_level_m", 8.98, Quality.OUT_OF_RANGE),
    ]
    assert {r.site_id for r in found} == {"water-01"}
    assert [s.state for s in states] == ["open"]
    assert counters["refused"] == {"payload_invalid": 1, "payload_too_large": 1, "topic_unknown": 1}
    assert state["values"]["rain_mm"]["value"] == 1
    assert state["standing"] == ["door_open"]


async def test_a_duty_check_over_the_bus_reaches_the_panel(nats_server: Settings) -> None:
    async with ingesting(nats_server, PANEL) as bus:
        reader, writer = await asyncio.open_connection("127.0.0.1", nats_server.source_port("gb26875"))
        now = datetime.now(UTC)
        writer.write(gb26875.encode(command=2, serial=5, source=889, destination=1, time=now))
        assert (await reader.readexactly(30))[26] == 3

        async def panel() -> None:
            request = await reader.readexactly(33)
            packet = gb26875.decode(request).frames[0]
            assert isinstance(packet, Gb26875Packet)
            assert packet.unit is not None and packet.unit.adu_type == 91
            writer.write(gb26875.encode(command=3, serial=packet.serial, source=889, destination=1, time=now))

        task = asyncio.create_task(panel())
        command = DeviceCommand(
            command_id="c1", device_id="gb26875:889", name="duty_check", requested_by="u1", requested_at=now
        )
        result = decode(DeviceCommandResult, await bus.request("cmd.gb26875", command, 5))
        await task
        assert result.ok
        missing = DeviceCommand(
            command_id="c2", device_id="gb26875:1", name="duty_check", requested_by="u1", requested_at=now
        )
        assert not decode(DeviceCommandResult, await bus.request("cmd.gb26875", missing, 5)).ok
        answer = encode_unit(24, {"operation": 0x20, "operator": 7, "time": now})
        writer.write(gb26875.encode(command=2, serial=6, source=889, destination=1, time=now, adu=answer))
        assert (await reader.readexactly(30))[26] == 3
        writer.close()


MAPPING = """
name: pumps
topic: "sensors/pumps/{station}/up"
device: "{station}"
prefix: "pump-"
items: "data[]"
time: {path: ts, format: unix_ms}
values:
  - {path: level_cm, quantity: water_level_m, scale: 0.01, unit: m, missing: [-999]}
"""


async def test_a_mapping_file_reads_another_makers_json(nats_server: Settings) -> None:
    folder = nats_server.data_dir / "mappings"
    folder.mkdir(parents=True)
    (folder / "pumps.yaml").write_text(MAPPING)
    (folder / "broken.yaml").write_text("name: [")
    millis = int(datetime.now(UTC).timestamp() * 1000)
    body = {"data": [{"ts": millis, "level_cm": 27}, {"ts": millis, "level_cm": "deep"}]}
    async with ingesting(nats_server, GAUGE) as bus:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(publish, nats_server, ("sensors/pumps/p7/up", json.dumps(body)))
        found = await collect(bus, Reading, "READ", "read.>", 2)
    assert {(r.device_id, r.quantity) for r in found} == {("mqtt:pump-p7", "water_level_m")}
    assert [r.value for r in found] == [0.27, None]


async def test_a_wrong_password_and_a_foreign_topic_get_nothing_in(nats_server: Settings) -> None:
    def attempt(password: str, topic: str) -> list[str]:
        codes: list[str] = []
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="rogue")
        client.username_pw_set(nats_server.mqtt_device_user, password)
        client.on_connect = lambda _c, _d, _f, code, _p: codes.append(str(code))
        client.connect("127.0.0.1", nats_server.mqtt_port)
        client.loop_start()
        time.sleep(0.5)
        client.publish(topic, b'{"a_m": 1}', qos=1)
        time.sleep(0.5)
        client.disconnect()
        client.loop_stop()
        return codes

    async with ingesting(nats_server, GAUGE) as bus:
        await asyncio.sleep(0.3)
        assert "Success" not in await asyncio.to_thread(attempt, "guess", "sensors/g1")
        await asyncio.to_thread(attempt, nats_server.mqtt_device_password, "read/0/water_level_m/g1")
        assert await collect(bus, Reading, "READ", "read.>", 1, 1) == []
        await asyncio.to_thread(attempt, nats_server.mqtt_device_password, "sensors/g1")
        assert len(await collect(bus, Reading, "READ", "read.>", 1, 3)) == 1
