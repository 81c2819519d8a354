"""A confidential case: nobody without the right reads a word of it, on whatever way it might leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import select

from core.clock import ManualClock
from core.records import CaseChanged
from core.settings import Settings
from dashboard.accounts.users import add_user
from dashboard.reference import flat_routes
from events.notify.deadlines import PHASES, lead_notices, role_notice
from events.notify.notices import notices_of_change
from events.notify.webhooks import Webhooks
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, Outbox
from tests.unit.dashboard.api.test_api_rights import filled
from tests.unit.dashboard.web import _HASH, Office, make_office

SECRET = ("Zhangsan", "Lisi", "inheritance", "peacemaker")
NOW = datetime(2026, 6, 5, 3, tzinfo=UTC)


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings, ManualClock(NOW))
    with session_scope(office.engine) as session:
        for login, roles, department in (
            ("applicant", ["grid_worker"], None), ("party", ["staff"], "dept-fire"), ("viewer", ["viewer"], None),
            ("mediator", ["staff"], "dept-drainage"), ("chief", ["manager"], "dept-fire"),
            ("dispatcher", ["dispatcher"], None),
        ):  # fmt: skip
            user = add_user(session, login=login, name=login, roles=roles, department_id=department)
            user.password_hash = _HASH
    yield office
    office.engine.dispose()


def user_id(client: TestClient) -> str:
    return str(client.get("/api/me").json()["user"]["user_id"])


def quarrel(office: Office) -> str:
    """A case in mediation with words in every field that takes any."""
    applicant, mediator, party = (office.client(n) for n in ("applicant", "mediator", "party"))
    data = {
        "definition_id": "dispute_mediation", "title": "Zhangsan against Lisi", "description": "an inheritance",
        "department_id": "dept-drainage", "parties": [user_id(party)],
    }  # fmt: skip
    made = applicant.post("/api/cases", json=data)
    assert made.status_code == 201, made.text
    case_id = str(made.json()["case_id"])
    path = f"/api/cases/{case_id}"
    for client, name, fields in (
        (mediator, "accept", {}),
        (mediator, "record", {"minutes": "Lisi wants the inheritance"}),
        (party, "comment", {"comment": "Zhangsan is wrong"}),
        (mediator, "suspend", {"reason": "Lisi is ill"}),
        (mediator, "resume", {}),
    ):
        answer = client.post(f"{path}/commands", json={"name": name, "data": fields})
        assert answer.status_code == 200, (name, answer.text)
    files = {"file": ("peacemaker.pdf", b"%PDF-peacemaker", "application/pdf")}
    assert mediator.post(f"{path}/attachments?purpose=other", files=files).status_code == 201
    return case_id


def addresses(office: Office, case_id: str, number: str, uri: str) -> list[str]:
    """Every GET route, with the secret case's names filled in, and its usual questions."""
    found = []
    for route in flat_routes(office.app.routes):
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and "live" not in route.path:
            path = route.path.replace("{case_id}", case_id).replace("{number}", number).replace("{uri:path}", uri)
            found.append(filled(path.replace("{layer}", "cases")))
    wide = "?definition=dispute_mediation&from=2026-06-01&to=2026-07-01"
    found += [f"/api/indicators{form}{wide}&by={by}" for form in ("", ".csv") for by in ("class", "department")]
    found += [f"/api/indicators/cases{wide}&measure=reported", "/api/cases?q=Zhangsan"]
    found += [f"/api/plans?case={case_id}", "/api/cases?open=true&limit=500"]
    found += ["/api/cases?definition=dispute_mediation", "/api/cases?q=inheritance"]
    return found


OTHERS = ("boss", "operator", "dispatcher", "viewer", "chief", "fireman", "inspector")


def test_no_route_shows_it_to_anybody_else(office: Office) -> None:
    case_id = quarrel(office)
    with read_scope(office.engine) as session:
        row = session.get_one(Case, case_id)
        number, title = row.number, row.title
    shown = office.client("mediator").get(f"/api/cases/{case_id}").json()
    assert shown["case"]["title"] == title and len(shown["evidence"]) == 1
    uri = shown["evidence"][0]["uri"]
    for login in OTHERS:
        client = office.client(login)
        for address in addresses(office, case_id, number, uri):
            text = client.get(address).text
            leaks = [word for word in (*SECRET, case_id) if word in text and word not in address]
            assert not leaks, (login, address, leaks)
        for path in (f"/api/cases/{case_id}", f"/api/cases/{case_id}/audit", f"/media/{uri}"):
            assert client.get(path).status_code == 404
        answer = client.post(f"/api/cases/{case_id}/commands", json={"name": "comment", "data": {"comment": "hello"}})
        assert answer.status_code == 404, answer.text  # not even that there is one


def test_who_takes_part_sees_it(office: Office) -> None:
    case_id = quarrel(office)
    for login in ("applicant", "party", "mediator"):
        assert office.client(login).get(f"/api/cases/{case_id}").status_code == 200, login
    assert [c["case_id"] for c in office.client("party").get("/api/cases").json()["items"]] == [case_id]


def test_the_bus_notices_and_webhooks_name_no_party(office: Office) -> None:
    case_id = quarrel(office)
    hooks = [{"name": "city", "url": "https://city.example/hook", "secret": "x" * 20}]
    office.settings.data_dir.mkdir(parents=True, exist_ok=True)
    (office.settings.data_dir / "webhooks.json").write_text(json.dumps(hooks))
    webhooks = Webhooks(office.settings)
    told: list[Any] = []
    with read_scope(office.engine) as session:
        case = session.get_one(Case, case_id)
        for row in session.scalars(select(Outbox)):
            told.append(row.body)
            change = msgspec.convert(row.body, CaseChanged)
            assert webhooks.bodies(change) == []
            for command in ("return", "refuse", "transfer", "urge", "dispatch", "escalate"):
                asked = msgspec.structs.replace(change, command=command, state="dispatched")
                told += [msgspec.to_builtins(d) for d in notices_of_change(session, asked)]
        due = [(case, PHASES[0])]
        told += [msgspec.to_builtins(role_notice("dispatcher", due, NOW + timedelta(days=1)))]
        told += [msgspec.to_builtins(d) for d in lead_notices(case, PHASES[0])]
    assert len(told) > 6
    text = json.dumps(told, ensure_ascii=False)
    assert not [word for word in SECRET if word in text]
