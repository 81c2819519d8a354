"""Default deny: every route without, with a wrong, and with a foreign session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.websockets import WebSocketDisconnect

from core.ids import new_id
from core.settings import Settings
from dashboard.reference import flat_routes
from dashboard.security import COOKIE, is_open
from tests.unit.dashboard.web import Office, make_office


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    yield office
    office.engine.dispose()


def routes(office: Office) -> list[tuple[str, str]]:
    found = []
    for route in flat_routes(office.app.routes):
        if isinstance(route, APIRoute):
            found += [(method, route.path) for method in sorted(route.methods)]
    return found


def filled(path: str) -> str:
    parts = ["case", "camera", "device", "user", "notice", "dead_letter", "rule"]
    parts += ["shift", "plan", "run", "task", "hook", "stream", "subscription", "standard", "upload", "form", "draft"]
    parts += ["register", "record", "request", "dataset", "connection", "board"]
    parts += ["mission", "wayline", "tour", "view", "layout", "wall", "link", "file", "identity", "document"]
    parts += ["item", "bundle", "ticket", "benefit", "finding", "entry", "flight", "campaign", "visit"]
    parts += ["exam", "attempt", "guide", "drill", "template"]
    for part in (f"{p}_id" for p in parts):
        path = path.replace("{" + part + "}", "x")
    path = path.replace("{sn}", "x").replace("{workspace}", "x").replace("{preset}", "x")
    for part in ("form", "number", "token", "name", "code", "device", "unit", "period", "question", "tile", "measure"):
        path = path.replace("{" + part + "}", "json" if part == "form" else "x")
    path = path.replace("{grid}/{matrix}/{row}/{column}", "WebMercatorQuad/1/1/1")
    path = path.replace("{grid}", "WebMercatorQuad").replace("{key}", "x")
    path = path.replace("/{z}/{x}/{y}", "/1/1/1").replace("{layer}", "sites").replace("{tileset}", "roads")
    path = path.replace("{theme}", "day").replace("{mark}", "x").replace("{element}", "x").replace("{group}", "x")
    return path.replace("{version}", "1").replace("{uri:path}", "a/b.jpg").replace("{path:path}", "nothing/here")


def test_every_route_refuses_a_stranger(office: Office) -> None:
    client = office.client()
    checked = 0
    for method, path in routes(office):
        address = filled(path)
        assert "{" not in address, f"teach the test to fill {path}"
        if is_open(address):
            continue
        for cookies in ({}, {COOKIE: "wrong" * 8}):
            client.cookies.clear()
            client.cookies.update(cookies)
            answer = client.request(method, address)
            assert answer.status_code in {401, 303}, (method, path, answer.status_code)
            if address.startswith("/api/"):
                assert answer.status_code == 401
                assert method == "HEAD" or answer.json()["error"] == "not_signed_in"
        checked += 1
    assert checked > 30


def test_every_change_needs_the_csrf_token(office: Office) -> None:
    client = office.client("boss")
    del client.headers["X-CSRF-Token"]
    for method, path in routes(office):
        if method in {"GET", "HEAD", "OPTIONS"} or is_open(filled(path)):
            continue
        for token in (None, "wrong"):
            headers = {"X-CSRF-Token": token} if token else {}
            answer = client.request(method, filled(path), headers=headers, json={})
            assert answer.status_code == 403, (method, path, answer.text)
            assert answer.json()["error"] == "csrf_refused"


def test_another_site_may_not_send_even_with_a_token(office: Office) -> None:
    client = office.client("boss")
    answer = client.post("/api/logout", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert client.post("/api/login", json={}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/api/logout", headers={"Origin": "http://testserver"}).status_code == 200


def test_roles_guard_what_is_not_for_everybody(office: Office) -> None:
    staff = office.client("fireman")
    for method, path in (
        ("GET", "/api/dead-letters"),
        ("GET", "/api/rules"),
        ("GET", "/metrics"),
        ("POST", "/api/users"),
        ("PATCH", "/api/users/x"),
        ("POST", "/api/users/x/password"),
        ("POST", "/api/devices/gb26875:889/accept"),
        ("PATCH", "/api/devices/gb26875:889"),
        ("POST", "/api/devices/gb26875:889/commands"),
    ):
        answer = staff.request(method, path, json={})
        assert answer.status_code == 403, (method, path, answer.text)
        assert answer.json()["error"] == "forbidden"


def test_staff_see_only_their_departments_cameras_and_devices(office: Office) -> None:
    fireman, drainer, operator = office.client("fireman"), office.client("drainer"), office.client("operator")
    assert [c["camera_id"] for c in fireman.get("/api/cameras").json()["items"]] == ["c-fire"]
    assert [c["camera_id"] for c in drainer.get("/api/cameras").json()["items"]] == ["c-water"]
    assert operator.get("/api/cameras").json()["total"] == 2
    assert drainer.get("/api/cameras/c-fire").status_code == 404
    assert drainer.get("/api/cameras/c-fire/snapshot.jpg").status_code == 404
    assert drainer.get("/api/devices/gb26875:889").status_code == 404
    assert drainer.get("/api/devices/gb26875:889/readings").status_code == 404
    assert fireman.get("/api/devices/gb26875:889").status_code == 200
    layer = drainer.get("/api/map/cameras.geojson").json()
    assert [f["properties"]["camera_id"] for f in layer["features"]] == ["c-water"]


def test_stream_addresses_and_passwords_stay_here(office: Office) -> None:
    for login in ("fireman", "operator"):
        assert "rtsp" not in office.client(login).get("/api/cameras/c-fire").text
    shown = office.client("boss").get("/api/cameras/c-fire").json()
    assert shown["url"] == "rtsp://viewer:***@192.0.2.1/live"


def test_video_refuses_strangers_and_other_departments(office: Office) -> None:
    paths = [r.path for r in flat_routes(office.app.routes) if isinstance(r, APIWebSocketRoute)]
    assert sorted(paths) == ["/api/cameras/{camera_id}/video", "/manage/api/v1/ws"]
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        office.client().websocket_connect("/api/cameras/c-fire/video") as socket,
    ):
        socket.receive()
    assert refused.value.code == 4401
    with office.client("drainer").websocket_connect("/api/cameras/c-fire/video") as socket:
        assert socket.receive_json()["error"] == "not_found"
    evil = {"Origin": "https://evil.example"}
    with (
        pytest.raises(WebSocketDisconnect),
        office.client("fireman").websocket_connect("/api/cameras/c-fire/video", headers=evil) as socket,
    ):
        socket.receive()


def test_an_unknown_api_path_is_json_404(office: Office) -> None:
    client = office.client("operator")
    for method in ("GET", "POST", "DELETE"):
        answer = client.request(method, f"/api/{new_id()}/x")
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_headers_of_every_answer(office: Office) -> None:
    answer = office.client("operator").get("/api/me")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"


def test_a_page_sends_a_stranger_to_the_login(office: Office) -> None:
    answer = office.client().get("/cases/abc?tab=why")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/cases/abc%3Ftab%3Dwhy"


def test_a_closed_account_is_out_at_once(office: Office) -> None:
    fireman, boss = office.client("fireman"), office.client("boss")
    user_id = fireman.get("/api/me").json()["user"]["user_id"]
    assert boss.patch(f"/api/users/{user_id}", json={"active": False}).status_code == 200
    assert fireman.get("/api/me").status_code == 401


def test_bodies_have_a_limit(office: Office) -> None:
    client = office.client("operator")
    answer = client.post("/api/cases", content=b"x" * (1 << 20) + b"xx", headers={"content-type": "application/json"})
    assert answer.status_code == 413
    answer = client.post("/api/cases", content=b"{nonsense", headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_a_first_password_opens_nothing_but_its_own_change(office: Office) -> None:
    boss = office.client("boss")
    user_id = next(u["user_id"] for u in boss.get("/api/users").json()["items"] if u["login"] == "fireman")
    first = boss.post(f"/api/users/{user_id}/password").json()["password"]
    client = office.client()
    answer = client.post("/api/login", json={"login": "fireman", "password": first}).json()
    assert answer["user"]["must_change_password"] is True
    client.headers["X-CSRF-Token"] = answer["csrf_token"]
    closed = (("GET", "/api/cases"), ("POST", "/api/cases"), ("GET", "/api/live"), ("GET", "/media/a/b.jpg"))
    for method, path in closed:
        refused = client.request(method, path)
        assert (refused.status_code, refused.json()["error"]) == (403, "password_change_required"), path
    assert client.get("/devices").headers["location"] == "/login?next=/devices"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/cameras/c-fire/video"):
        pass
    assert client.get("/api/me").status_code == 200
    chosen = {"old_password": first, "new_password": "a-better-word-now"}
    assert client.post("/api/me/password", json=chosen).status_code == 200
    assert client.get("/api/cases").status_code == 200
