"""The phone's page: whose first list it brings along, and what is never kept of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.settings import Settings
from dashboard.i18n import words
from dashboard.pages import phone
from events.cases.drafts import CaseDraft, Part, Route
from events.runtime.wiring import case_service
from storage.session import session_scope
from tests.unit.dashboard.web import Office, make_office

TITLE = "消防通道 </script><script>alert(1)</script> 被占用"


@pytest.fixture
def office(settings: Settings) -> Office:
    made = make_office(settings, pages=True)
    clock = made.app.state.services.clock
    with session_scope(made.engine) as session:
        for title, department in ((TITLE, "dept-fire"), ("桥下积水", "dept-drainage")):
            draft = CaseDraft(
                title=title, severity=3, auto_register=True, route=Route(lead=Part(department_id=department))
            )
            case_service(made.engine, clock).open_case(session, draft, {})
    return made


def brought(html: str) -> dict[str, Any] | None:
    found = re.search(r'<script type="application/json" id="first">(.*?)</script>', html)
    return json.loads(found[1]) if found else None


def test_a_signed_in_person_s_page_brings_the_own_list(office: Office) -> None:
    client = office.client("fireman")
    answer = client.get("/m")
    first = brought(answer.text)
    assert first is not None
    assert [task["title"] for task in first["tasks"]["items"]] == [TITLE]
    assert first["me"]["login"] == "fireman" and "csrf" not in answer.text
    assert first["tasks"]["items"] == client.get("/api/tasks").json()["items"]
    assert answer.text.count("<script>") == 0, "a title must not end the block"
    assert answer.headers["cache-control"] == "no-store" and "Cookie" in answer.headers["vary"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_brings_the_words_that_its_list_shows(office: Office, language: str) -> None:
    client = office.client("fireman")
    client.cookies.set("yiwang_lang", language)
    first = brought(client.get("/m").text)
    assert first is not None
    every = client.get(f"/m/words/{language}.json").json() | client.get(f"/m/words/{language}-later.json").json()
    assert first["words"].items() <= every.items() and len(json.dumps(first["words"])) < 12_000
    state = first["tasks"]["items"][0]["state"]
    assert f"state.{state}" in first["words"] and "phone.to_accept" in first["words"]
    assert first["words"][f"kind.city_management.state.{state}"]
    own = {"zh": "待联系", "en": "To be contacted"}  # what a help request calls it, whatever others mean by "assigned"
    assert every["kind.help_request.state.assigned"] == own[language]


def test_nobody_s_list_is_in_what_the_service_worker_keeps(office: Office) -> None:
    client = office.client("fireman")
    assert brought(client.get("/m/shell").text) is None
    assert 'fetch("/m/shell")' in client.get("/m/sw.js").text


def test_without_a_session_or_an_own_password_it_brings_nothing(office: Office) -> None:
    assert brought(TestClient(office.app).get("/m").text) is None
    client = office.client("fireman")
    client.post("/api/logout")
    assert brought(client.get("/m").text) is None


def test_no_screen_names_a_word_that_the_phone_does_not_bring() -> None:
    """A key without its word is shown as it is written: work.documents."""
    brought_words = {key for key in words("zh") if key.startswith((*phone._PREFIXES, *phone._LATER_WORDS))}
    modules = phone.shell(phone.START, *phone.LATER, "/m/screens/task.mjs", "/m/screens/login.mjs")
    for address in modules:
        if address.startswith("/static/forms/"):
            continue  # the form renderer brings its own words
        path = phone._path(address)
        assert path is not None
        named = set(re.findall(r'\bt\(\s*"([a-z_]+(?:\.[a-z_]+)+)"', path.read_text("utf-8")))
        assert {key for key in named if not key.endswith("_")} <= brought_words, address
