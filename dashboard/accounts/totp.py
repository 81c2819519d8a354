"""The second factor: time-based one-time codes (RFC 6238: HMAC-SHA-1, 30 s, 6 digits) of authenticator apps."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from datetime import datetime
from urllib.parse import quote

from cryptography.fernet import Fernet
from sqlalchemy import Engine, delete, update

from core.errors import InputInvalid
from storage.session import read_scope, session_scope
from storage.tables.accounts import SecondFactor

STEP_S = 30
DIGITS = 6
AROUND = 1  # steps before and after that are taken too: clocks differ
SECRET_BYTES = 20


def code_at(secret: bytes, step: int) -> str:
    """The code of a time step (RFC 4226 §5.3)."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 0xF
    number = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: bytes, code: str, now: datetime, after: int) -> int | None:
    """The step later than ``after`` that ``code`` belongs to, None when it fits none around ``now``."""
    here = int(now.timestamp()) // STEP_S
    found = None
    for step in range(here - AROUND, here + AROUND + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode("utf-8", "replace")) and step > after:
            found = step
    return found


class SecondFactors:
    """Second factors of one database; ``key`` (any text) encrypts the secrets."""

    def __init__(self, engine: Engine, key: str) -> None:
        self.engine = engine
        self._box = Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"second-factor:{key}".encode()).digest()))

    def begin(self, user_id: str, login: str) -> dict[str, str]:
        """A new secret (base32) and its ``uri`` for a QR; it counts once :meth:`confirm` has seen a code of it."""
        raw = secrets.token_bytes(SECRET_BYTES)
        with session_scope(self.engine) as session:
            row = session.get(SecondFactor, user_id)
            if row is not None and row.confirmed_at is not None:
                raise InputInvalid(field="second_factor", detail="is set up already", how="remove it first")
            sealed = self._box.encrypt(raw).decode()
            session.merge(SecondFactor(user_id=user_id, secret=sealed, confirmed_at=None, last_step=0))
        text = base64.b32encode(raw).decode().rstrip("=")
        label = quote(f"Yiwang:{login}", safe=":")
        return {
            "secret": text,
            "uri": f"otpauth://totp/{label}?secret={text}&issuer=Yiwang&digits={DIGITS}&period={STEP_S}",
        }

    def confirm(self, user_id: str, code: str, now: datetime) -> bool:
        """Switch it on when ``code`` is right."""
        if not self._use(user_id, code, now):
            return False
        with session_scope(self.engine) as session:
            session.execute(update(SecondFactor).where(SecondFactor.user_id == user_id).values(confirmed_at=now))
        return True

    def wanted(self, user_id: str) -> bool:
        """Is a code asked for at this person's login?"""
        with read_scope(self.engine) as session:
            row = session.get(SecondFactor, user_id)
            return row is not None and row.confirmed_at is not None

    def right(self, user_id: str, code: str, now: datetime) -> bool:
        """Is ``code`` right now?  Each works once."""
        return self._use(user_id, code, now)

    def _use(self, user_id: str, code: str, now: datetime) -> bool:
        plain = "".join(c for c in code if c.isdigit())
        with session_scope(self.engine) as session:
            row = session.get(SecondFactor, user_id)
            if row is None or len(plain) != DIGITS:
                return False
            step = matching_step(self._box.decrypt(row.secret.encode()), plain, now, row.last_step)
            if step is None:
                return False
            taken = session.execute(
                update(SecondFactor)
                .where(SecondFactor.user_id == user_id, SecondFactor.last_step < step)
                .values(last_step=step)
                .returning(SecondFactor.user_id)
            ).first()
            return taken is not None

    def remove(self, user_id: str) -> None:
        """Ask for no code any more."""
        with session_scope(self.engine) as session:
            session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
