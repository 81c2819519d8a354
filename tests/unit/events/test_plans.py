"""Plans call up tasks, people, warehouses and cameras; the roster knows who is on duty."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from core.errors import Forbidden, InputInvalid, NotFound
from core.records import GeoPoint, Severity
from events.dispatching.duty_roster import add_shift, hand_over, ids_on_duty, on_duty, substitute
from events.dispatching.emergency_plans import (
    move_task,
    parse_plan,
    plans_for,
    save_plan,
    shipped_plans,
    start_plan,
    sync_plans,
    tasks_of,
)
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.plans import Plan
from storage.tables.registry import Camera, Department, Site
from tests.unit.events.casework import FRIDAY, STREET, Town, actor

PLACE = GeoPoint(lon=125.40, lat=43.87)
DAY = timedelta(days=1)


@pytest.fixture
def town(engine: Engine) -> Town:
    town = Town(engine)
    with session_scope(engine) as session:
        for number, lat in enumerate((43.871, 43.872, 43.99), 1):
            session.add(Camera(camera_id=f"c{number}", name="c", category="traffic", lon=125.40, lat=lat))
        session.add(Site(site_id="w-far", name="far", kind="warehouse", lon=125.5, lat=43.9))
        session.add(Site(site_id="w-near", name="near", kind="warehouse", lon=125.41, lat=43.87))
        session.add_all(Department(department_id=d, name=d) for d in ("dept-fire", f"street-{STREET}"))
        sync_plans(session, town.clock.now())
    return town


def test_a_grave_fire_calls_up_its_plan(town: Town) -> None:
    small = town.open(class_code="event-05-94", severity=Severity.ORANGE, location=PLACE)
    grave = town.open(class_code="event-05-94", severity=Severity.RED, location=PLACE)
    with session_scope(town.engine) as session:
        add_shift(session, actor("admin"), "dept-fire", "fire", FRIDAY - DAY, FRIDAY + DAY, post="leader")
        rows = [session.get(Case, c.case_id) for c in (small, grave)]
        found = [[p.plan_id for p in plans_for(session, row)] for row in rows if row is not None]
        assert found == [["fire"], ["fire-major", "fire"]]  # the strongest response first
        tasks = start_plan(session, town.service, actor("operator"), "fire-major", grave.case_id)
    first, evacuate, *_, supplies = tasks
    assert first.user_id == "fire" and first.cameras == ["c1", "c2"]
    assert first.due_at == town.clock.now() + timedelta(minutes=15)
    assert evacuate.department_id == f"street-{STREET}"
    assert supplies.site_id == "w-near"
    assert town.detail(grave.case_id).transitions[-1].command == "plan_start"
    with pytest.raises(InputInvalid), session_scope(town.engine) as session:
        start_plan(session, town.service, actor("operator"), "fire-major", grave.case_id)
    with pytest.raises(Forbidden), session_scope(town.engine) as session:
        start_plan(session, town.service, actor("fire"), "fire-major", grave.case_id)


def test_tasks_are_done_by_their_department_and_the_plan_ends(town: Town) -> None:
    case = town.open(class_code="event-05-94", severity=Severity.RED, location=PLACE)
    with session_scope(town.engine) as session:
        tasks = start_plan(session, town.service, actor("operator"), "fire-major", case.case_id)
    with pytest.raises(Forbidden), session_scope(town.engine) as session:
        move_task(session, town.service, actor("water"), tasks[0].task_id, "done")
    with session_scope(town.engine) as session:
        for task in tasks:
            move_task(session, town.service, actor("operator"), task.task_id, "done", "reported by radio")
    with pytest.raises(InputInvalid), session_scope(town.engine) as session:
        move_task(session, town.service, actor("operator"), tasks[0].task_id, "cancelled")
    with read_scope(town.engine) as session:
        assert {t.state for t in tasks_of(session, case.case_id)} == {"done"}
    with session_scope(town.engine) as session:  # it ended, so it may be put into force again
        assert start_plan(session, town.service, actor("operator"), "fire-major", case.case_id)


def test_editing_a_plan_makes_a_version(town: Town) -> None:
    spec = shipped_plans()[0]
    with session_scope(town.engine) as session:
        assert save_plan(session, spec, "admin", town.clock.now()) == 1
        changed = parse_plan(
            {"plan_id": spec.plan_id, "name": "new", "tasks": [{"title": "run", "department": "lead"}]}
        )
        assert save_plan(session, changed, "admin", town.clock.now()) == 2
        sync_plans(session, town.clock.now())  # a restart
        row = session.get(Plan, spec.plan_id)
        assert row is not None and row.name == "new"
    for wrong in ({"plan_id": "x", "name": "x", "tasks": []}, {"plan_id": "x"}, 7):
        with pytest.raises(InputInvalid):
            parse_plan(wrong)


def test_the_roster_knows_substitutes_and_hand_over(town: Town) -> None:
    late = town.open(severity=Severity.RED)
    with session_scope(town.engine) as session:
        shift = add_shift(session, actor("fire_boss"), "fire", "fire", FRIDAY, FRIDAY + DAY)
        assert [p.user_id for p in on_duty(session, "fire", FRIDAY + DAY / 2)] == ["fire"]
        assert on_duty(session, "fire", FRIDAY + DAY) == []
        with pytest.raises(InputInvalid):
            add_shift(session, actor("fire_boss"), "fire", "fire", FRIDAY + DAY / 2, FRIDAY + 2 * DAY)
        with pytest.raises(Forbidden):
            add_shift(session, actor("fire_boss"), "water", "water", FRIDAY, FRIDAY + DAY)
        with pytest.raises(NotFound):
            add_shift(session, actor("admin"), "fire", "nobody", FRIDAY, FRIDAY + DAY)
        stand_in = substitute(session, actor("fire_boss"), shift, "fire2", FRIDAY + DAY / 4)
        people = on_duty(session, "fire", FRIDAY + DAY / 2)
        assert [(p.user_id, p.substitute_for) for p in people] == [("fire2", "fire")]
        with pytest.raises(Forbidden):
            hand_over(session, actor("fire"), stand_in, "fire", "all quiet", FRIDAY + DAY / 2)
        sheet = hand_over(session, actor("fire2"), stand_in, "fire", "all quiet", FRIDAY + DAY / 2)
        assert (sheet.open_cases, sheet.overdue) == (1, 1)
        assert sheet.pressing[0]["case_id"] == late.case_id
        with pytest.raises(InputInvalid):
            hand_over(session, actor("fire2"), stand_in, "fire", "again", FRIDAY + DAY / 2)


def test_whoever_took_a_shift_over_may_hand_it_on(town: Town) -> None:
    with session_scope(town.engine) as session:
        shift = add_shift(session, actor("fire_boss"), "fire", "fire", FRIDAY, FRIDAY + DAY)
        hand_over(session, actor("fire"), shift, "fire2", "panel 7 shielded", FRIDAY + DAY / 4)
        with pytest.raises(InputInvalid, match="already"):
            hand_over(session, actor("fire"), shift, "fire_boss", "again", FRIDAY + DAY / 2)
        with pytest.raises(InputInvalid, match="himself"):
            hand_over(session, actor("fire2"), shift, "fire2", "to myself", FRIDAY + DAY / 2)
        sheet = hand_over(session, actor("fire2"), shift, "fire", "fell ill", FRIDAY + DAY / 2)
        assert (sheet.from_user, sheet.to_user) == ("fire2", "fire")
        assert [p.user_id for p in on_duty(session, "fire", FRIDAY + DAY * 0.75)] == ["fire"]
        hand_over(session, actor("fire"), shift, "fire_boss", "for good", FRIDAY + DAY * 0.75)
        with pytest.raises(InputInvalid, match="ended"):
            hand_over(session, actor("fire_boss"), shift, "fire", "too late", FRIDAY + DAY)
        for wrong in ("nobody", "fire2"):
            with pytest.raises(InputInvalid, match="substitute_for"):
                add_shift(
                    session, actor("fire_boss"), "fire", "fire2", FRIDAY + DAY, FRIDAY + 2 * DAY, substitute_for=wrong
                )


def test_whoever_takes_a_shift_over_is_on_duty_for_the_rest_of_it(town: Town) -> None:
    with session_scope(town.engine) as session:
        shift = add_shift(session, actor("fire_boss"), "fire", "fire", FRIDAY, FRIDAY + DAY)
        hand_over(session, actor("fire"), shift, "fire2", "panel 7 shielded", FRIDAY + DAY / 2)
        assert [p.user_id for p in on_duty(session, "fire", FRIDAY + DAY * 0.75)] == ["fire2"]
        assert session.scalars(ids_on_duty(FRIDAY + DAY * 0.75)).all() == ["fire2"]
        substitute(session, actor("fire_boss"), shift, "fire_boss", FRIDAY + DAY * 0.75)
        assert session.scalars(ids_on_duty(FRIDAY + DAY * 0.8)).all() == ["fire_boss"]
        assert session.scalars(ids_on_duty(FRIDAY + DAY)).all() == []
