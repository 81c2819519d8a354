"""Cases by telephone: the call becomes a case or a note, the caller's number is sealed and shown for a reason alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.clock import ManualClock
from core.errors import InputInvalid, NotFound
from core.settings import Settings
from dashboard.desk import intake
from dashboard.desk.intake import PhoneCall, Place
from storage.session import read_scope
from storage.tables.cases import Case, CaseTransition
from storage.tables.files import CaseSubject
from storage.tables.registry import Site
from tests.unit.dashboard.web import Office, make_office
from tests.unit.dashboard.work.test_case_filters import principal

CALL = PhoneCall(
    source="12345", number="A-778", title="路口积水", description="没过脚踝", name="王小明", phone="13800138000",
    severity=2, class_code="event-05-06",
)  # fmt: skip


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings, ManualClock(datetime(2026, 6, 5, 3, tzinfo=UTC)))
    yield office
    office.engine.dispose()


def site(office: Office) -> Place:
    with read_scope(office.engine) as session:
        row = session.scalars(select(Site).where(Site.lon.is_not(None)).limit(1)).one()
        return Place(lon=row.lon, lat=row.lat, name=row.name, site_id=row.site_id)


def test_a_call_is_a_case_once_however_often_the_button_is_pressed(office: Office) -> None:
    use, who = office.app.state.services, principal(office, "operator", ("operator",))
    place = site(office)
    call = PhoneCall(**{**{f: getattr(CALL, f) for f in CALL.__struct_fields__}, "place": place})
    first, again = (intake.take(use, who, call, "k1") for _ in range(2))
    assert first.case_id == again.case_id and again.replayed
    with read_scope(office.engine) as session:
        case = session.get_one(Case, first.case_id)
        assert (case.title, case.severity, case.site_id) == ("路口积水", 2, place.site_id)
        assert (case.source_type, case.source_id, case.class_code) == ("citizen", "12345:A-778", "event-05-06")
        assert "没过脚踝" in case.description and place.name in case.description and "A-778" in case.description
        subjects = session.scalars(select(CaseSubject).where(CaseSubject.case_id == case.case_id)).all()
        assert [s.name for s in subjects] == ["王**"] or "小明" not in subjects[0].name
        assert all("13800138000" not in str(vars(row)) for row in (case, *subjects))


def test_the_number_is_shown_for_a_reason(office: Office) -> None:
    use, who = office.app.state.services, principal(office, "operator", ("operator",))
    case = intake.take(use, who, CALL, "k1")
    shown = office.client("operator").post(f"/api/cases/{case.case_id}/contact", json={"reason": "回访来电人"}).json()
    assert [each["phone"] for each in shown["items"]] == ["13800138000"]


def test_what_is_reported_already_is_offered_and_noted_once(office: Office) -> None:
    use, who = office.app.state.services, principal(office, "operator", ("operator",))
    place = site(office)
    standing = intake.take(use, who, PhoneCall(source="call", title="树倒了", place=place), "k1")
    far = Place(lon=place.lon + 0.02, lat=place.lat)
    assert intake.near(use, who, far) == []
    beside = Place(lon=place.lon + 0.001, lat=place.lat)
    (found,) = intake.near(use, who, beside)
    assert found.case.case_id == standing.case_id and 60 < found.distance_m < 100
    for _ in range(2):
        intake.note(use, who, CALL, standing.case_id, "k2")
    with read_scope(office.engine) as session:
        moves = session.scalars(select(CaseTransition).where(CaseTransition.case_id == standing.case_id)).all()
        noted = [m for m in moves if m.idempotency_key == "k2"]
        assert len(noted) == 1 and "没过脚踝" in noted[0].data["comment"] and noted[0].from_state == noted[0].to_state
    with pytest.raises(NotFound):
        intake.note(use, principal(office, "fireman", ("staff",)), CALL, "nothing", "k3")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"title": " "}, "title"), ({"phone": "call me"}, "phone"), ({"source": "114"}, "call"), ({"place": 1}, "call")],
)
def test_what_is_wrong_is_named(wrong: dict[str, str], field: str) -> None:
    with pytest.raises(InputInvalid) as told:
        intake.checked({"source": "119", "title": "火", **wrong})
    assert told.value.data["field"] == field


def test_classes_are_found_by_name_pinyin_and_initials() -> None:
    lines = [{"code": "event-05-06", "name": "道路积水"}, {"code": "event-01-92", "name": "暴露垃圾"}]
    for typed in ("积水", "daolujishui", "dljs", "05-06"):
        assert intake.classes_like(lines, typed)[0]["name"] == "道路积水"
    assert intake.classes_like(lines, "") == lines and intake.classes_like(lines, "xyz") == []
