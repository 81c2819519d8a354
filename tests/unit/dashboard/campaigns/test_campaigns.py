"""A supervision campaign: plan as data, visit list, check-list, problems as cases, warning letter, report, rights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from core.clock import ManualClock
from core.errors import InputInvalid
from core.ids import new_id
from core.sealing import Seal
from core.settings import load_settings
from dashboard.accounts.users import add_user
from dashboard.pages.desk.campaigns.plans import empty_rows, plan_of
from records.campaigns.campaign import example_plans, parse_plan, problems_of, report_of
from records.registers.definition import shipped_registers
from records.registers.generating import rows
from records.registers.preparing import Preparer
from records.registers.storing import Origin, create_records
from storage.session import read_scope, session_scope
from storage.tables.files import CaseDocument
from tests.unit.dashboard.web import _HASH, Office, make_office
from tests.unit.records.registry import COMMUNITIES

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
PLAN = dict(example_plans()["nine_places"].body)
GOOD = {"exit": "yes", "extinguisher": "yes", "wiring": "na", "sleeping": "yes"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(load_settings({"YIWANG_DATA_DIR": str(tmp_path)}), ManualClock(NOW))
    register = shipped_registers()["special_place"]
    preparer = Preparer(register, Seal(made.settings.records_key), NOW.date())
    with session_scope(made.engine) as session:
        add_user(
            session, login="chief", name="chief", roles=["manager"], department_id="dept-fire"
        ).password_hash = _HASH
        places = [preparer.prepare(new_id(), line) for line in rows(register, COMMUNITIES, 5)]
        create_records(session, places, Origin("system", NOW, "test"))
    yield made
    made.engine.dispose()


def begun(chief: TestClient, **more: Any) -> str:
    answer = chief.post("/api/campaigns", json={"plan": PLAN, "due": "2026-12-10"})
    assert answer.status_code == 200, answer.text
    campaign: str = answer.json()["campaign_id"]
    wish = {"places": [{"name": "某小餐馆", "address": "东盛大街1号"}, {"name": "某网吧"}], **more}
    assert chief.post(f"/api/campaigns/{campaign}/visits", json=wish).json()["added"] >= 2
    return campaign


def test_problems_of_a_visit_become_cases_and_a_letter(office: Office) -> None:
    chief, url = office.client("chief"), "/api/campaigns/"
    campaign = begun(chief)
    whole = chief.get(url + campaign).json()
    assert [q["name"] for q in whole["form"]["questions"]] == [*GOOD, "note"]
    of = {v["name"]: v["visit_id"] for v in whole["visits"]}
    first, second = of["某小餐馆"], of["某网吧"]
    visit = f"{url}{campaign}/visits/{first}"
    assert chief.post(visit, json={"answers": {"exit": "no"}}).status_code == 422  # three questions are open
    assert chief.post(visit, json={"answers": {**GOOD, "exit": "perhaps"}}).status_code == 422
    done = chief.post(visit, json={"answers": {**GOOD, "exit": "no", "sleeping": "no", "note": "杂物"}}).json()
    assert [p["question"] for p in done["problems"]] == ["exit", "sleeping"]
    case = chief.get(f"/api/cases/{done['case_id']}").json()
    assert case["case"]["state"] == "mending" and len(case["children"]) == 2
    assert chief.post(visit, json={"answers": GOOD}).status_code == 409  # visited already
    letter = chief.post(visit, json={"action": "letter"})
    assert letter.status_code == 200, letter.text
    with read_scope(office.engine) as session:
        (paper,) = session.scalars(select(CaseDocument).where(CaseDocument.case_id == done["case_id"]))
        assert paper.type == "warning" and paper.issued_number
        assert "某小餐馆" in paper.content["paragraphs"][0] and "违规住人" in paper.content["paragraphs"][1]
    assert chief.post(f"{url}{campaign}/visits/{second}", json={"answers": GOOD}).json()["case_id"] is None
    report = chief.get(url + campaign).json()["report"]
    assert (report["visited"], report["with_problems"], report["problems"]) == (2, 1, 2)
    assert (report["done_rate"], report["problem_rate"]) == (100.0, 50.0)
    assert chief.post(f"{url}{campaign}/close", json={"reason": "全部检查完成"}).json()["state"] == "closed"
    assert chief.post(f"{url}{campaign}/visits", json={"places": [{"name": "晚了"}]}).status_code == 409


def test_the_visit_list_comes_from_the_register_once(office: Office) -> None:
    chief = office.client("chief")
    campaign = begun(chief)
    wish = {"count": 3}
    added = [chief.post(f"/api/campaigns/{campaign}/visits", json=wish).json()["added"] for _ in range(3)]
    seen = len([v for v in chief.get(f"/api/campaigns/{campaign}").json()["visits"] if v["record_id"]])
    assert added == [3, 2, 0] and seen == 5


def test_who_works_on_a_campaign(office: Office) -> None:
    chief = office.client("chief")
    campaign = begun(chief)
    visit = chief.get(f"/api/campaigns/{campaign}").json()["visits"][0]["visit_id"]
    stranger, fireman = office.client("drainer"), office.client("fireman")
    assert stranger.get(f"/api/campaigns/{campaign}").status_code == 404
    assert stranger.get("/api/campaigns").json()["items"] == []
    assert fireman.post("/api/campaigns", json={"plan": PLAN, "due": "2026-12-10"}).status_code == 403
    waive = {"action": "waive", "reason": "已停业拆除"}
    assert fireman.post(f"/api/campaigns/{campaign}/visits/{visit}", json=waive).status_code == 403
    assert chief.post(f"/api/campaigns/{campaign}/visits/{visit}", json=waive).status_code == 200
    assert fireman.get(f"/api/campaigns/{campaign}").json()["report"]["waived"] == 1
    assert chief.post("/api/campaigns", json={"plan": PLAN, "due": "2026-01-01"}).status_code == 422


QUESTIONS = PLAN["questions"]


@pytest.mark.parametrize(
    "wrong",
    [{"id": "A b"}, {"zh": ""}, {"register": "nothing"}, {"questions": []}, {"questions": [QUESTIONS[0]] * 2},
     {"questions": [{**QUESTIONS[0], "fault": "${missing} = 'no'"}]}, {"questions": [{**QUESTIONS[0], "fault": "(("}]},
     {"questions": [{**QUESTIONS[0], "severity": 9}]}, {"questions": [{"name": "x"}]}, {"questions": ["x"]}],
)  # fmt: skip
def test_a_wrong_plan_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputInvalid):
        parse_plan({**PLAN, **wrong})


def test_a_plan_written_on_the_page_is_a_campaign(office: Office) -> None:
    rows = [{**row, "zh": zh} for row, zh in zip(empty_rows(), ["门前三包", " ", "垃圾分类"], strict=False)]
    rows[2] |= {"severity": "3", "department": "dept-drainage", "fault": "${q1} = 'no' and ${q2} = 'no'"}
    body = plan_of(" 环境卫生督查 ", "", "", "请整改。", rows)
    plan = parse_plan(body)
    assert [(p.name, p.zh, p.severity, p.department) for p in plan.points] == [
        ("q1", "门前三包", 2, ""), ("q2", "垃圾分类", 3, "dept-drainage")]  # fmt: skip
    assert (plan.zh, plan.en, plan.letter) == ("环境卫生督查", "环境卫生督查", "请整改。")
    assert office.client("chief").post("/api/campaigns", json={"plan": body, "due": "2026-12-10"}).status_code == 200
    with pytest.raises(InputInvalid):
        parse_plan(plan_of("x", "", "", "", empty_rows()))


def test_a_visit_that_comes_again_is_the_same_one(office: Office) -> None:
    chief = office.client("chief")
    campaign = begun(chief)
    place = chief.get(f"/api/campaigns/{campaign}").json()["visits"][0]["visit_id"]
    url, sent = f"/api/campaigns/{campaign}/visits/{place}", {"answers": {**GOOD, "exit": "no"}}
    first, again = chief.post(url, json=sent), chief.post(url, json=sent)
    assert again.status_code == 200 and again.json() == first.json()
    assert chief.post(url, json={"answers": GOOD}).status_code == 409
    assert office.client("fireman").post(url, json=sent).status_code == 409  # somebody else's


def test_a_fault_may_look_at_several_answers_and_name_a_department() -> None:
    asked = [QUESTIONS[0], {**QUESTIONS[1], "fault": "${exit} = 'no' and ${extinguisher} = 'no'", "department": "d2"}]
    plan = parse_plan({**PLAN, "questions": asked})
    assert problems_of(plan, {"exit": "yes", "extinguisher": "no"}, "d1") == []
    found = problems_of(plan, {"exit": "no", "extinguisher": "no"}, "d1")
    assert [(p["question"], p["department_id"]) for p in found] == [("exit", "d1"), ("extinguisher", "d2")]
    empty = report_of(plan, [], "2026-11-20")
    assert empty["done_rate"] is None and empty["problem_rate"] is None
