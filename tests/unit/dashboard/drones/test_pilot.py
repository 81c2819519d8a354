"""A controller enters, asks for the bucket, uploads, reports, reads and writes routes; over HTTP as Pilot speaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from moto.server import ThreadedMotoServer

from core.settings import Settings
from dashboard.drones.inbox import Inbox, bucket
from dashboard.drones.pilot.socket import news
from dashboard.drones.pilot.tokens import issue
from ingest.drones.live.requests import stored
from ingest.drones.wpml.look_again import look_again
from ingest.drones.wpml.write import kmz
from storage.drones import DroneStore
from tests.unit.dashboard.drones.test_drone_files import features
from tests.unit.dashboard.web import Office, make_office
from tests.unit.ingest.drones.cards import DJI, LAT, LON, photo, xmp

W = "workspaces/w"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A local S3 server with STS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    assert httpx.put(f"{address}/drones").status_code == 200
    yield address
    server.stop()


@pytest.fixture
def office(settings: Settings, s3: str) -> Office:
    made = settings.with_(
        drone_bucket="s3://drones/field", drone_bucket_endpoint=s3, drone_bucket_key="key", drone_bucket_secret="word",
    )  # fmt: skip
    made.data_dir.mkdir(parents=True, exist_ok=True)
    files, _ = bucket(made)
    for left in files.find("drones/field"):
        files.rm(left)
    return make_office(made)


def enter(office: Office, sn: str = "RC0001") -> tuple[TestClient, dict[str, Any]]:
    boss = office.client("boss")
    assert boss.post("/api/drone/controllers", json={"sn": sn}).status_code == 201
    told = office.client("operator").post("/api/drone/pilot/enter", json={"sn": sn})
    assert told.status_code == 200, told.text
    pilot = office.client()
    pilot.headers["X-Auth-Token"] = told.json()["token"]
    return pilot, told.json()


def test_entering_gives_what_the_bridge_wants(office: Office) -> None:
    assert b"pilot.mjs" in office.client().get("/pilot").content, "the page opens without a session"
    desk = office.client("operator")
    refused = desk.post("/api/drone/pilot/enter", json={"sn": "RC7777"})
    assert refused.status_code == 403, "unknown: in quarantine until somebody accepts it"
    assert [d["status"] for d in desk.get("/api/drone/aircraft").json()["items"]] == ["quarantine"]
    assert office.client("fireman").post("/api/drone/pilot/enter", json={"sn": "RC7777"}).status_code == 403
    _, told = enter(office)
    assert told["mqtt_user"] == "dji:RC0001" and len(told["workspace_id"]) == 36
    _, again = enter(office)
    assert again["workspace_id"] == told["workspace_id"] and again["mqtt_password"] != told["mqtt_password"]


def test_401_leaves_the_platform_403_does_not(office: Office) -> None:
    pilot, told = enter(office)
    stranger = office.client()
    path = f"/wayline/api/v1/{W}/waylines"
    assert stranger.get(path).status_code == 401 and stranger.get(path).json()["code"] == 401
    forged = told["token"].rpartition(".")[0] + "." + "0" * 64
    for wrong in ("x", "x.y", forged, told["token"] + "0", "." * 3000):
        assert stranger.get(path, headers={"x-auth-token": wrong}).status_code == 401, wrong
    use = office.app.state.services
    clock, now = use.clock, use.clock.now()
    ended = issue(use, "nobody", "RC0001")
    assert stranger.get(path, headers={"x-auth-token": ended}).status_code == 401, "no such account"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(clock), "now", lambda _self: now + timedelta(hours=13))
        assert pilot.get(path).status_code == 401, "it ended"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dashboard.drones.pilot.tokens.ROLES", frozenset({"admin"}))
        assert pilot.get(path).status_code == 403
    assert pilot.get(path).json()["data"]["pagination"] == {"page": 1, "page_size": 10, "total": 0}
    assert pilot.post("/manage/api/v1/token/refresh").json()["data"]["access_token"]


def test_a_photo_goes_into_the_bucket_and_into_the_store(office: Office) -> None:
    pilot, _ = enter(office)
    given = pilot.post(f"/storage/api/v1/{W}/sts").json()["data"]
    assert (given["bucket"], given["object_key_prefix"], given["provider"]) == ("drones", "field/RC0001", "aws")
    assert given["credentials"]["security_token"] and given["credentials"]["expire"] == 3600
    print1 = {"fingerprint": "5b1c", "ext": {"tinny_fingerprint": "5b1c_2026"}}
    assert pilot.post(f"/media/api/v1/{W}/fast-upload", json=print1).json()["code"] != 0, "not here yet"
    key = f"{given['object_key_prefix']}/DJI_0007_W.JPG"
    report = {"result": 0, "object_key": key, "name": "DJI_0007_W.JPG", "path": "drill", "fingerprint": "5b1c",
              "ext": {"tinny_fingerprint": "5b1c_2026", "is_original": True},
              "metadata": {"gimbal_yaw_degree": "-160.3", "create_time": "2026-11-27 10:15:30",
                           "shoot_position": {"lat": LAT, "lng": LON}}}  # fmt: skip
    callback = f"/media/api/v1/{W}/upload-callback"
    assert pilot.post(callback, json=report).json()["code"] != 0, "it is not in the bucket"
    files, _ = bucket(office.settings)
    with files.open(f"drones/{key}", "wb") as target:
        target.write(photo(xmp(DJI)))
    assert pilot.post(callback, json=report).json() == {"code": 0, "message": "success", "data": {"object_key": key}}
    shown = features(office.client("operator"))
    assert [f["properties"]["file"] for f in shown] == ["DJI_0007_W.JPG"] and shown[0]["geometry"]["type"] == "Polygon"
    assert pilot.post(f"/media/api/v1/{W}/fast-upload", json=print1).json()["code"] == 0
    tiny = f"/media/api/v1/{W}/files/tiny-fingerprints"
    asked = {"tiny_fingerprints": ["5b1c_2026", "other"]}
    assert pilot.post(tiny, json=asked).json()["data"] == {"tiny_fingerprints": ["5b1c_2026"]}
    assert pilot.get(tiny, params=asked).json()["data"] == {"tiny_fingerprints": ["5b1c_2026"]}
    for wrong in ({"result": 1}, {}, {"object_key": "../../etc/passwd"}, {"object_key": "other/x.jpg"}):
        assert pilot.post(callback, json=wrong).json()["code"] != 0
    assert pilot.post(callback, content=b"{").json()["code"] != 0
    assert pilot.post(f"/media/api/v1/{W}/group-upload-callback", json={"file_group_id": "g"}).json()["code"] == 0


def test_a_dock_gets_the_bucket_for_its_own_prefix(office: Office) -> None:
    told = stored(office.settings, "DOCK1")
    assert told["result"] == 0
    assert (told["output"]["bucket"], told["output"]["object_key_prefix"]) == ("drones", "field/DOCK1")
    assert told["output"]["credentials"]["security_token"]
    away = office.settings.with_(drone_bucket_endpoint="http://127.0.0.1:9")
    assert stored(away, "DOCK1") == {"result": 1}


def test_objects_and_files_that_come_by_themselves_are_taken_once(office: Office, tmp_path: Path) -> None:
    use = office.app.state.services
    inbox, store = Inbox(use, use.settings), DroneStore(office.engine)
    files, _ = bucket(use.settings)
    with files.open("drones/field/card/DJI_1.JPG", "wb") as target:
        target.write(photo(xmp(DJI)))
    with files.open("drones/field/card/notes.exe", "wb") as target:
        target.write(b"MZ" + bytes(200))
    folder = use.settings.data_dir / "drone-inbox" / "flight 7"
    folder.mkdir(parents=True)
    (folder / "IMG.jpg").write_bytes(photo(None, gps=None))
    (folder / "half.part").write_bytes(b"x")
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff" + bytes(100))
    assert inbox.look() == 0, "first it has to stand still"
    (folder / "IMG.jpg").write_bytes(photo(None, gps=None, make="HUAWEI"))
    assert inbox.look() == 1, "the object; the photo has changed since"
    assert inbox.look() == 1 and inbox.look() == 0
    assert {f.name for f in store.files()} == {"DJI_1.JPG", "IMG.jpg"}
    assert (folder.parent / "done" / "flight 7" / "IMG.jpg").is_file()
    reason = folder.parent / "refused" / "flight 7" / "bad.jpg.reason.txt"
    assert reason.is_file() and inbox.refused >= 2 and (folder / "half.part").is_file()
    again = Inbox(use, use.settings)
    assert [again.look() for _ in range(3)] == [0, 0, 0], "what was taken is remembered over a restart"
    assert {f.name for f in store.flights()} >= {"card", "flight 7"}


def test_the_library_of_routes(office: Office) -> None:
    pilot, _ = enter(office)
    crew = office.client("operator")
    below = f"/wayline/api/v1/{W}"
    wish = {"area": {"type": "Point", "coordinates": [LON, LAT]}, "title": "桥"}
    path = f"/api/drone/missions/{crew.post('/api/drone/missions', json=wish).json()['mission_id']}"
    crew.post(f"{path}/plan", json={})
    kept = crew.post(f"{path}/wayline").json()
    listed = pilot.get(f"{below}/waylines", params={"order_by": "update_time desc", "page": 1, "page_size": 5}).json()
    assert [w["id"] for w in listed["data"]["list"]] == [kept["wayline_id"]]
    assert listed["data"]["list"][0]["drone_model_key"] == "0-77-0"
    led = pilot.get(f"{below}/waylines/{kept['wayline_id']}/url")
    assert led.status_code == 302
    assert office.client().get(led.headers["location"]).content[:2] == b"PK", "the address carries its own token"
    assert office.client().get(led.headers["location"].partition("?")[0]).status_code == 401
    assert pilot.get(f"{below}/waylines/duplicate-names", params={"name": [kept["name"], "x"]}).json()["data"] == [
        kept["name"]
    ]
    route = kmz(look_again(LON, LAT, "x"))
    files, _ = bucket(office.settings)
    with files.open("drones/field/RC0001/own.kmz", "wb") as target:
        target.write(route)
    sent = {"name": "own", "object_key": "field/RC0001/own.kmz", "metadata": {"drone_model_key": "0-77-1"}}
    assert pilot.post(f"{below}/upload-callback", json=sent).json()["code"] == 0
    assert pilot.post(f"{below}/upload-callback", json=sent | {"name": kept["name"]}).json()["code"] != 0, "taken"
    assert pilot.post(f"{below}/upload-callback", json={"name": "y", "object_key": "nothing"}).json()["code"] != 0
    assert crew.post("/api/drone/waylines/z", content=b"PK\x03\x04broken").status_code == 422
    own = next(w for w in crew.get("/api/drone/waylines").json()["items"] if w["name"] == "own")
    assert pilot.post(f"{below}/favorites", params={"id": own["wayline_id"]}).json()["code"] == 0
    marked = pilot.get(f"{below}/waylines", params={"favorited": "true"}).json()["data"]["list"]
    assert [w["name"] for w in marked] == ["own"]
    assert crew.delete(f"/api/drone/waylines/{own['wayline_id']}").status_code == 200
    assert crew.get(f"/api/drone/waylines/{own['wayline_id']}/file").status_code == 404


def test_topologies_and_the_rest(office: Office) -> None:
    pilot, _ = enter(office)
    aircraft = {"sn": "UAV1", "gateways": ["RC0001"], "model_key": "0-77-1"}
    assert office.client("boss").post("/api/drone/aircraft", json=aircraft).status_code == 201
    found = pilot.get(f"/manage/api/v1/{W}/devices/topologies").json()["data"]["list"]
    assert [(t["parents"][0]["sn"], [h["sn"] for h in t["hosts"]]) for t in found] == [("RC0001", ["UAV1"])]
    assert found[0]["hosts"][0]["device_model"] == {"key": "0-77-1", "domain": "0", "type": "77", "sub_type": "1"}
    assert json.loads(pilot.get(f"/map/api/v1/{W}/element-groups").content)["data"] == []
    for method, below in (("POST", "element-groups/g/elements"), ("PUT", "elements/e"), ("DELETE", "elements/e")):
        drawn = pilot.request(method, f"/map/api/v1/{W}/{below}", json={"name": "x"})
        assert drawn.status_code == 200 and drawn.json()["code"] != 0, "a text for the pilot, nothing is kept"


def test_the_socket_tells_who_comes_flies_and_goes(office: Office) -> None:
    _, told = enter(office)
    pose = {"sn": "UAV1", "lon": LON, "lat": LAT, "ellipsoid_m": 274.3, "heading": 199.7, "height_m": 61.2,
            "speed_ms": 7.9}  # fmt: skip
    hub = office.app.state.services.hub
    client = office.client()
    hub.aircraft["UAV1"] = pose
    with client.websocket_connect(f"/manage/api/v1/ws?x-auth-token={told['token']}") as socket:
        said = [json.loads(socket.receive_text()) for _ in range(3)]
        assert [m["biz_code"] for m in said] == ["device_online", "device_update_topo", "device_osd"]
        host = said[2]["data"]["host"]
        assert (host["longitude"], host["latitude"], host["elevation"]) == (LON, LAT, 61.2)
        assert host["attitude_head"] == pytest.approx(-160.3)
        hub.aircraft.pop("UAV1")
        assert json.loads(socket.receive_text())["biz_code"] == "device_offline"


@pytest.mark.parametrize("token", ["", "nonsense", "bm90aGluZw.0000"])
def test_the_socket_is_closed_to_strangers(token: str, office: Office) -> None:
    from starlette.websockets import WebSocketDisconnect

    with office.client().websocket_connect(f"/manage/api/v1/ws?x-auth-token={token}") as socket:
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
        assert closed.value.code == 4401


def test_news_are_told_once() -> None:
    pose = {"A": {"lon": 1.0, "lat": 2.0, "heading": 10.0}}
    assert [m["biz_code"] for m in news({}, pose, 1)] == ["device_online", "device_update_topo", "device_osd"]
    assert list(news(pose, pose, 2)) == []
    moved = {"A": {"lon": 1.1, "lat": 2.0, "heading": 10.0}}
    assert [m["data"]["sn"] for m in news(pose, moved, 3)] == ["A"]
    assert list(news({}, {"A": {"lon": None, "lat": None}}, 1))[-1]["biz_code"] == "device_update_topo"
