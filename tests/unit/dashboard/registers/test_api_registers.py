"""Registers and filing over the API: rights, masks, reasons, corrections, approvals, workbooks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime

import openpyxl
import pytest
from sqlalchemy import select

from core.clock import ManualClock
from core.sealing import Seal
from core.settings import Settings, load_settings
from dashboard.accounts.users import add_user
from events.evidence.audit_log import SYSTEM_CHAIN, check_chain
from events.evidence.audit_log import as_dict as link
from records.filing.ledger_example import ledger_body, write_ledger_units
from records.filing.store import take_dataset
from records.filing.tree import save_units
from records.registers.generating import rows
from storage.session import read_scope, session_scope
from storage.tables.cases import AuditEntry
from storage.tables.filing import FilingUnit
from storage.tables.people import User
from storage.tables.registry import Division
from tests.unit.dashboard.web import _HASH, Office, make_office
from tests.unit.records.registry import COMMUNITIES, PERSON, csv_of
from tests.unit.records.test_filing import BODY

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
HERE, THERE = COMMUNITIES[0][0], COMMUNITIES[4][0]
PEOPLE = list(rows(PERSON, COMMUNITIES, 60))
UNITS: list[tuple[str, str, str | None]] = [
    ("220105", "区", None), (HERE[:9], "甲镇", "220105"),
    (HERE, "一村", HERE[:9]), (COMMUNITIES[1][0], "二村", HERE[:9]),
]  # fmt: skip


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    settings: Settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path_factory.mktemp("registers"))})
    office = make_office(settings, ManualClock(NOW))
    with session_scope(office.engine) as session:
        for code in (HERE[:9], *(c for c, _, _ in COMMUNITIES)):
            session.add(Division(code=code, name=f"社区{code[-6:]}", level="community"))
        session.flush()
        for login, division in (("grid", HERE), ("other", THERE), ("town", HERE[:9])):
            user = add_user(session, login=login, name=login, roles=["grid_worker"], division_code=division)
            session.flush()
            session.get_one(User, user.user_id).password_hash = _HASH
        save_units(session, UNITS)
        take_dataset(session, BODY, NOW, "test")
    client = office.client("boss")
    answer = client.post("/api/registers/person/import?dry_run=false&name=p.csv", content=csv_of(PEOPLE))
    assert answer.status_code == 200 and answer.json()["created"] == 60, answer.text
    yield office
    office.engine.dispose()


def _first(office: Office, login: str = "boss", division: str = HERE) -> dict[str, object]:
    items = office.client(login).get(f"/api/registers/person/records?division={division}").json()["items"]
    found: dict[str, object] = items[0]
    return found


def test_a_list_is_masked_filtered_and_counted(office: Office) -> None:
    client = office.client("boss")
    shown = client.get(f"/api/registers/person/records?division={HERE}&limit=5").json()
    expected = [p for p in PEOPLE if p["division"] == HERE]
    assert shown["total"] == len(expected) and len(shown["items"]) == min(5, len(expected))
    whole = client.get("/api/registers/person/records?limit=200").text
    assert not any(p["id_number"] in whole or p["phone"] in whole for p in PEOPLE)
    found = client.get(f"/api/registers/person/records?q={PEOPLE[7]['id_number']}").json()["items"]
    assert [item["name"] for item in found] == [PEOPLE[7]["name"]]


@pytest.mark.parametrize("query", ["division=x", "division=2201050010010019", "limit=0", "bbox=1", "offset=-1"])
def test_a_wrong_filter_is_refused(office: Office, query: str) -> None:
    assert office.client("boss").get(f"/api/registers/person/records?{query}").status_code == 422


def test_grid_workers_see_their_own_community_only(office: Office) -> None:
    grid = office.client("grid")
    items = grid.get("/api/registers/person/records?limit=200").json()
    assert {item["division_code"] for item in items["items"]} == {HERE}
    record = _first(office)["record_id"]
    assert grid.get(f"/api/records/{record}").status_code == 200
    assert office.client("other").get(f"/api/records/{record}").status_code == 404
    assert office.client("fireman").get("/api/registers/person/records").status_code == 404
    assert office.client().get("/api/registers").status_code == 401
    cells = grid.get("/api/registers/person/cells?division=220105").json()["items"]
    assert {c["grid_code"][:12] for c in cells} == {HERE}


def test_numbers_are_shown_for_a_reason_that_stays_in_the_chain(office: Office) -> None:
    record = _first(office)["record_id"]
    grid = office.client("grid")
    path = f"/api/records/{record}/unmask"
    assert grid.post(path, json={"fields": ["phone"], "reason": ""}).status_code == 422
    assert office.client("other").post(path, json={"fields": ["phone"], "reason": "走访核实"}).status_code == 404
    answer = grid.post(path, json={"fields": ["phone"], "reason": "走访核实"})
    assert answer.status_code == 200
    assert answer.json()["values"]["phone"] in {p["phone"] for p in PEOPLE}
    assert answer.headers["Cache-Control"] == "no-store"
    with read_scope(office.engine) as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.chain_id == SYSTEM_CHAIN).order_by(AuditEntry.seq)
        )
        links = [link(entry) for entry in entries]
    assert list(check_chain(links)) == []
    assert [e["action"] for e in links if e["action"] == "record_unmask"] == ["record_unmask"]


def test_a_correction_goes_from_the_field_to_the_office(office: Office) -> None:
    record = _first(office)["record_id"]
    grid, boss = office.client("grid"), office.client("boss")
    sent = {"request_id": "c-1", "changes": {"phone": "12012345678"}, "reason": "换号"}
    for _ in range(2):
        assert grid.post(f"/api/records/{record}/changes", json=sent).status_code == 201
    assert [i["request_id"] for i in boss.get("/api/record-changes").json()["items"]] == ["c-1"]
    assert "12012345678" not in boss.get("/api/record-changes").text
    assert grid.post("/api/record-changes/c-1", json={"accept": True}).status_code == 403
    assert boss.post("/api/record-changes/c-1", json={"accept": True}).json()["state"] == "accepted"
    lines = boss.get(f"/api/records/{record}").json()["history"]
    assert lines[0]["field"] == "phone" and lines[0]["hidden"] is True


def test_a_visit_is_noted_once(office: Office) -> None:
    grid = office.client("grid")
    due = grid.get("/api/visits").json()["items"]
    assert all(item["division_code"] == HERE for item in due)
    record = _first(office)["record_id"]
    sent = {"visit_id": "v-1", "result": "met"}
    assert grid.post(f"/api/records/{record}/visits", json=sent).status_code == 201
    assert grid.post(f"/api/records/{record}/visits", json={"visit_id": "v-2", "result": "?"}).status_code == 422


def test_import_tries_first_and_needs_the_right(office: Office) -> None:
    body = csv_of([{**PEOPLE[0], "phone": "x"}])
    assert office.client("grid").post("/api/registers/person/import?dry_run=true", content=body).status_code == 403
    answer = office.client("boss").post("/api/registers/person/import", content=body).json()
    assert answer["dry_run"] is True and answer["refused"] == 1
    assert {"file", "sheet", "row", "field", "what", "remedy"} <= set(answer["problems"][0])


def test_an_export_names_its_reason(office: Office) -> None:
    boss = office.client("boss")
    assert boss.post("/api/registers/person/export", json={"reason": ""}).status_code == 422
    answer = boss.post("/api/registers/person/export", json={"reason": "人口普查核对", "division": HERE})
    assert len(answer.text.strip().splitlines()) == 1 + sum(p["division"] == HERE for p in PEOPLE)
    assert not any(p["phone"] in answer.text for p in PEOPLE)


def _path(unit: str = HERE, period: str = "2026-11") -> str:
    return f"/api/filing/poultry/units/{unit}/{period}"


def test_a_village_files_a_town_approves_and_returns(office: Office) -> None:
    village, town, stranger = office.client("grid"), office.client("town"), office.client("other")
    assert stranger.get(_path()).status_code == 404
    assert village.put(_path(), json={"values": {"due": 3, "done": 5}}).json()["state"] == "saved"
    refused = village.post(_path() + "/state", json={"action": "submit"})
    assert refused.status_code == 409 and refused.json()["problems"][0]["code"] == "more-than-due"
    version = village.put(_path(), json={"values": {"done": 2}}).json()["version"]
    assert village.put(_path(), json={"values": {"done": 3}, "version": version - 1}).status_code == 409
    assert village.post(_path() + "/state", json={"action": "submit"}).json()["state"] == "filed"
    assert village.post(_path() + "/state", json={"action": "approve"}).status_code == 403
    assert town.put(_path(), json={"values": {"done": 3}}).status_code == 403
    assert town.post(_path() + "/state", json={"action": "approve"}).json()["state"] == "approved"
    assert village.put(_path(), json={"values": {"done": 3}}).status_code == 409
    assert town.get(_path(HERE[:9])).json()["state"] == "partial"  # as its cell of the matrix
    totals = town.post(_path(HERE[:9]) + "/totals").json()["totals"]
    assert totals["due"]["value"] == 3 and totals["due"]["missing"] == [COMMUNITIES[1][0]]
    assert town.post(_path() + "/state", json={"action": "take_back"}).status_code == 200
    assert town.post(_path() + "/state", json={"action": "return", "note": "改正"}).json()["state"] == "returned"
    assert town.get(_path(HERE[:9]) + "/totals").json()["totals"]["due"]["stale"] is True
    parts = town.get(_path(HERE[:9]) + "/totals/due").json()["items"]
    assert [part["state"] for part in parts] == ["returned", "open"]
    matrix = town.get("/api/filing/poultry/matrix?periods=2026-10,2026-11").json()
    assert [row["unit"] for row in matrix["rows"]] == [HERE[:9], HERE, COMMUNITIES[1][0]]


def test_a_workbook_goes_down_and_up(office: Office) -> None:
    town, unit = office.client("boss"), COMMUNITIES[1][0]
    answer = town.get(_path(unit, "2026-10") + "/sheet.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    book.worksheets[0]["C3"], book.worksheets[0]["D3"] = 12, 11
    out = io.BytesIO()
    book.save(out)
    taken = town.post("/api/filing/poultry/periods/2026-10/sheet", content=out.getvalue())
    assert taken.json() == {"units": [unit], "found": [unit], "problems": []}
    assert town.get(_path(unit, "2026-10")).json()["values"] == {"due": 12, "done": 11}
    assert town.post("/api/filing/poultry/periods/2026-10/sheet", content=b"x").status_code == 422


@pytest.mark.parametrize(
    "path",
    ["nothing/units/220105/2026-11", f"poultry/units/{HERE}/2026-13", "poultry/units/9/2026-11", "poultry/matrix"],
)
def test_what_is_not_there_is_said(office: Office, path: str) -> None:
    assert office.client("boss").get(f"/api/filing/{path}").status_code in (404, 422)


def test_the_key_of_the_records_is_made_once(office: Office) -> None:
    again = load_settings({"YIWANG_DATA_DIR": str(office.settings.data_dir)})
    assert again.records_key == office.settings.records_key
    Seal(again.records_key)


def test_my_grid_is_the_own_division_and_the_least_of_each_record(office: Office) -> None:
    grid = office.client("grid")
    mine = grid.get("/api/me/grid").json()
    person = next(one for one in mine["registers"] if one["register_id"] == "person")
    own = [p for p in PEOPLE if p["division"] == HERE]
    assert mine["division"] == HERE and person["count"] == len(own)
    assert [q["name"] for q in person["visit_form"]["questions"]][0] == "result"
    answer = grid.get("/api/me/grid/person")
    assert answer.headers["Cache-Control"] == "no-store"
    items = answer.json()["items"]
    assert {item["division_code"] for item in items} == {HERE} and len(items) == len(own)
    assert not any(p["phone"] in answer.text or p["id_number"] in answer.text for p in PEOPLE)
    assert "care" not in answer.text and "health" not in answer.text
    assert office.client("other").get("/api/me/grid").json()["division"] == THERE
    assert office.client("boss").get("/api/me/grid").json()["registers"] == []
    assert grid.get("/api/me/grid/nothing").status_code == 404
    found = grid.get(f"/api/me/grid/person?q={own[0]['name']}").json()["items"]
    assert own[0]["name"] in {item["name"] for item in found}


def test_a_visit_made_yesterday_without_a_network_counts_from_yesterday(office: Office) -> None:
    grid, record = office.client("grid"), _of_somebody_alone(office)
    told = {"at": "2026-11-27T02:00:00Z", "phone_now": "2026-11-28T02:00:00Z"}
    sent = {"visit_id": "late-1", "result": "met", "answers": {"health": "good"}, "told": told}
    first = grid.post(f"/api/records/{record}/visits", json=sent).json()
    again = grid.post(f"/api/records/{record}/visits", json={**sent, "result": "exception"}).json()
    assert first["next_due"] == again["next_due"] == "2026-12-04" and again["case_id"] is None
    assert office.client("boss").post(f"/api/records/{record}/visits", json=sent).status_code == 422, "not boss's id"
    wrong = grid.post(f"/api/records/{record}/visits", json={**sent, "visit_id": "v-9", "answers": {"health": "?"}})
    assert wrong.status_code == 422 and wrong.json()["field"] == "health"
    unknown = {**sent, "visit_id": "v-10", "answers": {"nothing": 1}}
    assert grid.post(f"/api/records/{record}/visits", json=unknown).status_code == 422


def test_an_exception_opens_a_case_that_names_nobody(office: Office) -> None:
    grid, record = office.client("grid"), _of_somebody_alone(office)
    sent = {"visit_id": "ex-1", "result": "exception", "answers": {"note": "燃气味"}}
    case_id = grid.post(f"/api/records/{record}/visits", json=sent).json()["case_id"]
    case = office.client("boss").get(f"/api/cases/{case_id}").json()["case"]
    name = office.client("boss").get(f"/api/records/{record}").json()["name"]
    assert "走访异常" in case["title"] and name not in case["title"]
    assert grid.post(f"/api/records/{record}/visits", json=sent).json()["case_id"] is None


def test_a_correction_of_what_was_changed_meanwhile_is_refused_by_name(office: Office) -> None:
    grid, boss, record = office.client("grid"), office.client("boss"), _of_somebody_alone(office)
    seen = grid.get(f"/api/records/{record}").json()["version"]
    for number, work in enumerate(("保洁", "保安")):
        sent = {"request_id": f"meet-{number}", "changes": {"work": work}, "reason": "走访", "seen_version": seen}
        assert grid.post(f"/api/records/{record}/changes", json=sent).status_code == 201
    assert boss.post("/api/record-changes/meet-0", json={"accept": True}).status_code == 200
    second = boss.post("/api/record-changes/meet-1", json={"accept": True})
    assert second.status_code == 422 and second.json()["field"] == "work"


def _of_somebody_alone(office: Office) -> str:
    """A person of the grid worker's community who is visited every week."""
    client = office.client("boss")
    alone = {**PEOPLE[0], "id_number": "", "name": "独居甲", "care": "elderly_alone", "division": HERE, "grid": ""}
    body = csv_of([alone])
    known = client.get(f"/api/registers/person/records?q=独居甲&division={HERE}").json()["items"]
    if not known:
        answer = client.post("/api/registers/person/import?dry_run=false&good_rows=true&name=o.csv", content=body)
        assert answer.json()["created"] == 1, answer.text
        known = client.get(f"/api/registers/person/records?q=独居甲&division={HERE}").json()["items"]
    return str(known[0]["record_id"])


