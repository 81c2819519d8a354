"""Controllers and aircraft are registered by an administrator; who may see poses gets them; live pictures."""

from __future__ import annotations

import asyncio
import hashlib
import json
from types import SimpleNamespace
from typing import Any

import pytest

from core.records import encode
from core.settings import Settings
from dashboard.viewer import is_for
from ingest.drones.live.fleet import Fleet
from ingest.drones.live.orders import AircraftAnswer
from ingest.drones.live.rights import gateway_topics
from ingest.simulate.dji import telemetry
from storage.registry import device_config
from storage.session import read_scope
from storage.tables.registry import Camera, Device
from tests.unit.dashboard.web import Office, make_office


@pytest.fixture
def office(settings: Settings) -> Office:
    return make_office(settings.with_(
        drone_push_url="rtmp://media:1935/live/{name}?pass=x", drone_play_url="rtsp://media:8554/live",
    ))  # fmt: skip


class Bus:
    """The gateways' service: answers in turn."""

    def __init__(self, *answers: AircraftAnswer) -> None:
        self.answers, self.asked = list(answers), []

    async def request(self, _subject: str, order: Any, _timeout_s: float) -> bytes:
        self.asked.append(order)
        return encode(self.answers.pop(0))


def test_registered_once_and_known_to_the_broker(office: Office) -> None:
    boss, desk = office.client("boss"), office.client("operator")
    assert desk.post("/api/drone/controllers", json={"sn": "RC0001"}).status_code == 403
    given = boss.post("/api/drone/controllers", json={"sn": "RC0001", "name": "车载"}).json()
    assert given["user"] == "dji:RC0001" and len(given["password"]) > 20
    made = boss.post("/api/drone/aircraft", json={"sn": "UAV0001", "gateways": ["RC0001"], "model_key": "0-77-1"})
    assert made.json() == {"device_id": "dji:UAV0001", "camera_id": "uav-UAV0001"}
    for wrong in ({"sn": "x"}, {"sn": "../../etc"}, {"sn": "UAV0001", "gateways": ["#"]}):
        assert boss.post("/api/drone/aircraft", json=wrong).status_code == 422
    with read_scope(office.engine) as session:
        rows = [device_config(row) for row in session.query(Device).filter_by(source="dji")]
        camera = session.get_one(Camera, "uav-UAV0001")
        assert (camera.url, camera.category) == ("rtsp://media:8554/live/uav-UAV0001", "drone")
    gateway = next(row for row in rows if row.address == "RC0001")
    assert gateway.attributes["token_sha256"] == hashlib.sha256(given["password"].encode()).hexdigest()
    publish, subscribe = gateway_topics(gateway, rows)
    assert "thing/product/UAV0001/osd" in publish and "thing/product/RC0001/services" in subscribe
    assert {row["sn"] for row in desk.get("/api/drone/aircraft").json()["items"]} == {"RC0001", "UAV0001"}


def test_poses_reach_the_pages_of_those_who_may_see_them(office: Office) -> None:
    hub = office.app.state.services.hub
    pose = {"sn": "UAV0001", "lon": 125.37, "lat": 43.87, "name": "a"}
    asyncio.run(hub._on_aircraft(SimpleNamespace(data=json.dumps({"moved": [pose], "gone": []}).encode())))
    assert hub.aircraft["UAV0001"]["lon"] == 125.37 and hub._notices[-1][0] == "aircraft"
    for broken in (b"x", b"[]", b'{"moved": 3}', b'{"moved": [{}], "gone": []}'):
        asyncio.run(hub._on_aircraft(SimpleNamespace(data=broken)))
    asyncio.run(hub._on_aircraft(SimpleNamespace(data=json.dumps({"moved": [], "gone": ["UAV0001"]}).encode())))
    assert hub.aircraft == {}
    roles = {"drone": True, "operator": True, "staff": False, "inspector": False}
    for role, may in roles.items():
        assert is_for(SimpleNamespace(roles=(role,)), "aircraft", "") is may  # type: ignore[arg-type]


