"""The item catalogue over the API: rights by role, two people, diffs, problem lists, workbooks."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import openpyxl
import pytest

from core.clock import ManualClock
from core.settings import Settings, load_settings
from dashboard.accounts.users import add_user
from records.items.generating import basics, duty_lines, item_of
from records.registers.definition import shipped_registers
from storage.session import session_scope
from storage.tables.people import User
from tests.unit.dashboard.web import _HASH, Office, make_office

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
FIRE = "dept-fire"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    settings: Settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path_factory.mktemp("items"))})
    office = make_office(settings, ManualClock(NOW))
    with session_scope(office.engine) as session:
        for login, roles, department in (("chief", ["manager"], FIRE), ("viewer", ["viewer"], "dept-command")):
            user = add_user(session, login=login, name=login, roles=roles, department_id=department)
            session.flush()
            session.get_one(User, user.user_id).password_hash = _HASH
    heads = [field.name for field in shipped_registers()["duty"].fields]
    lines = ["\t".join(heads), *("\t".join(str(line.get(h, "")) for h in heads) for line in duty_lines(40))]
    sent = "\n".join(lines).encode()
    taken = office.client("boss").post("/api/registers/duty/import?dry_run=false&name=d.tsv", content=sent)
    assert taken.status_code == 200 and taken.json()["created"] == 40, taken.text
    yield office
    office.engine.dispose()


def _item(number: int, level: str = "4") -> dict[str, object]:
    return item_of(basics()[number], level, "消防救援大队", 300 + number)


def test_an_item_from_draft_to_release_by_role(office: Office) -> None:
    maker, chief, boss = office.client("fireman"), office.client("chief"), office.client("boss")
    sent = {"data": _item(0), "department_id": FIRE}
    assert office.client("drainer").post("/api/items", json=sent).status_code == 403
    assert office.client("inspector").post("/api/items", json=sent).status_code == 403
    made = maker.post("/api/items", json=sent)
    assert made.status_code == 201, made.text
    path = f"/api/items/{made.json()['item_id']}"
    assert office.client("drainer").get(path).status_code == 404
    assert maker.post("/api/items", json=sent).status_code == 422  # the code is in the catalogue already
    assert maker.get(path).json()["allowed"] == ["save", "submit"]
    assert maker.post(f"{path}/state", json={"action": "publish"}).status_code == 403
    assert maker.post(f"{path}/state", json={"action": "dance"}).status_code == 422
    assert maker.post(f"{path}/state", json={"action": "submit"}).json()["state"] == "review"
    assert maker.put(path, json={"values": {"remark": "x"}}).status_code == 409
    assert chief.get(path).json()["allowed"] == ["approve", "refuse"]
    assert chief.post(f"{path}/state", json={"action": "approve"}).json()["state"] == "approved"
    done = boss.post(f"{path}/state", json={"action": "publish", "valid_from": "2026-12-01"})
    assert done.json()["state"] == "published", done.text
    seen = office.client("drainer").get(path).json()
    assert (seen["state"], seen["problems"], seen["allowed"]) == ("published", [], [])
    assert len(seen["elements"]) == 65 and seen["versions"][0]["valid_from"] == "2026-12-01"
    changed = maker.put(path, json={"values": {"promise_day": 6}, "version": 1})
    assert changed.json() == {"item_id": made.json()["item_id"], "version": 2, "state": "draft"}
    assert maker.put(path, json={"values": {"promise_day": 7}, "version": 1}).status_code == 409
    [line] = maker.get(f"{path}/diff?old=1&new=2").json()["items"]
    assert (line["element"], line["old"], line["new"]) == ("promise_day", "8", "6")


def test_what_the_duty_list_lacks_is_not_released(office: Office) -> None:
    boss, chief = office.client("boss"), office.client("chief")
    made = chief.post("/api/items", json={"data": _item(50), "department_id": FIRE})
    path = f"/api/items/{made.json()['item_id']}/state"
    chief.post(path, json={"action": "submit"})
    assert chief.post(path, json={"action": "approve"}).json()["error"] == "same_person"
    boss.post(path, json={"action": "approve"})
    refused = boss.post(path, json={"action": "publish"})
    assert refused.status_code == 409 and refused.json()["error"] == "item_not_releasable"
    assert boss.get(path.removesuffix("/state")).json()["allowed"] == ["publish", "refuse"]
    back = boss.post(path, json={"action": "refuse", "note": "不在权责清单内"})  # else it stays for ever
    assert back.json()["state"] == "refused"
    assert chief.put(path.removesuffix("/state"), json={"values": {"promise_day": 4}}).json()["state"] == "draft"


def test_a_bad_item_fills_the_problem_list_of_its_department(office: Office) -> None:
    maker, boss = office.client("fireman"), office.client("boss")
    made = maker.post("/api/items", json={"data": {**_item(5), "link_way": "81234567"}, "department_id": FIRE})
    assert office.client("drainer").post("/api/items/checks").status_code == 200  # its own, of which there are none
    assert office.client("inspector").post("/api/items/checks").status_code in (200, 403)
    run = boss.post("/api/items/checks").json()
    assert run["items"] >= 1 and run["found"] >= 1
    listed = maker.get(f"/api/items/problems?department={FIRE}").json()
    assert ("R15", "supervise_way") in {(p["rule"], p["element"]) for p in listed["items"]}
    assert office.client("drainer").get(f"/api/items/problems?department={FIRE}").status_code == 403
    assert maker.get("/api/items/problems").status_code == 403
    numbers = maker.get("/api/items/departments").json()
    assert [d["department_id"] for d in numbers["items"]] == [FIRE] and numbers["items"][0]["blocking"] >= 1
    one = f"/api/items/{made.json()['item_id']}/problems"
    sent = {"element": "supervise_way", "rule": "R15", "note": "电话由总机转接"}
    assert maker.post(one, json=sent).status_code == 403
    assert boss.post(one, json=sent).status_code == 422  # it blocks


def test_files_are_tried_taken_and_written(office: Office) -> None:
    maker = office.client("fireman")
    records = [{**_item(n), "dept_name": FIRE} for n in (10, 11)]
    body = json.dumps(records, ensure_ascii=False).encode()
    tried = maker.post("/api/items/import?name=i.json", content=body).json()
    assert (tried["dry_run"], tried["created"], tried["refused"]) == (True, 2, [])
    taken = maker.post("/api/items/import?name=i.json&dry_run=false", content=body).json()
    assert taken["created"] == 2
    assert maker.post("/api/items/import?name=i.json&dry_run=false&in_force=true", content=body).status_code == 403
    assert maker.post("/api/items/import?name=i.json", content=b"{").status_code == 422
    book = openpyxl.load_workbook(io.BytesIO(maker.get("/api/items.xlsx?state=draft").content))
    assert book["事项"]["A1"].value == "事项名称" and book["事项"].max_row >= 3
    again = maker.post("/api/items/import?name=i.xlsx", content=maker.get("/api/items.xlsx").content).json()
    assert (again["created"], again["changed"]) == (0, 0)


@pytest.mark.parametrize("query", ["level=9", "state=gone", "limit=0", "offset=-1"])
def test_a_wrong_item_filter_is_refused(office: Office, query: str) -> None:
    assert office.client("boss").get(f"/api/items?{query}").status_code == 422


def test_lists_are_for_those_who_are_signed_in(office: Office) -> None:
    assert office.client().get("/api/items").status_code == 401
    seen = office.client("viewer").get("/api/items?q=spjyxk").json()
    assert seen["total"] >= 1 and all(line["name"].startswith("食品经营许可") for line in seen["items"])
