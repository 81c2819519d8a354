"""The table of classes over the API: what is in force, an edited limit that takes effect, garbage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.legal_time.limits import Limit
from core.settings import Settings
from events.taxonomy.classes import limit_of
from storage.session import read_scope
from tests.unit.dashboard.web import Office, make_office


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    office = make_office(settings)
    yield office
    office.engine.dispose()


def test_an_edited_limit_takes_effect_at_once(office: Office) -> None:
    boss, fireman = office.client("boss"), office.client("fireman")
    found = fireman.get("/api/taxonomy?class=component-01-01").json()["items"]
    assert len(found) > 2 and not any(line["own"] for line in found)
    strictest = min(found, key=lambda line: line["limit_value"])
    path = f"/api/taxonomy/{strictest['standard_id']}"
    assert fireman.patch(path, json={"limit_value": 1}).status_code == 403
    for garbage in ({"limit_value": -1}, {"limit_unit": "fortnight"}, {"limit_value": "x"}, {"colour": "red"}):
        assert boss.patch(path, json=garbage).status_code == 422, garbage
    assert boss.patch("/api/taxonomy/nothing", json={"limit_value": 1}).status_code == 404
    changed = boss.patch(path, json={"limit_value": 1, "limit_unit": "urgent_hour"})
    assert changed.status_code == 200 and changed.json()["own"], changed.text
    with read_scope(office.engine) as session:
        assert limit_of(session, "component-01-01", "2013") == Limit(value=1, unit="urgent_hour")
    again = fireman.get("/api/taxonomy?class=component-01-01").json()["items"]
    assert len(again) == len({line["standard_id"] for line in found}) and all(line["own"] for line in again)
    assert boss.patch(path, json={"enabled": False}).json()["enabled"] is False
    with read_scope(office.engine) as session:
        assert limit_of(session, "component-01-01", "2013") != Limit(value=1, unit="urgent_hour")
    assert boss.get("/api/audit").json()["items"][0]["action"] == "taxonomy_edit"


def test_the_older_set_is_named_with_its_equals(office: Office) -> None:
    found = {c["code"]: c for c in office.client("fireman").get("/api/taxonomy?code_set=2007").json()["items"]}
    assert (found["event-04-06"]["name"], found["event-04-06"]["code_2013"]) == ("道路积水", "event-05-06")
    water = office.client("fireman").get("/api/taxonomy?q=道路积水&code_set=2013").json()["items"]
    assert {line["class_code"] for line in water} == {"event-05-06"}
