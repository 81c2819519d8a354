"""Who is there: logging in, server-side sessions.

The cookie holds a random secret; the table holds its SHA-256, so a stolen database opens no session.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.clock import Clock, SystemClock
from core.errors import InputInvalid, NotFound
from core.late import Late
from core.records import Actor
from dashboard.accounts import passwords
from dashboard.accounts.totp import SecondFactors
from dashboard.accounts.users import POWERS, hash_password, password_matches
from dashboard.errors import LoginFailed, SecondFactorRequired
from dashboard.login_limits import WINDOW, LoginDoor
from storage.availability import is_away
from storage.session import read_scope, session_scope
from storage.tables.people import LoginFailure, LoginSession, User, UserRole
from storage.tables.registry import Department

if TYPE_CHECKING:
    from events.evidence import audit_log
else:
    audit_log = Late("events.evidence.audit_log")

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)


@dataclass(frozen=True)
class Principal:
    """A signed-in person: what every check looks at."""

    actor: Actor
    login: str
    csrf_token: str
    session_hash: str
    language: str
    department_name: str
    must_change_password: bool
    confirmed_at: datetime | None = None  # when the person last proved to be there
    previous_login: tuple[datetime, str] | None = None  # the login before this one: when, from where
    separate: bool = False  # administrators are three: ``admin`` is neither ``security`` nor ``auditor``

    def has(self, *roles: str) -> bool:
        """Does the person hold any of ``roles``?  An administrator is all three where they are not kept apart."""
        held = set(self.actor.roles)
        if "admin" in held and not self.separate:
            held |= set(POWERS)
        return bool(set(roles) & held)

    def public(self) -> dict[str, object]:
        """What the person's own browser may know."""
        return {
            "user_id": self.actor.user_id,
            "login": self.login,
            "name": self.actor.name,
            "roles": list(self.actor.roles),
            "department_id": self.actor.department_id,
            "department_name": self.department_name,
            "division_code": self.actor.division_code,
            "language": self.language,
            "must_change_password": self.must_change_password,
            "last_login": None
            if self.previous_login is None
            else {"at": self.previous_login[0].isoformat(), "address": self.previous_login[1]},
        }


# sessions --------------------------------------------------------------------
@dataclass(frozen=True)
class NewSession:
    """The cookie's secret and whom it stands for."""

    secret: str
    principal: Principal


