"""Departments and staff are taken over from a directory: all or nothing, nobody twice, no administrator closed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from core.errors import SettingsError
from core.settings import Settings
from dashboard.identity.directory.config import DirectoryConfig, at, read_directory
from dashboard.identity.directory.plan import MINE, DirectoryPerson, KnownAccount, Ours, make_plan
from storage.session import read_scope
from storage.tables.accounts import ExternalIdentity
from storage.tables.cases import AuditEntry
from storage.tables.people import User, UserRole
from storage.tables.registry import Department
from tests.unit.dashboard.identity.scim import TOKEN, ScimDirectory, scim_directory
from tests.unit.dashboard.web import Office, make_office

ROLES = {"处置": ["staff"], "核查": ["inspector"]}


@pytest.fixture
def scim() -> Iterator[ScimDirectory]:
    with scim_directory() as made:
        yield made


@pytest.fixture
def office(settings: Settings, scim: ScimDirectory) -> Iterator[Office]:
    configured(settings, scim)
    made = make_office(settings)
    yield made
    made.engine.dispose()


def configured(settings: Settings, scim: ScimDirectory, **more: Any) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    config = {"url": scim.url, "token": TOKEN, "issuer": "https://id.example", "roles": ROLES,
              "departments": {"path": "/Groups"}, "page_size": 50} | more  # fmt: skip
    (settings.data_dir / "directory.json").write_text(json.dumps(config))


def sync(office: Office, *, dry_run: bool = False) -> dict[str, Any]:
    answer = office.client("boss").post("/api/directory/sync", json={"dry_run": dry_run})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def people(office: Office) -> dict[str, User]:
    with read_scope(office.engine) as session:
        return {u.login: u for u in session.scalars(select(User))}


def test_people_come_move_and_leave(office: Office, scim: ScimDirectory) -> None:
    scim.groups = [
        {"id": "dept-food", "displayName": "餐饮科", "parent": "dept-market"},
        {"id": "dept-market", "displayName": "市场监管局"},
    ]  # fmt: skip
    for n in range(120):  # three pages
        scim.user(f"s-{n}", f"m{n:04}", f"王{n}", "dept-food", roles=[{"value": "处置"}])
    scim.user("s-f", "fireman", "消防员", "dept-fire", roles=[{"value": "处置"}, {"value": "没有的"}])
    assert sync(office, dry_run=True)["counts"] == {"department_new": 2, "new": 120, "change": 1}
    assert "m0001" not in people(office)
    done = sync(office)
    assert done["people"] == 121 and [p["code"] for p in done["problems"]] == ["role_unknown"]
    found = people(office)
    assert found["m0007"].department_id == "dept-food" and found["fireman"].source == MINE
    with read_scope(office.engine) as session:
        assert session.get_one(Department, "dept-food").parent_id == "dept-market"
        roles = session.scalars(select(UserRole.role).where(UserRole.user_id == found["m0007"].user_id)).all()
        identity = session.scalars(select(ExternalIdentity).where(ExternalIdentity.subject == "s-7")).one()
        assert roles == ["staff"] and identity.user_id == found["m0007"].user_id  # logs in by the provider at once
    again = sync(office)
    assert again["counts"] == {} and again["unchanged"] == 121
    scim.users = [u for u in scim.users if u["id"] not in ("s-1", "s-2")]
    scim.users[0]["active"] = False
    scim.users[5]["roles"] = [{"value": "核查"}]
    assert sync(office)["counts"] == {"close": 3, "change": 1}
    after = people(office)
    assert [after[n].active for n in ("m0000", "m0001", "m0002", "m0003")] == [False, False, False, True]
    scim.users[0]["active"] = True
    assert sync(office)["counts"] == {"open": 1}
    with read_scope(office.engine) as session:
        kept = session.scalars(select(AuditEntry).where(AuditEntry.action == "directory_sync")).all()
        assert len(kept) == 4 and "王7" in json.dumps(kept[0].body, ensure_ascii=False)
        assert kept[0].body["steps"][3]["facts"] == ["department_id", "division_code", "name", "phone", "roles"]
    assert office.client("boss").get("/api/directory").json()["last"]["counts"] == {"open": 1}


def test_half_a_directory_changes_nothing(office: Office, scim: ScimDirectory) -> None:
    for n in range(120):
        scim.user(f"s-{n}", f"m{n:04}", f"王{n}")
    scim.breaks_after = 100
    answer = office.client("boss").post("/api/directory/sync", json={"dry_run": False})
    assert answer.status_code == 502 and answer.json()["error"] == "directory_away"
    assert "m0001" not in people(office)
    scim.breaks_after = None
    sync(office)
    scim.users = scim.users[:60]  # half of the staff gone over night
    held = sync(office)
    assert held["counts"] == {} and held["problems"][-1] == {
        "code": "held_back", "at": "", "values": {"closing": 60, "most": 12},
    }  # fmt: skip
    scim.users = []
    assert sync(office)["counts"] == {}
    assert all(u.active for u in people(office).values())


def test_rows_that_cannot_be_taken_over_are_told_and_close_nobody(office: Office, scim: ScimDirectory) -> None:
    scim.user("s-1", "fireman", "消防员", "dept-fire")
    scim.user("s-b", "boss", "局长", "dept-command")
    sync(office)
    scim.users.clear()
    scim.user("s-1", "fireman", "消防员", "dept-unknown")
    scim.user("s-9", "boss", "别人")  # another person under the administrator's login
    scim.user("s-b", "boss2", "局长", active=False)
    scim.user("s-3", "twice", "甲")
    scim.user("s-3", "twice2", "乙")
    scim.user("s-4", "空 格", "丙")
    scim.users.append({"userName": "nobody"})
    done = sync(office)
    codes = [p["code"] for p in done["problems"]]
    assert codes == ["department_unknown", "login_taken", "administrator_left", "person_twice", "person_twice",
                     "person_bad", "person_bad"]  # fmt: skip
    assert done["counts"] == {} and all(u.active for u in people(office).values())


def test_what_a_person_closed_a_directory_does_not_open(office: Office, scim: ScimDirectory) -> None:
    scim.user("s-1", "fireman", "消防员", "dept-fire")
    sync(office)
    user_id = people(office)["fireman"].user_id
    assert office.client("boss").patch(f"/api/users/{user_id}", json={"active": False}).status_code == 200
    assert sync(office)["counts"] == {} and not people(office)["fireman"].active
    fireman = office.client("operator").post("/api/directory/sync", json={"dry_run": True})
    assert fireman.status_code == 403


def test_a_directory_gives_no_power_and_needs_https(settings: Settings, scim: ScimDirectory) -> None:
    for wrong in ({"roles": {"x": ["admin"]}}, {"url": "http://10.0.0.1/scim"}, {"default_roles": ["king"]}):
        configured(settings, scim, **wrong)
        with pytest.raises(SettingsError):
            read_directory(settings.data_dir)


def test_pointers_find_what_stands_there() -> None:
    row = {"a": [{"b/c": 1}], "urn:x:2.0:User": {"d~e": "f"}}
    assert at(row, "/a/0/b~1c") == 1 and at(row, "/urn:x:2.0:User/d~0e") == "f" and at(row, "") == row
    assert at(row, "/a/1") is at(row, "/a/x/y") is at(row, "/none") is None


ids = st.sampled_from(["s1", "s2", "s3", ""])
logins = st.sampled_from(["a", "b", "c", "x y"])
rows = st.builds(DirectoryPerson, at=st.just("r"), subject=ids, login=logins, name=st.sampled_from(["n", ""]),
                 active=st.booleans(), department=st.sampled_from(["", "d", "gone"]))  # fmt: skip
accounts = st.builds(
    KnownAccount, user_id=st.just(""), login=logins.filter(lambda v: " " not in v), name=st.just("n"),
    active=st.booleans(), department=st.just(""), division=st.just(""), phone=st.just(""),
    source=st.sampled_from(["", MINE]),
    roles=st.just(frozenset({"staff"})), subject=ids, power=st.booleans(),
)  # fmt: skip


@given(st.lists(rows, max_size=5), st.lists(accounts, max_size=3, unique_by=lambda a: a.login))
def test_nobody_is_changed_twice_and_no_administrator_is_closed(
    there: list[DirectoryPerson], here: list[KnownAccount]
) -> None:
    known = [KnownAccount(**{f: getattr(a, f) for f in KnownAccount.__struct_fields__} | {"user_id": f"u-{a.login}"})
             for a in here]  # fmt: skip
    used: set[str] = set()
    known = [a for a in known if not a.subject or (a.subject not in used and not used.add(a.subject))]  # type: ignore[func-returns-value]
    ours = Ours(accounts=tuple(known), departments={"d": ("D", "")}, divisions=frozenset())
    config = DirectoryConfig(url="https://d.example", issuer="https://id.example")
    plan = make_plan(config, there, [], ours)
    keys = [step.key for step in plan.steps]
    assert len(keys) == len(set(keys))
    power = {a.user_id for a in known if a.power}
    assert not [step for step in plan.steps if step.kind == "close" and step.key in power]
    assert len(plan.steps) + len([p for p in plan.problems if p.at]) + plan.unchanged >= len(there) - len(
        [p for p in plan.problems if p.code == "role_unknown"]
    )
