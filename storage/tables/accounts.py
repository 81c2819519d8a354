"""How people come to their accounts: invitations by one-time code, and the passwords they had."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.schema import Base


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
