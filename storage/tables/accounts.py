"""How people come to their accounts: invitations by one-time code, and the passwords they had."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base
from storage.tables import people  # noqa: F401 - foreign keys point there


class Invitation(Base):
    """A one-time code with which a person sets the first password; the table holds its SHA-256 only."""

    __tablename__ = "invitation"
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    created_by: Mapped[str] = mapped_column(String(40), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PasswordHistory(Base):
    """A password that a person had (argon2id), so that it is not taken again soon."""

    __tablename__ = "password_history"
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), primary_key=True)
    changed_at: Mapped[datetime] = mapped_column(primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(200))


class SecondFactor(Base):
    """A person's second factor (TOTP, RFC 6238).  ``secret`` is encrypted with a key that is not in the database.

    ``confirmed_at`` None: begun, not yet asked for.  ``last_step``: the newest time step used; none works twice.
    """

    __tablename__ = "second_factor"
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), primary_key=True)
    secret: Mapped[str] = mapped_column(String(200))
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(default=0)


class ExternalIdentity(Base):
    """Whom an identity provider means: ``issuer`` and ``subject`` together, never a name or an e-mail address.

    ``bound_by``: the administrator, or ``rule:staff_number`` where an exact rule did.
    """

    __tablename__ = "external_identity"
    identity_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    shown_name: Mapped[str] = mapped_column(String(80), default="")
    bound_by: Mapped[str] = mapped_column(String(40))
    bound_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("issuer", "subject"),)


class Passkey(Base):
    """A passkey (WebAuthn) of a person: the public key, and how often it has signed."""

    __tablename__ = "passkey"
    credential_id: Mapped[str] = mapped_column(String(400), primary_key=True)  # base64url
    user_id: Mapped[str] = mapped_column(ForeignKey("user_account.user_id"), index=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
