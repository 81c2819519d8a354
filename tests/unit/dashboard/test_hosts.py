"""Names by which the web server may be called, and the header that keeps browsers on HTTPS."""

from __future__ import annotations

from core.settings import Settings
from tests.unit.dashboard.web import make_office


def test_only_names_that_are_ours(settings: Settings) -> None:
    office = make_office(settings.with_(allowed_hosts="district.example, testserver", public_url="https://district.example"))
    client = office.client()
    assert client.get("/login").headers["Strict-Transport-Security"].startswith("max-age=")
    for host, status in (("district.example", 401), ("DISTRICT.example:443", 401), ("evil.example", 421), ("", 421),
                         ("district.example.evil.example", 421), ("127.0.0.1", 421), ("[::1", 421)):  # fmt: skip
        assert client.get("/api/me", headers={"Host": host}).status_code == status, host
    assert client.get("/livez", headers={"Host": "127.0.0.1:8600"}).status_code == 200  # a container's own check
    office.engine.dispose()


def test_a_camera_that_leads_inside_is_refused(settings: Settings) -> None:
    office = make_office(settings)
    boss = office.client("boss")
    for url in ("http://169.254.169.254/x", "file:///etc/passwd", "gopher://h/"):
        made = boss.post("/api/cameras", json={"camera_id": "c-x", "name": "x", "url": url})
        assert (made.status_code, made.json()["field"]) == (422, "url")
        changed = boss.patch("/api/cameras/c-fire", json={"sub_url": url})
        assert (changed.status_code, changed.json()["field"]) == (422, "sub_url")
    assert boss.patch("/api/cameras/c-fire", json={"url": "rtsp://10.0.0.9/live"}).status_code == 200
    office.engine.dispose()
