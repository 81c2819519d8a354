"""The broker and its clients: retained messages, mapped topics, own credentials, client ids, refusals by device."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from core.bus import Bus
from core.records import DeviceConfig, Observation
from core.settings import Settings
from tests.integration.ingest.test_ingest_main import GAUGE, collect, enrol, ingesting, readings

pytestmark = pytest.mark.anyio
TOKEN = "only-g7-knows-this"  # noqa: S105 - a test's
G7 = DeviceConfig(
    device_id="mqtt:g7",
    source="mqtt",
    address="g7",
    status="accepted",
    attributes={"token_sha256": hashlib.sha256(TOKEN.encode()).hexdigest()},
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Device:
    """An MQTT client whose fate can be asked about."""

    def __init__(self, settings: Settings, client_id: str, user: str = "", password: str = "") -> None:
        self.codes: list[str] = []
        self.gone = False
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False)
        self.client.username_pw_set(user or settings.mqtt_device_user, password or settings.mqtt_device_password)
        self.client.on_connect = lambda _c, _d, _f, code, _p: self.codes.append(str(code))
        self.client.on_disconnect = self._lost
        self.client.connect("127.0.0.1", settings.mqtt_port)
        self.client.loop_start()
        _wait(lambda: bool(self.codes))

    def _lost(self, *_: Any) -> None:
        self.gone = True

    def send(self, topic: str, payload: object, *, retain: bool = False) -> None:
        raw = payload if isinstance(payload, str) else json.dumps(payload)
        self.client.publish(topic, raw, qos=1, retain=retain).wait_for_publish(5)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def _wait(done: Any, wait_s: float = 8.0) -> bool:
    deadline = time.monotonic() + wait_s
    while not done() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(done())


async def live_of(bus: Bus, key: str, field: str, wait_s: float = 8.0, count: int = 0) -> dict[str, Any]:
    """The live entry, once it holds ``field`` (and so many refusals)."""
    bucket = await bus.bucket("live")
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        try:
            state: dict[str, Any] = json.loads((await bucket.get(key)).value or b"{}")
            if state.get(field) and state.get("refused", {}).get("count", 0) >= count:
                return state
        except Exception:  # noqa: BLE001 - not there yet
            await asyncio.sleep(0)
        await asyncio.sleep(0.1)
    return {}


def play(settings: Settings, *messages: tuple[str, object], retain: bool = False) -> None:
    device = Device(settings, f"t-{time.time_ns()}")
    for topic, payload in messages:
        device.send(topic, payload, retain=retain)
    device.close()


async def test_retained_messages_are_no_new_readings(nats_server: Settings) -> None:
    at = datetime.now(UTC) - timedelta(hours=5)
    async with ingesting(nats_server, GAUGE, G7) as bus:
        await asyncio.sleep(0.5)
        await asyncio.to_thread(play, nats_server, ("sensors/g1", {"water_level_m": 0.82}), retain=True)
        assert len(await readings(bus, 1)) == 1  # published while we listened: that is news
    async with ingesting(nats_server) as bus:
        await asyncio.sleep(0.7)
    async with ingesting(nats_server) as bus:
        await asyncio.to_thread(play, nats_server, ("sensors/g7", {"time": at.isoformat(), "rain_mm": 1}), retain=True)
        assert len(await readings(bus, 3, 1.5)) == 1  # the one from g7: nothing of the replays came beside it
    async with ingesting(nats_server) as bus:
        state = await live_of(bus, "source.mqtt", "source")
        again = await readings(bus, 9, 1.0)
    # a retained message with a time of its own is the same reading again, which its id tells
    assert all(r.device_id == "mqtt:g7" and r.observed_at == at for r in again)
    assert state["events"]["retained_skipped"] >= 1


async def test_many_mapped_topics_outside_sensors_are_all_heard(nats_server: Settings) -> None:
    folder = nats_server.data_dir / "mappings"
    folder.mkdir(parents=True)
    for n in range(12):
        (folder / f"m{n}.yaml").write_text(
            f'name: m{n}\ntopic: "city{n}/pumps/{{station}}/#"\ndevice: "{{station}}"\nitems: "data[]"\nid: seq\n'
            "values: [{path: level_cm, quantity: water_level_m, scale: 0.01}]\n",
            encoding="utf-8",
        )
    async with ingesting(nats_server) as bus:
        await asyncio.sleep(0.5)
        said = [(f"city{n}/pumps/p{n}/up", {"data": [{"seq": 1, "level_cm": 10 + n}]}) for n in range(12)]
        await asyncio.to_thread(play, nats_server, *said)
        found = await readings(bus, 12, 6)
    assert {r.device_id for r in found} == {f"mqtt:p{n}" for n in range(12)}


async def test_a_device_has_its_own_user_topics_and_client_id(nats_server: Settings) -> None:
    async with ingesting(nats_server, GAUGE, G7) as bus:
        own = await asyncio.to_thread(Device, nats_server, "g7", "g7", TOKEN)
        assert own.codes == ["Success"]
        await asyncio.to_thread(own.send, "sensors/g7", {"seq": 1, "rain_mm": 1})
        await asyncio.to_thread(own.send, "sensors/g1", {"seq": 2, "rain_mm": 7})  # somebody else's topic
        refused = [
            await asyncio.to_thread(Device, nats_server, client_id, user, password)
            for client_id, user, password in (("g1", "g7", TOKEN), ("g7", "", ""), ("yiwang-ingest", "", ""),
                                              ("g7", "g7", "guess"))
        ]  # fmt: skip
        assert [d.codes for d in refused] == [["Not authorized"]] * 4
        assert not own.gone  # nobody took its session over
        await asyncio.to_thread(play, nats_server, ("sensors/g1", {"seq": 3, "rain_mm": 9}))
        found = await readings(bus, 3, 2)
        state = await live_of(bus, "device.mqtt=g7", "refused")
        revoked = msgspec.structs.replace(G7, attributes={}, revision=1)
        await enrol(bus, revoked)
        assert await asyncio.to_thread(_wait, lambda: own.gone)  # hung up within seconds
        for device in (own, *refused):
            device.close()
    assert sorted((r.device_id, r.value) for r in found) == [("mqtt:g1", 9), ("mqtt:g7", 1)]
    assert {r["code"] for r in state["refused"]["last"]} >= {"foreign_client_id"}


async def test_a_state_that_was_observed_earlier_never_replaces_a_later_one(nats_server: Settings) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    times = [(now - timedelta(minutes=m)).isoformat() for m in (9, 6, 3)]
    async with ingesting(nats_server, GAUGE) as bus:
        await asyncio.sleep(0.4)
        await asyncio.to_thread(
            play, nats_server,
            ("sensors/g1", {"time": times[1], "leak": False}),
            ("sensors/g1", {"time": times[0], "leak": True}),  # redelivered late
            ("sensors/g1", {"time": times[2], "door": True}),
            ("sensors/g1", {"time": times[0], "door": False}),
        )  # fmt: skip
        leaks = await collect(bus, Observation, "OBS", "obs.*.leak.>", 4, 1.5)
        doors = await collect(bus, Observation, "OBS", "obs.*.door.>", 4, 1.5)
        state = await live_of(bus, "device.mqtt=g1", "standing")
    async with ingesting(nats_server) as bus:  # however it is redelivered: over a restart too
        await asyncio.sleep(0.4)
        await asyncio.to_thread(play, nats_server, ("sensors/g1", {"time": times[0], "seq": 9, "door": False}))
        await asyncio.sleep(0.5)
        later = await collect(bus, Observation, "OBS", "obs.*.door.*", 4, 1.0)
    assert [(o.state, o.attributes.get("restated", False)) for o in leaks] == [
        ("clear", False), ("open", False), ("clear", True),
    ]  # fmt: skip
    assert [o.state for o in doors] == [o.state for o in later] == ["open"]
    assert state["standing"] == ["door"]


async def test_what_was_refused_is_shown_at_its_device(nats_server: Settings) -> None:
    async with ingesting(nats_server, GAUGE) as bus:
        await asyncio.sleep(0.4)
        await asyncio.to_thread(
            play, nats_server, ("sensors/g1", '{"water_level_m":nan,"水位":3,"door":true}'), ("sensors/g1", "no json"),
            ("sensors/nobody/a/b", "1"), ("sensors/new", '{"water_level_m":1,"水位":3}'),
        )  # fmt: skip
        state = await live_of(bus, "device.mqtt=g1", "refused", count=2)
        source = await live_of(bus, "source.mqtt", "last_refused")
        new = await live_of(bus, "device.mqtt=new", "refused", count=1)
    assert "水位" in new["refused"]["last"][0]["message"], "the message that makes a device known counts too"
    assert state["refused"]["count"] == 2
    assert [r["code"] for r in state["refused"]["last"]] == ["payload_invalid"] * 2
    assert "水位" in state["refused"]["last"][1]["message"] and state["refused"]["last"][0]["message"] == "no json"
    assert state["values"]["water_level_m"]["quality"] == "missing" and state["standing"] == ["door"]
    assert "topic_unknown" in [r["code"] for r in source["last_refused"]]


async def test_a_mapping_that_is_added_is_in_force_within_seconds_and_without_a_restart(nats_server: Settings) -> None:
    folder = nats_server.data_dir / "mappings"
    folder.mkdir(parents=True)
    values = "values: [{path: l, quantity: level_m, scale: %s}]"
    text = 'name: tank\ntopic: "city/tanks/{tank}"\ndevice: "{tank}"\n' + values
    async with ingesting(nats_server, GAUGE) as bus:
        await asyncio.sleep(0.5)
        early = await asyncio.to_thread(Device, nats_server, "early")
        for scale, sent, expected in ((1, 5, 5.0), (0.01, 6, 0.06)):
            (folder / "tank.yaml").write_text(text % scale, encoding="utf-8")
            await asyncio.sleep(3.5)
            await asyncio.to_thread(play, nats_server, ("city/tanks/t1", {"l": sent}))
            assert [(r.device_id, r.value) for r in await readings(bus, 1, 3)] == [("mqtt:t1", expected)]
        assert early.gone, "who was connected with the rights of before has to connect again"
        await asyncio.to_thread(play, nats_server, ("sensors/g1", {"seq": 1, "rain_mm": 2}))
        assert [r.value for r in await readings(bus, 1, 3)] == [2]
        early.close()