def secret_hash(secret: str) -> str:
    """What the table knows of a cookie."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Accounts:
    """Logins and sessions of one database."""

    def __init__(self, engine: Engine, clock: Clock | None = None, key: str = "", *, separate: bool = False) -> None:
        self.engine = engine
        self.clock = clock or SystemClock()
        self.second = SecondFactors(engine, key)
        self.separate = separate
        self.door = LoginDoor(engine)

    def log_in(
        self, login: str, password: str, address: str, user_agent: str = "", device: str = "", code: str = ""
    ) -> NewSession:
        """A session; :class:`LoginFailed` or :class:`LoginThrottled`, the same for unknown and wrong;
        :class:`SecondFactorRequired` when the password is right and a ``code`` is asked for.

        ``device``: what :func:`dashboard.login_limits.known_device` says of the browser's cookie.
        """
        now = self.clock.now()
        self.door.check(login, address, device, now)
        with read_scope(self.engine) as session:
            user = session.scalar(select(User).where(User.login == login, User.active.is_(True)))
            stored, user_id = (user.password_hash, user.user_id) if user else ("", "")
        if not password_matches(stored, password):
            self.door.failed(login, address, device, now)
            raise LoginFailed()
        if self.second.wanted(user_id):
            if not code:
                raise SecondFactorRequired()
            if not self.second.right(user_id, code, now):
                self.door.failed(login, address, device, now)
                raise LoginFailed()
        with session_scope(self.engine) as session:
            session.execute(delete(LoginFailure).where(LoginFailure.failed_at < now - WINDOW))
            session.execute(
                delete(LoginFailure).where(
                    LoginFailure.login == login, LoginFailure.address.in_((address[:60], device[:60]))
                )
            )
            secret = self.open_in(session, user_id, login, address, user_agent)
        principal = self.principal(secret)
        if principal is None:
            raise LoginFailed()
        return NewSession(secret, principal)

    def open_in(
        self, session: Session, user_id: str, login: str, address: str, user_agent: str, *, method: str = "password",
        issuer: str = "", provider_session: str = "", longest: timedelta = LONGEST,
    ) -> str:  # fmt: skip
        """A session of somebody who has proved who he is; the cookie's secret."""
        now, secret = self.clock.now(), secrets.token_urlsafe(32)
        session.execute(delete(LoginSession).where(LoginSession.expires_at < now))
        told = {"login": login, "address": address[:60]} | ({"method": method} if method != "password" else {})
        audit_log.append(session, audit_log.ACCESS_CHAIN, now, user_id, "login", told)
        user = session.get(User, user_id, with_for_update=True)
        before = (user.last_login_at, user.last_login_address) if user is not None else (None, None)
        if user is not None:
            user.last_login_at, user.last_login_address = now, address[:60]
        session.add(
            LoginSession(
                previous_login_at=before[0],
                previous_login_address=before[1],
                session_hash=secret_hash(secret),
                user_id=user_id,
                csrf_token=secrets.token_urlsafe(24),
                created_at=now,
                last_seen_at=now,
                confirmed_at=now,
                expires_at=now + min(longest, LONGEST),
                address=address[:60],
                user_agent=user_agent[:200],
                method=method,
                issuer=issuer[:200],
                provider_session=provider_session[:120],
            )
        )
        return secret

    def principal(self, secret: str) -> Principal | None:
        """Whom the cookie stands for, None when it is unknown, idle too long or the account is closed."""
        now, hashed = self.clock.now(), secret_hash(secret)
        with read_scope(self.engine) as session:
            row = session.execute(
                select(LoginSession, User, Department.name)
                .join(User, User.user_id == LoginSession.user_id)
                .outerjoin(Department, Department.department_id == User.department_id)
                .where(LoginSession.session_hash == hashed)
            ).first()
            if row is None:
                return None
            login_session, user, department_name = row
            if not user.active or now > login_session.expires_at or now > login_session.last_seen_at + IDLE:
                return None
            roles = session.scalars(select(UserRole.role).where(UserRole.user_id == user.user_id))
            stale = now - login_session.last_seen_at > timedelta(minutes=5)
            actor = Actor(
                user_id=user.user_id,
                name=user.name,
                roles=tuple(sorted(roles)),
                department_id=user.department_id,
                division_code=user.division_code,
            )
            principal = Principal(
                actor, user.login, login_session.csrf_token, hashed, user.language, department_name or "",
                user.must_change_password and login_session.method == "password",
                confirmed_at=login_session.confirmed_at, separate=self.separate,
                previous_login=None if login_session.previous_login_at is None
                else (login_session.previous_login_at, login_session.previous_login_address or ""),
            )  # fmt: skip
        if stale:
            self._seen(hashed, now)
        return principal

    def _seen(self, hashed: str, now: datetime) -> None:
        """Note that the session is used; a database that takes no writes now must not shut its people out."""
        try:
            with session_scope(self.engine) as session:
                kept = session.get(LoginSession, hashed)
                if kept is not None:
                    kept.last_seen_at = now
        except DBAPIError as error:
            if not is_away(error):
                raise

    def confirm(self, principal: Principal, password: str, code: str, address: str) -> None:
        """The person proves again to be there; guesses count as at the door."""
        now = self.clock.now()
        self.door.check(principal.login, address, "", now)
        with read_scope(self.engine) as session:
            user = session.get(User, principal.actor.user_id)
            stored = user.password_hash if user else ""
        right = password_matches(stored, password)
        if right and self.second.wanted(principal.actor.user_id):
            if not code:
                raise SecondFactorRequired()
            right = self.second.right(principal.actor.user_id, code, now)
        if not right:
            self.door.failed(principal.login, address, "", now, "password_guess")
            raise LoginFailed()
        with session_scope(self.engine) as session:
            kept = session.get(LoginSession, principal.session_hash)
            if kept is not None:
                kept.confirmed_at = now

    def method_of(self, session_hash: str) -> str:
        """How this session was opened."""
        with read_scope(self.engine) as session:
            kept = session.get(LoginSession, session_hash)
            return kept.method if kept is not None else ""

    def log_out(self, session_hash: str) -> None:
        """End the session."""
        with session_scope(self.engine) as session:
            kept = session.get(LoginSession, session_hash)
            if kept is not None:
                body = {"address": kept.address}
                audit_log.append(session, audit_log.ACCESS_CHAIN, self.clock.now(), kept.user_id, "logout", body)
                session.flush()
            session.execute(delete(LoginSession).where(LoginSession.session_hash == session_hash))

    def change_password(self, principal: Principal, old: str, new: str, address: str = "") -> None:
        """Set one's own password; other sessions of the account end.  Guessing the old one counts as at the door."""
        now = self.clock.now()
        self.door.check(principal.login, address, "", now)
        with read_scope(self.engine) as session:
            user = session.get(User, principal.actor.user_id)
            stored = user.password_hash if user else ""
        if not password_matches(stored, old):
            self.door.failed(principal.login, address, "", now, "password_guess")
            raise InputInvalid(field="old_password", detail="is wrong", how="type the password you logged in with")
        hashed = hash_password(new)
        with session_scope(self.engine) as session:
            user = session.get(User, principal.actor.user_id)
            if user is None:
                raise NotFound(what="user", key=principal.actor.user_id)
            passwords.check(session, user, new, password_matches)
            passwords.remember(session, user, now)
            user.password_hash, user.must_change_password = hashed, False
            told = {"address": address[:60]}
            audit_log.append(session, audit_log.ACCESS_CHAIN, now, user.user_id, "password_change", told)
            session.execute(
                delete(LoginSession).where(
                    LoginSession.user_id == user.user_id, LoginSession.session_hash != principal.session_hash
                )
            )
