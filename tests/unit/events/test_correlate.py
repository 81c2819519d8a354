"""Correlation: what joins, what is proposed, what is a case of its own, and that every score explains itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.records import GeoPoint
from events.correlation.scoring import (
    METRES_PER_DEGREE,
    IncomingReport,
    OpenCase,
    candidate_keys,
    decide,
    distance_m,
    happening_key,
    score,
)
from events.rules.rulebook import default_rules

T0 = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
HAPPENINGS = default_rules().happenings
HERE = GeoPoint(lon=125.3654, lat=43.8914)


def north(metres: float) -> GeoPoint:
    return GeoPoint(lon=HERE.lon, lat=HERE.lat + metres / METRES_PER_DEGREE)


def case(happening: str = "fire", **more: object) -> OpenCase:
    fields = {
        "case_id": "c1",
        "number": "220105-1",
        "happening": happening,
        "opened_at": T0,
        "last_seen_at": T0,
        "source_id": "cam-1",
        "site_id": "s1",
        "location": HERE,
    }
    return OpenCase(**(fields | more))  # type: ignore[arg-type]


def report(happening: str = "fire", **more: object) -> IncomingReport:
    fields = {
        "happening": happening,
        "at": T0 + timedelta(minutes=1),
        "source_type": "device",
        "source_id": "panel-1",
        "site_id": "s1",
        "location": HERE,
    }
    return IncomingReport(**(fields | more))  # type: ignore[arg-type]


def verdict(r: IncomingReport, c: OpenCase) -> str:
    return decide(r, [c], HAPPENINGS[r.happening]).verdict


def test_camera_and_panel_of_one_site_are_one_fire() -> None:
    assert verdict(report(), case()) == "attach"


def test_a_citizen_near_by_joins_and_one_far_away_does_not() -> None:
    assert verdict(report(site_id=None, location=north(60), source_type="citizen"), case()) == "attach"
    assert verdict(report(site_id=None, location=north(180), source_type="citizen"), case()) == "propose"
    assert verdict(report(site_id=None, location=north(400), source_type="citizen"), case()) == "new"


def test_a_fire_is_no_flood() -> None:
    assert verdict(report("waterlogging"), case()) == "new"


def test_two_watched_sites_are_two_fires_until_somebody_says_otherwise() -> None:
    assert verdict(report(site_id="s2", location=north(80)), case()) != "attach"


def test_an_old_case_that_no_longer_stands_does_not_swallow_a_new_fire() -> None:
    later = T0 + timedelta(hours=3)
    assert verdict(report(at=later), case()) == "new"
    assert verdict(report(at=later), case(standing=True)) == "attach"


def test_equipment_cases_continue_with_the_same_device_only() -> None:
    assert verdict(report("equipment", source_id="cam-1"), case("equipment")) == "attach"
    assert verdict(report("equipment", source_id="cam-2"), case("equipment")) == "new"


def test_two_lanes_of_one_camera_are_proposed_not_merged() -> None:
    c = case("obstruction", zone="lane-a")
    assert verdict(report("obstruction", source_id="cam-1", zone="lane-b"), c) == "propose"
    assert verdict(report("obstruction", source_id="cam-1", zone="lane-a"), c) == "attach"


def test_the_best_of_several_wins_and_the_others_are_told() -> None:
    near, far = case(case_id="near", site_id=None), case(case_id="far", number="2", site_id=None, location=north(100))
    decision = decide(report(site_id=None, location=north(10)), [far, near], HAPPENINGS["fire"])
    assert decision.best is not None
    assert decision.best.case_id == "near"
    assert [s.case_id for s in decision.others] == ["far"]
    reason = decision.reason()
    assert [step["step"] for step in reason["steps"]] == ["class", "distance", "time"]


@given(
    st.floats(min_value=-400, max_value=400),
    st.floats(min_value=-400, max_value=400),
    st.sampled_from(sorted(HAPPENINGS)),
)
def test_whatever_scores_is_found_by_its_key(dx: float, dy: float, name: str) -> None:
    happening = HAPPENINGS[name]
    there = GeoPoint(lon=HERE.lon + dx / (METRES_PER_DEGREE * 0.72), lat=HERE.lat + dy / METRES_PER_DEGREE)
    c = case(name, site_id=None, source_id="other")
    r = report(name, site_id=None, location=there, accuracy_m=500.0)
    if score(r, c, happening).total > 0:
        assert happening_key(
            IncomingReport(**{f: getattr(r, f) for f in r.__struct_fields__} | {"location": HERE}), happening
        ) in candidate_keys(r, happening)


@given(st.floats(min_value=0, max_value=2000), st.floats(min_value=0, max_value=1e6))
def test_scores_lie_between_0_and_1(metres: float, seconds: float) -> None:
    r = report(site_id=None, location=north(metres), at=T0 + timedelta(seconds=seconds))
    assert 0 <= score(r, case(), HAPPENINGS["fire"]).total <= 1


def test_distances_are_metres() -> None:
    assert abs(distance_m(HERE, north(1000)) - 1000) < 2
