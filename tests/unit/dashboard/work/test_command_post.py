"""The command screen: tasks, forces near the case, stock, calls noted once in the case; for the centre only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.clock import ManualClock
from core.errors import Forbidden, InputInvalid
from core.settings import Settings
from dashboard.desk import command_post, plans
from dashboard.desk.intake import PhoneCall, Place, take
from storage.registry import registry_key
from storage.session import read_scope, session_scope
from storage.tables.cases import CaseTransition
from storage.tables.field import DutyStatus, UserPosition
from storage.tables.people import User
from storage.tables.plans import DutyShift
from storage.tables.records import RegisterRecord
from storage.tables.registry import Device
from tests.unit.dashboard.web import Office, make_office
from tests.unit.dashboard.work.test_case_filters import principal

NOW = datetime(2026, 6, 5, 3, tzinfo=UTC)
LON, LAT = 125.4, 43.9


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings, ManualClock(NOW))
    yield office
    office.engine.dispose()


def opened(office: Office) -> str:
    who = principal(office, "operator", ("operator",))
    call = PhoneCall(source="call", title="路口积水", severity=4, place=Place(lon=LON, lat=LAT))
    return take(office.app.state.services, who, call, "k").case_id


def furnish(office: Office) -> None:
    """One near and one far of everything; a vehicle that has been silent, a person without consent."""
    states = office.app.state.services.hub.states
    with session_scope(office.engine) as session:
        ids = {user.login: user.user_id for user in session.scalars(select(User))}
        session.get_one(User, ids["fireman"]).phone = "13900139000"
        hours = timedelta(hours=6)
        session.add(DutyShift(shift_id="s1", department_id="dept-fire", user_id=ids["fireman"], starts_at=NOW - hours,
                              ends_at=NOW + hours))  # fmt: skip
        session.add(DutyShift(shift_id="s2", department_id="dept-drainage", user_id=ids["drainer"],
                              starts_at=NOW - 2 * hours, ends_at=NOW - hours))  # fmt: skip
        for login, consent, lon in (("fireman", True, LON + 0.01), ("drainer", False, LON), ("boss", True, LON + 1)):
            session.add(DutyStatus(user_id=ids[login], on_duty=True, consent=consent, changed_at=NOW))
            session.add(UserPosition(user_id=ids[login], at=NOW, lon=lon, lat=LAT))
        for key, lon, heard in (("near", LON, NOW), ("far", LON + 1, NOW), ("silent", LON, NOW - hours)):
            session.add(Device(device_id=f"jt808:{key}", source="jt808", address=key, name=key, status="active",
                               attributes={}, revision=1))  # fmt: skip
            states[registry_key("device", f"jt808:{key}")] = {
                "heard_at": heard.isoformat(), "location": {"lon": lon, "lat": LAT},
            }  # fmt: skip
        for key, lon in (("near", LON + 0.02), ("far", LON + 1)):
            session.add(RegisterRecord(
                record_id=key, register_id="emergency_stock", name="沙袋", lon=lon, lat=LAT, created_at=NOW,
                updated_at=NOW, data={"warehouse": "一号库", "stock": 300, "unit": "个", "item": "沙袋"},
            ))  # fmt: skip


def test_what_is_near_and_heard_is_shown(office: Office) -> None:
    use, who = office.app.state.services, principal(office, "operator", ("operator",))
    case_id = opened(office)
    furnish(office)
    found = command_post.picture(use, who, case_id)
    assert [each.name for each in found.vehicles] == ["near"]
    assert len(found.people) == 1 and 700 < (found.people[0].distance_m or 0) < 900
    assert [(each.record_id, each.amount, each.warehouse) for each in found.stock] == [("near", "300 个", "一号库")]
    assert [(each.phone, each.called_at) for each in found.contacts] == [("13900139000", None)]
    assert found.tasks == [] and found.plans == []


def test_a_plan_in_force_brings_tasks_and_numbers_of_their_departments(office: Office) -> None:
    use, who = office.app.state.services, principal(office, "operator", ("operator",))
    case_id = opened(office)
    plan = plans.plan_list(use, who)["items"][0]["plan_id"]
    plans.put_into_force(use, who, plan, case_id)
    found = command_post.picture(use, who, case_id)
    assert found.tasks and [run["ended_at"] for run in found.plans] == [None]


def test_a_call_is_noted_once(office: Office) -> None:
    use, who = office.app.state.services, principal(office, "operator", ("operator",))
    case_id = opened(office)
    furnish(office)
    (contact,) = command_post.picture(use, who, case_id).contacts
    for _ in range(2):
        command_post.called(use, who, case_id, contact.key, "once")
    (told,) = command_post.picture(use, who, case_id).contacts
    assert told.called_at is not None and told.called_by == "operator"
    with read_scope(office.engine) as session:
        query = select(CaseTransition).where(CaseTransition.case_id == case_id, CaseTransition.command == "called")
        (row,) = session.scalars(query).all()
        assert row.data["contact"] == contact.key
    with pytest.raises(InputInvalid):
        command_post.called(use, who, case_id, "u:nobody", "other")


def test_departments_do_not_command(office: Office) -> None:
    case_id = opened(office)
    with pytest.raises(Forbidden):
        command_post.picture(office.app.state.services, principal(office, "fireman", ("staff",)), case_id)
