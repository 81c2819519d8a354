"""The web process on a real bus and real sockets: pushes by rights, video by WebSocket, evidence by range."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.sync.client import connect as ws_connect

from core.bus import connect
from core.clock import SystemClock
from core.ids import new_id
from core.records import SYSTEM, CaseChanged, Command, GeoPoint, Severity
from core.settings import Settings
from dashboard.security import COOKIE
from dashboard.videowall import rooms
from events.cases.drafts import CaseDraft, Part, Route
from events.cases.service import CaseService
from layers.demo.clips import FPS, HEIGHT, WIDTH, write_clip
from storage.session import session_scope
from storage.tables.registry import Camera
from tests.fake_api import picture
from tests.unit.dashboard.web import PASSWORD, Office, make_office

JPEG = picture("after", False)


class Server:
    """The application on a socket."""

    def __init__(self, office: Office) -> None:
        self.office, self.settings = office, office.settings
        config = uvicorn.Config(office.app, host="127.0.0.1", port=office.settings.web_port, log_config=None,
                                timeout_graceful_shutdown=1)  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until(lambda: self._server.started)

    def client(self, login: str) -> httpx.Client:
        client = httpx.Client(base_url=f"http://127.0.0.1:{self.settings.web_port}", trust_env=False, timeout=20)
        answer = client.post("/api/login", json={"login": login, "password": PASSWORD})
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return client

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(15)


class Page:
    """An open page: collects events in a thread."""

    def __init__(self, client: httpx.Client) -> None:
        self.events: list[tuple[str, Any]] = []
        self._client = client
        threading.Thread(target=self._read, daemon=True).start()
        until(lambda: any(kind == "hello" for kind, _ in self.events))

    def _read(self) -> None:
        kind = ""
        try:
            with self._client.stream("GET", "/api/live", timeout=None) as response:
                for line in response.iter_lines():
                    if line.startswith("event:"):
                        kind = line[6:].strip()
                    elif line.startswith("data:"):
                        self.events.append((kind, json.loads(line[5:])))
        except httpx.TransportError:
            pass  # the server of this test stopped

    def of(self, kind: str) -> list[Any]:
        return [body for k, body in self.events if k == kind]


def until(condition: Callable[[], Any], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def server(nats_server: Settings) -> Iterator[Server]:
    server = Server(make_office(nats_server))
    until(lambda: server.client("boss").get("/healthz").json()["bus"])
    yield server
    server.stop()
    server.office.engine.dispose()


def open_case(office: Office, department: str, site: str) -> str:
    service = CaseService(office.engine, SystemClock())
    draft = CaseDraft(
        title="fire", kind="fire_alarm", class_code="event-05-06", site_id=site, source_type="device", source_id="d",
        auto_register=True, route=Route(lead=Part(department_id=department)),
    )  # fmt: skip
    with session_scope(office.engine) as session:
        return service.open_case(session, draft).case_id


def announce(settings: Settings, case_id: str) -> None:
    change = CaseChanged(
        case_id=case_id, number="1", version=1, stage="dispatch", state="dispatched", command="dispatch",
        severity=Severity.RED, class_code="x", title="fire", changed_at=SystemClock().now(),
    )  # fmt: skip
    asyncio.run(_announce(settings, change))


async def _announce(settings: Settings, change: CaseChanged) -> None:
    bus = await connect(settings, "test")
    await bus.ensure()
    await bus.announce(change)
    live = await bus.bucket("live")
    for camera, state in (("c-fire", "online"), ("c-water", "frozen")):
        body = {"camera_id": camera, "state": state, "reason": "r", "at": "2026-06-05T00:00:00Z"}
        await live.put(f"camera.{camera}", json.dumps(body).encode())
    notice = {"notice_id": new_id(), "department_id": "dept-fire", "title": "t", "kind": "new_task"}
    await bus.client.publish(bus.subject("notice", "department", "dept-fire"), json.dumps(notice).encode())
    await bus.client.flush()
    await bus.close()


def test_pushes_follow_the_rights(server: Server) -> None:
    fireman, drainer, operator = (Page(server.client(x)) for x in ("fireman", "drainer", "operator"))
    case_id = open_case(server.office, "dept-fire", "s-fire")
    announce(server.settings, case_id)
    until(lambda: operator.of("case") and fireman.of("case") and len(operator.of("camera")) == 2)
    assert operator.of("case")[0]["case_id"] == case_id
    assert fireman.of("case")[0]["department_id"] == "dept-fire"
    assert {c["camera_id"]: c["state"] for c in operator.of("camera")} == {"c-fire": "online", "c-water": "frozen"}
    until(lambda: drainer.of("camera") and fireman.of("notice"))
    assert [c["camera_id"] for c in drainer.of("camera")] == ["c-water"]
    assert [c["camera_id"] for c in fireman.of("camera")] == ["c-fire"]
    assert drainer.of("case") == [] and drainer.of("notice") == [] and operator.of("notice") == []


def test_evidence_has_the_rights_of_its_case(server: Server) -> None:
    case_id = open_case(server.office, "dept-fire", "s-fire")
    fireman, drainer = server.client("fireman"), server.client("drainer")
    path = f"/api/cases/{case_id}"
    accepted = fireman.post(f"{path}/commands", json={"name": "accept"})
    assert accepted.status_code == 200, accepted.text
    wrong = fireman.post(f"{path}/attachments?purpose=after", files={"file": ("a.jpg", b"<html>", "image/jpeg")})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "file")
    photo = fireman.post(f"{path}/attachments?purpose=after", files={"file": ("a.jpg", JPEG, "image/jpeg")})
    assert photo.status_code == 201, photo.text
    url = photo.json()["url"]
    whole = fireman.get(url)
    kept = whole.content  # decoded and written anew
    assert hashlib.sha256(kept).hexdigest() == photo.json()["sha256"] and whole.headers["content-type"] == "image/jpeg"
    assert "sandbox" in whole.headers["content-security-policy"]
    part = fireman.get(url, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, kept[2:6])
    assert part.headers["content-range"] == f"bytes 2-5/{len(kept)}"
    assert fireman.get(url, headers={"Range": "bytes=-4"}).content == kept[-4:]
    assert fireman.get(url, headers={"Range": f"bytes={len(kept)}-"}).status_code == 416
    assert fireman.get(url, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    assert drainer.get(url).status_code == 404
    assert drainer.get(path).status_code == 404
    assert drainer.post(f"{path}/commands", json={"name": "accept"}).status_code == 404
    assert drainer.post(f"{path}/attachments", files={"file": ("a.jpg", JPEG, "image/jpeg")}).status_code == 404
    assert fireman.get("/media/../../etc/passwd").status_code in {303, 404}
    done = fireman.post(f"{path}/commands", json={"name": "finish", "data": {"comment": "done"}})
    assert done.status_code == 200 and done.json()["state"] == "handle_finished", done.text
    late = fireman.post(f"{path}/commands", json={"name": "accept", "expected_version": 1})
    assert late.status_code == 409 and late.json()["error"] in {"stale_case", "move_illegal"}


def test_live_video_starts_with_its_header_and_flows(
    server: Server, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    monkeypatch.setattr(rooms, "LINGER_S", 0.5)  # how long the last half minute is kept when nobody looks any more

    clip = tmp_path / "clip.mp4"
    rng = np.random.default_rng(0)
    write_clip(clip, (rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(2 * FPS)))
    with session_scope(server.office.engine) as session:
        camera = session.get(Camera, "c-fire")
        assert camera is not None
        camera.url = f"{clip}?loop=1"
        water = session.get(Camera, "c-water")
        assert water is not None
        water.url = str(tmp_path / "missing.mp4")
    cookie = server.client("fireman").cookies[COOKIE]
    url = f"ws://127.0.0.1:{server.settings.web_port}/api/cameras/c-fire/video"
    with ws_connect(url, additional_headers={"Cookie": f"{COOKIE}={cookie}"}, max_size=None) as socket:
        assert json.loads(socket.recv(10))["mime"].startswith('video/mp4; codecs="avc1.')
        header = socket.recv(10)
        assert isinstance(header, bytes) and header[4:8] == b"ftyp"
        started = time.monotonic()
        frames = [socket.recv(10) for _ in range(30)]  # longer than the clip: it loops
        assert all(isinstance(f, bytes) and f[4:8] == b"moof" for f in frames)
        assert 1.5 < time.monotonic() - started < 12  # at its own speed
    assert server.client("fireman").get("/api/cameras/c-fire/snapshot.jpg").content[:3] == b"\xff\xd8\xff"
    cookie = server.client("drainer").cookies[COOKIE]
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    with ws_connect(url.replace("c-fire", "c-water"), additional_headers=headers) as socket:
        assert json.loads(socket.recv(10))["error"] == "unavailable"
    use = server.office.app.state.services
    until(lambda: len(use.video) == 0)  # the reader stops soon after its last viewer


def test_a_viewer_who_does_not_read_is_cut_off(server: Server) -> None:
    from dashboard.viewer import QUEUE, Viewer

    viewer = Viewer(principal=None)  # type: ignore[arg-type]  # the queue asks for nobody
    for _ in range(QUEUE + 1):
        viewer.offer(b"x")
    assert viewer.cut and viewer.queue.qsize() <= QUEUE
    drained = [viewer.queue.get_nowait() for _ in range(viewer.queue.qsize())]
    assert drained[-1] is None


def test_reporting_by_hand_and_the_commands_need_their_fields(server: Server) -> None:
    operator = server.client("operator")
    missing = operator.post("/api/cases", json={"description": "no title"})
    assert missing.status_code == 422, missing.text
    body = {"title": "井盖丢失", "location": {"lon": 125.37, "lat": 43.88}, "idempotency_key": "k1"}
    first, again = operator.post("/api/cases", json=body), operator.post("/api/cases", json=body)
    assert first.status_code == 201, first.text
    assert again.json()["case_id"] == first.json()["case_id"] and again.json()["replayed"]
    listed = operator.get("/api/cases?open=true&limit=1").json()
    assert listed["items"][0]["case_id"] == first.json()["case_id"] and listed["next"] is None
    bad = operator.get("/api/cases?bbox=1,2,3")
    assert (bad.status_code, bad.json()["field"]) == (422, "bbox")
    assert operator.get("/api/cases?limit=0").status_code == 422
    command = Command(name="report", case_id="x", actor_id=SYSTEM.user_id)
    path = f"/api/cases/{first.json()['case_id']}/commands"
    assert operator.post(path, json={"name": command.name}).status_code == 422
    point = GeoPoint(lon=125.37, lat=43.88)
    feature = operator.get("/api/map/cases.geojson").json()["features"][0]
    assert feature["geometry"]["coordinates"] == [point.lon, point.lat]
