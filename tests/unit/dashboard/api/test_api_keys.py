"""Keys of other platforms: shown once, stored as a hash, revoked at once, only by administrators."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from core.settings import Settings
from storage.session import read_scope
from storage.tables.people import ApiKey
from tests.unit.dashboard.web import Office, make_office


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    yield office
    office.engine.dispose()


def test_a_keys_life(office: Office) -> None:
    boss = office.client("boss")
    user_id = office.client("operator").get("/api/me").json()["user"]["user_id"]
    made = boss.post("/api/keys", json={"name": "hotline", "user_id": user_id})
    assert made.status_code == 201, made.text
    key = made.json()["key"]
    with read_scope(office.engine) as session:
        assert session.scalars(select(ApiKey.key_hash)).one() == hashlib.sha256(key.encode()).hexdigest()
    assert key not in boss.get("/api/keys").text
    assert boss.post("/api/keys", json={"name": "hotline", "user_id": user_id}).status_code == 422
    assert boss.post("/api/keys", json={"name": "x", "user_id": "nobody"}).status_code == 404
    assert boss.post("/api/keys", json={"name": "x", "user_id": user_id, "scope": "all"}).status_code == 422
    assert boss.delete("/api/keys/hotline").status_code == 200
    assert boss.delete("/api/keys/hotline").status_code == 404
    assert boss.get("/api/keys").json()["items"][0]["revoked_at"]


def test_keys_are_the_administrators_business(office: Office) -> None:
    operator = office.client("operator")
    assert operator.get("/api/keys").status_code == 403
    assert operator.post("/api/keys", json={"name": "x", "user_id": "y"}).status_code == 403
    assert operator.delete("/api/keys/x").status_code == 403
