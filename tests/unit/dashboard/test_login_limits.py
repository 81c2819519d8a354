"""Guessing is slowed down; the district is not locked out, a known device passes, and everything is in the chain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from app.cli import main
from core.clock import ManualClock
from core.settings import Settings
from dashboard import auth, login_limits
from dashboard.client_address import Proxies
from dashboard.errors import LoginFailed, LoginThrottled
from dashboard.login_limits import device_cookie, known_device
from events.evidence.audit_log import ACCESS_CHAIN, SYSTEM_CHAIN, chain, check_chain
from storage.session import read_scope
from storage.tables.cases import AuditEntry
from tests.unit.dashboard.web import PASSWORD, Office, make_office
from tests.unit.events.casework import FRIDAY


@pytest.fixture
def office(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setattr(auth, "password_matches", lambda stored, word: word == PASSWORD and bool(stored))
    office = make_office(settings, ManualClock(FRIDAY))
    yield office
    office.engine.dispose()


def accounts_of(office: Office) -> Any:
    return office.app.state.services.accounts


def guess(accounts: Any, login: str, address: str, times: int, device: str = "") -> None:
    for _ in range(times):
        with pytest.raises((LoginFailed, LoginThrottled)):
            accounts.log_in(login, "wrong", address, "", device)


def test_nobody_waits_longer_than_a_minute(office: Office) -> None:
    accounts = accounts_of(office)
    for _ in range(300):
        with pytest.raises((LoginFailed, LoginThrottled)) as refused:
            accounts.log_in("operator", "wrong", "10.0.0.1")
        if isinstance(refused.value, LoginThrottled):
            wait = refused.value.data["retry_after_s"]
            assert 0 < wait <= 60
            accounts.clock.advance(wait)
    with pytest.raises(LoginThrottled) as refused:
        for _ in range(3):
            with pytest.raises(LoginFailed):
                accounts.log_in("operator", "wrong", "10.0.0.1")
    accounts.clock.advance(refused.value.data["retry_after_s"])
    assert accounts.log_in("operator", PASSWORD, "10.0.0.1")


def test_a_flood_elsewhere_slows_a_known_device_not_at_all(office: Office) -> None:
    accounts, secret = accounts_of(office), office.settings.session_secret
    device = known_device(secret, "operator", device_cookie(secret, "operator"))
    for n in range(login_limits.FAILURES_LOGIN + 5):
        guess(accounts, "operator", f"10.1.{n}.1", 1)
    for n in range(login_limits.FAILURES_ADDRESS + 5):
        guess(accounts, f"guest{n}", "10.0.0.9", 1)
    with pytest.raises(LoginThrottled):
        accounts.log_in("operator", PASSWORD, "10.0.0.9")  # a stranger's browser waits
    assert accounts.log_in("operator", PASSWORD, "10.0.0.9", "", device)  # at the same address
    assert accounts.log_in("boss", PASSWORD, "10.9.9.9")  # and others notice nothing


def test_a_device_is_bound_to_its_login_and_has_limits_of_its_own(office: Office) -> None:
    secret = office.settings.session_secret
    cookie = device_cookie(secret, "operator")
    assert known_device(secret, "boss", cookie) == ""
    assert known_device("other", "operator", cookie) == ""
    for forged in ("", ".", "a.b", cookie[:-1], cookie + "x", "x" * 5000, "ä.ö"):
        assert known_device(secret, "operator", forged) == ""
    accounts, device = accounts_of(office), known_device(secret, "operator", cookie)
    guess(accounts, "operator", "10.0.0.1", login_limits.FAILURES_PAIR, device)
    with pytest.raises(LoginThrottled):
        accounts.log_in("operator", PASSWORD, "10.0.0.1", "", device)


def test_guesses_of_the_old_password_count(office: Office) -> None:
    client = office.client("operator")
    sent = {"old_password": "not-this-one", "new_password": "a-new-long-word"}
    codes = [client.post("/api/me/password", json=sent).status_code for _ in range(login_limits.FAILURES_PAIR + 1)]
    assert codes[:-1] == [422] * login_limits.FAILURES_PAIR
    assert codes[-1] == 429


def test_a_browser_is_known_after_its_first_login(office: Office) -> None:
    client = office.client("operator")
    for n in range(login_limits.FAILURES_LOGIN + 2):
        guess(accounts_of(office), "operator", f"10.1.{n}.1", 1)
    body = {"login": "operator", "password": PASSWORD}
    assert client.post("/api/login", json=body).status_code == 200
    stranger = office.client()
    assert stranger.post("/api/login", json=body).status_code == 429


def test_logins_and_accounts_stand_in_the_chain(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    client = office.client("operator")
    client.post("/api/logout")
    guess(accounts_of(office), "operator", "10.0.0.1", login_limits.FAILURES_PAIR + 4)
    monkeypatch.setenv("YIWANG_DATA_DIR", str(office.settings.data_dir))
    monkeypatch.setenv("YIWANG_DATABASE_URL", office.settings.database_url)
    assert main(["user", "add", "newone", "--role", "viewer"]) == 0
    assert main(["user", "role", "newone", "admin"]) == 0
    assert main(["user", "password", "newone"]) == 0
    assert main(["user", "close", "newone"]) == 0
    with read_scope(office.engine) as session:
        links = [link for name in (ACCESS_CHAIN, SYSTEM_CHAIN) for link in chain(session, name)]
        assert not list(check_chain(chain(session, ACCESS_CHAIN)))
        assert not list(check_chain(chain(session, SYSTEM_CHAIN)))
        actions = [link.action for link in links]
        role = session.scalars(select(AuditEntry).where(AuditEntry.action == "user_roles")).one()
        assert (role.body["from"], role.body["to"]) == (["viewer"], ["admin"])
        assert role.actor_id.startswith("cli:")
    assert actions.count("login_failed") == login_limits.FAILURES_PAIR
    assert actions.count("login_throttled") == 1  # the first of the flood
    for action in ("login", "logout", "user_create", "user_password", "user_close"):
        assert action in actions, action
    assert PASSWORD not in str([link.body for link in links])


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "client"),
    [
        ("", "10.0.0.1", ["1.2.3.4"], "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", "10.0.0.2", ["1.2.3.4"], "10.0.0.2"),
        ("10.0.0.0/8", "10.0.0.1", ["6.6.6.6, 1.2.3.4, 10.0.0.9"], "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.1", ["6.6.6.6", "1.2.3.4"], "1.2.3.4"),
        ("10.0.0.0/8", "10.0.0.1", ["garbage"], "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", ["1.2.3.4, garbage"], "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.0/8", "::ffff:10.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("10.0.0.0/8", "10.0.0.1", ["1.2.3.4:5555"], "1.2.3.4"),
    ],
)
def test_who_the_client_is(proxies: str, peer: str, forwarded: list[str], client: str) -> None:
    assert Proxies.parse(proxies).client(peer, forwarded) == client
