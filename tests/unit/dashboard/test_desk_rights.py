"""Every callback of every desk page, asked as every role: whoever may not open the page gets nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from core.settings import Settings
from dashboard.pages.frame import pages
from dashboard.pages.menu import entries, menu
from tests.unit.dashboard.web import PEOPLE, Office, make_office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    from core.settings import load_settings

    settings: Settings = load_settings({"YIWANG_DATA_DIR": str(tmp_path_factory.mktemp("desk"))})
    office = make_office(settings, pages=True)
    yield office
    office.engine.dispose()


def test_a_page_of_ones_own_is_in_the_registry_with_both_titles() -> None:
    assert len(pages()) >= 1
    for path, module in pages().items():
        assert path.startswith("/") and module.PAGE.zh and module.PAGE.en.isascii()
        assert callable(module.layout)


def test_the_menu_reads_what_the_pages_say() -> None:
    said = {e.path: (e.zh, e.en, e.roles, e.order) for e in entries()}
    assert said == {path: (m.PAGE.zh, m.PAGE.en, m.PAGE.roles, m.PAGE.order) for path, m in pages().items()}


@pytest.mark.parametrize("login", sorted(PEOPLE))
def test_callbacks_answer_only_whom_the_page_is_for(office: Office, login: str) -> None:
    client = office.client(login)
    roles = set(PEOPLE[login][0])
    wired = client.get("/_dash-dependencies").json()
    owners = _owners()
    asked = 0
    for callback in wired:
        page = owners.get(callback["output"].strip(".").split("...")[0].split(".")[0])
        if page is None:
            continue
        answer = client.post("/_dash-update-component", json=_request(callback))
        asked += 1
        if page.roles and not roles & set(page.roles):
            assert answer.status_code in (200, 204), answer.text
            told = json.dumps(answer.json(), ensure_ascii=False) if answer.status_code == 200 else ""
            assert '"rowData"' not in told and "forbidden" not in told.replace("Forbidden", "")
            assert "您无权执行：打开 " in told, callback["output"]
    assert asked == sum(len(m.PAGE.callbacks) for m in pages().values())


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("login", sorted(PEOPLE))
def test_every_page_opens_for_whoever_it_is_for(office: Office, login: str, language: str) -> None:
    client = office.client(login)
    client.cookies.set("yiwang_lang", language)
    for path, module in pages().items():
        asked = {
            "output": "page.children", "outputs": {"id": "page", "property": "children"},
            "inputs": [{"id": "url", "property": "pathname", "value": path}], "changedPropIds": ["url.pathname"],
        }  # fmt: skip
        answer = client.post("/_dash-update-component", json=asked)
        assert answer.status_code == 200, path
        opens = not module.PAGE.roles or set(PEOPLE[login][0]) & set(module.PAGE.roles)
        assert ("NotificationContainer" in answer.text) == bool(opens), path


@pytest.mark.parametrize("login", sorted(PEOPLE))
def test_the_menu_shows_what_may_be_opened(office: Office, login: str) -> None:
    class Person:
        def has(self, *roles: str) -> bool:
            return bool(set(PEOPLE[login][0]) & set(roles))

    shown = {entry["path"] for entry in menu(Person())}  # type: ignore[arg-type]
    for path, module in pages().items():
        opens = not module.PAGE.roles or set(PEOPLE[login][0]) & set(module.PAGE.roles)
        assert (path in shown) == bool(opens and module.PAGE.order)


def _owners() -> dict[str, Any]:
    """Component id of a callback's first output → its page."""
    found = {}
    for module in pages().values():
        for wiring, _ in module.PAGE.callbacks:
            first = next(part for part in wiring if type(part).__name__ == "Output")
            found[str(first.component_id_str())] = module.PAGE
    return found


def _request(callback: dict[str, Any]) -> dict[str, Any]:
    """What a browser sends that has the page open: fields of forms (``ALL``) are not drawn, ``MATCH`` is one field."""
    named = [o.rsplit(".", 1) for o in callback["output"].strip(".").split("...")]
    outputs = [_part(identifier, {"property": name}) for identifier, name in named]
    inputs = [_part(i["id"], {"property": i["property"], "value": None}) for i in callback["inputs"]]
    states = [_part(s["id"], {"property": s["property"], "value": None}) for s in callback["state"]]
    changed = [f"{i['id']}.{i['property']}" for i in callback["inputs"][:1] if "[" not in i["id"]]
    return {
        "output": callback["output"], "outputs": outputs if len(outputs) > 1 else outputs[0], "inputs": inputs,
        "state": states, "changedPropIds": changed,
    }  # fmt: skip


def _part(identifier: str, more: dict[str, Any]) -> Any:
    if not identifier.startswith("{"):
        return {"id": identifier, **more}
    parsed = json.loads(identifier)
    if ["ALL"] in parsed.values():
        return []
    return {"id": {k: "x" if v == ["MATCH"] else v for k, v in parsed.items()}, **more}
