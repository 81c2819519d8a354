"""Cameras in the browser: tried, given the algorithms of another, everything taken back by its audit entry."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from core.settings import Settings
from dashboard.desk.undo import undo
from dashboard.security import COOKIE
from events.rules.rulebook import default_rules
from storage.session import read_scope, session_scope
from storage.tables.cases import AuditEntry
from storage.tables.observations import Rule
from storage.tables.registry import Camera
from tests.footage import film
from tests.unit.dashboard.web import Office, make_office

KINDS = ("absence", "flame_smoke", "crowd", "intrusion")
FOUR: list[dict[str, Any]] = [{"kind": kind, "zones": ["door", "desk"], "params": {}} for kind in KINDS]


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    with session_scope(office.engine) as session:
        for number in range(3):
            zones = [{"zone_id": "door", "name": "门", "polygon": [[0, 0], [1, 0], [1, 1]]}] if number == 1 else []
            own = [{"kind": "absence", "zones": [], "params": {"away_s": 99}}] if number == 2 else []
            session.add(
                Camera(camera_id=f"r{number}", name=f"r{number}", category="fire_control_room", enabled=number == 0,
                       algorithms=FOUR if number == 0 else own, zones=zones)
            )  # fmt: skip
    yield office
    office.engine.dispose()


def state(office: Office) -> dict[str, tuple[list[Any], bool]]:
    with read_scope(office.engine) as session:
        rows = session.scalars(select(Camera).where(Camera.camera_id.like("r%")))
        return {row.camera_id: (row.algorithms, row.enabled) for row in rows}


def last(office: Office, action: str) -> int:
    with read_scope(office.engine) as session:
        query = select(AuditEntry.seq).where(AuditEntry.action == action).order_by(AuditEntry.seq.desc())
        return session.scalars(query).first() or 0


def take_back(office: Office, action: str) -> None:
    secret = office.client("boss").cookies[COOKIE]
    use = office.app.state.services
    who = asyncio.run(use.sessions.principal(secret))
    undo(use, who, last(office, action))


def test_all_control_rooms_get_these_four_algorithms_and_lose_them_again(office: Office) -> None:
    admin, before = office.client("boss"), state(office)
    wish = {"category": "fire_control_room"}
    counted = admin.post("/api/cameras/r0/spread", json=wish | {"preview": True}).json()
    assert counted["changed"] >= 2 and state(office) == before
    assert admin.post("/api/cameras/r0/spread", json=wish).json() == counted
    now = state(office)
    assert [a["kind"] for a in now["r1"][0]] == [a["kind"] for a in FOUR] and now["r1"][1]
    assert now["r1"][0][0]["zones"] == ["door"]  # the zone that it has by the same name
    assert now["r2"][0][0] == before["r2"][0][0] and len(now["r2"][0]) == 4  # what it had stays
    assert admin.post("/api/cameras/r0/spread", json=wish).json()["changed"] == 0
    take_back(office, "camera_spread")
    assert state(office) == before
    admin.post("/api/cameras/r0/spread", json=wish | {"replace": True, "enable": False})
    assert state(office)["r2"][0][0]["zones"] == [] and not state(office)["r2"][1]
    for wrong in ({}, {"category": "x", "colour": 1}):
        assert admin.post("/api/cameras/r0/spread", json=wrong).status_code == 422
    assert admin.post("/api/cameras/r1x/spread", json=wish).status_code == 404
    assert office.client("operator").post("/api/cameras/r0/spread", json=wish).status_code == 403


def test_a_change_of_a_camera_is_taken_back(office: Office) -> None:
    admin = office.client("boss")
    sent = {"name": "新名", "enabled": False, "ptz": True, "gateway_id": "D1/C1"}
    changed = admin.patch("/api/cameras/r0", json=sent).json()
    assert changed["movable"] and changed["attributes"] == {"ptz": True, "gateway_id": "D1/C1"}
    take_back(office, "camera_change")
    found = admin.get("/api/cameras/r0").json()
    assert (found["name"], found["enabled"], found["movable"], found["attributes"]) == ("r0", True, False, {})
    assert admin.patch("/api/cameras/r0", json={"onvif": "http://127.0.0.1/x"}).status_code == 422


def test_a_rule_is_taken_back(office: Office) -> None:
    admin = office.client("boss")
    spec = default_rules().rules[0]
    rule = msgspec.to_builtins(spec)
    sent = {n: rule[n] for n in ("kind", "name", "applies_to", "draft")} | {"params": dict(spec.params)}
    assert admin.put(f"/api/rules/{rule['rule_id']}", json=sent).is_success
    sent["name"] = "另一个名字"
    assert admin.put(f"/api/rules/{rule['rule_id']}", json=sent).is_success
    take_back(office, "rule_save")
    with read_scope(office.engine) as session:
        assert session.get_one(Rule, rule["rule_id"]).name == rule["name"]
    assert admin.delete(f"/api/rules/{rule['rule_id']}").is_success
    take_back(office, "rule_remove")
    with read_scope(office.engine) as session:
        assert session.get_one(Rule, rule["rule_id"]).enabled


def test_a_camera_is_tried(office: Office, tmp_path: Path) -> None:
    clip = film(tmp_path / "a.mp4", seconds=1, fps=5)
    with session_scope(office.engine) as session:
        session.get_one(Camera, "r0").url = str(clip)
        session.get_one(Camera, "r0").sub_url = str(tmp_path / "gone.mp4")
    admin = office.client("boss")
    told = admin.post("/api/cameras/r0/trial").json()
    good, bad = told["streams"]
    assert not told["ok"] and good["ok"] and good["codec"] == "h264" and good["playable"] and good["width"] > 0
    assert not bad["ok"] and bad["problem"]
    assert admin.post("/api/cameras/r1/trial").json() == {"camera_id": "r1", "ok": False, "streams": []}
    assert office.client("operator").post("/api/cameras/r0/trial").status_code == 403
