"""Whatever leaves the house as a file asks again who is there: every such route, found by what it sends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.routing import APIRoute

from core.clock import ManualClock
from core.settings import Settings
from dashboard.reference import flat_routes
from tests.unit.dashboard.api.test_api_rights import filled
from tests.unit.dashboard.web import PASSWORD, Office, make_office

FILES = ("csv", "spreadsheet", "zip", "pdf", "tiff")  # media types of tables, collections and printed sheets
NO_EXPORT = {
    "/api/forms/{form_id}/versions/{version}/xlsx": "a form's own questions, nobody's answers",
    "/api/cases/{case_id}/documents/{document_id}": "one document that is read in its case",
}


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    made = make_office(settings, ManualClock(datetime(2026, 7, 1, 3, tzinfo=UTC)))
    yield made
    made.engine.dispose()


def export_routes(office: Office) -> list[tuple[str, str]]:
    found = []
    for route in flat_routes(office.app.routes):
        if isinstance(route, APIRoute) and route.path not in NO_EXPORT:
            sent = {kind for answer in route.responses.values() for kind in answer.get("content", {})}
            if any(word in kind for kind in sent for word in FILES) or "export" in route.path:
                found += [(method, route.path) for method in sorted(route.methods)]
    return found


def test_every_export_asks_again_after_a_quarter_of_an_hour(office: Office) -> None:
    clock = office.app.state.services.clock
    boss, routes = office.client("boss"), export_routes(office)
    assert len(routes) >= 11, routes
    known = {path for _, path in routes}
    assert {"/api/registers/{register_id}/export", "/api/cases/{case_id}/package", "/api/items.xlsx"} <= known
    clock.advance(timedelta(minutes=16).total_seconds())
    for method, path in routes:
        answer = boss.request(method, filled(path), json={} if method == "POST" else None)
        assert answer.status_code == 403 and answer.json()["error"] == "confirmation_required", (path, answer.text)
    assert boss.post("/api/me/confirm", json={"password": PASSWORD}).status_code == 200
    for method, path in routes:
        answer = boss.request(method, filled(path), json={} if method == "POST" else None)
        assert "confirmation_required" not in answer.text, path
    assert boss.get("/api/indicators.csv").status_code == 200


def test_a_link_leads_to_the_question_and_back_to_its_page(office: Office) -> None:
    clock, boss = office.app.state.services.clock, office.client("boss")
    clock.advance(timedelta(hours=1).total_seconds())
    page = {"accept": "text/html,*/*", "referer": "http://testserver/indicators?days=30"}
    answer = boss.get("/api/indicators.csv", headers=page)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?confirm=1&next=/indicators%3Fdays%3D30"
    foreign = boss.get("/api/indicators.csv", headers=page | {"referer": "https://evil.example/x"})
    assert foreign.headers["location"] == "/login?confirm=1&next=/api/indicators.csv"
