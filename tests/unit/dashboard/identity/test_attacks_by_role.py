"""What people with and without an account try: another's case, key, upload, draft, cookie, role and code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from core.clock import SystemClock
from core.settings import Settings
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseTransition
from storage.tables.people import UserRole
from tests.unit.dashboard.api.test_api_plans import open_case
from tests.unit.dashboard.web import Office, make_office


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    made = make_office(settings, SystemClock())
    yield made
    made.engine.dispose()


def test_another_departments_case_is_not_there(office: Office) -> None:
    case_id, drainer = open_case(office), office.client("drainer")
    body = {"name": "accept", "data": {}}
    for answer in (
        drainer.get(f"/api/cases/{case_id}"),
        drainer.post(f"/api/cases/{case_id}/commands", json=body),
        drainer.get(f"/api/cases/{case_id}/rating"),
        drainer.get(f"/api/cases/{case_id}/links"),
        drainer.post(f"/api/cases/{case_id}/links", json={"purpose": "file"}),
        drainer.post(f"/api/cases/{case_id}/contact", json={"reason": "just curious"}),
        drainer.post("/api/me/site-codes", json={"place": "x", "matter": "y", "case_id": case_id}),
        drainer.post(f"/api/cases/{case_id}/late-records", json={"name": "finish", "told": {}}),
    ):
        assert answer.status_code == 404, answer.text
    assert office.client("fireman").get(f"/api/cases/{case_id}").status_code == 200


def test_a_replayed_key_moves_a_case_once(office: Office) -> None:
    case_id, fireman = open_case(office), office.client("fireman")
    body = {"name": "accept", "idempotency_key": "k" * 20, "data": {}}
    assert fireman.post(f"/api/cases/{case_id}/commands", json=body).status_code == 200
    again = fireman.post(f"/api/cases/{case_id}/commands", json=body)
    other = fireman.post(f"/api/cases/{case_id}/commands", json=body | {"name": "finish"})
    assert again.status_code == 200 and other.status_code == 409  # the key is of that one deed
    with read_scope(office.engine) as session:
        moves = list(session.scalars(select(CaseTransition.command).where(CaseTransition.case_id == case_id)))
    assert moves.count("accept") == 1 and "finish" not in moves


def test_a_cookie_is_dead_once_its_device_is_revoked(office: Office) -> None:
    phone, desk = office.client("fireman"), office.client("fireman")
    devices = desk.get("/api/me/devices").json()["items"]
    lost = next(d for d in devices if not d["this"])
    other = office.client("drainer")
    assert other.delete(f"/api/me/devices/{lost['device_id']}").status_code == 404  # not another's
    assert phone.get("/api/me").status_code == 200
    assert desk.delete(f"/api/me/devices/{lost['device_id']}").status_code == 200
    assert phone.get("/api/me").status_code == 401
    assert phone.post("/api/me/confirm", json={"password": "x"}).status_code == 401


def test_one_persons_work_is_not_sent_under_anothers_session(office: Office) -> None:
    case_id, fireman = open_case(office), office.client("fireman")
    mine = fireman.get("/api/me").json()["user_id"]
    drainer = office.client("drainer")
    sent = drainer.post(
        f"/api/cases/{case_id}/commands", json={"name": "accept", "data": {}}, headers={"X-Acting-User": mine}
    )
    assert sent.status_code == 409 and sent.json()["error"] == "wrong_person"
    draft = fireman.post("/api/work/drafts", json={"definition_id": "business_flow", "data": {"title": "mine"}})
    assert draft.status_code == 201, draft.text
    key = draft.json()["draft_id"]
    assert drainer.get("/api/work/drafts").json()["items"] == []
    drainer.delete(f"/api/work/drafts/{key}")
    assert [d["draft_id"] for d in fireman.get("/api/work/drafts").json()["items"]] == [key]


def test_nobody_gets_a_role_that_only_we_give(office: Office) -> None:
    boss = office.client("boss")
    for role in ("party", "system", "citizen"):
        made = boss.post("/api/users", json={"login": f"x-{role}", "name": "x", "roles": [role]})
        assert made.status_code == 422, role
    with session_scope(office.engine) as session:
        assert not list(session.scalars(select(UserRole).where(UserRole.role.in_(("party", "system", "citizen")))))
    case_id = open_case(office)
    for login in ("fireman", "operator"):
        sent = {"name": "report", "data": {"title": "x"}, "actor_id": "system"}
        assert office.client(login).post(f"/api/cases/{case_id}/commands", json=sent).status_code == 422
    with read_scope(office.engine) as session:
        assert len(list(session.scalars(select(Case)))) == 1


def test_a_forged_time_and_place_are_told_and_not_believed(office: Office) -> None:
    case_id, fireman = open_case(office), office.client("fireman")
    told = {"at": "2099-01-01T00:00:00Z", "phone_now": "2099-01-01T00:00:00Z", "place": {"lon": 10.0, "lat": 50.0}}
    answer = fireman.post(f"/api/cases/{case_id}/commands", json={"name": "accept", "data": {}, "told": told})
    assert answer.status_code == 200, answer.text
    with read_scope(office.engine) as session:
        case = session.get(Case, case_id)
        row = session.scalars(
            select(CaseTransition).where(CaseTransition.case_id == case_id, CaseTransition.command == "accept")
        ).one()
    assert case is not None and row.at.year < 2099
    recorded = row.data["recorded"]
    assert recorded["distance_m"] > 1_000_000 and not recorded["at"].startswith("2099")


def test_a_document_is_no_photograph_of_the_place(office: Office) -> None:
    case_id, fireman = open_case(office), office.client("fireman")
    fireman.post(f"/api/cases/{case_id}/commands", json={"name": "accept", "data": {}}).raise_for_status()
    tus = {"Tus-Resumable": "1.0.0"}
    paper = b"%PDF-1.7\n%%EOF"
    begun = fireman.post("/api/uploads", headers={**tus, "Upload-Length": str(len(paper))})
    body = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert fireman.patch(begun.headers["location"], content=paper, headers=tus | body).status_code == 204
    sent = {"upload_id": begun.headers["location"].rsplit("/", 1)[1], "told": {}}
    kept = fireman.post(f"/api/cases/{case_id}/attachments?purpose=after", json=sent)
    assert kept.status_code == 201 and kept.json()["kind"] == "document"
    finish = {"name": "finish", "data": {"evidence": [kept.json()]}}
    for data in ({"name": "finish", "data": {}}, finish):
        assert fireman.post(f"/api/cases/{case_id}/commands", json=data).status_code in (409, 422)


def test_a_place_without_a_true_accuracy_is_refused(office: Office) -> None:
    fireman = office.client("fireman")
    fireman.put("/api/me/duty", json={"on_duty": True, "consent": True}).raise_for_status()
    for accuracy in (-1, 1e9):
        place = {"lon": 125.37, "lat": 43.88, "accuracy_m": accuracy}
        assert fireman.post("/api/me/position", json=place).status_code == 422
