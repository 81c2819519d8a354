"""Benefits switched on by two people after a simulation, run by the worker, explained, refused, handed over."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.clock import ManualClock
from core.ids import id_before, new_id
from core.records import Actor
from core.sealing import Seal
from core.settings import load_settings
from dashboard.accounts.users import add_user
from dashboard.benefits.desk import BenefitDesk
from dashboard.benefits.work import BenefitWork
from dashboard.registers.desk import RegisterDesk
from events.runtime.wiring import case_service
from records.benefits import evaluating
from records.registers.invented import resident_number
from records.registers.preparing import Preparer
from records.registers.storing import Origin, create_records
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.people import User
from storage.tables.records import RegisterRecord
from storage.tables.registry import Department
from tests.unit.dashboard.web import _HASH, Office, make_office
from tests.unit.records.registry import PERSON, people

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
PAYER = "dept-civil"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def office(tmp_path: Path, clock: ManualClock) -> Iterator[Office]:
    made = make_office(load_settings({"YIWANG_DATA_DIR": str(tmp_path)}), clock)
    with session_scope(made.engine) as session:
        session.add(Department(department_id=PAYER, name="民政局"))
        session.flush()
        for login, roles in {"payer": ["manager"], "payer2": ["manager"], "cashier": ["staff"]}.items():
            add_user(session, login=login, name=login, roles=roles, department_id=PAYER).password_hash = _HASH
    births = ["1940-01-02", "1930-05-06", "1946-11-29", "1990-01-01", "1946-12-02"]
    lines = [
        {**row, "birth": born, "category": "resident", "care": "disabled" if born[:4] == "1990" else "none",
         "id_number": resident_number(date.fromisoformat(born), number)}
        for number, (row, born) in enumerate(zip(people(len(births)), births, strict=True))
    ]  # fmt: skip
    preparer = Preparer(PERSON, Seal(made.settings.records_key), NOW.date())
    with session_scope(made.engine) as session:
        create_records(session, [preparer.prepare(new_id(), line) for line in lines], Origin("system", NOW, "test"))
    yield made
    made.engine.dispose()


def worker(office: Office, clock: ManualClock) -> BenefitWork:
    folder = office.settings.data_dir / "benefits"
    return BenefitWork(office.engine, clock, case_service(office.engine, clock), folder)


def told(client: TestClient, benefit: str) -> dict[str, Any]:
    return next(b for b in client.get("/api/benefits").json()["items"] if b["benefit_id"] == benefit)


def switched_on(office: Office, benefit: str = "old_age") -> TestClient:
    first, second = office.client("payer"), office.client("payer2")
    assert first.post(f"/api/benefits/{benefit}/simulation", json={"periods": 3}).status_code == 200
    assert first.post(f"/api/benefits/{benefit}/state", json={"action": "ask", "reason": "十一月起"}).status_code == 200
    assert second.post(f"/api/benefits/{benefit}/state", json={"action": "confirm"}).json()["state"] == "on"
    return first


def grants(client: TestClient, benefit: str = "old_age", **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/api/benefits/{benefit}/grants", params=query).json()["items"]
    return found


def test_a_rule_is_switched_on_by_two_people_after_its_simulation(office: Office, clock: ManualClock) -> None:
    first = office.client("payer")
    ask = {"action": "ask", "reason": "十一月起"}
    assert first.post("/api/benefits/old_age/state", json=ask).status_code == 409  # nothing was simulated
    assert worker(office, clock).look() == []
    found = first.post("/api/benefits/old_age/simulation", json={"periods": 3}).json()["periods"]
    assert [p["entitled"] for p in found] == [2, 2, 2] and [p["amount"] for p in found] == [300, 300, 300]
    assert first.post("/api/benefits/old_age/state", json=ask).json()["state"] == "asked"
    assert first.post("/api/benefits/old_age/state", json={"action": "confirm"}).json()["error"] == "same_person"
    assert office.client("cashier").post("/api/benefits/old_age/state", json=ask).status_code == 403
    assert office.client("fireman").post("/api/benefits/old_age/simulation", json={}).status_code == 403
    assert first.post("/api/benefits/old_age/state", json={"action": "on", "reason": "没有别人在"}).status_code == 403
    boss = office.client("boss")
    assert boss.post("/api/benefits/old_age/state", json={"action": "on", "reason": "急"}).status_code == 422
    alone = {"action": "on", "reason": "发放部门其他负责人均在外，先行启动"}
    assert boss.post("/api/benefits/old_age/state", json=alone).json()["state"] == "on"
    assert (
        boss.post("/api/benefits/old_age/state", json={"action": "off", "reason": "暂停发放"}).json()["state"]
        == "simulated"
    )


def test_the_worker_finds_who_is_entitled_and_says_why(office: Office, clock: ManualClock) -> None:
    client = switched_on(office)
    (run,) = worker(office, clock).look()
    assert (run.entitled, run.new, run.opened) == (3, 3, 0)  # who turns 80 before the month ends is among them
    rows = grants(client)
    assert sorted(row["amount"] for row in rows) == [100, 100, 200]
    assert all("*" in row["name"] and [c["holds"] for c in row["why"]] == [True, True] for row in rows)
    assert worker(office, clock).look() == []  # nothing changed
    assert office.client("fireman").get("/api/benefits/old_age/grants").status_code == 403
    figures = told(office.client("fireman"), "old_age")
    assert figures["figures"] == {"proposed": {"count": 3, "amount": 400.0}} and figures["allowed"] == []
    said = client.get(f"/api/benefits/old_age/records/{rows[0]['record_id']}?day=2026-11-30").json()
    assert said["entitled"] and said["periods"][0]["state"] == "proposed"


def test_a_changed_record_is_judged_again(office: Office, clock: ManualClock) -> None:
    client = switched_on(office)
    work = worker(office, clock)
    work.look()
    row = grants(client)[0]
    with session_scope(office.engine) as session:
        desk = RegisterDesk(office.app.state.services, Actor("boss", "command", ("admin",), None))
        version = session.get_one(RegisterRecord, row["record_id"]).version
    asked = desk.propose(row["record_id"], new_id(), {"category": "away"}, "迁出", version)
    other = RegisterDesk(office.app.state.services, Actor("boss2", "x", ("admin",), None))
    other.decide(asked["request_id"], True, "属实")
    (run,) = work.look()
    assert run.gone == 1 and run.new == 0
    assert {g["state"] for g in grants(client) if g["record_id"] == row["record_id"]} == {"gone"}


def test_who_refuses_is_left_alone_until_they_want_it(office: Office, clock: ManualClock) -> None:
    client, work = switched_on(office), worker(office, clock)
    work.look()
    record = grants(client)[0]["record_id"]
    url = f"/api/benefits/old_age/records/{record}/refusal"
    assert client.post(url, json={"reason": ""}).status_code == 422
    assert client.post(url, json={"reason": "本人不要", "channel": "pigeon"}).status_code == 422
    assert office.client("drainer").post(url, json={"reason": "本人不要"}).status_code in (403, 404)
    done = client.post(url, json={"reason": "本人不要", "channel": "phone"}).json()
    assert done == {"record_id": record, "refused": True, "taken_back": ["2026-11"]}
    clock.advance(86_400)
    (run,) = work.look()
    assert (run.refused, run.new) == (1, 0)
    assert {g["state"] for g in grants(client) if g["record_id"] == record} == {"refused"}
    assert client.get(f"/api/benefits/old_age/records/{record}").json()["refusals"][0]["channel"] == "phone"
    assert client.post(url, json={"reason": "又想要了", "end": True}).json()["refused"] is False
    (run,) = work.look()
    assert run.new == 1 and client.post(url, json={"reason": "又想要了", "end": True}).status_code == 404


def test_the_list_of_a_period_is_closed_and_handed_over_once(office: Office, clock: ManualClock) -> None:
    client, work = switched_on(office), worker(office, clock)
    work.look()
    url = "/api/benefits/old_age/files/2026-11/handover"
    assert client.post(url, json={"reason": "十一月发放"}).status_code == 409  # the month runs
    clock.advance(12 * 86_400)
    last, now = work.look()
    assert (last.period, last.entitled, now.period, now.entitled) == ("2026-11", 3, "2026-12", 4)
    client = office.client("payer")  # twelve days later: whoever takes the list along says again who it is
    answer = client.post(url, json={"reason": "十一月发放"})
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert lines[0][:4] == ["政策", "期间", "金额（元）", "依据"] and len(lines) == 4
    assert {line[1] for line in lines[1:]} == {"2026-11"} and "年满 80 周岁" in lines[1][3]
    assert client.post(url, json={"reason": "再来一次"}).status_code == 409
    assert {g["state"] for g in grants(client, period="2026-11")} == {"handed"}


def test_a_benefit_by_case_asks_the_payer_once_and_keeps_the_answer(
    office: Office, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, work = switched_on(office, "disabled_care"), worker(office, clock)
    (run,) = work.look()
    assert (run.entitled, run.opened) == (1, 1)
    (grant,) = grants(client, "disabled_care")
    with read_scope(office.engine) as session:
        case = session.get_one(Case, grant["case_id"])
        assert case.confidential and case.department_id == PAYER and case.form["record_id"] == grant["record_id"]
    cashier = office.client("cashier")
    sent = cashier.post(f"/api/cases/{grant['case_id']}/commands", json={"name": "confirm", "data": {}})
    assert sent.status_code == 200, sent.text
    work.look()
    assert grants(client, "disabled_care")[0]["state"] == "confirmed"
    clock.advance(12 * 86_400)
    *_, december = work.look()
    assert (december.new, december.opened) == (1, 0)
    assert grants(client, "disabled_care", period="2026-12")[0]["state"] == "confirmed"
    client = office.client("payer")
    answer = client.post("/api/benefits/disabled_care/files/2026-11/handover", json={"reason": "十一月发放"})
    assert answer.status_code == 200


def test_a_refusal_noted_in_the_case_is_kept(office: Office, clock: ManualClock) -> None:
    client, work = switched_on(office, "disabled_care"), worker(office, clock)
    work.look()
    (grant,) = grants(client, "disabled_care")
    body = {"name": "decline", "data": {"reason": "本人书面放弃"}}
    assert office.client("cashier").post(f"/api/cases/{grant['case_id']}/commands", json=body).status_code == 200
    clock.advance(12 * 86_400)
    *_, december = work.look()
    assert (december.refused, december.new) == (1, 0)
    refusals = client.get(f"/api/benefits/disabled_care/records/{grant['record_id']}").json()["refusals"]
    assert [(r["reason"], r["channel"]) for r in refusals] == [("本人书面放弃", "case")]


def test_a_refusal_ends_the_open_case(office: Office, clock: ManualClock) -> None:
    client, work = switched_on(office, "disabled_care"), worker(office, clock)
    work.look()
    (grant,) = grants(client, "disabled_care")
    url = f"/api/benefits/disabled_care/records/{grant['record_id']}/refusal"
    client.post(url, json={"reason": "不需要任何补贴", "all_benefits": True})
    with read_scope(office.engine) as session:
        assert session.get_one(Case, grant["case_id"]).state == "declined"


def test_more_cases_than_a_run_opens_follow_with_the_next(
    office: Office, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluating, "MOST_CASES", 0)
    switched_on(office, "disabled_care")
    work = worker(office, clock)
    assert [run.over for run in work.look()] == [1] == [run.over for run in work.look()]
    monkeypatch.setattr(evaluating, "MOST_CASES", 5)
    assert [run.opened for run in work.look()] == [1]
    assert work.look() == []


def test_a_changed_rule_does_not_run_before_it_is_simulated_again(office: Office, clock: ManualClock) -> None:
    client, work = switched_on(office), worker(office, clock)
    folder = office.settings.data_dir / "benefits"
    folder.mkdir()
    rule = """benefits:
  - {id: old_age, zh: 高龄津贴, en: Allowance, register: person, period: month, payer: dept-civil, then: file,
     amount: "500", conditions: [{zh: 年满 90 周岁, en: 90 or more, holds: "${age} >= 90", shows: [age]}]}
"""
    (folder / "own.yaml").write_text(rule, "utf-8")
    assert told(client, "old_age")["state"] == "changed" and work.look() == []
    (folder / "own.yaml").write_text("benefits: 3", "utf-8")
    assert client.get("/api/benefits").status_code == 422


def test_an_id_of_a_moment_before_sorts_before() -> None:
    known = new_id()
    assert id_before(known, 600) < id_before(known, 0) <= known and id_before("x", 1) == ""


def test_a_page_asks_with_rights(office: Office, clock: ManualClock) -> None:
    user = Actor("payer", "payer", ("manager",), PAYER)
    desk = BenefitDesk(office.app.state.services, user)
    with read_scope(office.engine) as session:
        assert session.query(User).filter_by(login="payer").one().department_id == PAYER
    desk.simulate("old_age", 1)
    assert told(office.client("payer"), "old_age")["simulation"] == [
        {"period": "2026-10", "entitled": 2, "amount": 300.0}
    ]
    assert desk.today == date(2026, 11, 20) and desk.one("old_age")["state"] == "simulated"
