"""The processes that analyse cameras, as the centre sees them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.settings import Settings
from dashboard.services import Services
from tests.unit.dashboard.web import Office, make_office


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    yield office
    office.engine.dispose()


def test_workers_at_work_and_what_gave_way(office: Office) -> None:
    client = office.client("operator")
    services: Services = client.app.state.services  # type: ignore[attr-defined]
    now = services.clock.now()
    model = {"name": "flame_smoke.onnx", "sha256": "ab" * 32, "version": "1.0", "since": "", "problem": "broken"}
    alive = {"worker": "a", "at": now.isoformat(), "held": 3, "load": 0.9, "slowed": 1, "models": [model]}
    services.hub.states["worker.a"] = alive
    services.hub.states["worker.b"] = alive | {"worker": "b", "at": (now - timedelta(minutes=2)).isoformat()}
    answer = client.get("/api/vision/workers")
    assert answer.status_code == 200
    assert [w["worker"] for w in answer.json()["items"]] == ["a"], "one that was killed is not at work"
    assert answer.json()["items"][0]["models"][0]["problem"]
    services.hub.states["camera.c-fire"] = {
        "camera_id": "c-fire", "state": "online", "faults": ["wrong_clock"], "problems": ["flame_smoke: …"],
        "fps": 0.5, "wanted_fps": 2.0,
    }  # fmt: skip
    shown = {c["camera_id"]: c for c in client.get("/api/cameras").json()["items"]}["c-fire"]
    assert (shown["fps"], shown["wanted_fps"], shown["faults"]) == (0.5, 2.0, ["wrong_clock"])
    assert shown["problems"] == ["flame_smoke: …"]
