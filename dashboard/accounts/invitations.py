"""Invitations: a code that is shown once, works once, and lets its person choose the first password."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, YiwangError
from dashboard.accounts import passwords
from dashboard.accounts.users import hash_password, password_matches
from storage.tables.accounts import Invitation
from storage.tables.people import LoginSession, User

VALID = timedelta(days=14)
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no letters that look alike
_GROUPS = 4


class InvitationRefused(YiwangError):
    code = "invitation_refused"
    message = "this code is not valid: it was used, has expired, or was never given out"
    remedy = "ask for a new one"
    zh = "邀请码无效：已用过、已过期，或从未发出"
    zh_remedy = "请索取新的邀请码"


def _hash(code: str) -> str:
    plain = "".join(c for c in code.upper() if c.isalnum())
    return hashlib.sha256(f"invitation:{plain}".encode()).hexdigest()


def invite(session: Session, user: User, by: str, now: datetime) -> str:
    """A new code for ``user``, shown this once; earlier ones of the same person end (79 bits)."""
    if not user.active:
        raise InputInvalid(field="user_id", detail="is a closed account", how="open it first")
    session.execute(delete(Invitation).where(Invitation.user_id == user.user_id, Invitation.used_at.is_(None)))
    code = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(_GROUPS))
    session.add(
        Invitation(code_hash=_hash(code), user_id=user.user_id, created_by=by, created_at=now, expires_at=now + VALID)
    )
    return code


def redeem(session: Session, code: str, password: str, now: datetime) -> User:
    """Set the password of whom ``code`` was given to; :class:`InvitationRefused` says nothing about why."""
    row = session.scalars(select(Invitation).where(Invitation.code_hash == _hash(code)).with_for_update()).one_or_none()
    user = session.get(User, row.user_id) if row is not None else None
    if row is None or user is None or row.used_at is not None or row.expires_at < now or not user.active:
        raise InvitationRefused()
    passwords.check(session, user, password, password_matches)
    hashed = hash_password(password)
    passwords.remember(session, user, now)
    user.password_hash, user.must_change_password = hashed, False
    row.used_at = now
    session.execute(delete(LoginSession).where(LoginSession.user_id == user.user_id))
    return user