def test_a_task_ledger_shows_each_department_its_own_lights(office: Office) -> None:
    with session_scope(office.engine) as session:
        write_ledger_units(session)
        take_dataset(session, ledger_body(), NOW, "test")
        user = add_user(session, login="bureau", name="bureau", roles=["staff"], department_id="dept-fire")
        session.flush()
        session.add(FilingUnit(unit_id="dept-fire", name="消防", parent_id="ledger"))
        body = {**ledger_body(), "id": "fire-ledger", "units": ["dept-fire"], "rollup": {}}
        body["targets"] = {"t01": {"units": {"dept-fire": 120}}, "t02": {"units": {"ledger-01": 5}}}
        take_dataset(session, body, NOW, "test")
        session.get_one(User, user.user_id).password_hash = _HASH
    bureau = office.client("bureau")
    path = "/api/filing/fire-ledger/units/dept-fire/2026-10"
    assert bureau.put(path, json={"values": {"t01": 100}}).status_code == 200
    found = bureau.get("/api/filing/fire-ledger/ledger/2026-10").json()
    assert [row["question"] for row in found["rows"]] == ["t01"] and found["counts"]["green"] == 1
    assert found["rows"][0]["cells"]["dept-fire"]["planned"] == 100 and found["units"][0]["signed"] is False
    assert bureau.put("/api/filing/fire-ledger/units/ledger-01/2026-10", json={"values": {"t02": 1}}).status_code == 404
    assert office.client("boss").get("/api/filing/poultry/ledger/2026-10").status_code == 404
    assert office.client("boss").get("/api/filing/fire-ledger/ledger/2026-13").status_code == 422
    rows = office.client("boss").get("/api/filing/example-ledger/matrix?periods=2026-10").json()["rows"]
    assert rows[0]["unit"] == "ledger"
