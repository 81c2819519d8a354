"""Who may do what: users, roles per department, sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base
from storage.tables import registry  # noqa: F401 - foreign keys point there


class User(Base):
    """A person with an account.  ``password_hash`` is argon2id; empty: cannot log in yet."""

    __tablename__ = "user_account"
    user_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    login: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    department_id: Mapped[str | None] = mapped_column(ForeignKey("department.department_id"), index=True)
    division_code: Mapped[str | None] = mapped_column(ForeignKey("division.code"))  # a grid worker's beat
    phone: Mapped[str] = mapped_column(String(30), default="")
    language: Mapped[str] = mapped_column(String(5), default="zh")
    password_hash: Mapped[str] = mapped_column(String(200), default="")
    must_change_password: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    source: Mapped[str] = mapped_column(String(40), default="")
    last_login_at: Mapped[datetime | None]
    last_login_address: Mapped[str | None] = mapped_column(String(60))


class UserRole(Base):
    """A role of a user: admin, security, auditor, operator, dispatcher, staff, inspector, grid_worker, manager, drone,
    viewer."""

    __tablename__ = "user_role"
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20), primary_key=True)


class LoginSession(Base):
    """A server-side session; the cookie holds the secret, the table its SHA-256.

    ``method``: password, passkey, oidc.  ``confirmed_at``: when the person last proved to be there (re-authentication).
    ``issuer`` and ``provider_session``: of the identity provider, so that its logout ends this session.
    """

    __tablename__ = "login_session"
    session_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(60), default="")
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    method: Mapped[str] = mapped_column(String(12), default="password", server_default="password")
    confirmed_at: Mapped[datetime | None]
    issuer: Mapped[str] = mapped_column(String(200), default="", server_default="")
    provider_session: Mapped[str] = mapped_column(String(120), default="", server_default="", index=True)
    previous_login_at: Mapped[datetime | None]
    previous_login_address: Mapped[str | None] = mapped_column(String(60))


class LoginFailure(Base):
    """A failed login, for the rate limit; old rows are swept."""

    __tablename__ = "login_failure"
    failure_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    login: Mapped[str] = mapped_column(String(60), index=True)
    address: Mapped[str] = mapped_column(String(60), index=True)
    failed_at: Mapped[datetime] = mapped_column(index=True)


class ApiKey(Base):
    """A key with which another platform or a device gateway may call the API."""

    __tablename__ = "api_key"
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"))
    scope: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("name"),)


class PushSubscription(Base):
    """A browser that its user lets us reach while the page is closed (Web Push).

    ``subscription_id`` is the SHA-256 of the endpoint; ``session_hash`` the login that opted in: when it has ended,
    nothing is sent.
    """

    __tablename__ = "push_subscription"
    subscription_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    session_hash: Mapped[str] = mapped_column(String(64), default="", index=True)
    endpoint: Mapped[str] = mapped_column(String(1000))
    p256dh: Mapped[str] = mapped_column(String(100))
    auth: Mapped[str] = mapped_column(String(40))
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(String(200), default="")
