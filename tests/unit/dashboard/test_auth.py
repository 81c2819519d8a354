"""Accounts, passwords, sessions, the rate limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, select

from core.clock import ManualClock
from core.errors import InputInvalid
from dashboard import auth, login_limits
from dashboard.accounts import users
from dashboard.accounts.users import add_user, ensure_admin, set_password
from dashboard.auth import Accounts
from dashboard.errors import LoginFailed, LoginThrottled
from storage.session import read_scope, session_scope
from storage.tables.people import LoginSession, User

START = datetime(2026, 6, 5, 3, tzinfo=UTC)
WORD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cost is 64 MiB and 50 ms a hash; the logic is the same with less."""
    monkeypatch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def accounts(engine: Engine) -> Accounts:
    with session_scope(engine) as session:
        set_password(session, add_user(session, login="wang", name="王", roles=["staff"]), WORD, must_change=False)
        add_user(session, login="nopass", name="无", roles=["staff"])
    return Accounts(engine, ManualClock(START))


def test_the_first_administrator_is_made_once(engine: Engine) -> None:
    password = ensure_admin(engine)
    assert password and len(password) >= 20
    assert ensure_admin(engine) is None
    new = Accounts(engine).log_in("admin", password, "a")
    assert new.principal.has("admin") and new.principal.must_change_password
    with read_scope(engine) as session:
        stored = session.scalars(select(User.password_hash)).one()
    assert stored.startswith("$argon2id$") and password not in stored


def test_the_table_does_not_hold_the_cookie(accounts: Accounts, engine: Engine) -> None:
    new = accounts.log_in("wang", WORD, "a")
    with read_scope(engine) as session:
        row = session.scalars(select(LoginSession)).one()
        stored, token = row.session_hash, row.csrf_token
    assert new.secret not in (stored, token)
    assert accounts.principal(stored) is None
    found = accounts.principal(new.secret)
    assert found is not None and found.actor.roles == ("staff",)


@pytest.mark.parametrize(("login", "word"), [("wang", "wrong"), ("nobody", WORD), ("nopass", ""), ("nopass", WORD)])
def test_wrong_unknown_and_unset_look_the_same(accounts: Accounts, login: str, word: str) -> None:
    with pytest.raises(LoginFailed):
        accounts.log_in(login, word, "a")


def test_a_session_ends_when_idle_and_at_the_latest_after_a_week(accounts: Accounts) -> None:
    clock = accounts.clock
    assert isinstance(clock, ManualClock)
    secret = accounts.log_in("wang", WORD, "a").secret
    clock.advance(auth.IDLE.total_seconds() - 1)
    assert accounts.principal(secret)
    clock.advance(auth.IDLE.total_seconds() + 1)
    assert accounts.principal(secret) is None
    secret = accounts.log_in("wang", WORD, "a").secret
    for _ in range(16):
        clock.advance(timedelta(hours=10).total_seconds())
        assert accounts.principal(secret)
    clock.advance(timedelta(hours=10).total_seconds())
    assert accounts.principal(secret) is None


def test_failures_are_limited_per_login_and_address(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = accounts.clock
    assert isinstance(clock, ManualClock)
    monkeypatch.setattr(auth, "password_matches", lambda stored, word: word == WORD and bool(stored))
    for _ in range(login_limits.FAILURES_PAIR):
        with pytest.raises(LoginFailed):
            accounts.log_in("wang", "wrong", "10.0.0.1")
    with pytest.raises(LoginThrottled) as throttled:
        accounts.log_in("wang", WORD, "10.0.0.1")
    assert 0 < throttled.value.data["retry_after_s"] <= 900
    assert accounts.log_in("wang", WORD, "10.0.0.2")  # the owner, from elsewhere, is not locked out
    clock.advance(throttled.value.data["retry_after_s"] + 1)
    assert accounts.log_in("wang", WORD, "10.0.0.1")


def test_one_address_cannot_try_many_logins(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "password_matches", lambda stored, word: False)
    for k in range(login_limits.FAILURES_ADDRESS):
        with pytest.raises(LoginFailed):
            accounts.log_in(f"guess{k}", "wrong", "10.0.0.9")
    with pytest.raises(LoginThrottled):
        accounts.log_in("somebody-else", "wrong", "10.0.0.9")


def test_changing_the_password_ends_the_other_sessions(accounts: Accounts) -> None:
    first, second = accounts.log_in("wang", WORD, "a"), accounts.log_in("wang", WORD, "b")
    with pytest.raises(InputInvalid):
        accounts.change_password(first.principal, "wrong", "another long word")
    with pytest.raises(InputInvalid):
        accounts.change_password(first.principal, WORD, "short")
    accounts.change_password(first.principal, WORD, "another long word")
    assert accounts.principal(first.secret) and accounts.principal(second.secret) is None
    with pytest.raises(LoginFailed):
        accounts.log_in("wang", WORD, "c")


def test_accounts_are_checked(engine: Engine) -> None:
    with session_scope(engine) as session:
        add_user(session, login="li", name="李", roles=["staff"])
        for wrong in ({"login": "li"}, {"login": "a b"}, {"login": ""}, {"roles": ["king"]}, {"department_id": "none"}):
            given = {"login": "zhao", "name": "赵", "roles": ["staff"], **wrong}
            with pytest.raises(InputInvalid):
                add_user(session, **given)
