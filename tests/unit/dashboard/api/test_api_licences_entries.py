"""Verifying licences and going to other platforms, by right and with a trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import func, select

from core.settings import Settings
from ingest.simulate.platforms import senders
from ingest.simulate.platforms.server import Platform
from storage.session import read_scope
from storage.tables.exchange import LicenceCheck
from tests.unit.dashboard.web import Office, make_office

SECRET = "a-secret-that-both-platforms-share-0123"


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings.with_(connection_networks="127.0.0.0/8"))
    yield office
    office.engine.dispose()


def connect(office: Office, name: str, kind: str, params: dict[str, Any], **secrets: str) -> None:
    boss = office.client("boss")
    title = {"connection_id": name, "name": f"平台 {name}", "kind": kind}
    assert boss.post("/api/connections", json=title).status_code == 201
    assert boss.put(f"/api/connections/{name}", json={"params": params}).status_code == 200
    if secrets:
        assert boss.put(f"/api/connections/{name}/secrets", json={"values": secrets}).status_code == 200
    assert boss.post(f"/api/connections/{name}/on").status_code == 200


def test_a_licence_is_verified_and_kept_with_its_case(office: Office) -> None:
    fireman = office.client("fireman")
    good, revoked = senders.licence_id("TEST1"), senders.licence_id("TEST2")
    asked = fireman.post("/api/licences/verify", json={"identifier": good})
    assert asked.status_code == 400 and asked.json()["error"] == "no_licence_platform"
    with Platform(senders.licences()) as there:
        given = {"url": f"{there.url}/licence/verify", "app_id": senders.APP_ID}
        connect(office, "licences", "licence", given, app_secret=senders.APP_SECRET)
        test = office.client("boss").post("/api/connections/licences/test").json()
        assert test["ok"] and test["sample"]["code"] == 0
        case = fireman.post("/api/cases", json={"title": "核实证照", "site_id": "s-fire"}).json()
        sent = {"identifier": good.lower(), "holder": "二道区示例餐饮有限公司", "case_id": case["case_id"]}
        found = fireman.post("/api/licences/verify", json=sent | {"holder_number": "91220105MA0000000X"}).json()
        assert found["valid"] and found["problems"] == [] and found["connection_id"] == "licences"
        other = fireman.post("/api/licences/verify", json={"identifier": revoked, "holder": "别人"}).json()
        assert other["problems"] == ["holder_differs", "state_revoked"] and not other["valid"]
        wrong = fireman.post("/api/licences/verify", json={"identifier": "12345"}).json()
        assert wrong["problems"] == ["identifier_parts"] and wrong["connection_id"] == ""
    told = fireman.get(f"/api/cases/{case['case_id']}").text
    assert "licence_check" in told and good in told
    of_case = fireman.get("/api/licences", params={"case_id": case["case_id"]}).json()["items"]
    assert [c["identifier"] for c in of_case] == [good]
    assert len(fireman.get("/api/licences").json()["items"]) == 3
    assert office.client("drainer").get("/api/licences").json()["items"] == []
    stranger = office.client("drainer").post("/api/licences/verify", json={"identifier": good, "case_id": "nothing"})
    assert stranger.status_code == 404
    with read_scope(office.engine) as session:
        assert session.scalar(select(func.count()).select_from(LicenceCheck)) == 3


def test_entries_by_role_and_a_ticket_that_the_platform_can_check(office: Office) -> None:
    oa = {"url": "https://oa.example/sso?from=yw", "group": "办公", "sign_on": "ticket", "audience": "oa",
          "claims": ["login", "department_id"]}  # fmt: skip
    connect(office, "oa", "entry", oa, ticket_secret=SECRET)
    connect(office, "trading", "entry", {"url": "https://trade.example/", "group": "交易", "roles": ["manager"]})
    connect(office, "jsb", "entry", {"url": "https://jsb.example/", "group": "政务", "sign_on": "oidc"})
    fireman = office.client("fireman")
    listed = fireman.get("/api/entries").json()["items"]
    assert sorted(e["entry_id"] for e in listed) == ["jsb", "oa"]
    assert fireman.get("/entries/trading/go").status_code == 403
    assert fireman.get("/entries/nothing/go").status_code == 404
    assert fireman.get("/entries/jsb/go").headers["location"] == "https://jsb.example/?login_hint=fireman"
    going = fireman.get("/entries/oa/go")
    assert going.status_code == 303 and going.headers["cache-control"] == "no-store"
    query = parse_qs(urlsplit(going.headers["location"]).query)
    claims = jwt.decode(query["ticket"][0], OctKey.import_key(SECRET), algorithms=["HS256"]).claims
    assert query["from"] == ["yw"] and claims["aud"] == "oa" and claims["login"] == "fireman"
    assert claims["exp"] - claims["iat"] == 60 and claims["jti"] and "name" not in claims


def test_a_ticket_needs_a_secret_that_is_long_enough(office: Office) -> None:
    connect(office, "oa", "entry", {"url": "https://oa.example/", "sign_on": "ticket"})
    fireman = office.client("fireman")
    assert fireman.get("/entries/oa/go").json()["error"] == "secret_missing"
    boss = office.client("boss")
    boss.put("/api/connections/oa/secrets", json={"values": {"ticket_secret": "short"}})
    assert fireman.get("/entries/oa/go").json()["field"] == "ticket_secret"
    boss.post("/api/connections/oa/off")
    assert fireman.get("/entries/oa/go").status_code == 404
