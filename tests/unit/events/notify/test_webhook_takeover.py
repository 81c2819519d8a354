"""An older webhooks.json becomes outgoing connections; what may not be called stays where it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select

from core.network.outgoing import PushParams
from core.records import CaseChanged, Severity
from core.settings import Settings
from events.notify.webhook_takeover import take_over
from events.notify.webhooks import read_subscribers
from storage.connections import read_connections
from storage.session import read_scope, session_scope
from storage.tables.cases import Outbox

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SECRET = "sixteen characters and more"


def written(settings: Settings, *subscribers: dict[str, Any]) -> Settings:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "webhooks.json").write_text(json.dumps(subscribers), encoding="utf-8")
    return settings.with_(connection_networks="10.8.0.0/16")


def test_a_subscriber_becomes_a_connection_with_its_waiting_deliveries(engine: Engine, settings: Settings) -> None:
    one = {"name": "应急 Emergency", "url": "http://10.8.0.7/hook", "secret": SECRET, "commands": ["dispatch"],
           "classes": ["event-05"], "departments": ["dept-fire"], "min_severity": 2}  # fmt: skip
    settings = written(settings, one)
    event = {"specversion": "1.0", "id": "1"}
    with session_scope(engine) as session:
        session.add(Outbox(outbox_id="o1", topic="webhook", body={"subscriber": one["name"], "event": event},
                           created_at=NOW))  # fmt: skip
    (taken,) = take_over(engine, settings, NOW)
    assert (taken.connection_id, taken.waiting, taken.problem) == ("emergency", 1, "")
    with read_scope(engine) as session:
        (config,) = read_connections(session, "out")
        body = session.scalars(select(Outbox)).one().body
    assert config.enabled and config.kind == "push" and config.name == one["name"]
    assert config.secrets(settings.records_key) == {"signing_secret": SECRET}
    assert body == {"subscriber": "emergency", "connection": True, "payload": event}
    params = msgspec.convert(config.params, PushParams, strict=False)
    assert params.classes == ("event-05",) and params.departments == ("dept-fire",) and params.commands == ["dispatch"]
    assert read_subscribers(settings) == {} and take_over(engine, settings, NOW) == []


def test_an_address_that_may_not_be_called_stays_in_the_file(engine: Engine, settings: Settings) -> None:
    good = {"name": "a", "url": "http://10.8.0.7/a", "secret": SECRET}
    settings = written(settings, good, {"name": "b", "url": "http://192.168.1.5/b", "secret": SECRET})
    taken = {one.name: one for one in take_over(engine, settings, NOW)}
    assert taken["a"].connection_id == "a" and taken["b"].problem
    assert list(read_subscribers(settings)) == ["b"]
    again = take_over(engine, settings.with_(connection_networks="192.168.0.0/16"), NOW)
    assert [one.connection_id for one in again] == ["b"] and read_subscribers(settings) == {}


@pytest.mark.parametrize(
    ("narrowed", "told"),
    [({}, True), ({"classes": ("event-05",)}, True), ({"classes": ("event-01",)}, False),
     ({"departments": ("dept-water",)}, False), ({"departments": ("dept-fire",)}, True)],
)  # fmt: skip
def test_classes_and_departments_decide_what_is_told(narrowed: dict[str, Any], told: bool) -> None:
    change = CaseChanged(
        case_id="c", number="n", version=1, command="dispatch", state="dispatched", stage="s", severity=Severity.YELLOW,
        class_code="event-05-06", department_ids=("dept-fire",), title="t", changed_at=NOW,
    )  # fmt: skip
    assert PushParams(url="https://x.example", **narrowed).wants(change, "") is told
