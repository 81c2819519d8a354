"""Codes for people without an account: my file, a signed answer, an inspector on site, a rating and what follows it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import select

from core.clock import ManualClock, SystemClock
from core.records import SYSTEM, Actor, Command
from core.settings import Settings
from dashboard.outside import limits
from dashboard.reception.links import link_view
from dashboard.reception.ratings import leave_the_count
from dashboard.reception.views import write_view
from events.cases.service import CaseService
from events.notify.parties import message_to
from storage.links import link_of, make_link
from storage.session import read_scope, session_scope
from storage.tables.cases import AuditEntry, Case, CaseClock, CaseEvidence, CaseTransition, Outbox
from storage.tables.files import CaseSubject
from storage.tables.outside import OutsideRequest
from storage.tables.persons import CaseRating, LinkToken, Person
from tests.unit.dashboard.outside.door import COMPLAINT, BesideDoor, door_beside, outside_client, solution
from tests.unit.dashboard.web import Office, make_office

KEY = "k" * 24


@dataclass
class Town:
    office: Office
    door: BesideDoor
    outside: TestClient

    def complaint(self, key: str = KEY) -> tuple[str, str]:
        """A complaint handed in: ``(code, case id)``."""
        sent = {"key": key, "answers": COMPLAINT, "solution": solution(self.outside)}
        code = self.outside.post("/h/api/requests/complaint", json=sent).json()["code"]
        with read_scope(self.door.engine) as session:
            case_id = session.scalars(select(Case.case_id).order_by(Case.opened_at.desc(), Case.number.desc())).first()
        assert case_id
        return code, case_id

    def answer_at_once(self, case_id: str) -> None:
        self.office.client("operator").post(
            f"/api/cases/{case_id}/commands", json={"name": "answer_now", "data": {"answer": "已答复"}}
        ).raise_for_status()
        self.refresh()

    def refresh(self) -> None:
        """What the reception does every second."""
        with session_scope(self.door.engine) as session:
            leave_the_count(session)
            for row in session.scalars(select(OutsideRequest).where(OutsideRequest.case_id.is_not(None))):
                write_view(session, row, self.door.reception.cases.definitions)
            for link in session.scalars(select(LinkToken).where(LinkToken.case_id.is_not(None))):
                link.view = link_view(session, link, self.door.reception.cases)

    def read(self, code: str) -> dict:
        return self.outside.post("/h/api/read", json={"code": code}).json()

    def send(self, kind: str, code: str, answers: dict, key: str) -> dict:
        sent = {"key": key, "answers": answers, "solution": solution(self.outside), "code": code}
        got = self.outside.post(f"/h/api/requests/{kind}", json=sent)
        assert got.status_code == 201, got.text
        return self.read(got.json()["code"])


@pytest.fixture
def town(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setattr("dashboard.outside.robots.STEPS", 200)
    monkeypatch.setattr(limits, "SLOWEST_S", 0.001)
    office = make_office(settings)
    door = door_beside(office.engine, SystemClock(), tmp_path, key=settings.records_key)
    yield Town(office, door, outside_client(door))
    office.engine.dispose()


def png() -> bytes:
    target = io.BytesIO()
    Image.new("RGBA", (600, 200), (0, 0, 0, 0)).save(target, "PNG")
    return target.getvalue()


def test_a_bad_rating_opens_its_own_case_with_two_clocks(town: Town) -> None:
    code, case_id = town.complaint()
    assert not town.read(code).get("may_rate")
    assert town.send("rating", code, {"stars": "1", "reasons": ["slow"]}, "e" * 24)["problem"] == "not_to_be_rated"
    town.answer_at_once(case_id)
    shown = town.read(code)
    assert shown["may_rate"] and shown["told"] == ["已答复"]
    refused = town.outside.post("/h/api/requests/rating", json={"key": KEY, "answers": {"stars": "2"}, "code": code})
    assert refused.status_code == 422  # two stars or fewer: with reasons
    assert town.send("rating", code, {"stars": "2", "reasons": ["slow", "untold"]}, "f" * 24)["kind"] == "rating"
    assert town.send("rating", code, {"stars": "5"}, "g" * 24)["problem"] == "rated_already"
    assert town.read(code)["rating"] == {"stars": 2}
    with read_scope(town.door.engine) as session:
        rating = session.scalars(select(CaseRating)).one()
        bad = session.get(Case, rating.bad_case_id)
        moves = list(session.scalars(select(CaseTransition.command).where(CaseTransition.case_id == case_id)))
    assert bad is not None and (bad.definition_id, bad.parent_case_id) == ("bad_rating", case_id)
    assert moves[-1] == "rate" and rating.counted
    assert town.office.client("operator").get(f"/api/cases/{case_id}/rating").json()["rating"]["stars"] == 2


def test_an_appeal_is_judged_by_another_and_leaves_the_count_only(town: Town) -> None:
    code, case_id = town.complaint()
    town.answer_at_once(case_id)
    town.send("rating", code, {"stars": "1", "reasons": ["attitude"]}, "f" * 24)
    operator, fireman = town.office.client("operator"), town.office.client("fireman")
    with read_scope(town.door.engine) as session:
        bad_id = session.scalars(select(CaseRating)).one().bad_case_id

    def give(client: TestClient, name: str, **data: str) -> int:
        return client.post(f"/api/cases/{bad_id}/commands", json={"name": name, "data": data}).status_code

    assert give(operator, "assign", department_id="dept-fire") == 200
    with read_scope(town.door.engine) as session:
        clocks = {c.kind: (c.limit_value, c.limit_unit) for c in session.scalars(
            select(CaseClock).where(CaseClock.case_id == bad_id))}  # fmt: skip
    assert clocks == {"contact": (1, "work_day"), "mend": (5, "work_day")}
    assert give(fireman, "contact", comment="已致电说明") == 200
    assert give(fireman, "uphold_appeal", reason="我们没错") in (403, 409)  # not by the one it is about
    assert give(fireman, "appeal", reason="当天系统故障") == 200
    assert give(operator, "uphold_appeal", reason="情况属实") == 200
    town.refresh()
    with read_scope(town.door.engine) as session:
        rating = session.scalars(select(CaseRating)).one()
        told = list(session.scalars(select(AuditEntry.action).where(AuditEntry.chain_id == case_id)))
    assert not rating.counted and rating.stars == 1 and "rate" in told  # out of the count, not out of the log


def test_a_mediation_is_signed_by_each_party_with_his_own_code(town: Town) -> None:
    operator, mediator = town.office.client("operator"), town.office.client("fireman")
    asked = {"title": "楼上漏水", "department_id": "dept-fire", "definition_id": "dispute_mediation"}
    asked["subjects"] = [{"name": "张三", "contact": "13812345678"}, {"name": "李四"}]
    case_id = operator.post("/api/cases", json=asked).json()["case_id"]
    path = f"/api/cases/{case_id}"

    def give(name: str, **data: object) -> dict:
        return mediator.post(f"{path}/commands", json={"name": name, "data": data}).json()

    give("accept")
    assert give("propose", agreement="三日内修好，各付一半")["state"] == "signing"
    listed = mediator.get(f"{path}/parties").json()["items"]
    assert [(each["name"], each["texted"]) for each in listed if each["asked_at"]] == [("张三", True), ("李四", False)]
    assert give("conclude")["error"] == "guard_failed"
    by_hand = mediator.post(f"{path}/links", json={"purpose": "file", "subject_id": listed[1]["subject_id"]}).json()
    for number, (code, name) in enumerate(((_texted(town), "张三"), (by_hand["code"], "李四"))):
        town.refresh()
        assert town.read(code)["question"] == "三日内修好，各付一半"
        signature = town.outside.post("/h/api/photos", content=png()).json()["photo_id"]
        told = town.send("answer", code, {"signed_name": name, "signature": signature}, f"{number}" * 24)
        assert told.get("kind") == "answer" and "form" not in town.read(code), told
        assert (give("conclude").get("state") == "agreed") is (number == 1)  # both have signed
    assert [each["signed_name"] for each in mediator.get(f"{path}/parties").json()["items"]] == ["张三", "李四"]
    assert town.office.client("drainer").get(f"{path}/parties").status_code == 404


def test_a_party_signs_its_answer_by_a_code(town: Town) -> None:
    cases = town.door.reception.cases
    with session_scope(town.door.engine) as session:
        case = cases.open_for(
            session, "credit_repair", {"title": "信用修复", **_credit(cases)}, SYSTEM, {}
        )  # fmt: skip
        session.flush()
        case_id = case.case_id
        case.department_id = "dept-fire"
        session.add(
            CaseSubject(
                subject_id="s1", case_id=case_id, role="party", kind="person", name="某公司", contact="13812345678",
                answer={}, added_at=case.opened_at, added_by="system",
            )
        )  # fmt: skip
    operator = town.office.client("operator")
    made = operator.post(f"/api/cases/{case_id}/links", json={"purpose": "file", "subject_id": "s1"})
    assert made.status_code == 201, made.text
    link = made.json()
    assert link["url"].endswith(f"#/file/{link['code']}") and link["qr_svg"].startswith("<svg")
    town.refresh()
    assert "form" not in town.read(link["code"])
    assert town.send("answer", link["code"], {"signature": "x"}, "a" * 24)["problem"] == "not_asked"
    with session_scope(town.door.engine) as session:
        cases.execute_in(
            session,
            Command(name="ask_correction", case_id=case_id, actor_id="x", data={"reason": "请补充整改情况"}),
            Actor(user_id="x", name="x", roles=("staff",), department_id="dept-fire"),
        )
    code = _texted(town)
    assert _texted(town) != code  # sent again: the code before is over
    code = _texted(town)
    town.refresh()
    shown = town.read(code)
    assert shown["question"] == "请补充整改情况" and shown["form"]["questions"][-1]["type"] == "signature"
    signature = town.outside.post("/h/api/photos", content=png()).json()["photo_id"]
    assert town.send("answer", link["code"], {"signed_name": "李四", "signature": "0" * 32}, "b" * 24)["problem"]
    done = town.send("answer", code, {"signed_name": "李四", "signature": signature, "comment": "已整改"}, "c" * 24)
    assert done.get("kind") == "answer", done
    assert _texted(town) == ""  # he has answered: nobody is asked any longer
    with read_scope(town.door.engine) as session:
        links = session.scalars(select(LinkToken).where(LinkToken.subject_id == "s1")).all()
        assert sum(row.revoked_at is None for row in links) == 2  # the one handed out, and the last one sent
        subject = session.get(CaseSubject, "s1")
        case = session.get(Case, case_id)
        evidence = list(session.scalars(select(CaseEvidence).where(CaseEvidence.case_id == case_id)))
        moves = list(session.scalars(select(CaseTransition.command).where(CaseTransition.case_id == case_id)))
    assert subject is not None and subject.answered_at is not None and subject.answer["signed_name"] == "李四"
    assert case is not None and case.state == "applied"
    assert [e.sha256 for e in evidence] == [subject.answer["signature"]]
    assert moves[-2:] == ["party_answer", "correct"]


def _texted(town: Town) -> str:
    """The code in the text message that the relay would send now to the party; "" when it would send none."""
    with session_scope(town.door.engine) as session:
        row = session.scalars(select(Outbox).where(Outbox.topic == "ask")).one()
        message = message_to(session, row.outbox_id, row.body, "https://h.example", town.door.reception.clock.now())
    if message is None:
        return ""
    assert message.phone == "13812345678" and "https://h.example/h#/file/" in message.text
    return message.text.partition("/file/")[2].partition("（")[0]


def _credit(cases: CaseService) -> dict[str, str]:
    definition = cases.definitions["credit_repair"]
    made = {"minimum_until": "2026-06-01", "department_id": "dept-fire"}
    for name in definition.commands["report"].required:
        schema = definition.fields[name]
        made.setdefault(name, str(schema["enum"][0]) if "enum" in schema else "内容内容")
    return made


def test_an_inspectors_code_shows_who_came_from_where_and_why(town: Town) -> None:
    inspector = town.office.client("inspector")
    made = inspector.post("/api/me/site-codes", json={"site_id": "s-fire", "matter": "消防检查"})
    assert made.status_code == 201, made.text
    shown = town.read(made.json()["code"])
    assert (shown["kind"], shown["place"], shown["matter"]) == ("link_site", "Mall", "消防检查")
    assert shown["inspector"] == "inspector" and "case_id" not in shown
    assert inspector.delete(f"/api/links/{made.json()['link']['link_id']}").status_code == 200
    assert town.outside.post("/h/api/read", json={"code": made.json()["code"]}).status_code == 404
    assert (
        town.office.client("operator").post("/api/me/site-codes", json={"place": "x", "matter": "y"}).status_code == 403
    )


def test_codes_are_of_ones_own_cases_end_and_are_nowhere_kept(town: Town) -> None:
    _, case_id = town.complaint()
    operator = town.office.client("operator")
    stranger = town.office.client("fireman")
    assert stranger.post(f"/api/cases/{case_id}/links", json={"purpose": "file"}).status_code == 404
    assert operator.post(f"/api/cases/{case_id}/links", json={"purpose": "site"}).status_code == 422
    assert operator.post(f"/api/cases/{case_id}/links", json={"purpose": "file", "days": 9999}).status_code == 422
    made = operator.post(f"/api/cases/{case_id}/links", json={"purpose": "rating"}).json()
    listed = operator.get(f"/api/cases/{case_id}/links").json()["items"]
    plain = made["code"].replace("-", "").lower()
    assert len(listed) == 1 and plain not in str(listed) and made["code"] not in str(listed)
    clock = ManualClock(SystemClock().now())
    with session_scope(town.door.engine) as session:
        link, code = make_link(session, "file", now=clock.now(), by="x", days=1, case_id=case_id)
        later = clock.now() + timedelta(days=1, seconds=1)
        assert link_of(session, link.token_hash, clock.now()) is link
        assert link_of(session, link.token_hash, later) is None
        assert code not in str(link.__dict__)


def test_a_rating_link_works_once(town: Town) -> None:
    _, case_id = town.complaint()
    town.answer_at_once(case_id)
    made = town.office.client("operator").post(f"/api/cases/{case_id}/links", json={"purpose": "rating"}).json()
    town.refresh()
    assert town.read(made["code"])["may_rate"]
    assert town.send("rating", made["code"], {"stars": "5"}, "a" * 24)["kind"] == "rating"
    assert town.send("rating", made["code"], {"stars": "4"}, "b" * 24)["problem"] == "not_to_be_rated"
    with read_scope(town.door.engine) as session:
        assert [(r.stars, r.bad_case_id) for r in session.scalars(select(CaseRating))] == [(5, None)]


def test_a_contact_is_shown_for_a_reason_that_stays(town: Town) -> None:
    _, case_id = town.complaint()
    operator = town.office.client("operator")
    assert operator.post(f"/api/cases/{case_id}/contact", json={"reason": ""}).status_code == 422
    shown = operator.post(f"/api/cases/{case_id}/contact", json={"reason": "回访投诉人"}).json()["items"]
    assert shown == [{"person_name": "张三", "helped_name": "", "phone": "13912345678"}]
    with read_scope(town.door.engine) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "contact_shown")).one()
        person = session.scalars(select(Person)).one()
    assert entry.body["reason"] == "回访投诉人" and "13912345678" not in str(entry.body)
    assert person.shown_name == "张*" and person.verified_by == ""
    assert (
        town.office.client("fireman").post(f"/api/cases/{case_id}/contact", json={"reason": "好奇好奇"}).status_code
        == 404
    )
