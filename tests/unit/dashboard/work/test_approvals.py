"""What waits for whose approval: level by level, never one's own wish, never another department's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import Settings
from dashboard.accounts.users import add_user
from storage.session import session_scope
from tests.unit.dashboard.api.test_api_plans import open_case
from tests.unit.dashboard.web import _HASH, Office, make_office


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    made = make_office(settings)
    with session_scope(made.engine) as session:
        for login, department in (("leader", "dept-fire"), ("other", "dept-drainage")):
            user = add_user(session, login=login, name=login, roles=["manager"], department_id=department)
            user.password_hash = _HASH
    yield made
    made.engine.dispose()


def waiting(office: Office, login: str) -> list[str]:
    answer = office.client(login).get("/api/work/approvals")
    assert answer.status_code == 200, answer.text
    return [item["case"]["case_id"] for item in answer.json()["items"]]


def command(office: Office, login: str, case_id: str, name: str, **data: object) -> None:
    answer = office.client(login).post(f"/api/cases/{case_id}/commands", json={"name": name, "data": data})
    assert answer.status_code == 200, answer.text


def test_a_request_waits_for_the_own_leader_then_for_the_centre(office: Office) -> None:
    case_id = open_case(office)
    assert waiting(office, "leader") == []
    command(office, "fireman", case_id, "accept")
    command(office, "fireman", case_id, "request_extension", value=4, unit="work_hour", reason="owner away")
    assert waiting(office, "fireman") == waiting(office, "other") == waiting(office, "inspector") == []
    assert waiting(office, "leader") == [case_id]
    item = office.client("leader").get("/api/work/approvals").json()["items"][0]
    assert item["name"] == "extension" and item["requested_by_name"] == "fireman" and item["level"] == 0
    assert item["asked"] == {"value": 4, "unit": "work_hour", "reason": "owner away"}
    assert sorted(item["commands"]) == ["approve_extension", "refuse_extension"]
    command(office, "leader", case_id, "approve_extension")
    assert waiting(office, "leader") == [] and waiting(office, "operator") == [case_id]
    command(office, "operator", case_id, "approve_extension")
    assert waiting(office, "operator") == []


def test_whoever_asked_does_not_grant(office: Office) -> None:
    case_id = open_case(office)
    command(office, "leader", case_id, "accept")
    command(office, "leader", case_id, "request_extension", value=1, unit="work_day", reason="owner away")
    assert waiting(office, "leader") == []
