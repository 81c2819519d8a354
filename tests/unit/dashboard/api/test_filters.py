"""Filters of lists: declared, checked by name, empty ones left out."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import FastAPI, Query
from fastapi.testclient import TestClient

from core.settings import Settings
from dashboard.api.filters import Box, Day, DivisionCode, Filters, Moment, Several, Text
from tests.unit.dashboard.web import Office, make_office


class Wish(Filters):
    """Every kind of filter."""

    meaningful_when_empty = frozenset({"group"})
    q: Text | None = None
    group: Text | None = None
    at: Moment | None = None
    day: Day | None = None
    bbox: Box | None = None
    ids: Several = ()
    division: DivisionCode | None = None
    live: bool | None = None


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()

    @app.get("/")
    def read(asked: Annotated[Wish, Query()]) -> dict[str, object]:
        return asked.model_dump(mode="json", exclude_none=True)

    return TestClient(app)


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("", {"ids": []}),
        ("q=&live=&at=&bbox=&ids=", {"ids": []}),
        ("group=", {"ids": [], "group": ""}),
        ("q=%20%E7%A7%AF%E6%B0%B4%20", {"ids": [], "q": "积水"}),
        ("at=2026-06-05T08:00:00+08:00", {"ids": [], "at": "2026-06-05T00:00:00Z"}),  # a plus sign nobody escaped
        ("at=2026-06-05T08:00:00%2B08:00", {"ids": [], "at": "2026-06-05T00:00:00Z"}),
        ("bbox=125.1,43.8,125.6,44", {"ids": [], "bbox": [125.1, 43.8, 125.6, 44.0]}),
        ("ids=a,b,,c&ids=d", {"ids": ["a", "b", "c", "d"]}),
        ("live=0", {"ids": [], "live": False}),
        ("division=220105&day=2026-11-28", {"ids": [], "division": "220105", "day": "2026-11-28"}),
        ("unknown=1", {"ids": []}),
    ],
)
def test_what_is_sent_is_read(client: TestClient, query: str, read: dict[str, object]) -> None:
    answer = client.get(f"/?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json() == read


@pytest.fixture
def office(settings: Settings) -> Office:
    return make_office(settings)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/cases?severity=9", "severity"),
        ("/api/cases?bbox=1,2", "bbox"),
        ("/api/cases?bbox=nan,43,125,44", "bbox"),
        ("/api/cases?opened_from=2026-06-05T07:00:00", "opened_from"),
        ("/api/cases?opened_from=yesterday", "opened_from"),
        ("/api/cases?open=perhaps", "open"),
        ("/api/cases?limit=0", "limit"),
        ("/api/cases?q=%00", "q"),
        (f"/api/cases?q={'x' * 201}", "q"),
        ("/api/devices?limit=1e3", "limit"),
        ("/api/cameras?offset=-1", "offset"),
        ("/api/indicators?by=weather", "by"),
        ("/api/vision/what-if?camera=c&algorithm=a&threshold=nan", "threshold"),
        ("/api/vision/what-if?camera=c&algorithm=a", "threshold"),
        ("/api/visits?until=2026-13-01", "until"),
        ("/api/search?lon=inf&lat=1", "lon"),
        ("/api/work?view=other", "view"),
        ("/api/forms/x/diff?from=1", "to"),
        ("/ogc/collections?colour=red", "colour"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(office: Office, path: str, field: str) -> None:
    answer = office.client("boss").get(path)
    assert answer.status_code in {400, 422}, answer.text
    assert (answer.json()["error"], answer.json()["field"]) == ("input_invalid", field)
    assert answer.json()["message"].startswith(f"{field}: ")
