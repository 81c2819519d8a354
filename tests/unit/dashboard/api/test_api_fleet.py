"""Cameras edited in the browser, rules, indicators, precision: what is saved, refused, audited."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core.camera_secrets import CameraSeal
from core.ids import new_id
from core.media import MediaStore
from core.records import CameraConfig, Reading
from core.settings import Settings
from events.learning.masks import suggest
from events.learning.precision import suggested_threshold, wilson
from events.rules.rulebook import sync_defaults
from storage.readings import store_readings
from storage.registry import camera_config
from storage.session import read_scope, session_scope
from storage.tables.cases import AuditEntry, Case, CaseEvidence, CaseObservation
from storage.tables.observations import ObservationRow, Rule
from storage.tables.registry import Camera, Device
from tests.unit.core.test_homography import PLACES, seen
from tests.unit.dashboard.web import Office, make_office
from vision.evaluate.dataset import read_set
from vision.fleet.evidence import jpeg
from vision.train.recipes import RECIPES
from vision.train.stage import restage

NOW = datetime(2026, 6, 5, 3, tzinfo=UTC)
ZONE = {"zone_id": "duty", "name": "值班区", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]}


WINDOW = {"from": "2026-06-05T08:00+08:00", "to": "2026-06-05T18:00+08:00", "reason": "动火作业"}
CORNER = {"x": 0.5, "y": 0.5, "lon": 125.0, "lat": 43.0}


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    yield office
    office.engine.dispose()


def config(office: Office, camera_id: str = "c-fire") -> CameraConfig:
    with read_scope(office.engine) as session:
        row = session.get(Camera, camera_id)
        assert row is not None
        return camera_config(row)


def actions(office: Office) -> list[str]:
    with read_scope(office.engine) as session:
        wanted = select(AuditEntry.action).where(AuditEntry.action != "login").order_by(AuditEntry.seq)
        return list(session.scalars(wanted))


def test_zones_and_algorithms_reach_the_registry_record(office: Office) -> None:
    boss = office.client("boss")
    before = config(office).revision
    edit = {"zones": [ZONE], "algorithms": [{"kind": "absence", "zones": ["duty"], "params": {"after_s": 30}}]}
    answer = boss.patch("/api/cameras/c-fire", json=edit)
    assert answer.status_code == 200, answer.text
    assert answer.json()["revision"] == before + 1
    after = config(office)
    assert after.revision == before + 1  # what makes the worker publish it
    assert after.zones[0].zone_id == "duty" and after.algorithms[0].params == {"after_s": 30}
    assert actions(office)[-1] == "camera_change"


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        ({"algorithms": [{"kind": "no_such"}]}, None),
        ({"algorithms": [{"kind": "absence", "params": {"after": 3}}]}, None),
        ({"algorithms": [{"kind": "absence", "zones": ["nowhere"]}]}, "algorithms"),
        ({"zones": [ZONE, ZONE]}, "zones"),
        ({"zones": [ZONE | {"schedule": {"shifts": "always"}}]}, "schedule"),
        ({"zones": [ZONE | {"schedule": {"shifts": [{"days": [8]}]}}]}, "schedule"),
        ({"zones": [ZONE | {"schedule": {"suppress": [WINDOW | {"reason": " "}]}}]}, "schedule"),
        ({"zones": [ZONE | {"schedule": {"suppress": [WINDOW | {"to": "2026-06-04T00:00+08:00"}]}}]}, "schedule"),
        ({"algorithms": [{"kind": "absence", "params": {"schedule": {"shifts": [{"from": "25:00"}]}}}]}, "schedule"),
        ({"algorithms": [{"kind": "absence", "params": {"after_s": -1}}]}, None),
        ({"calibration": {"points": [CORNER] * 4}}, "calibration"),
        ({"calibration": {"points": [CORNER | {"x": n / 10, "lon": 125 + n / 1e4} for n in range(4)]}}, "calibration"),
        ({"zones": [ZONE | {"polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]}]}, "zones"),
        ({"zones": [ZONE | {"polygon": [[0, 0], [2, 0], [1, 1]]}]}, "zones"),
        ({"priority": 0}, "priority"),
        ({"colour": "red"}, "body"),
        ({"expected_revision": 99, "name": "x"}, "expected_revision"),
        ({"calibration": {"points": [{"x": 0, "y": 0, "lon": 1, "lat": 1}]}}, "calibration"),
    ],
)
def test_what_cannot_work_is_refused_and_changes_nothing(office: Office, edit: Any, field: str | None) -> None:
    before = config(office)
    answer = office.client("boss").patch("/api/cameras/c-fire", json=edit)
    assert 400 <= answer.status_code < 500, answer.text
    if field:
        assert answer.json()["field"] == field
    assert config(office) == before and actions(office) == []


def test_a_calibration_comes_back_with_error_and_field_of_view(office: Office) -> None:
    points = [{"x": p.x, "y": p.y, "lon": p.lon, "lat": p.lat} for p in seen(6, 30, PLACES)]
    answer = office.client("boss").patch("/api/cameras/c-fire", json={"calibration": {"points": points}})
    assert answer.status_code == 200, answer.text
    shown = answer.json()["calibration"]
    assert 0 < shown["error_m"] < 5 and shown["field_of_view"]["type"] == "Polygon"
    assert config(office).calibration["matrix"] == shown["matrix"]
    cleared = office.client("boss").patch("/api/cameras/c-fire", json={"calibration": {"points": []}})
    assert cleared.json()["calibration"] == {}


def test_a_calibrated_cameras_view_lies_on_the_map(office: Office) -> None:
    boss = office.client("boss")
    assert boss.get("/api/map/views.geojson").json()["features"] == []
    points = [{"x": p.x, "y": p.y, "lon": p.lon, "lat": p.lat} for p in seen(6, 30, PLACES)]
    boss.patch("/api/cameras/c-fire", json={"calibration": {"points": points}})
    office.app.state.services.counters.pop("layers", None)
    (feature,) = boss.get("/api/map/views.geojson").json()["features"]
    assert feature["geometry"]["type"] == "Polygon" and feature["properties"]["camera_id"] == "c-fire"
    assert feature["properties"]["error_m"] > 0


def test_who_saves_a_suppression_window_is_its_author(office: Office) -> None:
    boss = office.client("boss")
    forged = {"suppress": [WINDOW | {"author": "somebody else"}]}
    kept = boss.patch("/api/cameras/c-fire", json={"zones": [ZONE | {"schedule": forged}]}).json()["zones"]
    (window,) = kept[0]["schedule"]["suppress"]
    assert window["author"] not in {"", "somebody else"} and window["reason"] == "动火作业"
    again = boss.patch("/api/cameras/c-fire", json={"zones": kept}).json()["zones"]
    assert again == kept  # who comes later does not become the author of what stands
    algorithm = {"kind": "crowding", "params": {"schedule": {"shifts": [{"from": "08:00", "to": "20:00"}]}}}
    assert boss.patch("/api/cameras/c-fire", json={"algorithms": [algorithm]}).status_code == 200


def test_only_an_administrator_may_edit(office: Office) -> None:
    assert office.client("operator").patch("/api/cameras/c-fire", json={"name": "x"}).status_code == 403
    assert office.client("operator").put("/api/rules/x", json={}).status_code == 403


def test_the_algorithms_describe_their_parameters(office: Office) -> None:
    items = {i["kind"]: i for i in office.client("operator").get("/api/algorithms").json()["items"]}
    after_s = items["absence"]["params"]["properties"]["after_s"]
    assert after_s["default"] == 60.0 and after_s["minimum"] == 0


def test_a_password_never_enters_the_audit(office: Office) -> None:
    boss = office.client("boss")
    assert boss.patch("/api/cameras/c-fire", json={"url": "rtsp://u:topsecret@192.0.2.9/x"}).status_code == 200
    with read_scope(office.engine) as session:
        assert "topsecret" not in str(session.scalars(select(AuditEntry.body)).all())


def test_rules_are_checked_versioned_and_audited(office: Office) -> None:
    with session_scope(office.engine) as session:
        sync_defaults(session, NOW)
    boss = office.client("boss")
    listed = boss.get("/api/rules").json()
    rule = next(r for r in listed["items"] if r["kind"] == "threshold")
    assert {k["kind"] for k in listed["kinds"]} >= {"threshold", "state_alarm"} and listed["happenings"]
    saved = boss.put(f"/api/rules/{rule['rule_id']}", json={**rule, "name": "changed"})
    assert saved.status_code == 200, saved.text
    assert (saved.json()["version"], saved.json()["updated_by"]) != (rule["version"], rule["updated_by"])
    stale = boss.put(f"/api/rules/{rule['rule_id']}", json={**rule, "name": "lost race"})
    assert (stale.status_code, stale.json()["field"]) == (422, "version")
    wrong = boss.put("/api/rules/new-one", json={**rule, "version": None, "params": {"nonsense": 1}})
    assert wrong.status_code == 400
    fresh = boss.put("/api/rules/new-one", json={**rule, "version": None})
    assert fresh.status_code == 200, fresh.text
    assert boss.delete("/api/rules/new-one").status_code == 200
    assert boss.delete(f"/api/rules/{rule['rule_id']}").status_code == 200
    with read_scope(office.engine) as session:
        kept = session.get(Rule, rule["rule_id"])
        assert kept is not None and not kept.enabled and session.get(Rule, "new-one") is None
    assert actions(office) == ["rule_save", "rule_save", "rule_remove", "rule_remove"]


def closed_case(office: Office, false_alarm: bool | None, confidence: float, state: str = "closed") -> str:
    case_id = new_id()
    with session_scope(office.engine) as session:
        session.add(
            Case(
                case_id=case_id, number=case_id, definition_id="city_management", definition_version=1,
                stage="evaluate", state=state, open=False, kind="flame_smoke", title="t", source_type="camera",
                source_id="c-fire",
                confidence=confidence, opened_at=NOW, updated_at=NOW, closed_at=NOW, department_id="dept-fire",
                form={} if false_alarm is None else {"false_alarm": false_alarm},
            )
        )  # fmt: skip
    return case_id


def test_precision_counts_only_what_somebody_judged(office: Office) -> None:
    for confidence in (0.8, 0.9, 0.85):
        closed_case(office, False, confidence)
    wrong = [closed_case(office, True, c) for c in (0.4, 0.5, 0.82)]
    closed_case(office, None, 0.7, state="cancelled")
    operator = office.client("operator")
    (line,) = operator.get("/api/vision/precision").json()["items"]
    assert (line["closed"], line["false_alarms"], line["precision"]) == (6, 3, 0.5)
    assert line["low"] < 0.5 < line["high"] and line["suggestion"] == "threshold"
    assert 0.7 < line["threshold"] < 0.8 and set(line["false_case_ids"]) == set(wrong)
    query = "camera=c-fire&algorithm=flame_smoke&threshold=0.79"
    counts = operator.get(f"/api/vision/what-if?{query}").json()
    assert (counts["true_kept"], counts["true_lost"], counts["false_kept"], counts["false_dropped"]) == (3, 0, 1, 2)
    assert operator.get("/api/vision/what-if?camera=c-fire").status_code == 422


def seen_at(office: Office, case_id: str, box: tuple[float, float, float, float]) -> None:
    """The observation that opened a case, with its box."""
    body = {"box": list(box), "state": "open"}
    with session_scope(office.engine) as session:
        session.add(
            ObservationRow(
                observation_id=f"o-{case_id}", kind="flame_smoke", state="open", source_type="camera",
                source_id="c-fire", observed_at=NOW, received_at=NOW, stored_at=NOW, body=body,
            )
        )  # fmt: skip
        session.add(CaseObservation(case_id=case_id, observation_id=f"o-{case_id}", linked_at=NOW))


def test_false_alarms_at_one_place_become_a_mask(office: Office) -> None:
    for n in range(4):  # a lamp, again and again; as sure as the true ones, so that no threshold helps
        seen_at(office, closed_case(office, True, 0.9), (0.1 + n / 100, 0.1, 0.2 + n / 100, 0.2))
    for x in (0.4, 0.6):
        seen_at(office, closed_case(office, False, 0.6), (x, 0.5, x + 0.2, 0.8))
    boss = office.client("boss")
    boss.patch("/api/cameras/c-fire", json={"zones": [ZONE], "algorithms": [{"kind": "flame_smoke"}]})
    (line,) = boss.get("/api/vision/precision").json()["items"]
    assert line["threshold"] is None and line["suggestion"] == "mask"
    mask = line["mask"]
    assert (mask["false_dropped"], mask["false_kept"], mask["true_lost"]) == (4, 0, 0)
    wish = {"camera_id": "c-fire", "algorithm": "flame_smoke", "polygon": mask["polygon"]}
    assert office.client("operator").post("/api/vision/mask", json=wish).status_code == 403
    assert boss.post("/api/vision/mask", json=wish | {"algorithm": "absence"}).status_code == 422
    assert boss.post("/api/vision/mask", json=wish | {"polygon": [[0, 0], [1, 1]]}).status_code == 422
    answer = boss.post("/api/vision/mask", json=wish)
    assert answer.status_code == 200, answer.text
    after = config(office)
    masked = next(z for z in after.zones if z.purpose == "mask")
    assert after.algorithms[0].zones == (masked.zone_id,) and len(after.zones) == 2


def test_no_mask_where_a_true_alarm_was_or_nothing_gathers() -> None:
    lamp = [(0.1, 0.1, 0.2, 0.2)] * 4
    assert suggest(lamp, []) is not None
    assert suggest(lamp, [(0.1, 0.1, 0.22, 0.2)]) is None
    assert suggest(lamp[:2], []) is None
    assert suggest([*lamp, *[(0.1 * n, 0.8, 0.1 * n + 0.05, 0.9) for n in range(2, 9)]], []) is None
    assert suggest([(0.0, 0.0, 0.9, 0.9)] * 4, []) is None  # would blind the camera


@pytest.mark.parametrize(
    ("kind", "params", "expected"),
    [
        ("flame_smoke", {"fire_confidence": 0.9}, {"fire_confidence": 0.9, "smoke_confidence": 0.79}),
        ("absence", {"after_s": 30}, {"after_s": 30, "confidence": 0.21, "hold_confidence": 0.21}),
        ("crowding", {}, {"confidence": 0.79}),
        ("sleeping", {}, None),
    ],
)
def test_a_threshold_becomes_the_right_parameter(office: Office, kind: str, params: Any, expected: Any) -> None:
    boss = office.client("boss")
    answer = boss.patch("/api/cameras/c-fire", json={"algorithms": [{"kind": kind, "params": params}]})
    assert answer.status_code == 200, answer.text
    wish = {"camera_id": "c-fire", "algorithm": kind, "threshold": 0.79}
    assert office.client("operator").post("/api/vision/threshold", json=wish).status_code == 403
    assert boss.post("/api/vision/threshold", json=wish | {"algorithm": "ebike"}).status_code == 404
    answer = boss.post("/api/vision/threshold", json=wish)
    if expected is None:
        assert (answer.status_code, answer.json()["field"]) == (422, "algorithm")
    else:
        assert answer.status_code == 200, answer.text
        assert config(office).algorithms[0].params == expected


def test_a_false_alarms_picture_becomes_a_hard_negative(office: Office) -> None:
    picture = jpeg(np.full((48, 64, 3), 90, np.uint8))
    ref = MediaStore(office.settings.media_url).put(picture, kind="snapshot", media_type="image/jpeg", taken_at=NOW)
    wrong, right = closed_case(office, True, 0.4), closed_case(office, False, 0.9)
    with session_scope(office.engine) as session:
        for case_id in (wrong, right):
            session.add(
                CaseEvidence(
                    evidence_id=new_id(), case_id=case_id, kind="snapshot", uri=ref.uri, sha256=ref.sha256,
                    media_type="image/jpeg", taken_at=NOW, added_at=NOW, added_by="system",
                )
            )  # fmt: skip
    operator = office.client("operator")
    assert operator.post("/api/vision/hard-negatives", json={"case_id": right}).status_code == 422
    assert operator.post("/api/vision/hard-negatives", json={"case_id": wrong}).status_code == 201
    folder = office.settings.data_dir / "hard_negatives" / "flame_smoke"
    assert (folder / "images" / f"{ref.sha256}.jpg").read_bytes() == picture
    assert (folder / "labels" / f"{ref.sha256}.txt").read_text() == ""
    # and the next `app train` stages it without a label
    plain = replace(RECIPES["flame_smoke"], sets={}, backgrounds=(), flames=0, plumes=0, lures=0, crops=0)
    work, kept = office.settings.data_dir / "train", office.settings.data_dir / "hard_negatives"
    staged = restage(plain, office.settings.data_dir, work, 1, kept)
    assert ref.sha256 in staged.manifest.read_text()
    (used, *_) = read_set(staged.data_yaml, "train").images
    assert used.path.name == f"hard-{ref.sha256}.jpg" and not len(used.boxes)


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_holds_the_share(good: int, total: int) -> None:
    good = min(good, total)
    low, high = wilson(good, total)
    assert 0 <= low <= good / total + 1e-9 and good / total - 1e-9 <= high <= 1


def test_no_threshold_is_suggested_that_would_lose_a_true_alarm() -> None:
    assert suggested_threshold([(False, 0.3), (True, 0.8), (True, 0.9), (False, 0.9), (True, 0.7)]) is None
    assert suggested_threshold([(False, 0.9)]) is None


def test_indicators_and_their_exports(office: Office) -> None:
    operator = office.client("operator")
    with session_scope(office.engine) as session:
        for _ in range(3):
            session.add(
                Case(
                    case_id=new_id(), number=new_id(), definition_id="city_management", definition_version=1,
                    stage="register", state="pending_register", title="t", class_code="=1+1", opened_at=NOW,
                    updated_at=NOW,
                )
            )  # fmt: skip
    start, end = ((NOW + timedelta(days=d)).isoformat().replace("+", "%2B") for d in (-1, 1))
    window = f"from={start}&to={end}"
    table = operator.get(f"/api/indicators?by=class&{window}").json()
    assert table["items"][0]["counts"]["reported"] == 3 and table["definitions"][0]["formula"]
    behind = operator.get(f"/api/indicators/cases?by=class&key==1%2B1&measure=reported&{window}").json()
    assert len(behind["items"]) == 3
    text = operator.get(f"/api/indicators.csv?by=class&{window}").content.decode("utf-8-sig")
    assert "'=1+1" in text  # a spreadsheet must not run it
    book = openpyxl.load_workbook(io.BytesIO(operator.get(f"/api/indicators.xlsx?by=class&{window}").content))
    assert book.worksheets[0].max_row == 3
    assert operator.get("/api/indicators?by=moon").status_code == 422
    assert office.client("fireman").get("/api/indicators").status_code == 403


def test_devices_leave_quarantine_by_hand_and_are_audited(office: Office) -> None:
    operator = office.client("operator")
    quarantine = operator.get("/api/devices?status=quarantine").json()
    assert [d["device_id"] for d in quarantine["items"]] == ["mqtt:unknown"]
    bad = operator.post("/api/devices/mqtt:unknown/accept", json={"site_id": "nowhere"})
    assert bad.status_code == 404
    done = operator.post("/api/devices/mqtt:unknown/accept", json={"site_id": "s-water", "name": "水位计"})
    assert (done.status_code, done.json()["status"], done.json()["revision"]) == (200, "accepted", 2)
    assert actions(office) == ["device_accept"]
    assert operator.post("/api/devices/mqtt:unknown/commands", json={"name": "explode"}).status_code == 422
    assert operator.post("/api/devices/mqtt:unknown/commands", json={"name": "restart"}).status_code == 503  # no bus
    empty = operator.get("/api/devices/mqtt:unknown/readings").json()
    assert empty["points"] == []


def test_a_rule_is_tried_on_the_past_before_it_is_saved(office: Office) -> None:
    with session_scope(office.engine) as session:
        sync_defaults(session, NOW)
        device = session.get(Device, "gb26875:889")
        assert device is not None
        device.site_id = "s-water"
        for minute, depth in enumerate((0.02, 0.30, 0.31, 0.32, 0.02, 0.01)):
            at = NOW + timedelta(minutes=minute)
            reading = Reading(
                reading_id=f"r{minute}", source="gb26875", device_id="gb26875:889", quantity="water_level_m",
                value=depth, observed_at=at, received_at=at, unit="m",
            )  # fmt: skip
            store_readings(session, [reading])
    boss = office.client("boss")
    rule = next(r for r in boss.get("/api/rules").json()["items"] if r["rule_id"] == "waterlogging-gauge")
    period = {"from": (NOW - timedelta(hours=1)).isoformat(), "to": (NOW + timedelta(hours=1)).isoformat()}
    answer = boss.post("/api/rules/simulate", json={"rule": rule, **period})
    assert answer.status_code == 200, answer.text
    (case,) = answer.json()["cases"]
    assert case["site_name"] == "Bridge" and case["rule_id"] == "waterlogging-gauge" and case["lon"] == 125.4
    assert sum(answer.json()["by_department"].values()) == 1
    off = boss.post("/api/rules/simulate", json={"rule": {**rule, "enabled": False}, **period})
    assert off.json()["cases"] == []
    with read_scope(office.engine) as session:
        assert session.scalars(select(Case)).all() == []  # nothing was written
    years = {"rule": rule, "from": "2020-01-01T00:00:00Z", "to": period["to"]}
    assert boss.post("/api/rules/simulate", json=years).status_code == 422


def test_a_camera_is_added_in_the_browser(office: Office) -> None:
    boss = office.client("boss")
    sent = {"camera_id": "gate-1", "name": "大门", "url": "rtsp://u:topsecret@192.0.2.7/s", "lon": 125.37, "lat": 43.88}
    made = boss.post("/api/cameras", json=sent)
    assert made.status_code == 201 and made.json()["url"] == "rtsp://u:***@192.0.2.7/s", made.text
    kept = config(office, "gate-1")
    assert CameraSeal(office.settings.records_key).opened(kept).url == sent["url"] and kept.revision == 1
    assert "topsecret" not in kept.url
    for wrong in ({}, {"camera_id": "a b"}, {"camera_id": "g2", "lat": None}, {"camera_id": "g2", "name": " "}):
        assert boss.post("/api/cameras", json={**sent, **wrong}).status_code == 422
    assert boss.post("/api/cameras", json={**sent, "camera_id": "g2", "site_id": "nowhere"}).status_code == 404
    assert office.client("operator").post("/api/cameras", json=sent).status_code == 403
    with read_scope(office.engine) as session:
        assert "topsecret" not in str(session.scalars(select(AuditEntry.body)).all())