def test_the_live_picture_is_asked_for_again_while_the_controller_comes_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    boss, desk = office.client("boss"), office.client("operator")
    assert desk.post("/api/drone/aircraft/UAV0001/live", json={}).status_code == 404
    boss.post("/api/drone/aircraft", json={"sn": "UAV0001", "gateways": ["RC0001"]})
    assert desk.post("/api/drone/aircraft/UAV0001/live", json={}).status_code == 503, "no bus"
    monkeypatch.setattr("dashboard.drones.aircraft._RETRY_S", (0.0, 0.0, 0.0))
    hub = office.app.state.services.hub
    hub.bus = bus = Bus(
        AircraftAnswer("", output={"streams": {"UAV0001": ["UAV0001/67-0-0/normal-0"]}}),
        AircraftAnswer("refused", "result 513003", 513003), AircraftAnswer("", "result 0", 0),
    )  # fmt: skip
    told = desk.post("/api/drone/aircraft/UAV0001/live", json={"quality": 2}).json()
    assert told == {"code": "", "detail": "result 0", "result": 0, "camera_id": "uav-UAV0001"}
    assert bus.asked[1].data == {
        "video_id": "UAV0001/67-0-0/normal-0", "url_type": 1, "video_quality": 2,
        "url": "rtmp://media:1935/live/uav-UAV0001?pass=x",
    }  # fmt: skip
    hub.bus = bus = Bus(AircraftAnswer("no_answer"))
    told = desk.post("/api/drone/aircraft/UAV0001/live", json={"on": False, "video_id": "v"}).json()
    assert (told["code"], bus.asked[0].method) == ("no_answer", "live_stop_push")
    hub.bus = Bus(AircraftAnswer("", output={}))
    assert desk.post("/api/drone/aircraft/UAV0001/live", json={}).status_code == 422, "nothing is offered"
    assert desk.post("/api/drone/aircraft/UAV0001/live", json={"quality": 9}).status_code == 422
    hub.bus = None


def test_garbage_never_ends_the_gateways_service(office: Office) -> None:
    boss = office.client("boss")
    boss.post("/api/drone/controllers", json={"sn": "RC0001"})
    boss.post("/api/drone/aircraft", json={"sn": "UAV0001", "gateways": ["RC0001"]})
    with read_scope(office.engine) as session:
        rows = {row.device_id: device_config(row) for row in session.query(Device).filter_by(source="dji")}
    fleet = Fleet(rows.get)
    for topic in ("thing/product/UAV0001/osd", "sys/product/RC0001/status", "thing/product/RC0001/events",
                  "thing/product/RC0001/requests", "thing/product/RC0001/state", "thing/product/RC0001/services_reply",
                  "thing/x", "", "thing/product//osd"):  # fmt: skip
        for payload in (b"", b"{", b"[]", b"null", b'{"data": 3}', b'{"data": {"sub_devices": [3, {"sn": 4}]}}',
                        b'{"method": "update_topo", "data": {"sub_devices": [{"sn": 4}, {"sn": "UAV0001"}]}}',
                        b'{"data": {"latitude": "x", "battery": 3}}',
                        b'{"data": {"live_capacity": {"device_list": 1}}}',
                        b'{"method": "hms", "data": {"list": [1, {"level": []}]}}', b"\xff" * 9,
                        b'{"data": {"latitude": 91, "longitude": 1}}', b"9" * (2 << 20)):  # fmt: skip
            fleet.take(topic, payload)
    flown = json.dumps(telemetry("RC0001", 0, 0.0, 125.37, 43.87))
    pose = fleet.take("thing/product/UAV0001/osd", flown).poses[0]
    assert pose["lon"] == pytest.approx(125.37, abs=0.01)
    nowhere = json.loads(flown)
    nowhere["data"] |= {"latitude": 0, "longitude": 0}
    kept = fleet.take("thing/product/UAV0001/osd", json.dumps(nowhere)).poses[0]
    assert kept["lost"] and kept["lon"] == pose["lon"] and kept["footprint"] is None, "0/0 is no place"
    assert [r.code for r in fleet.take("thing/product/NEW1/osd", flown).refused] == ["aircraft_unknown"]
