"""Open311 over HTTP: keys, the way of a report to its case, confidential files; CAP of a case."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from core.settings import Settings
from dashboard.factory import create_app
from events.runtime.worker import main
from storage.session import make_engine, session_scope
from storage.tables.cases import Case
from storage.tables.people import ApiKey, User, UserRole
from storage.tables.registry import Department
from tests.databases import create_all

KEY = "k" * 24
REPORT = {"api_key": KEY, "service_code": "water", "lat": "43.89", "long": "125.36", "description": "深"}


@pytest.fixture
def client(nats_server: Settings) -> Iterator[TestClient]:
    engine = make_engine(nats_server.database_url)
    create_all(engine)
    now = datetime.now(UTC)
    with session_scope(engine) as session:
        for name in ("dept-drainage", "dept-command"):
            session.add(Department(department_id=name, name=name))
        session.add(User(user_id="u1", login="u1", name="合作方"))
        session.flush()
        session.add(UserRole(user_id="u1", role="viewer"))
        session.add(User(user_id="u2", login="u2", name="外人"))  # no role: sees nothing
        session.flush()
        other = hashlib.sha256(b"other").hexdigest()
        session.add(ApiKey(key_hash=other, name="o", user_id="u2", scope="open311", created_at=now))
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        session.add(ApiKey(key_hash=digest, name="app", user_id="u1", scope="open311", created_at=now))
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    worker = threading.Thread(target=loop.run_until_complete, args=(main(nats_server, stop),))
    worker.start()
    with TestClient(create_app(nats_server, pages=False)) as found:
        yield found
    loop.call_soon_threadsafe(stop.set)
    worker.join(30)
    loop.close()
    engine.dispose()


def until(probe, seconds: float = 40):  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = probe()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("not in time")


def test_a_report_gets_a_token_then_a_number_and_the_second_joins_it(client: TestClient, nats_server: Settings) -> None:
    assert client.get("/open311/v2/discovery.json").json()["endpoints"][0]["url"].endswith("/open311/v2")
    assert any(s["service_code"] == "water" for s in client.get("/open311/v2/services.json").json())
    assert client.post("/open311/v2/requests.json", data=REPORT | {"api_key": "wrong"}).status_code == 403
    assert client.get("/open311/v2/requests.json").status_code == 403
    bad = client.post("/open311/v2/requests.json", data=REPORT | {"lat": "x"})
    assert bad.status_code == 400
    assert "lat" in bad.json()[0]["description"]

    def sent(**more: str) -> str:
        def post() -> str | None:
            answer = client.post("/open311/v2/requests.json", data=REPORT | more)
            return answer.json()[0].get("token") if answer.status_code == 200 else None

        token = str(until(post))  # the web process may still be connecting to the bus

        def number() -> str | None:
            rows = client.get(f"/open311/v2/tokens/{token}.json", params={"api_key": KEY}).json()
            found: str | None = rows[0].get("service_request_id")
            return found

        return str(until(number))

    first = sent(device_id="a")
    assert sent(device_id="b", lat="43.8902") == first
    shown = client.get(f"/open311/v2/requests/{first}.json", params={"api_key": KEY}).json()[0]
    assert (shown["status"], shown["service_code"], shown["agency_responsible"]) == ("open", "water", "dept-drainage")
    assert client.get(f"/open311/v2/requests/{first}.json", params={"api_key": "other"}).status_code == 404
    assert client.get("/open311/v2/requests.json", params={"api_key": "other"}).json() == []
    listed = client.get("/open311/v2/requests.xml", params={"api_key": KEY, "status": "open"})
    assert f"<service_request_id>{first}</service_request_id>" in listed.text
    engine = make_engine(nats_server.database_url)
    with session_scope(engine) as session:
        case = session.query(Case).one()
        case.confidential = True
        case_id = case.case_id
    engine.dispose()
    assert client.get(f"/open311/v2/requests/{first}.json", params={"api_key": KEY}).status_code == 404
    assert client.get(f"/api/cases/{case_id}/cap.xml").status_code == 401
