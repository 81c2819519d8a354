"""Alarms with names, live values, surroundings, situation and replay of the wall."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.clock import ManualClock
from core.records import GeoPoint, Quality, Reading, Severity
from core.settings import Settings
from dashboard.wall.alarms import last_rise
from dashboard.wall.values import cleared_since, escalations, levels_of, repeats, thinned, trend
from events.cases.drafts import CaseDraft, Part, Route
from storage.readings import store_readings
from storage.session import session_scope
from storage.tables.cases import Case
from tests.unit.dashboard.web import Office, make_office

NOW = datetime(2026, 6, 5, 3, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def office(settings: Settings, clock: ManualClock) -> Iterator[Office]:
    office = make_office(settings, clock)
    yield office
    office.engine.dispose()


def open_case(office: Office, severity: int = 4, happening: str = "waterlogging", **more: Any) -> str:
    fields: dict[str, Any] = {
        "title": "water", "kind": "water_level_m", "class_code": "event-05-06", "site_id": "s-water",
        "source_type": "device", "source_id": "mqtt:gauge", "auto_register": True,
        "location": GeoPoint(lon=125.4, lat=43.9),
        "route": Route(lead=Part(department_id="dept-drainage")), "happening_key": f"{happening}@s-water",
    }  # fmt: skip
    with session_scope(office.engine) as session:
        why = more.pop("why", None)
        draft = CaseDraft(severity=Severity(severity), **(fields | more))
        return office.app.state.services.cases.open_case(session, draft, why).case_id


def escalate(office: Office, case_id: str, to: int) -> None:
    step = {"step": "threshold", "values": [0.41, 0.42], "unit": "m", "limit": 0.4}
    with session_scope(office.engine) as session:
        service = office.app.state.services.cases
        service.escalate_in(session, session.get(Case, case_id), Severity(to), {"steps": [step]})


def ringing(office: Office, login: str = "operator") -> dict[str, dict[str, Any]]:
    items = office.client(login).get("/api/alarms").json()["items"]
    return {a["case_id"]: a for a in items if a["acknowledged_at"] is None}


def acknowledge(office: Office, alarm: dict[str, Any], login: str = "operator") -> Any:
    body = {"raised_seq": alarm["raised_seq"], "severity": alarm["severity"]}
    return office.client(login).post(f"/api/alarms/{alarm['case_id']}/acknowledge", json=body)


@pytest.mark.parametrize(("severity", "happening", "rings"), [
    (4, "waterlogging", True), (3, "waterlogging", True), (2, "waterlogging", False), (2, "fire", True),
    (1, "fire", False),
])  # fmt: skip
def test_grave_cases_and_fires_ring(office: Office, severity: int, happening: str, rings: bool) -> None:
    case_id = open_case(office, severity, happening)
    assert (case_id in ringing(office)) is rings


def test_an_acknowledgement_silences_everybody_and_keeps_name_time_and_audit(
    office: Office, clock: ManualClock
) -> None:
    case_id = open_case(office, 4)
    clock.advance(9)
    alarm = ringing(office)[case_id]
    assert alarm["cause"] == "new"
    told = acknowledge(office, alarm).json()
    assert (told["acknowledged_name"], told["waited_s"]) == ("operator", 9.0)
    assert ringing(office, "boss") == {}
    again = acknowledge(office, alarm, "boss")  # the second hand is told who was first
    assert again.status_code == 200 and again.json()["acknowledged_name"] == "operator"
    chain = office.client("operator").get(f"/api/cases/{case_id}/audit").json()
    assert chain["holds"] and [e["action"] for e in chain["items"]].count("acknowledge") == 1


def test_a_case_that_rises_rings_again_until_that_is_acknowledged(office: Office) -> None:
    case_id = open_case(office, 2)
    assert ringing(office) == {}
    escalate(office, case_id, 3)
    first = ringing(office)[case_id]
    assert (first["cause"], first["from_severity"]) == ("risen", 2)
    acknowledge(office, first)
    escalate(office, case_id, 4)
    second = ringing(office)[case_id]
    assert second["raised_seq"] > first["raised_seq"]
    stale = acknowledge(office, first)
    assert stale.status_code == 409 and stale.json()["error"] == "alarm_risen"
    assert acknowledge(office, second).status_code == 200
    assert ringing(office) == {}


def test_who_may_acknowledge(office: Office) -> None:
    case_id = open_case(office, 4)
    alarm = ringing(office)[case_id]
    assert acknowledge(office, alarm, "drainer").status_code == 403
    assert acknowledge(office, alarm, "fireman").status_code in {403, 404}
    missing = office.client("operator").post("/api/alarms/nothing/acknowledge", json={"raised_seq": 1, "severity": 4})
    assert missing.status_code == 404
    assert ringing(office) != {}


def readings(office: Office, values: list[float]) -> None:
    rows = [
        Reading(
            reading_id=f"r{n}", source="mqtt", device_id="mqtt:gauge", quantity="water_level_m", value=value, unit="m",
            observed_at=NOW - timedelta(minutes=len(values) - n), received_at=NOW, quality=Quality.GOOD,
        )
        for n, value in enumerate(values)
    ]  # fmt: skip
    with session_scope(office.engine) as session:
        store_readings(session, rows)


def test_live_value_trend_limits_and_escalation(office: Office) -> None:
    why = {"rule": {"params": {"levels": [{"at": 0.4, "severity": 4}, {"at": 0.15, "severity": 2}]}}}
    case_id = open_case(office, 2, why=why)
    readings(office, [0.01 * n for n in range(30)])
    escalate(office, case_id, 4)
    (item,) = office.client("operator").get(f"/api/wall/values?cases={case_id},nothing").json()["items"]
    assert (item["value"], item["unit"]) == (pytest.approx(0.29), "m")
    assert item["trend"] == pytest.approx(0.1)
    assert [level["at"] for level in item["levels"]] == [0.15, 0.4]
    (step,) = item["escalations"]
    assert (step["before"], step["after"], step["value"], step["limit"]) == (2, 4, 0.42, 0.4)
    assert office.client("fireman").get(f"/api/wall/values?cases={case_id}").json()["items"] == []
    assert office.client("operator").get("/api/wall/values").status_code == 422


def test_surroundings_hold_the_cameras_of_the_place_whatever_the_source(office: Office) -> None:
    case_id = open_case(office)
    other = open_case(office, 2, location=GeoPoint(lon=125.4005, lat=43.9))
    found = office.client("operator").get(f"/api/cases/{case_id}/surroundings").json()
    assert [(c["camera_id"], c["at_site"], c["distance_m"], c["state"]) for c in found["cameras"]] == [
        ("c-water", True, 0.0, "never")
    ]
    assert [(c["case_id"], c["distance_m"]) for c in found["near"]] == [(other, 40)]
    assert office.client("fireman").get(f"/api/cases/{case_id}/surroundings").status_code == 404


def test_situation_invents_nothing(office: Office) -> None:
    said = office.client("operator").get("/api/wall/situation").json()
    assert said["weather"] is None and said["warnings"] == []
    assert said["duty"] == {"people": 0, "leader": None}
    assert (said["freshness"]["cameras"], said["freshness"]["cameras_online"], said["freshness"]["newest_at"]) == (
        2,
        0,
        None,
    )


def test_replay_knows_when_a_case_rose(office: Office, clock: ManualClock) -> None:
    case_id = open_case(office, 2)
    clock.advance(600)
    escalate(office, case_id, 4)
    clock.advance(600)
    client = office.client("operator")
    (case,) = client.get("/api/wall/replay").json()["cases"]
    assert [s for _, s in case["severities"]] == [2, 4]
    assert case["severities"][1][0] - case["severities"][0][0] == pytest.approx(600)
    wide = client.get("/api/wall/replay?from=2026-06-01T00:00:00Z&to=2026-06-05T00:00:00Z")
    assert wide.status_code == 422


# pure -----------------------------------------------------------------------
def test_last_rise() -> None:
    assert last_rise(NOW, []).seq == 1
    assert last_rise(NOW, [(2, NOW, {"severity": 3})]).seq == 1  # nobody knows what it was before: a person looked
    assert last_rise(NOW, [(2, NOW, {"severity": 3})], 2).seq == 2
    assert last_rise(NOW, [(2, NOW, {"severity": 3}), (4, NOW, {"severity": 2}), (5, NOW, {"severity": 3})], 3).seq == 5
    assert last_rise(NOW, [(3, NOW, {"to": "dept-fire"}), (4, NOW, {"from": 1, "to": True})], 3).seq == 1


@given(st.lists(st.floats(-1e6, 1e6), max_size=400), st.integers(10, 80))
@example([0.0] * 10 + [1.0, 0.0], 11)  # an odd limit: the last points lay in no bucket
def test_thinning_keeps_ends_and_extremes(values: list[float], limit: int) -> None:
    points = [(float(n), v) for n, v in enumerate(values)]
    kept = thinned(points, limit)
    assert len(kept) <= max(limit, len(points) if len(points) <= limit else 0)
    assert kept == sorted(kept) and set(kept) <= set(points)
    if points:
        assert (kept[0], kept[-1]) == (points[0], points[-1])
        assert max(v for _, v in kept) == max(values) and min(v for _, v in kept) == min(values)


def test_trend_is_per_ten_minutes() -> None:
    assert trend([]) is None and trend([(0.0, 1.0)]) is None
    assert trend([(0.0, 0.0), (60.0, 0.1), (120.0, 0.2)]) == pytest.approx(1.0)
    assert trend([(0.0, 9.0), (7200.0, 1.0), (7260.0, 1.0)]) == pytest.approx(
        0.0
    )  # what is long past counts for nothing


def test_clearing_is_folded() -> None:
    moves = [(n, NOW + timedelta(minutes=n), "clear", {}) for n in range(3)]
    assert cleared_since({"a": False}, moves) == NOW + timedelta(minutes=2)
    assert cleared_since({"a": False, "b": True}, moves) is None
    assert repeats(moves[:1]) is None
    folded = repeats(moves)
    assert folded is not None and folded.times == 3


def test_rules_of_any_shape_give_levels_or_none() -> None:
    assert levels_of({"levels": [{"at": "high"}, 3, {"at": 2, "severity": 1}]})[0][0].at == 2
    assert levels_of({"direction": "below"}) == ([], "below")
    assert escalations([(1, NOW, "escalate", {"from": 1, "to": 3, "why": {"steps": ["text"]}})])[0].value is None
