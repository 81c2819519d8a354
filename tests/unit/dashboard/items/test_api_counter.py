"""The counter and life events over the API: merged form, prefill by right, papers, cases with their clocks, queue."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from core.clock import ManualClock
from core.records import SYSTEM
from core.settings import Settings, load_settings
from dashboard.accounts.users import add_user
from dashboard.reception.guides import public_guides
from records.items.bundles import offered_items, shipped_bundles
from records.items.catalogue import ItemDesk
from records.items.generating import basics, item_of
from records.items.reading import ReadItems
from records.items.taking import take_items
from records.registers.invented import credit_number, resident_number
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseClock
from storage.tables.people import User
from storage.tables.records import RecordAccess
from storage.tables.registry import Division
from tests.unit.dashboard.web import _HASH, Office, make_office

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)  # a Thursday, 10:00 in Beijing
DEPARTMENT = "dept-fire"
CODE = credit_number(7)
PERSON = resident_number(datetime(1980, 5, 1, tzinfo=UTC).date(), 12)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    settings: Settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path_factory.mktemp("counter"))})
    office = make_office(settings, ManualClock(NOW))
    with session_scope(office.engine) as session:
        session.add(Division(code="220105001", name="东盛街道", level="street", parent_code="220105"))
        session.flush()
        session.add(Division(code="220105001001", name="一社区", level="community", parent_code="220105001"))
        user = add_user(session, login="chief", name="chief", roles=["manager"], department_id=DEPARTMENT)
        session.flush()
        session.get_one(User, user.user_id).password_hash = _HASH
        records = [item_of(basics()[n], "4", DEPARTMENT, 301) for n in range(30)]
        read = ReadItems(tuple((str(r["handling"]), r) for r in records))
        desk = ItemDesk(SYSTEM, NOW, lambda basic: True)
        take_items(session, desk, read, {DEPARTMENT: DEPARTMENT}, source="test", in_force=True)
        bodies = shipped_bundles(offered_items(session, NOW.date(), frequent=True))
    boss = office.client("boss")
    for body in bodies:
        name = body.pop("bundle_id")
        assert boss.put(f"/api/bundles/{name}", json=body).status_code == 200
        assert boss.post(f"/api/bundles/{name}/state", json={"state": "published"}).status_code == 200
    lines = f"code,name,legal_person,phone,division\n{CODE},春风小饭馆,张三,12012345678,220105001001\n"
    boss.post("/api/registers/enterprise/import?dry_run=false&name=e.csv&good=true", content=lines.encode())
    papers = (
        f"number,name,kind,holder,holder_code,status,until\nLIC-1,营业执照,主体,春风小饭馆,{CODE},valid,2030-01-01\n"
    )
    boss.post("/api/registers/licence/import?dry_run=false&name=l.csv&good=true", content=papers.encode())
    yield office
    office.engine.dispose()


def _offer(office: Office, name: str) -> dict[str, Any]:
    offers = office.client("fireman").get("/api/counter/offers").json()["items"]
    found: dict[str, Any] = next(o for o in offers if o["name"] == name)
    return found


def _answers(form: dict[str, Any]) -> dict[str, Any]:
    """Something that fits each question."""
    known = {"applicant_id_number": PERSON, "enterprise_code": CODE, "applicant_phone": "12012345678"}
    found: dict[str, Any] = {}
    for question in form["questions"]:
        name, kind = question["name"], question["type"]
        if name in known:
            found[name] = known[name]
        elif kind == "select_one":
            found[name] = form["choices"][question["list"]][0]["name"]
        else:
            found[name] = {"integer": 3, "decimal": 12.5, "date": "2026-12-01"}.get(kind, f"答{name[:20]}")
    return found


def _application(office: Office, offer: dict[str, Any], **more: Any) -> dict[str, Any]:
    asked = {"kind": offer["kind"], "key": offer["key"]}
    shown = office.client("fireman").get("/api/counter/form", params=asked).json()
    papers = {p["name"]: {"from": "applicant"} for p in shown["papers"] if not p["made_by"]}
    return {**asked, "answers": _answers(shown["form"]), "papers": papers, **more}


def test_the_counter_offers_thirty_items_and_the_life_events(office: Office) -> None:
    offers = office.client("fireman").get("/api/counter/offers").json()["items"]
    assert sum(o["kind"] == "item" for o in offers) == 30 and sum(o["kind"] == "bundle" for o in offers) == 4
    assert _offer(office, "小餐饮经营许可")["initials"] == "xcyjyxk"
    for login in ("inspector", "operator"):
        assert office.client(login).get("/api/counter/offers").status_code == 403
    assert office.client().get("/api/counter/offers").status_code == 401


def test_a_single_item_is_accepted_with_notice_and_both_clocks(office: Office) -> None:
    offer, clerk = _offer(office, "小餐饮经营许可"), office.client("fireman")
    sent = _application(office, offer, request_id="r-1", courier="东盛大街1号", cross_province="沈阳市", ticket="A001")
    taken = clerk.post("/api/counter/applications", json=sent)
    assert taken.status_code == 201, taken.text
    done = taken.json()
    assert done["state"] == "handling" and done["notice"]["title"] == "受理通知书"
    text = "".join(done["notice"]["paragraphs"])
    assert "5个工作日" in text and "15个工作日" in text and "沈阳市" in text and "居民身份证" in text
    again = clerk.post("/api/counter/applications", json=sent).json()
    assert again["case_id"] == done["case_id"]
    with read_scope(office.engine) as session:
        clocks = {c.kind: c for c in session.scalars(select(CaseClock).where(CaseClock.case_id == done["case_id"]))}
        assert (clocks["promise"].limit_value, clocks["legal"].limit_value) == (5, 15)
        case = session.get_one(Case, done["case_id"])
        assert case.deadline_at == clocks["promise"].deadline_at and clocks["legal"].deadline_at > case.deadline_at
        assert CODE in str(case.form["answers"]) and case.form["courier"] == "东盛大街1号"
    path = f"/api/cases/{done['case_id']}/documents/{done['notice']['document_id']}"
    assert clerk.get(path).content[:2] == b"PK"


def test_missing_papers_and_wrong_answers_are_refused(office: Office) -> None:
    offer, clerk = _offer(office, "最低生活保障认定"), office.client("fireman")
    sent = _application(office, offer)
    refused = clerk.post("/api/counter/applications", json={**sent, "papers": {}})
    assert refused.status_code == 409 and "居民身份证" in refused.json()["papers"]
    wrong = {**sent, "answers": {**sent["answers"], "applicant_id_number": "123"}}
    answer = clerk.post("/api/counter/applications", json=wrong)
    assert answer.status_code == 422
    assert answer.json()["problems"] == [{"question": "applicant_id_number", "code": "constraint"}]
    odd = {**sent, "papers": {**sent["papers"], "居民身份证": {"from": "magic"}}}
    assert clerk.post("/api/counter/applications", json=odd).status_code == 422
    assert clerk.get("/api/counter/form?kind=item&key=nothing").status_code == 404


def test_numbers_are_masked_in_the_file_and_shown_for_a_reason(office: Office) -> None:
    clerk, boss = office.client("fireman"), office.client("boss")
    sent = _application(office, _offer(office, "老年人优待证办理"))
    done = clerk.post("/api/counter/applications", json=sent).json()
    assert PERSON not in boss.get(f"/api/cases/{done['case_id']}").text
    path = f"/api/counter/applications/{done['case_id']}/answers"
    assert boss.post(path, json={"reason": ""}).status_code == 422
    assert boss.post(path, json={"reason": "核对身份"}).json()["values"]["applicant_id_number"] == PERSON
    assert office.client("inspector").post(path, json={"reason": "核对身份"}).status_code == 403


def test_registers_prefill_by_right_and_licences_stand_in_for_papers(office: Office) -> None:
    offer = _offer(office, "食品经营许可（新办）")
    found = office.client("fireman").get(f"/api/registers/enterprise/records?q={CODE}").json()["items"]
    assert len(found) == 1, found
    wish = {"kind": "item", "key": offer["key"], "record_id": found[0]["record_id"]}
    clerk = office.client("fireman").post("/api/counter/prefill", json=wish).json()
    assert clerk["answers"]["enterprise_name"] == "春风小饭馆" and "enterprise_phone" not in clerk["answers"]
    assert clerk["licences"]["营业执照"]["number"] == "LIC-1"
    chief = office.client("chief").post("/api/counter/prefill", json=wish).json()
    assert chief["answers"]["enterprise_phone"] == "12012345678"


def test_whoever_shows_a_card_is_filled_in_by_its_whole_number_and_that_is_noted(office: Office) -> None:
    line = f"id_number,name,phone,address,division\n{PERSON},王小明,12012345678,东盛大街1号,220105001001\n"
    office.client("boss").post("/api/registers/person/import?dry_run=false&name=p.csv&good=true", content=line.encode())
    offer, clerk = _offer(office, "高龄津贴给付"), office.client("fireman")
    assert clerk.get("/api/registers/person/records?q=王小明").status_code in (403, 404)
    wish = {"kind": "item", "key": offer["key"], "number": PERSON.lower()}
    given = clerk.post("/api/counter/prefill", json=wish).json()
    assert given["name"] == "王小明" and given["answers"]["applicant_id_number"] == PERSON
    assert given["answers"]["applicant_birth"] == "1980-05-01" and "12012345678" not in str(given)
    with read_scope(office.engine) as session:
        noted = session.scalars(select(RecordAccess).order_by(RecordAccess.access_id.desc())).first()
    assert noted is not None and "高龄津贴给付" in noted.reason and noted.action == "unmask"
    unknown = resident_number(datetime(1950, 1, 2, tzinfo=UTC).date(), 999)
    stranger = clerk.post("/api/counter/prefill", json={**wish, "number": unknown}).json()
    assert stranger["name"] == "" and stranger["answers"]["applicant_birth"] == "1950-01-02"
    refused = clerk.post("/api/counter/prefill", json={**wish, "number": "220105198005011234"})
    assert refused.status_code == 422 and refused.json()["field"] == "number"


def test_a_life_event_is_one_form_one_parent_and_a_child_an_item(office: Office) -> None:
    offer, clerk = _offer(office, "开餐饮店一件事"), office.client("fireman")
    shown = clerk.get("/api/counter/form", params={"kind": "bundle", "key": offer["key"]}).json()
    assert len(shown["items"]) == 5 and shown["questions"] < shown["asked"]
    names = [p["name"] for p in shown["papers"]]
    assert len(names) == len(set(names)) < shown["wanted"]
    assert next(p for p in shown["papers"] if p["name"] == "营业执照")["made_by"] == "个体工商户设立登记"
    sent = _application(office, offer, courier="东盛大街1号")
    done = clerk.post("/api/counter/applications", json=sent).json()
    assert len(done["items"]) == 5 and {c["state"] for c in done["items"]} == {"submitted"}
    first = next(c for c in done["items"] if c["title"] == "个体工商户设立登记")
    path = f"/api/cases/{first['case_id']}/commands"
    assert clerk.post(path, json={"name": "accept", "data": {}}).status_code == 200
    refused = clerk.post(path, json={"name": "refuse", "data": {"reason": "不符合条件"}})
    assert refused.json()["state"] == "refused"
    with read_scope(office.engine) as session:
        parent = session.get_one(Case, done["case_id"])
        states = {c.state for c in session.scalars(select(Case).where(Case.parent_case_id == parent.case_id))}
        assert states == {"refused", "ended"} and (parent.state, parent.open) == ("done", False)
        assert len(parent.form["results"]) == 5


def test_a_bundle_with_a_circle_or_a_stranger_is_refused(office: Office) -> None:
    boss, codes = office.client("boss"), [b.code for b in basics()[:3]]
    circle = [{"basic": codes[0], "after": [codes[1]]}, {"basic": codes[1], "after": [codes[0]]}]
    assert boss.put("/api/bundles/x", json={"zh": "x", "items": circle}).status_code == 422
    assert boss.put("/api/bundles/x", json={"zh": "x", "items": [{"basic": codes[0]}]}).status_code == 422
    unknown = [{"basic": codes[0]}, {"basic": "220199999000"}]
    assert boss.put("/api/bundles/x", json={"zh": "x", "items": unknown}).status_code == 200
    assert boss.post("/api/bundles/x/state", json={"state": "published"}).status_code == 409
    assert office.client("fireman").put("/api/bundles/y", json={"zh": "y", "items": unknown}).status_code == 403
    assert "x" not in {b["bundle_id"] for b in office.client("fireman").get("/api/bundles").json()["items"]}


def test_numbers_are_drawn_booked_called_and_ended(office: Office) -> None:
    clerk = office.client("fireman")
    first = clerk.post("/api/counter/tickets", json={"holder": "张三丰"}).json()
    assert (first["number"], first["holder"], first["state"]) == ("A001", "张**", "waiting")
    early = clerk.post("/api/counter/tickets", json={"kind": "appointment", "day": "2026-11-26", "slot": "09:30"})
    assert early.json()["number"] == "Y001"
    late = clerk.post("/api/counter/tickets", json={"kind": "appointment", "day": "2026-11-26", "slot": "15:00"})
    order = [t["number"] for t in clerk.get("/api/counter/tickets").json()["items"]]
    assert order == ["Y001", "A001", late.json()["number"]]
    called = clerk.post("/api/counter/tickets/call", json={"window": "3"}).json()
    assert (called["number"], called["window"], called["state"]) == ("Y001", "3", "called")
    assert clerk.post(f"/api/counter/tickets/{called['ticket_id']}", json={"state": "?"}).status_code == 422
    assert clerk.post(f"/api/counter/tickets/{called['ticket_id']}", json={"state": "served"}).status_code == 200
    for day, slot in (
        ("2026-11-26", "7:00"),
        ("2026-11-26", "17:30"),
        ("2027-11-26", "09:00"),
        ("2026-11-25", "09:00"),
    ):
        wish = {"kind": "appointment", "day": day, "slot": slot}
        assert clerk.post("/api/counter/tickets", json=wish).status_code == 422
    wish = {"kind": "appointment", "day": "2026-11-27", "slot": "09:00"}
    codes = [clerk.post("/api/counter/tickets", json=wish).status_code for _ in range(7)]
    assert codes == [201] * 6 + [409]


def test_the_outside_reads_released_items_and_life_events(office: Office) -> None:
    with read_scope(office.engine) as session:
        guides: Any = public_guides(session, NOW.date())
    assert len(guides["items"]) == 30 and len(guides["bundles"]) == 4
    cafe = next(b for b in guides["bundles"] if b["id"] == "open-restaurant")
    assert cafe["made"] == ["营业执照"] and len(cafe["questions"]) < cafe["asked"]
    item = next(i for i in guides["items"] if i["name"] == "小餐饮经营许可")
    assert item["bundles"] == ["open-restaurant"] and item["promise_day"] == 5 and item["link_tel"].startswith("0431")
