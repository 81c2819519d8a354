"""Accounts in one go, one-time codes, and which passwords are taken."""

from __future__ import annotations

import io
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from core.clock import ManualClock
from core.records import Actor
from core.settings import Settings
from dashboard.accounts import users
from dashboard.accounts.passwords import is_common
from dashboard.pages.desk.admin.people import shifts_left
from dashboard.pages.frame import Visit
from events.dispatching.duty_roster import add_shift
from storage.session import read_scope, session_scope
from storage.tables.accounts import Invitation
from storage.tables.people import User
from tests.unit.dashboard.web import PASSWORD, Office, make_office

NOW = datetime(2026, 6, 5, 3, tzinfo=UTC)
GOOD = "four quiet brown horses"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def office(settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Office:
    from argon2 import PasswordHasher

    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    return make_office(settings, clock)


def sheet(*rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


HEAD = ("账号", "姓名", "角色", "部门", "区划代码", "手机")


def send(office: Office, data: bytes, who: str = "boss", dry: bool = False) -> Any:
    query = "?dry_run=true" if dry else ""
    return office.client(who).post(f"/api/import/users{query}", files={"file": ("staff.xlsx", data)})


def test_1270_accounts_in_one_go_each_with_a_code_of_its_own(office: Office) -> None:
    rows = [(f"w{n:04}", f"员工{n}", "staff", "dept-fire", None, None) for n in range(1270)]
    answer = send(office, sheet(HEAD, *rows))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert len(made["created"]) == 1270 and made["problems"] == []
    assert len({a["code"] for a in made["created"]}) == 1270
    assert send(office, sheet(HEAD, *rows)).json()["existing"] == [r[0] for r in rows], "again changes nothing"


def test_every_wrong_row_is_named_and_the_good_ones_come(office: Office) -> None:
    data = sheet(
        HEAD,
        ("good", "好", "staff；inspector", "dept-fire", "220105", "138"),
        ("bad role", "坏", "staf", "dept-fire", None, None),
        ("nodept", "无", "staff", "dept-none", None, None),
        ("nodiv", "无", "grid_worker", None, "999999", None),
        ("good", "又", "staff", None, None, None),
        (None, "缺", "staff", None, None, None),
    )
    dry = send(office, data, dry=True).json()
    assert [a["login"] for a in dry["created"]] == ["good"] and dry["created"][0]["code"] == ""
    with read_scope(office.engine) as session:
        assert session.query(User).filter(User.login == "good").first() is None
    made = send(office, data).json()
    found = {(p["row"], p["field"]) for p in made["problems"]}
    assert {(3, "login"), (3, "roles"), (4, "department"), (5, "division"), (6, "login"), (7, "login")} <= found
    assert [a["login"] for a in made["created"]] == ["good"]
    assert send(office, data, who="fireman").status_code == 403


def test_a_code_works_once_for_its_person_and_not_for_ever(office: Office, clock: ManualClock) -> None:
    made = send(office, sheet(HEAD, ("wang", "王", "staff", "dept-fire", None, None))).json()["created"][0]
    stranger = office.client()
    weak = stranger.post("/api/invitations/redeem", json={"code": made["code"], "password": "password123"})
    assert weak.status_code == 422 and weak.json()["reason"] == "common"
    typed = made["code"].lower().replace("-", " ")
    assert stranger.post("/api/invitations/redeem", json={"code": typed, "password": GOOD}).json() == {"login": "wang"}
    assert stranger.post("/api/login", json={"login": "wang", "password": GOOD}).status_code == 200
    again = stranger.post("/api/invitations/redeem", json={"code": made["code"], "password": GOOD + "!"})
    assert again.status_code == 403 and again.json()["error"] == "invitation_refused"
    with read_scope(office.engine) as session:
        assert made["code"] not in str([(row.code_hash, row.user_id) for row in session.query(Invitation)])
    boss = office.client("boss")
    user_id = office.client("fireman").get("/api/me").json()["user_id"]
    first = boss.post(f"/api/users/{user_id}/invitation").json()["code"]
    second = boss.post(f"/api/users/{user_id}/invitation").json()["code"]
    assert stranger.post("/api/invitations/redeem", json={"code": first, "password": GOOD}).status_code == 403
    clock.advance(15 * 86400)
    assert stranger.post("/api/invitations/redeem", json={"code": second, "password": GOOD}).status_code == 403


def test_guessing_codes_is_slowed_down(office: Office) -> None:
    stranger = office.client()
    answers = [
        stranger.post("/api/invitations/redeem", json={"code": f"AAAA-{n:04}", "password": GOOD}).status_code
        for n in range(80)
    ]
    assert answers[0] == 403 and 429 in answers


@pytest.mark.parametrize(
    "password",
    ["password123", "Passw0rd!!2024", "1234567890", "qwertyuiop", "aaaaaaaaaa", "admin12345", "abcabcabcabc",
     "1q2w3e4r5t", "zxcvbnm123", "woaini1314520", "Erdao2026!", "asdfghjkl;", "0987654321"],
)  # fmt: skip
def test_what_everybody_tries_first_is_common(password: str) -> None:
    assert is_common(password.lower())


@pytest.mark.parametrize("password", [GOOD, "correct horse battery", "Tk9-vRq2-mZx7", "我爱吃锅包肉和地三鲜啊"])
def test_what_a_person_made_up_is_not(password: str) -> None:
    assert not is_common(password.lower())


def test_an_old_password_is_not_taken_again_and_the_own_name_is_none(office: Office) -> None:
    client = office.client("fireman")
    words = [PASSWORD, GOOD, "seven wet green stones", "three slow black trains"]
    for old, new in itertools.pairwise(words):
        answer = client.post("/api/me/password", json={"old_password": old, "new_password": new})
        assert answer.status_code == 200, answer.text
    again = client.post("/api/me/password", json={"old_password": words[-1], "new_password": GOOD})
    assert again.status_code == 422 and again.json()["reason"] == "used_before"
    name = client.post("/api/me/password", json={"old_password": words[-1], "new_password": "fireman-2026"})
    assert name.status_code == 422 and name.json()["reason"] == "own_name"


def test_a_lost_phone_is_signed_out(office: Office) -> None:
    lost, mine = office.client("fireman"), office.client("fireman")
    devices = mine.get("/api/me/devices").json()["items"]
    assert len(devices) == 2 and sum(d["this"] for d in devices) == 1
    other = next(d["device_id"] for d in devices if not d["this"])
    assert office.client("drainer").delete(f"/api/me/devices/{other}").status_code == 404
    assert mine.delete(f"/api/me/devices/{other}").status_code == 200
    assert lost.get("/api/me").status_code == 401 and mine.get("/api/me").status_code == 200


def test_a_place_is_taken_only_on_duty_and_with_consent(office: Office) -> None:
    client, boss = office.client("fireman"), office.client("operator")
    place = {"lon": 125.4, "lat": 43.9, "accuracy_m": 8}
    assert client.post("/api/me/position", json=place).status_code == 409
    client.put("/api/me/duty", json={"on_duty": True})
    assert client.post("/api/me/position", json=place).status_code == 409
    client.put("/api/me/duty", json={"on_duty": True, "consent": True})
    assert client.post("/api/me/position", json=place).status_code == 200
    assert client.post("/api/me/position", json={**place, "lon": 999}).status_code == 422
    assert [p["name"] for p in boss.get("/api/positions").json()["items"]] == ["fireman"]
    assert client.get("/api/positions").status_code == 403
    client.put("/api/me/duty", json={"on_duty": True, "consent": False})
    assert boss.get("/api/positions").json()["items"] == []


def test_one_person_s_work_is_not_done_under_another_s_session(office: Office) -> None:
    client = office.client("fireman")
    mine, other = client.get("/api/me").json()["user_id"], office.client("drainer").get("/api/me").json()["user_id"]
    refused = client.post("/api/cases", json={"title": "x"}, headers={"X-Acting-User": other})
    assert refused.status_code == 409 and refused.json()["error"] == "wrong_person"
    assert client.post("/api/cases", json={"title": "x"}, headers={"X-Acting-User": mine}).status_code == 201


def test_classes_are_found_by_pinyin_and_initials(office: Office) -> None:
    items = office.client("fireman").get("/api/classes").json()["items"]
    assert len(items) > 50 and len({c["code"] for c in items}) == len(items)
    one = next(c for c in items if "垃圾" in c["name"])
    assert "laji" in one["pinyin"] and "lj" in one["initials"]
    assert all(c["initials"] and c["pinyin"] for c in items)


def test_closing_an_account_names_the_shifts_that_it_leaves(office: Office) -> None:
    with session_scope(office.engine) as session:
        person = session.scalars(select(User).where(User.login == "fireman")).one()
        user_id, department = person.user_id, str(person.department_id)
        planner = Actor("boss", "Boss", ("admin",))
        add_shift(session, planner, department, user_id, NOW - timedelta(days=2), NOW - timedelta(days=1))
        coming = add_shift(session, planner, department, user_id, NOW + timedelta(days=1), NOW + timedelta(days=2))
    boss = office.client("boss")
    assert boss.patch(f"/api/users/{user_id}", json={"name": "Fire"}).json() == {"ok": True, "shifts": []}
    answer = boss.patch(f"/api/users/{user_id}", json={"active": False}).json()
    assert [s["shift_id"] for s in answer["shifts"]] == [coming]  # what is over is not named
    assert boss.patch(f"/api/users/{user_id}", json={"active": False}).json()["shifts"] == []  # it was closed before
    visit = Visit(None, office.app.state.services, "en")  # type: ignore[arg-type]
    page = str([part.to_plotly_json() for part in shifts_left(visit, "Fire", answer["shifts"])])
    assert "2026-06-06 11:00" in page and "2026-06-07 11:00" in page and "Fire" in page
