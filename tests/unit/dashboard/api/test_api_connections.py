"""Connections over the API: who may, versions, secrets that are never shown, keys, trials."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from core.settings import Settings
from dashboard.connections.trial import fields_of, lists_of
from ingest.connections.starter import starters
from ingest.simulate.platforms import senders
from ingest.simulate.platforms.server import Platform
from storage.connections import read_connections
from storage.session import read_scope
from storage.tables.exchange import Connection
from tests.unit.dashboard.web import Office, make_office

GAS = starters()["gas-stations"]


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings.with_(connection_networks="127.0.0.0/8"))
    yield office
    office.engine.dispose()


def made(boss: TestClient, url: str = "https://gas.example/v1") -> dict[str, Any]:
    answer = boss.post("/api/connections", json={"connection_id": "gas", "name": "智慧燃气", "kind": "rest"})
    assert answer.status_code == 201, answer.text
    body = {"params": {"url": url}, "mapping": GAS["mapping"], "interval_s": 30}
    saved = boss.put("/api/connections/gas", json=body)
    assert saved.status_code == 200, saved.text
    found: dict[str, Any] = saved.json()
    return found


def test_connections_are_the_administrators_business(office: Office) -> None:
    operator = office.client("operator")
    assert operator.get("/api/connections").status_code == 403
    wish = {"connection_id": "xx", "name": "x", "kind": "rest"}
    assert operator.post("/api/connections", json=wish).status_code == 403


def test_versions_follow_each_other_and_come_back(office: Office) -> None:
    boss = office.client("boss")
    assert made(boss)["version"] == 1
    second = {"params": {"url": "https://gas.example/v2"}, "mapping": GAS["mapping"], "interval_s": 60, "before": 1}
    assert boss.put("/api/connections/gas", json=second).json()["version"] == 2
    assert boss.put("/api/connections/gas", json=second).status_code == 422  # somebody saved meanwhile
    assert boss.post("/api/connections/gas/versions/1/restore").json()["version"] == 3
    shown = boss.get("/api/connections/gas").json()
    assert shown["params"]["url"].endswith("/v1") and [v["version"] for v in shown["versions"]] == [3, 2, 1]
    assert boss.post("/api/connections/gas/versions/9/restore").status_code == 404


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"params": {"url": "file:///etc/passwd"}}, "web address"),
        ({"params": {"hots": "x"}}, "hots"),
        ({"params": {}}, "url"),
        ({"mapping": {"device": "x"}}, "neither"),
        ({"mapping": {"device": "x", "values": [{"path": "a"}]}}, "quantity"),
        ({"interval_s": 0}, "interval_s"),
    ],
)
def test_what_cannot_work_is_refused_by_name(office: Office, change: dict[str, Any], named: str) -> None:
    boss = office.client("boss")
    made(boss)
    body = {"params": {"url": "https://gas.example"}, "mapping": GAS["mapping"]} | change
    answer = boss.put("/api/connections/gas", json=body)
    assert answer.status_code in (400, 422) and named in answer.text, answer.text


def test_secrets_are_written_and_never_read(office: Office) -> None:
    boss = office.client("boss")
    made(boss)
    kept = boss.put("/api/connections/gas/secrets", json={"values": {"token": "s3cret-word"}})
    assert kept.json()["secrets"] == ["token"]
    for path in ("/api/connections", "/api/connections/gas"):
        assert "s3cret-word" not in boss.get(path).text
    with read_scope(office.engine) as session:
        sealed = session.scalars(select(Connection.sealed)).one()
        config = read_connections(session)[0]
    assert sealed is not None and b"s3cret-word" not in sealed
    assert config.secrets(office.settings.records_key) == {"token": "s3cret-word"}
    assert boss.put("/api/connections/gas/secrets", json={"values": {"nose": "x"}}).status_code == 422
    assert boss.put("/api/connections/gas/secrets", json={"values": {"token": ""}}).json()["secrets"] == []


def test_a_key_is_shown_once_and_only_where_the_sender_calls(office: Office) -> None:
    boss = office.client("boss")
    made(boss)
    assert boss.post("/api/connections/gas/key").status_code == 422
    boss.post("/api/connections", json={"connection_id": "city-ai", "name": "市级", "kind": "webhook"})
    answer = boss.post("/api/connections/city-ai/key")
    assert answer.status_code == 201 and answer.json()["path"] == "/push/city-ai"
    assert answer.json()["key"] not in boss.get("/api/connections/city-ai").text
    assert boss.delete("/api/connections/city-ai/key").json()["has_key"] is False
    assert boss.post("/api/connections/city-ai/on").status_code == 422  # nothing was saved yet


def test_the_sender_is_asked_and_the_mapping_tried(office: Office) -> None:
    boss = office.client("boss")
    with Platform(senders.gas()) as there:
        made(boss, f"{there.url}/gas/v1/stations")
        assert boss.post("/api/connections/gas/test").json()["ok"] is False  # no token yet
        boss.put("/api/connections/gas/secrets", json={"values": {"token": senders.TOKEN}})
        answer = boss.post("/api/connections/gas/test").json()
    assert answer["ok"] and answer["items"] == 3
    sample = json.dumps(answer["sample"], ensure_ascii=False)
    tried = boss.post("/api/connections/gas/try", json={"mapping": GAS["mapping"], "sample": sample}).json()
    assert len(tried["readings"]) == 9 and tried["refused"] == []
    assert boss.post("/api/connections/gas/try", json={"mapping": GAS["mapping"], "sample": "{"}).status_code == 422
    nothing = boss.post("/api/connections/gas/try", json={"mapping": GAS["mapping"], "sample": "{}"}).json()
    assert nothing["refused"][0]["error"] == "no_items"
    assert lists_of(answer["sample"]) == ["result[]"]
    assert "gasLel" in fields_of(answer["sample"], "result[]")


def test_private_addresses_are_not_asked_unless_listed(settings: Settings) -> None:
    office = make_office(settings)
    boss = office.client("boss")
    with Platform(senders.gas()) as there:
        made(boss, f"{there.url}/gas/v1/stations")
        answer = boss.post("/api/connections/gas/test").json()
    assert answer["ok"] is False and "YIWANG_CONNECTION_NETWORKS" in answer["detail"]
    office.engine.dispose()


def test_the_list_names_kinds_with_help_and_parameters(office: Office) -> None:
    kinds = {k["kind"]: k for k in office.client("boss").get("/api/connections").json()["kinds"]}
    assert set(kinds) >= {"rest", "sql", "sftp", "folder", "webhook", "mqtt", "open311", "hotline"}
    for kind in kinds.values():
        assert kind["help"] and kind["title"]
        properties = next(iter(kind["params"]["$defs"].values()))["properties"]
        assert set(kind["names"]) <= set(properties), kind["kind"]
