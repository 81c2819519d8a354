"""A device's own credential, and what was refused of its messages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from core.settings import Settings
from dashboard.services import Services
from storage.session import session_scope
from storage.tables.registry import Device
from tests.unit.dashboard.web import Office, make_office


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    with session_scope(office.engine) as session:
        session.add(Device(device_id="mqtt:g9", source="mqtt", address="g9", status="accepted"))
    yield office
    office.engine.dispose()


def test_a_credential_is_shown_once_kept_as_a_hash_and_revoked(office: Office) -> None:
    admin = office.client("boss")
    answer = admin.post("/api/devices/mqtt:g9/credential")
    assert answer.status_code == 200, answer.text
    given = answer.json()
    assert given["user"] == "mqtt:g9" and "sensors/g9/#" in given["topics"] and "g9" in given["client_ids"]
    with session_scope(office.engine) as session:
        row = session.get(Device, "mqtt:g9")
        assert row is not None and row.revision == 2, "the registry is announced anew"
        assert row.attributes["token_sha256"] == hashlib.sha256(given["password"].encode()).hexdigest()
    shown = admin.get("/api/devices/mqtt:g9").json()
    assert shown["own_credential"] is True and "token_sha256" not in shown["attributes"]
    assert admin.delete("/api/devices/mqtt:g9/credential").status_code == 200
    assert admin.get("/api/devices/mqtt:g9").json()["own_credential"] is False
    assert admin.post("/api/devices/mqtt:nobody/credential").status_code == 404
    assert office.client("operator").post("/api/devices/mqtt:g9/credential").status_code == 403


def test_refusals_by_device_and_by_source(office: Office) -> None:
    client = office.client("operator")
    services: Services = client.app.state.services  # type: ignore[attr-defined]
    last = {"at": "2026-11-28T00:00:00+00:00", "code": "payload_invalid", "detail": "…", "message": "{"}
    services.hub.states["device.mqtt=g9"] = {"device_id": "mqtt:g9", "refused": {"count": 7, "last": [last]}}
    services.hub.states["source.mqtt"] = {"source": "mqtt", "refused": {"topic_unknown": 2}, "last_refused": [last]}
    shown = client.get("/api/devices/mqtt:g9").json()
    assert shown["refused"] == {"count": 7, "last": [last]}
    assert shown["state"] == "never", "what was refused is no sign of life"
    listed = {d["device_id"]: d for d in client.get("/api/devices").json()["items"]}["mqtt:g9"]
    assert listed["refused_count"] == 7
    (source,) = client.get("/api/sources/refusals").json()["items"]
    assert source["refused"] == {"topic_unknown": 2} and source["last_refused"] == [last]
