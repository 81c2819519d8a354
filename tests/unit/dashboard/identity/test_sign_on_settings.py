"""The provider set on a page: the secret is never read back, a change is taken up at once, nobody is shut out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from core.errors import InputInvalid
from core.settings import Settings
from dashboard.identity import sign_on
from dashboard.pages.desk.admin.sign_on import table_of, wish_of
from storage.session import read_scope
from storage.tables.cases import AuditEntry
from tests.unit.dashboard.web import Office, make_office

PATH = "/api/identity-provider"
SECRET = "the-secret-of-the-client"
GOOD = {"issuer": "https://id.example", "client_id": "yiwang", "client_secret": SECRET}


@pytest.fixture
def office(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(sign_on, "LOOK_EVERY_S", 0.0)
    made = make_office(settings)
    yield made
    made.engine.dispose()


def put(office: Office, **more: Any) -> Any:
    return office.client("boss").put(PATH, json=GOOD | more)


def test_it_is_taken_up_at_once_and_the_secret_stays_inside(office: Office, settings: Settings) -> None:
    boss, file = office.client("boss"), settings.data_dir / "oidc.json"
    assert boss.get("/auth/oidc/about").json()["oidc"] is None and not boss.get(PATH).json()["configured"]
    assert put(office, client_secret="").status_code == 422  # there is none to be kept
    made = put(office, roles={"处置": ["staff"]})
    assert made.status_code == 200 and made.json()["has_secret"], made.text
    assert boss.get("/auth/oidc/about").json()["oidc"]["zh"]
    assert SECRET not in made.text + boss.get(PATH).text and oct(file.stat().st_mode)[-3:] == "600"
    assert put(office, client_secret="", session_hours=2).status_code == 200
    kept = json.loads(file.read_text())
    assert (kept["client_secret"], kept["session_hours"]) == (SECRET, 2)
    assert put(office, client_secret="", issuer="https://other.example").status_code == 422  # told to nobody else
    with read_scope(office.engine) as session:
        told = list(session.scalars(select(AuditEntry).where(AuditEntry.action == "sign_on_changed")))
    assert len(told) == 2 and SECRET not in json.dumps([entry.body for entry in told])
    assert boss.delete(PATH).status_code == 200 and boss.delete(PATH).status_code == 404
    assert boss.get("/auth/oidc/about").json()["oidc"] is None


def test_what_cannot_work_or_would_shut_everybody_out_is_refused(office: Office, settings: Settings) -> None:
    for wrong in (
        {"issuer": "http://id.example"}, {"roles": {"x": ["king"]}}, {"session_hours": 0}, {"scopes": "profile"},
        {"client_id": ""}, {"password_login": False}, {"password_login": False, "break_glass": ["nobody"]},
        {"unheard": 1},
    ):  # fmt: skip
        assert put(office, **wrong).status_code == 422, wrong
    assert not (settings.data_dir / "oidc.json").exists()
    assert office.client("fireman").get(PATH).status_code == office.client("operator").put(PATH, json=GOOD).status_code
    assert office.client("operator").get(PATH).status_code == 403
    assert put(office, password_login=False, break_glass=["boss"]).status_code == 200


def test_a_file_that_became_wrong_changes_nothing_and_is_told(office: Office, settings: Settings) -> None:
    put(office)
    boss = office.client("boss")
    (settings.data_dir / "oidc.json").write_text("{")
    assert boss.get("/auth/oidc/about").json()["oidc"] is not None
    assert "oidc.json" in boss.get(PATH).json()["problem"]
    assert put(office).status_code == 200 and boss.get(PATH).json()["problem"] == ""


def test_a_provider_that_is_not_there_is_said_so(office: Office) -> None:
    put(office, issuer="http://127.0.0.1:9")
    trial = office.client("boss").post(f"{PATH}/test").json()
    assert not trial["ok"] and trial["checks"][0]["code"] == "discovery"


def test_the_form_of_the_page() -> None:
    assert table_of("处置 = staff, inspector\n\n a=b = viewer") == {"处置": ["staff", "inspector"], "a=b": ["viewer"]}
    for wrong in ("staff", "= staff", "x ="):
        with pytest.raises(InputInvalid):
            table_of(wrong)
    wish = wish_of({"issuer": " https://a ", "bind": "staff_number", "session_hours": "8", "break_glass": "a，b"})
    assert (wish.issuer, wish.bind, wish.password_login, wish.break_glass) == (
        "https://a", "staff_number", False, ["a", "b"],
    )  # fmt: skip
