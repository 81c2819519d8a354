"""Plans, duty, audit chain, duplicates and packages over the API."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from core.clock import ManualClock
from core.media import MediaStore
from core.records import EvidenceRef
from core.settings import Settings
from events.cases.drafts import CaseDraft, Part, Route
from events.cases.transition import add_evidence
from events.evidence.package import check_package
from storage.session import session_scope
from tests.unit.dashboard.web import Office, make_office

NOW = datetime(2026, 6, 5, 3, tzinfo=UTC)


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings, ManualClock(NOW))
    yield office
    office.engine.dispose()


def open_case(office: Office, site: str = "s-fire") -> str:
    draft = CaseDraft(
        title="fire", kind="fire_alarm", class_code="event-05-06", site_id=site, source_type="device", source_id="d",
        severity=4, auto_register=True, route=Route(lead=Part(department_id="dept-fire")),
    )  # fmt: skip
    with session_scope(office.engine) as session:
        return office.app.state.services.cases.open_case(session, draft).case_id


def add_picture(office: Office, case_id: str) -> EvidenceRef:
    store = MediaStore(office.settings.media_url)
    ref = store.put(b"\xff\xd8pic", kind="snapshot", media_type="image/jpeg", taken_at=NOW)
    with session_scope(office.engine) as session:
        add_evidence(session, case_id, ref, "finding", "system", NOW)
    return ref


def user_id(client: TestClient) -> str:
    return str(client.get("/api/me").json()["user"]["user_id"])


def test_a_roster_is_planned_handed_over_and_seen(office: Office) -> None:
    operator, fireman, drainer = office.client("operator"), office.client("fireman"), office.client("drainer")
    shift = {
        "department_id": "dept-fire", "user_id": user_id(fireman), "starts_at": "2026-06-05T10:00",
        "ends_at": "2026-06-05T20:00", "substitute_for": "",
    }  # fmt: skip
    made = operator.post("/api/duty", json=shift)
    assert made.status_code == 201, made.text
    assert operator.post("/api/duty", json=shift).status_code == 422  # the same person twice
    assert fireman.post("/api/duty", json=shift).status_code == 403
    assert operator.post("/api/duty", json={**shift, "starts_at": "tomorrow"}).status_code == 422
    (seen,) = fireman.get("/api/duty").json()["items"]
    assert seen["starts_at"] == "2026-06-05T02:00:00Z" and seen["user_name"] == "fireman"  # Beijing time, by default
    assert drainer.get("/api/duty").json()["items"] == []
    open_case(office)
    path = f"/api/duty/{made.json()['shift_id']}"
    assert drainer.post(f"{path}/handover", json={"user_id": user_id(drainer), "note": "all quiet"}).status_code == 403
    himself = fireman.post(f"{path}/handover", json={"user_id": user_id(fireman), "note": "nobody came"})
    assert himself.status_code == 422 and himself.json()["field"] == "to_user"
    done = fireman.post(f"{path}/handover", json={"user_id": user_id(operator), "note": "panel 889 under repair"})
    assert done.status_code == 200 and done.json()["open_cases"] == 1, done.text
    assert operator.delete(path).status_code == 422  # it has begun
    later = {**shift, "starts_at": "2026-06-06T10:00", "ends_at": "2026-06-06T20:00"}
    other = operator.post("/api/duty", json=later).json()["shift_id"]
    assert drainer.delete(f"/api/duty/{other}").status_code == 403
    assert operator.delete(f"/api/duty/{other}").status_code == 200


def test_a_plan_gives_tasks_once(office: Office) -> None:
    operator, fireman = office.client("operator"), office.client("fireman")
    case_id = open_case(office)
    boss = office.client("boss")
    plan = {"name": "火灾一级", "level": 1, "tasks": [{"title": "到场", "department": "lead"},
                                                    {"title": "保障", "department": "dept-command"}]}  # fmt: skip
    assert boss.put("/api/plans/fire", json=plan).json()["version"] == 1
    assert operator.put("/api/plans/fire", json=plan).status_code == 403
    assert boss.put("/api/plans/fire", json={"name": "x", "tasks": []}).status_code == 422
    assert "fire" in {p["plan_id"] for p in operator.get(f"/api/plans?case={case_id}").json()["items"]}
    started = operator.post("/api/plans/fire/start", json={"case_id": case_id})
    assert started.status_code == 201, started.text
    assert operator.post("/api/plans/fire/start", json={"case_id": case_id}).status_code == 422
    assert fireman.post("/api/plans/fire/start", json={"case_id": case_id}).status_code == 403
    (mine,) = fireman.get("/api/plan-tasks").json()["items"]
    assert mine["title"] == "到场"
    done = fireman.post(f"/api/plan-tasks/{mine['task_id']}", json={"state": "done"})
    assert done.status_code == 200 and done.json()["state"] == "done"
    drainer = office.client("drainer")
    assert drainer.post(f"/api/plan-tasks/{mine['task_id']}", json={"state": "done"}).status_code >= 400
    (run,) = operator.get("/api/plans").json()["runs"]
    assert [t["state"] for t in run["tasks"]] == ["done", "open"]


def test_views_and_exports_enter_the_chain_and_the_package_holds(office: Office, tmp_path: Path) -> None:
    case_id = open_case(office)
    ref = add_picture(office, case_id)
    fireman, operator, drainer = office.client("fireman"), office.client("operator"), office.client("drainer")
    for _ in range(3):
        assert fireman.get(f"/media/{ref.uri}").status_code == 200
    assert drainer.get(f"/media/{ref.uri}").status_code == 404
    chain = operator.get(f"/api/cases/{case_id}/audit").json()
    views = [e for e in chain["items"] if e["action"] == "view_evidence"]
    assert len(views) == 1 and views[0]["actor_id"] == user_id(fireman) and chain["holds"]
    assert drainer.get(f"/api/cases/{case_id}/audit").status_code == 404
    path = f"/api/cases/{case_id}/package"
    assert fireman.post(path, json={"reason": "court"}).status_code == 403
    assert operator.post(path, json={"reason": ""}).status_code == 422
    sealed = operator.post(path, json={"reason": "court"})
    assert sealed.status_code == 200 and zipfile.is_zipfile(io.BytesIO(sealed.content))
    (tmp_path / "p.zip").write_bytes(sealed.content)
    assert check_package(tmp_path / "p.zip").flaws == ()
    assert operator.get(f"/api/cases/{case_id}/audit").json()["items"][-1]["action"] == "export"


def test_duplicates_are_proposed_joined_and_refused(office: Office) -> None:
    first = open_case(office)
    operator, fireman = office.client("operator"), office.client("fireman")
    assert fireman.get(f"/api/cases/{first}/duplicates").status_code == 403
    here = {"lon": 125.3702, "lat": 43.88, "accuracy_m": 20}
    call = operator.post("/api/cases", json={"title": "water at the mall", "kind": "waterlogging", "location": here})
    assert call.status_code == 201, call.text
    assert (call.json()["state"], call.json()["merged_into_id"]) == ("merged", first)
    joined = operator.get(f"/api/cases/{call.json()['case_id']}").json()
    assert joined["why"]["merge"]["verdict"] == "attach" and joined["transitions"][-1]["reason"]
    assert [c["case_id"] for c in operator.get(f"/api/cases/{first}").json()["merged"]] == [call.json()["case_id"]]
    vague = operator.post("/api/cases", json={"title": "something", "site_id": "s-fire"}).json()
    path = f"/api/cases/{vague['case_id']}"
    (found,) = operator.get(f"{path}/duplicates").json()["items"]
    assert found["case_id"] == first and found["steps"][0]["step"] == "class"
    refuse = {"name": "distinct", "data": {"other_case_id": first}}
    assert operator.post(f"{path}/commands", json=refuse).status_code == 422  # why?
    refuse["data"]["reason"] = "a lost child"  # type: ignore[index]
    assert operator.post(f"{path}/commands", json=refuse).status_code == 200
    assert operator.get(f"{path}/duplicates").json()["items"] == []
    garbage = {"name": "distinct", "data": {"other_case_id": "nobody", "reason": "x y"}}
    assert operator.post(f"{path}/commands", json=garbage).status_code == 404


def test_why_me_over_the_api(office: Office) -> None:
    case_id = open_case(office)
    answer = office.client("fireman").get(f"/api/cases/{case_id}/routing")
    assert answer.status_code == 200, answer.text
    assert answer.json()["stored"] == [] and answer.json()["suggestion"]["lead"]["department_id"] == "dept-drainage"
    assert office.client("drainer").get(f"/api/cases/{case_id}/routing").status_code == 404


def test_an_evidence_view_is_noted_again_after_an_hour(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from dashboard.api import media

    case_id = open_case(office)
    ref = add_picture(office, case_id)
    fireman = office.client("fireman")
    fireman.get(f"/media/{ref.uri}")
    monkeypatch.setattr(media, "VIEW_AGAIN_S", -timedelta(hours=1).total_seconds())
    fireman.get(f"/media/{ref.uri}")
    chain = fireman.get(f"/api/cases/{case_id}/audit").json()["items"]
    assert sum(e["action"] == "view_evidence" for e in chain) == 2
