"""A controller with aircraft over real sockets: rights, topology, telemetry to the pages, orders, strangers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from core.bus import Bus
from core.records import DeviceConfig, decode
from core.settings import Settings
from ingest.drones.live.orders import POSES, SUBJECT, AircraftAnswer, AircraftOrder
from ingest.simulate.dji import SimulatedController, envelope, telemetry
from tests.integration.ingest.test_ingest_main import ingesting
from tests.integration.ingest.test_mqtt_broker import live_of

pytestmark = pytest.mark.anyio
TOKEN = "only-this-controller-knows"  # noqa: S105 - a test's
RC, OTHER, UAV, FOREIGN = "RC0001", "RC0002", "UAV0001", "UAV0002"


def device(sn: str, kind: str, **attributes: Any) -> DeviceConfig:
    return DeviceConfig(
        device_id=f"dji:{sn}", source="dji", address=sn, device_type=kind, status="accepted", name=sn,
        attributes=attributes,
    )  # fmt: skip


DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()
REGISTERED = (
    device(RC, "drone_controller", token_sha256=DIGEST),
    device(UAV, "aircraft", gateways=[RC], model_key="0-77-1"),
    device(FOREIGN, "aircraft", gateways=[OTHER]),
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def until(done: Callable[[], Any], wait_s: float = 30.0) -> Any:
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if found := done():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen")


async def poses_of(bus: Bus) -> list[dict[str, Any]]:
    heard: list[dict[str, Any]] = []

    async def keep(message: Any) -> None:
        heard.append(json.loads(message.data))

    await bus.client.subscribe(bus.subject(POSES), cb=keep)
    await bus.client.flush()
    return heard


def controller(settings: Settings, sn: str = RC, password: str = TOKEN, aircraft: list[str] | None = None) -> Any:
    return SimulatedController("127.0.0.1", settings.mqtt_port, sn, f"dji:{sn}", password, aircraft or [UAV])


async def order(bus: Bus, sn: str, method: str, **data: Any) -> AircraftAnswer:
    asked = AircraftOrder(sn=sn, method=method, data=data)
    return decode(AircraftAnswer, await bus.request(SUBJECT, asked, 25))


async def fleet_of(bus: Bus, wait_s: float = 30.0) -> dict[str, Any]:
    """What is known, once the gateway has told what it can stream."""
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        known = (await order(bus, UAV, "fleet")).output
        if known["streams"]:
            return known
        await asyncio.sleep(0.1)
    raise AssertionError("no streams")


async def test_an_aircraft_flies_on_the_pages_and_streams_when_asked(nats_server: Settings) -> None:
    async with ingesting(nats_server, *REGISTERED) as bus:
        heard = await poses_of(bus)
        flown = controller(nats_server)
        try:
            await until(lambda: [b for t, b in flown.received if t.endswith("status_reply")])
            assert flown.received[0][1]["data"] == {"result": 0} and flown.received[0][1]["method"] == "update_topo"
            flown.send(f"thing/product/{UAV}/osd", telemetry(RC, 0, 0.0, 125.3712, 43.8708))
            pose = (await until(lambda: [p for body in heard for p in body["moved"]]))[0]
            assert (pose["sn"], pose["model"], pose["airborne"], pose["height_m"]) == (UAV, "Mavic 3T", True, 60.0)
            assert len(pose["footprint"]) == 5 and pose["gateway"] == RC
            assert (await live_of(bus, f"device.dji={UAV}", "heard_at"))["device_id"] == f"dji:{UAV}"
            fleet = await fleet_of(bus)  # subjects are subscriptions of their own: the state may come after the pose
            assert fleet["behind"] == {RC: [UAV]} and fleet["streams"] == {UAV: [f"{UAV}/67-0-0/normal-0"]}
            video = f"{UAV}/67-0-0/normal-0"
            done = await order(bus, UAV, "live_start_push", url_type=1, url="rtmp://x", video_id=video)
            assert done == AircraftAnswer("", "result 0", 0)
            asked = next(body for topic, body in flown.received if topic.endswith("/services"))
            assert asked["method"] == "live_start_push" and asked["data"]["url_type"] == 1
            flown.result = 513003
            refused = await order(bus, UAV, "live_start_push", video_id="x")
            assert (refused.code, refused.result) == ("refused", 513003)
            assert (await order(bus, UAV, "takeoff_to_point")).code == "refused", "nothing that flies is sent"
            flown.announce([])
            await until(lambda: [sn for body in heard for sn in body["gone"]])
            assert (await order(bus, UAV, "live_stop_push")).code == "no_gateway"
        finally:
            flown.close()


async def test_strangers_are_refused_counted_and_shown(nats_server: Settings) -> None:
    async with ingesting(nats_server, *REGISTERED) as bus:
        heard = await poses_of(bus)
        wrong = controller(nats_server, password="guess")  # noqa: S106 - a test's
        unknown = controller(nats_server, sn="RC9999")
        flown = controller(nats_server, aircraft=[UAV, FOREIGN, "UAV7777"])
        try:
            await until(lambda: wrong.codes and unknown.codes and flown.codes)
            assert {wrong.codes[0], unknown.codes[0]} == {"Not authorized"} and flown.codes[0] == "Success"
            state = await live_of(bus, f"device.dji={RC}", "refused", 30, count=2)
            assert {r["code"] for r in state["refused"]["last"]} == {"aircraft_unknown", "not_authorised"}
            flown.send(f"thing/product/{FOREIGN}/osd", telemetry(RC, 0, 0.0, 125.37, 43.87))
            flown.send(f"thing/product/{RC}/events", {"no": "method"})
            flown.send(f"thing/product/{UAV}/osd", telemetry(OTHER, 0, 0.0, 125.37, 43.87))
            flown.send(f"thing/product/{UAV}/osd", telemetry(RC, 0, 0.0, 125.37, 43.87))
            await until(lambda: [p for body in heard for p in body["moved"]])
            assert {p["sn"] for body in heard for p in body["moved"]} == {UAV}
            state = await live_of(bus, f"device.dji={UAV}", "refused", 30, count=1)
            assert state["refused"]["last"][0]["code"] == "not_authorised", "another gateway's name"
        finally:
            for one in (wrong, unknown, flown):
                one.close()


def answers_of(flown: Any) -> dict[str, Any]:
    return {body["method"]: body["data"] for topic, body in flown.received if topic.endswith("requests_reply")}


async def test_events_are_confirmed_and_alarms_stand_until_the_list_is_empty(nats_server: Settings) -> None:
    async with ingesting(nats_server, *REGISTERED) as bus:
        flown = controller(nats_server)
        try:
            await until(lambda: flown.codes)
            alarm = {"code": "0x16100083", "level": 2, "module": 3, "in_the_sky": 1}
            topic = f"thing/product/{RC}/events"
            flown.send(topic, envelope(RC, "hms", {"list": [alarm]}, need_reply=1))
            reply = (await until(lambda: [b for t, b in flown.received if t.endswith("events_reply")]))[0]
            assert reply["method"] == "hms" and reply["data"] == {"result": 0}
            state = await live_of(bus, f"device.dji={RC}", "standing", 30)
            assert state["standing"] == ["device_fault:hms"]
            flown.send(topic, envelope(RC, "hms", {"list": []}))
            flown.send(f"thing/product/{RC}/requests", envelope(RC, "flight_areas_get", {}))
            answer = (await until(lambda: [b for t, b in flown.received if t.endswith("requests_reply")]))[0]
            assert answer["data"] == {"result": 0, "output": {"files": []}}
            for method in ("storage_config_get", "config", "offline_map_get"):  # the first goes to the bucket's service
                flown.send(f"thing/product/{RC}/requests", envelope(RC, method, {"module": 0}))
            told = await until(lambda: len(said := answers_of(flown)) == 4 and said)
            assert told["storage_config_get"] == {"result": 1}, "there is no bucket: never an empty one"
            assert told["config"]["result"] == told["offline_map_get"]["result"] == 0
            deadline = time.monotonic() + 30
            while state["standing"] and time.monotonic() < deadline:
                state = json.loads((await (await bus.bucket("live")).get(f"device.dji={RC}")).value or b"{}")
                await asyncio.sleep(0.1)
            assert state["standing"] == []
        finally:
            flown.close()
