"""The video wall's API: own layouts, tours with findings, a picture that becomes a case, the log of views."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from core.settings import Settings
from dashboard.desk import stills
from events.cases.drafts import CaseDraft, Part, Route
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseEvidence
from tests.unit.dashboard.web import Office, make_office


@pytest.fixture
def office(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    office = make_office(settings, pages=True)
    picture = io.BytesIO()
    Image.new("RGB", (64, 36), "navy").save(picture, "JPEG")
    monkeypatch.setattr(stills, "still", lambda _url: picture.getvalue())
    yield office
    office.engine.dispose()


def test_layouts_are_ones_own(office: Office) -> None:
    operator, boss = office.client("operator"), office.client("boss")
    assert operator.put("/api/video/layouts/night", json={"tiles": 9, "cameras": ["c-fire", ""]}).json() == {"ok": True}
    assert operator.put("/api/video/layouts/night", json={"tiles": 4, "cameras": ["c-fire"]}).is_success
    (kept,) = operator.get("/api/video/layouts").json()["items"]
    assert kept == {"name": "night", "tiles": 4, "cameras": ["c-fire"]}
    assert boss.get("/api/video/layouts").json()["items"] == []
    assert operator.put("/api/video/layouts/night", json={"tiles": 99}).status_code in (400, 422)
    operator.delete("/api/video/layouts/night")
    assert operator.get("/api/video/layouts").json()["items"] == []


def test_a_tour_stops_where_a_case_is_open(office: Office) -> None:
    operator = office.client("operator")
    draft = CaseDraft(
        title="Fire", kind="flame", class_code="event-05-94", source_type="camera", source_id="c-fire", severity=4,
        auto_register=True, route=Route(lead=Part(department_id="dept-fire")),
    )  # fmt: skip
    with session_scope(office.engine) as session:
        office.app.state.services.cases.open_case(session, draft)
    body = {"name": "key places", "cameras": ["c-water", "c-fire", "c-nowhere"], "dwell_s": 5}
    tour = operator.post("/api/video/tours", json=body).json()["tour_id"]
    stops = operator.get(f"/api/video/tours/{tour}/stops").json()
    assert [s["camera_id"] for s in stops["items"]] == ["c-water", "c-fire"] and stops["dwell_s"] == 5
    assert [len(s["findings"]) for s in stops["items"]] == [0, 1]
    by_category = operator.post("/api/video/tours", json={"name": "rooms", "category": "fire_control_room"}).json()
    found = operator.get(f"/api/video/tours/{by_category['tour_id']}/stops").json()["items"]
    assert [s["camera_id"] for s in found] == ["c-fire"]
    assert office.client("fireman").get("/api/video/tours").status_code == 403
    assert operator.get("/api/video/tours/none/stops").status_code == 404


def test_a_picture_becomes_a_case_with_the_picture_in_its_file(office: Office) -> None:
    operator = office.client("operator")
    made = operator.post("/api/video/cases", json={"camera_id": "c-fire", "title": "有烟"})
    assert made.status_code == 201, made.text
    with read_scope(office.engine) as session:
        case = session.get_one(Case, made.json()["case_id"])
        evidence = session.query(CaseEvidence).filter(CaseEvidence.case_id == case.case_id).one()
        assert (case.source_id, case.site_id, round(case.lon or 0, 2)) == ("c-fire", "s-fire", 125.37)
        assert case.reporter_id and office.app.state.services.media.read(evidence.uri)[:2] == b"\xff\xd8"
    assert operator.post("/api/video/cases", json={"camera_id": "nope", "title": "x"}).status_code == 404
    strange = office.client("fireman").post("/api/video/cases", json={"camera_id": "c-fire", "title": "x"})
    assert strange.status_code == 403


def test_every_view_is_logged_by_the_server(office: Office) -> None:
    operator = office.client("operator")
    for _ in range(3):
        assert operator.get("/api/cameras/c-fire/snapshot.jpg").status_code == 200
    (seen,) = office.client("boss").get("/api/video/views?camera=c-fire").json()["items"]
    assert seen["kind"] == "still" and seen["seconds"] is None
    assert operator.get("/api/video/views").status_code == 403
