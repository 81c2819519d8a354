"""Tours along a street, their plan and their log."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas
import msgspec
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from core.clock import BEIJING, ManualClock
from core.settings import Settings
from dashboard.videowall import tours
from dashboard.videowall.schedule import EARLY, LATE, Schedule, due, missed, planned, served
from layers.along import along, street_lines
from layers.catalogue.record import LayerRecord
from layers.names import road_names
from storage.session import session_scope
from storage.tables.registry import Camera
from tests.unit.dashboard.web import Office, make_office

MONDAY = datetime(2026, 3, 2, 0, 0, tzinfo=BEIJING)
BEND = shapely.LineString([(125.30, 43.88), (125.32, 43.88), (125.32, 43.90)])


@given(
    st.lists(st.integers(1, 7), max_size=3), st.lists(st.integers(0, 1439), min_size=1, max_size=5),
    st.integers(0, 20_000), st.integers(0, 5_000),
)  # fmt: skip
def test_planned_moments_are_those_of_a_minute_by_minute_count(
    days: list[int], minutes: list[int], begin: int, length: int
) -> None:
    plan = Schedule(days=days, times=[f"{m // 60:02d}:{m % 60:02d}" for m in minutes])
    start = MONDAY + timedelta(minutes=begin)
    counted = [
        moment for moment in (start + timedelta(minutes=n) for n in range(length))
        if (not days or moment.isoweekday() in days) and moment.hour * 60 + moment.minute in minutes
    ]  # fmt: skip
    assert planned(plan, start.astimezone(UTC), start + timedelta(minutes=length)) == counted


def test_due_until_somebody_began_and_missed_when_nobody_did() -> None:
    plan = Schedule(times=["08:00", "17:30"])
    eight = MONDAY + timedelta(hours=8)
    assert due(plan, [], eight - timedelta(seconds=1)) is None
    assert due(plan, [], eight) == eight and due(plan, [], eight + LATE) == eight
    assert due(plan, [eight - EARLY], eight + timedelta(minutes=5)) is None
    assert due(plan, [], eight + LATE + timedelta(minutes=1)) is None
    begin, now = MONDAY, MONDAY + timedelta(days=1)
    assert missed(plan, [eight + timedelta(minutes=30)], begin, now) == [MONDAY + timedelta(hours=17, minutes=30)]
    assert served(eight, [eight + LATE]) and not served(eight, [eight + LATE + timedelta(seconds=1)])
    assert due(Schedule(), [], eight) is None


def test_cameras_are_passed_in_the_order_of_the_way_round_its_bends() -> None:
    near = [("far", 125.3201, 43.8995), ("first", 125.301, 43.8801), ("bend", 125.3199, 43.8801)]
    places = [*near, ("off", 125.31, 43.884)]
    assert along([BEND], places, 40) == ["first", "bend", "far"]
    ways = ([(125.31, 43.88), (125.32, 43.88)], [(125.30, 43.8801), (125.305, 43.8801)])
    pieces = [shapely.LineString(way) for way in ways]
    assert along(pieces, [("b", 125.318, 43.88), ("a", 125.301, 43.88), ("m", 125.312, 43.88)], 40) == ["a", "m", "b"]
    assert along([], places, 40) == [] and along([BEND], [], 40) == []


def test_streets_come_from_layers_that_everybody_may_see_and_from_the_city(tmp_path: Path) -> None:
    said = {"name": ["吉林大路", "北街"], "class": ["primary", ""]}
    frame = geopandas.GeoDataFrame(said, geometry=[BEND, BEND], crs=4326)
    for name, kind, roles in (("osm", "roads", ()), ("secret", "roads", ("admin",)), ("tracks", "rail", ())):
        folder = tmp_path / "layers" / name
        folder.mkdir(parents=True)
        frame.assign(name=[f"{name}路", "北街"]).to_file(folder / "features.fgb")
        about = LayerRecord(name=name, kind=kind, features=2, bbox=(0, 0, 1, 1), crs="EPSG:4326", roles=roles)
        (folder / "layer.json").write_bytes(msgspec.json.encode(about))
    (tmp_path / "layers" / "osm" / "x").mkdir()
    broken = tmp_path / "layers" / "broken"
    broken.mkdir()
    (broken / "layer.json").write_text("{")
    assert {road.name for road in road_names(tmp_path)} == {"osm路", "北街"}
    (tmp_path / "city").mkdir()
    frame.to_file(tmp_path / "city" / "roads.fgb")
    assert {road.name for road in road_names(tmp_path)} == {"osm路", "北街", "吉林大路"}
    assert len(street_lines(tmp_path, "吉林大路")) == 1 and len(street_lines(tmp_path, "osm路")) == 1
    assert street_lines(tmp_path, "secret路") == [] and street_lines(tmp_path, "x' OR '1'='1") == []


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20, unique=True))
def test_any_places_on_a_line_come_in_its_order(shares: list[float]) -> None:
    points = [BEND.interpolate(s, normalized=True) for s in shares]
    found = along([BEND], [(str(n), p.x, p.y) for n, p in enumerate(points)], 30)
    assert len(found) == len(shares)
    at = [shares[int(key)] for key in found]
    assert all(b - a > -1e-2 for a, b in zip(at, at[1:], strict=False)) and math.isclose(max(at), max(shares))


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings, ManualClock(MONDAY + timedelta(hours=8, minutes=5)))
    yield office
    office.engine.dispose()


def test_a_tour_along_a_street_with_plan_and_log(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    with session_scope(office.engine) as session:
        for name, share in (("t-2", 0.7), ("t-1", 0.2)):
            at = BEND.interpolate(share, normalized=True)
            session.add(Camera(camera_id=name, name=name, category="traffic", lon=at.x, lat=at.y))
    named: list[str] = []

    def lines(_folder: Path, name: str) -> list[shapely.LineString]:
        named.append(name)
        return [BEND]

    monkeypatch.setattr(tours, "street_lines", lines)
    operator = office.client("operator")
    body = {"name": "吉林大路早巡", "road": "吉林大路", "category": "traffic", "schedule": {"times": ["08:00"]}}
    tour = operator.post("/api/video/tours", json=body).json()["tour_id"]
    stops = operator.get(f"/api/video/tours/{tour}/stops").json()["items"]
    assert [s["camera_id"] for s in stops] == ["t-1", "t-2"] and named == ["吉林大路"]
    (listed,) = operator.get("/api/video/tours").json()["items"]
    assert listed["due_at"] == "2026-03-02T00:00:00Z" and listed["schedule"] == {"days": [], "times": ["08:00"]}
    begun = operator.post(f"/api/video/tours/{tour}/runs").json()
    assert begun["planned_at"] == "2026-03-02T00:00:00Z"
    assert operator.get("/api/video/tours").json()["items"][0]["due_at"] is None
    told = {"seen": ["t-1", "t-2"], "found": [{"camera_id": "t-1", "case_id": "c1"}], "ended": True}
    assert operator.post(f"/api/video/runs/{begun['run_id']}", json=told).json() == {"ok": True}
    assert office.client("boss").post(f"/api/video/runs/{begun['run_id']}", json=told).status_code == 403
    assert operator.post("/api/video/runs/none", json=told).status_code == 404
    log = operator.get("/api/video/runs").json()
    (row,) = log["items"]
    assert (row["stops"], row["seen"], row["viewed"], row["found"][0]["outcome"]) == (2, 2, 0, "passed")
    assert row["ended_at"] and log["missed"] == []
    bad = operator.post("/api/video/tours", json={"name": "x", "schedule": {"times": ["25:00"]}})
    assert bad.status_code in (400, 422)
