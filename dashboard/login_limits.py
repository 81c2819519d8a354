"""Guessing is slowed down, nobody is locked out.

Failures of the last 15 minutes are counted for a login at one address, a login from everywhere, and one address.
Past a count, tries are taken one at a time with a pause between them, a minute at most; a try within the pause is
answered with how long to wait and does not lengthen it.  A device on which the person logged in before (a signed
cookie, bound to the login) has a count of its own: whoever floods a login or shares the address cannot slow it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Engine, or_, select

from core.ids import new_id
from core.late import Late
from dashboard.errors import LoginThrottled
from storage.session import read_scope, session_scope
from storage.tables.people import LoginFailure

if TYPE_CHECKING:
    from events.evidence import audit_log
else:
    audit_log = Late("events.evidence.audit_log")

WINDOW = timedelta(minutes=15)
FAILURES_PAIR = 5  # one login from one address
FAILURES_LOGIN = 30  # one login from everywhere
FAILURES_ADDRESS = 60  # one address, a whole office behind one router
PAIR_PAUSE_S, LOGIN_PAUSE_S, ADDRESS_PAUSE_S = 60, 15, 3  # the longest pauses
DEVICE_COOKIE = "yiwang_device"
DEVICE_DAYS = 180
MAX_THROTTLED = 10_000


def check(engine: Engine, login: str, address: str, device: str, now: datetime) -> None:
    """:class:`LoginThrottled` when the next try comes too soon; ``device`` is "" or a known device's name."""
    login, address, since = login[:60], (device or address)[:60], now - WINDOW
    with read_scope(engine) as session:
        rows = session.execute(
            select(LoginFailure.login, LoginFailure.address, LoginFailure.failed_at).where(
                LoginFailure.failed_at > since, or_(LoginFailure.login == login, LoginFailure.address == address)
            )
        ).all()
    pair = [r.failed_at for r in rows if r.login == login and r.address == address]
    limits = [(pair, FAILURES_PAIR, PAIR_PAUSE_S)]
    if not device:
        elsewhere = [r.failed_at for r in rows if r.login == login]
        here = [r.failed_at for r in rows if r.address == address]
        limits += [(elsewhere, FAILURES_LOGIN, LOGIN_PAUSE_S), (here, FAILURES_ADDRESS, ADDRESS_PAUSE_S)]
    wait = max(_wait(failures, limit, longest, now) for failures, limit, longest in limits)
    if wait > 0:
        raise LoginThrottled(retry_after_s=wait)


def _wait(failures: list[datetime], limit: int, longest: int, now: datetime) -> int:
    """Seconds until the next try is taken."""
    over = len(failures) - limit
    if over < 0:
        return 0
    pause = min(longest, 2 ** min(over + 1, 10))
    left = (max(failures) + timedelta(seconds=pause) - now).total_seconds()
    return max(0, int(left + 0.999))


def device_cookie(secret: str, login: str) -> str:
    """A cookie for a device on which ``login`` has just logged in."""
    name = secrets.token_urlsafe(12)
    return f"{name}.{_seal(secret, login, name)}"


def known_device(secret: str, login: str, cookie: str) -> str:
    """The device's name when ``cookie`` was given out to ``login``; "" otherwise."""
    name, _, seal = cookie.partition(".")
    if not name or len(cookie) > 200 or not hmac.compare_digest(seal.encode(), _seal(secret, login, name).encode()):
        return ""
    return f"device:{name}"


def _seal(secret: str, login: str, name: str) -> str:
    return hmac.new(secret.encode(), f"device|{login}|{name}".encode(), hashlib.sha256).hexdigest()


class LoginDoor:
    """Where passwords and codes are tried: throttled, and told in the audit chain."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._throttled: dict[tuple[str, str], datetime] = {}

    def failed(self, login: str, address: str, device: str, now: datetime, action: str = "login_failed") -> None:
        """A wrong password, whoever typed it: counted, and told in the audit chain."""
        with session_scope(self._engine) as session:
            place = (device or address)[:60]
            session.add(LoginFailure(failure_id=new_id(), login=login[:60], address=place, failed_at=now))
            told = {"login": login[:60], "address": address[:60]}
            audit_log.append(session, audit_log.ACCESS_CHAIN, now, "system", action, told)

    def check(self, login: str, address: str, device: str, now: datetime) -> None:
        """:func:`check`; a refusal is told."""
        try:
            check(self._engine, login, address, device, now)
        except LoginThrottled:
            self._note_throttled(login[:60], address[:60], now)
            raise

    def _note_throttled(self, login: str, address: str, now: datetime) -> None:
        """A link for the first refusal of a login at an address, not for each of a flood."""
        self._throttled = {k: at for k, at in self._throttled.items() if at > now - WINDOW}
        if (login, address) in self._throttled or len(self._throttled) >= MAX_THROTTLED:
            return
        self._throttled[login, address] = now
        with session_scope(self._engine) as session:
            told = {"login": login, "address": address}
            audit_log.append(session, audit_log.ACCESS_CHAIN, now, "system", "login_throttled", told)
