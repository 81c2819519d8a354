"""The catalogue over the API: request, decision by somebody else, key with fields, rows and end date, log, lineage."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.clock import ManualClock
from core.settings import Settings
from storage.session import session_scope
from storage.tables.records import RegisterRecord
from tests.unit.dashboard.web import Office, make_office

NOW = datetime(2026, 11, 28, 1, 0, tzinfo=UTC)
WISH = {"purpose": "用于企业走访", "fields": ["code", "name"], "filters": {"industry": ["C"]}, "until": "2026-12-31"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def office(settings: Settings, clock: ManualClock) -> Iterator[Office]:
    office = make_office(settings, clock)
    with session_scope(office.engine) as session:
        for n, industry in enumerate("CCF"):
            data = {"code": f"9122{n}", "name": f"企业{n}", "industry": industry, "legal_person": "王某"}
            session.add(RegisterRecord(
                record_id=f"r{n}", register_id="enterprise", natural_key=bytes([n]) * 16, state="active", version=1,
                name=data["name"], data=data, created_at=NOW, updated_at=NOW,
            ))  # fmt: skip
    yield office
    office.engine.dispose()


def granted(office: Office, **decision: Any) -> tuple[str, dict[str, Any]]:
    """(request id, answer with the key)."""
    asked = office.client("fireman").post("/api/catalogue/enterprises/requests", json=WISH)
    assert asked.status_code == 201, asked.text
    request_id = asked.json()["request_id"]
    answer = office.client("boss").post(f"/api/share-requests/{request_id}/decide", json={"grant": True} | decision)
    assert answer.status_code == 200, answer.text
    return request_id, answer.json()


def rows(client: TestClient, key: str, path: str = "/share/v1/enterprises") -> Any:
    return client.get(path, headers={"X-API-Key": key})


def test_a_key_sees_the_granted_fields_and_rows_alone(office: Office) -> None:
    _, grant = granted(office)
    stranger = office.client()
    answer = rows(stranger, grant["key"])
    assert answer.json()["items"] == [{"code": "91220", "name": "企业0"}, {"code": "91221", "name": "企业1"}]
    assert rows(stranger, "wrong").status_code == 401 and rows(stranger, "").status_code == 401
    assert rows(stranger, grant["key"], "/share/v1/projects").status_code == 401
    assert rows(stranger, grant["key"], "/share/v1/nothing").status_code == 404
    detail = office.client("operator").get("/api/catalogue/enterprises").json()
    assert [(f["rows"], f["outcome"]) for f in detail["fetched"]] == [(2, "ok")]
    assert {q["field"]: q["bad"] for q in detail["quality"]} == {"code": 0, "name": 0, "division": 3}


def test_a_key_ends_on_its_day_and_when_somebody_ends_it(office: Office, clock: ManualClock) -> None:
    _, grant = granted(office, fields=["name"])
    stranger = office.client()
    assert rows(stranger, grant["key"]).json()["items"][0] == {"name": "企业0"}
    clock.set(datetime(2026, 12, 31, 15, 0, tzinfo=UTC))  # 23:00 in Beijing
    assert rows(stranger, grant["key"]).status_code == 200
    clock.set(datetime(2026, 12, 31, 16, 30, tzinfo=UTC))
    assert rows(stranger, grant["key"]).status_code == 401


def test_a_grant_is_ended_at_once(office: Office) -> None:
    request_id, grant = granted(office)
    assert rows(office.client(), grant["key"]).status_code == 200
    assert office.client("boss").post(f"/api/share-requests/{request_id}/end").json()["state"] == "ended"
    assert rows(office.client(), grant["key"]).status_code == 401


@pytest.mark.parametrize(
    ("dataset", "change", "status"),
    [
        ("enterprises", {"fields": ["phone"]}, 422),
        ("enterprises", {"filters": {"legal_person": ["王某"]}}, 422),
        ("enterprises", {"purpose": "x"}, 422),
        ("enterprises", {"until": "2020-01-01"}, 422),
        ("residents", {"fields": [], "filters": {}}, 403),
        ("nothing", {}, 404),
    ],
)
def test_what_is_not_shared_cannot_be_asked_for(
    office: Office, dataset: str, change: dict[str, Any], status: int
) -> None:
    answer = office.client("fireman").post(f"/api/catalogue/{dataset}/requests", json=WISH | change)
    assert answer.status_code == status, answer.text


def test_somebody_else_decides_with_a_reason_and_once(office: Office) -> None:
    boss, fireman = office.client("boss"), office.client("fireman")
    own = boss.post("/api/catalogue/enterprises/requests", json=WISH).json()["request_id"]
    assert boss.post(f"/api/share-requests/{own}/decide", json={"grant": True}).status_code == 403
    asked = fireman.post("/api/catalogue/enterprises/requests", json=WISH).json()["request_id"]
    assert fireman.post(f"/api/share-requests/{asked}/decide", json={"grant": True}).status_code == 403
    assert boss.post(f"/api/share-requests/{asked}/decide", json={"grant": False}).status_code == 422
    more = {"grant": True, "fields": ["address"]}
    assert boss.post(f"/api/share-requests/{asked}/decide", json=more).status_code == 422
    refused = boss.post(f"/api/share-requests/{asked}/decide", json={"grant": False, "note": "无依据"}).json()
    assert refused["state"] == "refused" and "key" not in refused
    assert boss.post(f"/api/share-requests/{asked}/decide", json={"grant": True}).status_code == 422
    assert [r["request_id"] for r in fireman.get("/api/share-requests").json()["items"]] == [asked]
    assert len(boss.get("/api/share-requests").json()["items"]) == 2
    assert office.client("drainer").get("/api/share-requests").json()["items"] == []


def test_lineage_responsibilities_and_the_feed(office: Office) -> None:
    _, grant = granted(office)
    rows(office.client(), grant["key"])
    boss = office.client("boss")
    events = boss.get("/api/catalogue/lineage").json()["items"]
    assert [e["eventType"] for e in events] == ["START", "COMPLETE"]
    assert uuid.UUID(events[0]["run"]["runId"])
    assert events[1]["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == 2
    for event in events:
        assert {"eventTime", "producer", "schemaURL", "run", "job"} <= set(event)
    listed = boss.get("/api/catalogue/responsibilities").json()["items"]
    assert {r["dataset_id"]: r["late"] for r in listed}["projects"] is True
    feed = boss.get("/api/catalogue/dcat.jsonld")
    assert feed.headers["content-type"].startswith("application/ld+json")
    assert json.loads(feed.text)["@type"] == "dcat:Catalog"
    assert office.client().get("/api/catalogue").status_code == 401
