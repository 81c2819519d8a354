"""The second factor: RFC 6238's own examples, each code once, and the login that asks for it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from core.clock import ManualClock
from core.settings import Settings
from dashboard.accounts.totp import STEP_S, code_at
from storage.session import read_scope
from storage.tables.accounts import SecondFactor
from tests.unit.dashboard.web import PASSWORD, make_office

SEED = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_examples_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(SEED, seconds // STEP_S) == code  # appendix B gives eight digits; six are their end


def test_a_login_asks_for_a_code_and_takes_each_once(settings: Settings) -> None:
    clock = ManualClock(datetime(2026, 6, 5, 3, tzinfo=UTC))
    office = make_office(settings, clock)
    client = office.client("fireman")
    assert client.post("/api/me/second-factor", json={"password": "wrong"}).status_code == 422
    begun = client.post("/api/me/second-factor", json={"password": PASSWORD}).json()
    raw = base64.b32decode(begun["secret"])
    assert f"secret={begun['secret']}" in begun["uri"]

    def code() -> str:
        return code_at(raw, int(clock.now().timestamp()) // STEP_S)

    def log_in(**more: str) -> int:
        return office.client().post("/api/login", json={"login": "fireman", "password": PASSWORD, **more}).status_code

    assert log_in() == 200, "nothing is asked for before it is confirmed"
    assert client.post("/api/me/second-factor/confirm", json={"code": "000000"}).status_code == 422
    assert client.post("/api/me/second-factor/confirm", json={"code": code()}).status_code == 200
    asked = office.client().post("/api/login", json={"login": "fireman", "password": PASSWORD})
    assert asked.status_code == 401 and asked.json()["error"] == "second_factor_required"
    wrong = office.client().post("/api/login", json={"login": "fireman", "password": "not this one"})
    assert wrong.json()["error"] == "login_failed", "a wrong password does not tell that there is a second factor"
    assert log_in(code=code()) == 401, "the code that confirmed it was used"
    clock.advance(STEP_S)
    assert log_in(code=code()) == 200
    assert log_in(code=code()) == 401, "no code works twice"
    with read_scope(office.engine) as session:
        row = session.query(SecondFactor).one()
        assert begun["secret"] not in row.secret
    user_id = client.get("/api/me").json()["user_id"]
    assert office.client("drainer").delete(f"/api/users/{user_id}/second-factor").status_code == 403
    assert office.client("boss").delete(f"/api/users/{user_id}/second-factor").status_code == 200
    assert log_in() == 200
