"""Administrators: kept apart where wanted, proving again to be there before power is given or much taken out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.clock import ManualClock
from core.errors import InputInvalid
from core.settings import Settings
from dashboard.accounts.users import check_separate
from storage.session import read_scope, session_scope
from storage.tables.cases import AuditEntry
from storage.tables.people import LoginSession, UserRole
from tests.unit.dashboard.web import PASSWORD, Office, make_office

NEW = {"login": "neu", "name": "New", "roles": ["admin"]}


def with_roles(office: Office, login: str, *roles: str) -> str:
    """Give the account exactly these roles; its id."""
    found = office.client("boss").get("/api/users", params={"all": "true"}).json()["items"]
    user_id = next(u["user_id"] for u in found if u["login"] == login)
    with session_scope(office.engine) as session:
        for row in session.scalars(select(UserRole).where(UserRole.user_id == user_id)):
            session.delete(row)
        session.flush()
        session.add_all([UserRole(user_id=user_id, role=role) for role in roles])
    return user_id


def test_making_an_administrator_asks_again_after_a_quarter_of_an_hour(settings: Settings) -> None:
    clock = ManualClock(datetime(2026, 7, 1, 3, tzinfo=UTC))
    office = make_office(settings, clock)
    boss = office.client("boss")
    fireman = with_roles(office, "fireman", "staff")
    clock.advance(timedelta(minutes=16).total_seconds())
    assert boss.post("/api/users", json=NEW | {"roles": ["staff"]}).status_code == 201  # no power in it
    for answer in (
        boss.post("/api/users", json=NEW | {"login": "n2"}),
        boss.patch(f"/api/users/{fireman}", json={"roles": ["staff", "auditor"]}),
        boss.post("/api/registers/person/export", json={"reason": "monthly report"}),
    ):
        assert answer.status_code == 403 and answer.json()["error"] == "confirmation_required", answer.text
    assert boss.post("/api/me/confirm", json={"password": "wrong"}).status_code == 401
    with read_scope(office.engine) as session:
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "password_guess")).one()
    assert boss.post("/api/me/confirm", json={"password": PASSWORD}).status_code == 200
    assert boss.post("/api/users", json=NEW | {"login": "n2"}).status_code == 201
    office.engine.dispose()


def test_an_administrators_password_is_not_set_by_a_forgotten_session(settings: Settings) -> None:
    clock = ManualClock(datetime(2026, 7, 1, 3, tzinfo=UTC))
    office = make_office(settings, clock)
    boss = office.client("boss")
    other = with_roles(office, "operator", "admin")
    clock.advance(timedelta(hours=1).total_seconds())
    assert boss.post(f"/api/users/{other}/password").status_code == 403
    office.engine.dispose()


def test_three_administrators_are_kept_apart(settings: Settings) -> None:
    office = make_office(settings.with_(separate_admins=True))
    with session_scope(office.engine) as session:
        ids = {r.user_id for r in session.scalars(select(UserRole).where(UserRole.role == "operator"))}
        session.add_all([UserRole(user_id=next(iter(ids)), role="security")])
    safe, boss = office.client("operator"), office.client("boss")
    assert boss.post("/api/users", json=NEW).status_code == 403  # the system's administrator makes nobody
    assert boss.get("/api/audit").status_code == 403  # and does not read what is written about him
    assert safe.post("/api/users", json=NEW | {"login": "aud", "roles": ["auditor"]}).status_code == 201
    both = safe.post("/api/users", json=NEW | {"login": "two", "roles": ["admin", "auditor"]})
    assert both.status_code == 422
    assert safe.get("/api/audit").status_code == 403
    assert safe.patch("/api/cameras/c-fire", json={"name": "x"}).status_code == 403  # security runs no cameras
    with pytest.raises(InputInvalid):
        check_separate(["security", "auditor", "viewer"])
    check_separate(["admin", "viewer"])
    office.engine.dispose()


def test_together_an_administrator_is_all_three(settings: Settings) -> None:
    office = make_office(settings)
    boss = office.client("boss")
    assert boss.get("/api/audit").status_code == 200
    assert boss.post("/api/users", json=NEW).status_code == 201
    assert boss.get("/api/me").json()["roles"] == ["admin"]  # what is said of a person does not change
    office.engine.dispose()


def test_the_last_login_is_shown(settings: Settings) -> None:
    clock = ManualClock(datetime(2026, 7, 1, 3, tzinfo=UTC))
    office = make_office(settings, clock)
    assert office.client("fireman").get("/api/me").json()["last_login"] is None
    clock.advance(3600)
    shown = office.client("fireman").get("/api/me").json()["last_login"]
    assert shown == {"at": "2026-07-01T03:00:00+00:00", "address": "testclient"}
    with read_scope(office.engine) as session:
        assert len(list(session.scalars(select(LoginSession)))) == 2
    office.engine.dispose()
