"""The situation report: by right, with its cases, as a PDF that can be read again, as the draft of a hand-over."""

from __future__ import annotations

from collections.abc import Iterator

import pymupdf
import pytest

from core.records import GeoPoint
from core.settings import Settings
from events.cases.drafts import CaseDraft, Part, Route
from storage.session import session_scope
from tests.unit.dashboard.web import Office, make_office

HOSTILE = "<b>火灾</b> & <script>"


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings, pages=True)
    with session_scope(office.engine) as session:
        for number, title in enumerate((HOSTILE, "路灯不亮")):
            draft = CaseDraft(
                title=title, kind="fire_alarm", class_code="event-05-94", source_type="device", source_id=f"d{number}",
                severity=4 - 3 * number, auto_register=True, route=Route(lead=Part(department_id="dept-fire")),
                location=GeoPoint(lon=125.37, lat=43.88),
            )  # fmt: skip
            office.app.state.services.cases.open_case(session, draft)
    yield office
    office.engine.dispose()


def test_a_report_names_the_gravest_and_counts_the_rest(office: Office) -> None:
    report = office.client("operator").get("/api/situation").json()
    assert [line["title"] for line in report["grave"]] == [HOSTILE]
    assert len(report["open_lines"]) == 2 and len(report["dots"]) == 2
    counts = {fact["name"]: fact["value"].split()[0] for fact in report["now"]}
    assert counts["在办案卷" if "在办案卷" in counts else "Open cases"] == "2"


def test_the_pdf_holds_the_words_and_no_markup(office: Office) -> None:
    answer = office.client("operator").get("/api/situation.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    document = pymupdf.open("pdf", answer.content)
    text = "".join(page.get_text() for page in document).replace("\n", "")
    assert HOSTILE.replace(" ", "") in text.replace(" ", "") and "路灯不亮" in text
    assert len(answer.content) < 400_000


def test_a_handover_is_drafted(office: Office) -> None:
    note = office.client("operator").get("/api/situation/handover").json()["note"]
    assert HOSTILE in note and "2" in note


@pytest.mark.parametrize("query", ["from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z", "from=yesterday"])
def test_a_wrong_span_is_named(office: Office, query: str) -> None:
    answer = office.client("operator").get(f"/api/situation?{query}")
    assert answer.status_code in (400, 422) and "from" in answer.text


def test_only_the_centre_reads_it(office: Office) -> None:
    assert office.client("fireman").get("/api/situation").status_code == 403
