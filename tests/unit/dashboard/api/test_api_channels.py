"""What an administrator sees of the receivers of notices and events, and how a dead letter is sent again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.clock import ManualClock
from core.settings import Settings
from events.runtime.outbox import Row, give_up
from storage.session import read_scope, session_scope
from storage.tables.cases import Outbox
from storage.tables.observations import DeadLetter
from tests.unit.dashboard.web import Office, make_office

NOW = datetime(2026, 6, 5, 3, tzinfo=UTC)


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    subscriber = {"name": "emergency", "url": "https://example.org/hook", "secret": "s" * 16}
    (settings.data_dir / "webhooks.json").write_text(json.dumps([subscriber]))
    sms = {"url": "http://127.0.0.1:9/sms", "template": {"to": "{phones}"}}
    (settings.data_dir / "notify.json").write_text(json.dumps({"webhook:sms": sms}))
    office = make_office(settings, ManualClock(NOW))
    yield office
    office.engine.dispose()


def waiting(number: int, at: datetime, attempts: int = 0, error: str = "") -> Outbox:
    body = {"notice_id": f"n{number}", "channel": "webhook:sms"} | ({"error": error} if error else {})
    return Outbox(outbox_id=f"o{number}", topic="notice", body=body, created_at=at, attempts=attempts)


def test_receivers_show_what_waits_and_what_went_wrong(office: Office) -> None:
    with session_scope(office.engine) as session:
        session.add_all([waiting(1, NOW, 4, "HTTP 503"), waiting(2, NOW), waiting(3, NOW + timedelta(hours=5))])
        event = {"subscriber": "emergency", "event": {}}
        session.add(Outbox(outbox_id="o4", topic="webhook", body=event, created_at=NOW, sent_at=NOW, attempts=0))
    boss = office.client("boss")
    seen = {item["receiver"]: item for item in boss.get("/api/channels").json()["items"]}
    assert set(seen) == {"notice:in_app", "notice:webhook:sms", "webhook:emergency"}
    sms = seen["notice:webhook:sms"]
    assert (sms["waiting"], sms["held"], sms["attempts"], sms["error"]) == (2, 1, 4, "HTTP 503")
    assert seen["webhook:emergency"]["last_at"] == "2026-06-05T03:00:00Z"
    assert office.client("operator").get("/api/channels").status_code == 403


def test_what_was_given_up_is_sent_again_once(office: Office) -> None:
    with session_scope(office.engine) as session:
        body = {"notice_id": "n1", "channel": "webhook:sms", "error": "HTTP 503"}
        give_up(session, Row("o1", "notice", body, 11), NOW)
        give_up(session, Row("o1", "notice", body, 11), NOW)  # the same row twice is one letter
    boss = office.client("boss")
    (letter,) = boss.get("/api/dead-letters").json()["items"]
    assert (letter["subject"], letter["error"], letter["deliveries"]) == ("notice:webhook:sms", "HTTP 503", 12)
    path = f"/api/dead-letters/{letter['dead_letter_id']}/redeliver"
    assert office.client("operator").post(path).status_code == 403
    assert boss.post(path).status_code == 200
    assert boss.post(path).status_code == 422
    assert boss.post("/api/dead-letters/nothing/redeliver").status_code == 404
    with read_scope(office.engine) as session:
        row = session.scalars(select(Outbox)).one()
        assert (row.topic, row.body, row.sent_at) == ("notice", {"notice_id": "n1", "channel": "webhook:sms"}, None)
    (done,) = [entry for entry in boss.get("/api/audit").json()["items"] if entry["action"] != "login"]
    assert (done["action"], done["actor_name"]) == ("dead_letter_redeliver", "boss")


def test_a_message_that_nobody_can_read_is_not_sent_again(office: Office) -> None:
    with session_scope(office.engine) as session:
        session.add(
            DeadLetter(dead_letter_id="d1", stream="OBS", subject="obs.0.x", payload="{broken", error="no JSON",
                       deliveries=5, happened_at=NOW)
        )  # fmt: skip
    answer = office.client("boss").post("/api/dead-letters/d1/redeliver")
    assert answer.status_code == 422, answer.text
    assert office.client("boss").get("/api/dead-letters").json()["items"], "it stays where it is"
