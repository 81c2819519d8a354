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

KINDS = ("absence", "flame_smoke", "crowding", "intrusion")
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


def test_a_named_template_is_made_given_and_taken_back(office: Office) -> None:
    admin, before = office.client("boss"), state(office)
    address = "/api/camera-templates/control-rooms"
    sent = {"name": "消控室标准", "name_en": "Control rooms", "algorithms": FOUR}
    made = admin.put(address, json=sent).json()
    assert made["revision"] == 1 and [a["kind"] for a in made["algorithms"]] == list(KINDS)
    assert admin.get("/api/camera-templates").json()["items"] == [made]
    wish = {"category": "fire_control_room"}
    counted = admin.post(f"{address}/apply", json=wish | {"preview": True}).json()
    assert counted["changed"] >= 2 and state(office) == before
    assert admin.post(f"{address}/apply", json=wish).json() == counted
    now = state(office)
    assert [a["kind"] for a in now["r1"][0]] == list(KINDS) and now["r1"][0][0]["zones"] == ["door"]
    assert now["r2"][0][0] == before["r2"][0][0] and len(now["r2"][0]) == 4
    take_back(office, "camera_template_apply")
    assert state(office) == before
    told = admin.post(f"{address}/apply", json={"camera_ids": ["r2", "none"], "replace": True}).json()
    assert told == {"cameras": 1, "changed": 1} and len(state(office)["r2"][0]) == 4
    assert admin.put(address, json={"name": "改名", "like": "r1x"}).status_code == 404
    assert admin.put(address, json={"name": "改名", "like": "r0"}).json()["revision"] == 2
    take_back(office, "camera_template_save")
    assert admin.get("/api/camera-templates").json()["items"][0]["name"] == "消控室标准"
    assert admin.delete(address).json() == {"ok": True}
    take_back(office, "camera_template_remove")
    assert admin.get("/api/camera-templates").json()["items"][0]["algorithms"] == made["algorithms"]


def test_a_template_that_cannot_be_given_is_refused(office: Office) -> None:
    admin, address = office.client("boss"), "/api/camera-templates/rooms"
    wrong: list[dict[str, Any]] = [
        {"name": " ", "algorithms": FOUR}, {"name": "x", "algorithms": []}, {"name": "x", "algorithms": FOUR * 2},
        {"name": "x", "algorithms": [{"kind": "no_such"}]}, {"name": "x", "algorithms": FOUR, "colour": 1},
        {"name": "x", "algorithms": [{"kind": "absence", "params": {"min_staff": "many"}}]},
    ]  # fmt: skip
    for sent in wrong:
        assert admin.put(address, json=sent).is_client_error, sent
    assert admin.put("/api/camera-templates/%20", json={"name": "x", "algorithms": FOUR}).status_code == 422
    assert admin.post(f"{address}/apply", json={"category": "traffic"}).status_code == 404
    assert admin.put(address, json={"name": "x", "algorithms": FOUR}).status_code == 200
    assert admin.post(f"{address}/apply", json={}).status_code == 422
    assert admin.delete("/api/camera-templates/none").status_code == 404
    assert office.client("operator").get("/api/camera-templates").status_code == 403


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
