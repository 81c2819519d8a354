"""Reports made by hand meet the cases of cameras and sensors: joined, proposed, refused, taken apart, with history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from core.ids import derived_id
from core.records import Actor, Command, GeoPoint, Observation
from events.cases.detail import case_detail
from events.cases.read_models import CaseView
from events.correlation.duplicates import proposals
from storage.session import session_scope
from storage.tables.cases import Case, CaseTransition
from storage.tables.registry import Camera, Site
from tests.integration.events.test_merging import BOSS, HERE, T0, House, command

CALLER = Actor(user_id="grid", name="grid", roles=("grid_worker",))


@pytest.fixture
def house(engine: Engine) -> House:
    house = House(engine)
    with session_scope(engine) as session:
        session.add(Site(site_id="mall", name="Mall", kind="key_fire_site", lon=HERE.lon, lat=HERE.lat))
        session.flush()
        session.add(Camera(camera_id="cam-1", name="hall", category="fire_control_room", site_id="mall"))
    return house


def seen(house: House, kind: str = "flame_smoke", seconds: float = 0, state: str = "open") -> Case:
    at = T0 + timedelta(seconds=seconds)
    house.clock.set(max(house.clock.now(), at))
    observation = Observation(
        observation_id=derived_id(kind, seconds, state), kind=kind, state=state, source_type="camera",  # type: ignore[arg-type]
        source_id="cam-1", observed_at=at, received_at=at, site_id="mall", confidence=0.9,
    )  # fmt: skip
    with session_scope(house.engine) as session:
        taken = house.intake.take_observations(session, [observation])
        case = session.get(Case, taken.case_ids[-1])
        assert case is not None
        session.expunge(case)
        return case


def said(house: House, metres: float | None = None, seconds: float = 60, who: Actor = CALLER, **data: Any) -> CaseView:
    house.clock.set(max(house.clock.now(), T0 + timedelta(seconds=seconds)))
    if metres is not None:
        data["location"] = {"lon": HERE.lon, "lat": HERE.lat + metres / 111_320, "accuracy_m": 15}
    wish = Command(name="report", case_id="", actor_id=who.user_id, data={"title": "a call", **data})
    return house.service.execute(wish, who)


def proposed(house: House, case_id: str) -> list[str]:
    with session_scope(house.engine) as session:
        return [p.case_id for p in proposals(session, session.get_one(Case, case_id), house.service.book(session))]


def do(house: House, name: str, case_id: str, **data: Any) -> CaseView:
    house.clock.advance(1)
    wish = Command(name=name, case_id=case_id, actor_id="boss", data=data)
    return house.service.execute(wish, BOSS)


@pytest.mark.parametrize(
    "data", [{"kind": "fire"}, {"kind": "flame_smoke"}, {"class_code": "event-05-94"}, {"kind": "fire_alarm"}]
)
def test_a_caller_s_fire_beside_an_open_fire_case_joins_it(house: House, data: dict[str, Any]) -> None:
    camera = seen(house)
    call = said(house, 40, severity=4, **data)
    assert (call.state, call.merged_into_id, call.open) == ("merged", camera.case_id, False)
    with session_scope(house.engine) as session:
        row = session.get_one(Case, call.case_id)
        assert row.why["merge"]["verdict"] == "attach"
        assert [s["step"] for s in row.why["merge"]["steps"]] == ["class", "distance", "time"]
        assert session.get_one(Case, camera.case_id).severity == 4  # the caller sees that it is worse
        commands = session.scalars(select(CaseTransition.command).where(CaseTransition.case_id == camera.case_id)).all()
        assert {"absorb", "escalate"} <= set(commands)
    back = do(house, "unmerge", call.case_id, reason="the house next door")
    assert (back.state, back.open, back.merged_into_id) == ("reported", True, None)
    assert proposed(house, call.case_id) == []  # an undone merge is not proposed again
    with session_scope(house.engine) as session:
        assert session.get_one(Case, camera.case_id).severity == 3
        history = case_detail(session, BOSS, call.case_id, house.clock.now()).transitions
        assert [t.command for t in history] == ["report", "merge", "unmerge"]
        assert all(t.reason for t in history[1:])


def test_a_camera_that_sees_it_later_joins_the_caller_s_case(house: House) -> None:
    call = said(house, 30, kind="fire", seconds=0)
    assert (call.state, call.class_code) == ("reported", "event-05-94")  # what a fire is filed under
    assert seen(house, seconds=120).case_id == call.case_id


def test_a_report_without_a_class_is_proposed_and_the_refusal_stays(house: House) -> None:
    camera = seen(house)
    call = said(house, 10)
    assert call.open and call.merged_into_id is None
    assert proposed(house, call.case_id) == [camera.case_id]
    assert proposed(house, camera.case_id) == [call.case_id]
    do(house, "distinct", call.case_id, other_case_id=camera.case_id, reason="he means the lift")
    assert proposed(house, call.case_id) == proposed(house, camera.case_id) == []
    done = do(house, "verify", call.case_id, class_code="event-05-94")  # classified later: still refused
    assert done.open and proposed(house, call.case_id) == []
    with session_scope(house.engine) as session:
        for case_id in (call.case_id, camera.case_id):
            commands = select(CaseTransition.command).where(CaseTransition.case_id == case_id)
            assert "distinct" in session.scalars(commands).all()


def test_a_class_said_later_brings_the_proposal(house: House) -> None:
    camera = seen(house)
    call = said(house, 180)  # too far for a report of nobody knows what
    assert proposed(house, call.case_id) == []
    do(house, "verify", call.case_id, class_code="event-05-94")
    assert proposed(house, call.case_id) == [camera.case_id]


def test_another_class_another_place_or_another_day_is_another_case(house: House) -> None:
    seen(house)
    assert said(house, 10, kind="waterlogging").open
    assert said(house, 900, kind="fire").open
    seen(house, seconds=300, state="clear")
    assert said(house, 10, kind="fire", seconds=10 * 3600).open


def test_ordinary_classes_near_by_are_proposed_and_never_joined_by_themselves(house: House) -> None:
    first = said(house, 0, class_code="event-01-11")
    second = said(house, 8, class_code="event-01-11", seconds=600)
    other = said(house, 8, class_code="event-01-13", seconds=700)
    assert second.open and other.open
    assert proposed(house, second.case_id) == [first.case_id]
    assert proposed(house, other.case_id) == []


def test_one_caller_s_two_fires_are_two_cases(house: House) -> None:
    """The same phone within a minute, at two places: neither is swallowed."""
    house.told("flame_smoke", "citizen:1")
    house.told("flame_smoke", "citizen:1", north_m=2000, seconds=20)
    house.told("flame_smoke", "citizen:1", north_m=20, seconds=40)
    with session_scope(house.engine) as session:
        cases = session.scalars(select(Case).order_by(Case.number)).all()
        assert len(cases) == 2
        for case in cases:
            assert case.merged_into_id is None
            assert not any(case.why["standing"].values())  # what somebody said once does not stand for ever


def test_other_problems_at_one_place_are_not_thrown_together(house: House) -> None:
    house.told("citizen_report", "citizen:1")
    house.told("citizen_report", "citizen:2", north_m=5, seconds=60)
    with session_scope(house.engine) as session:
        first, second = session.scalars(select(Case).order_by(Case.number)).all()
        assert second.why["merge"]["verdict"] == "propose" and second.why["merge"]["case_id"] == first.case_id


def test_somebody_without_the_right_neither_refuses_nor_takes_apart(house: House) -> None:
    camera, call = seen(house), said(house, 10)
    for name, data in (("distinct", {"other_case_id": camera.case_id}), ("detach", {"standing_key": "x"})):
        wish = Command(name=name, case_id=call.case_id, actor_id="grid", data={**data, "reason": "no"})
        with pytest.raises(Exception, match="role"):
            house.service.execute(wish, CALLER)
    with session_scope(house.engine) as session, pytest.raises(Exception, match="standing_key"):
        row = session.get_one(Case, camera.case_id)
        house.service.execute_in(session, command("detach", row, standing_key="x", reason="no"), BOSS)


def test_the_same_alarm_half_an_hour_later_joins_what_is_still_open_and_nothing_else(house: House) -> None:
    first = seen(house)
    seen(house, seconds=600, state="clear")
    assert seen(house, seconds=2400).case_id == first.case_id  # the brigade is still there: it returns to them
    seen(house, seconds=2500, state="clear")
    do(house, "force_close", first.case_id, reason="out")
    assert seen(house, seconds=4300).case_id != first.case_id


def test_a_call_after_the_work_was_reported_finished_returns_the_case(house: House) -> None:
    camera = seen(house)
    fireman = Actor(user_id="f", name="f", roles=("staff",), department_id="dept-fire")
    for name, data in (("accept", {}), ("finish", {"no_photo_reason": "night"})):
        house.clock.advance(1)
        wish = Command(name=name, case_id=camera.case_id, actor_id="f", data=data)
        assert house.service.execute(wish, fireman).open
    call = said(house, 20, kind="fire", seconds=900)
    assert call.merged_into_id == camera.case_id
    with session_scope(house.engine) as session:
        case = session.get_one(Case, camera.case_id)
        assert (case.state, case.reworks) == ("rework", 1)
        last = session.get_one(CaseTransition, (case.case_id, case.version))
        assert call.number in last.reason and last.actor_id == "system"


def test_geopoint_of_a_report_keeps_its_accuracy(house: House) -> None:
    call = said(house, 10, kind="fire")
    with session_scope(house.engine) as session:
        row = session.get_one(Case, call.case_id)
        assert row.why["place"] == {"accuracy_m": 15}
        assert GeoPoint(lon=row.lon or 0, lat=row.lat or 0).lat > HERE.lat
