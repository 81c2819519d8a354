"""A telephone is confirmed by a code sent to it: six digits, ten minutes, five tries, at most five codes a day."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.sealing import Seal, comparable_number
from storage.tables.outside import OutsideRequest

VALID = timedelta(minutes=10)
CONFIRMED_FOR = timedelta(hours=2)
TRIES = 5
A_DAY = 5


@dataclass(frozen=True)
class TextMessage:
    """A message to one telephone."""

    phone: str
    text: str


def blind_of(seal: Seal, phone: str) -> bytes:
    """The hash by which the same telephone is found again."""
    return seal.blind("phone", comparable_number("phone", phone))


def begin(session: Session, row: OutsideRequest, seal: Seal, clock: Clock, can_send: bool) -> TextMessage | None:
    """A code for the telephone in ``row``; None when none is sent (the row says why)."""
    now, phone = clock.now(), str(row.body.get("phone", ""))
    row.phone_blind, row.expires_at, row.body = blind_of(seal, phone), now + timedelta(days=1), {}
    sent = session.scalar(
        select(func.count()).select_from(OutsideRequest).where(
            OutsideRequest.kind == "phone", OutsideRequest.phone_blind == row.phone_blind,
            OutsideRequest.created_at > now - timedelta(days=1), OutsideRequest.state == "taken",
        )
    )  # fmt: skip
    problem = "" if can_send else "no_text_messages"
    problem = problem or ("too_many_codes" if (sent or 0) >= A_DAY else "")
    if problem:
        row.state, row.view = "refused", {"problem": problem}
        return None
    digits = f"{secrets.randbelow(1_000_000):06d}"
    salt = secrets.token_hex(16)
    row.own = {"salt": salt, "digits": _mark(salt, digits), "tries": 0, "until": (now + VALID).isoformat()}
    row.state, row.view = "taken", {"sent": True}
    return TextMessage(phone, _words(row.language, digits))


def confirm(session: Session, row: OutsideRequest, clock: Clock) -> None:
    """Judge the digits in ``row``; what it comes to stands in its view."""
    now = clock.now()
    ticket, digits = str(row.body.get("ticket", "")), str(row.body.get("digits", ""))
    row.body, row.state, row.expires_at = {}, "taken", now + timedelta(hours=1)
    query = select(OutsideRequest).where(OutsideRequest.token_hash == ticket, OutsideRequest.kind == "phone")
    asked = session.scalars(query.with_for_update()).one_or_none()
    own: dict[str, Any] = dict(asked.own) if asked is not None else {}
    if asked is None or not own or datetime.fromisoformat(own["until"]) < now or own["tries"] >= TRIES:
        row.view = {"confirmed": False, "tries_left": 0}
        return
    own["tries"] += 1
    right = hmac.compare_digest(own["digits"], _mark(own["salt"], digits))
    if right:
        own |= {"confirmed_until": (now + CONFIRMED_FOR).isoformat(), "tries": TRIES}
    asked.own = own
    row.view = {"confirmed": right, "tries_left": 0 if right else TRIES - own["tries"]}


def is_confirmed(session: Session, ticket: str, blind: bytes, now: datetime) -> bool:
    """Was the telephone with this hash confirmed under ``ticket`` (its hash) a short time ago?"""
    query = select(OutsideRequest).where(
        OutsideRequest.token_hash == ticket, OutsideRequest.kind == "phone", OutsideRequest.phone_blind == blind
    )
    row = session.scalars(query).one_or_none() if ticket else None
    until = (row.own or {}).get("confirmed_until") if row is not None else None
    return until is not None and datetime.fromisoformat(until) >= now


def _mark(salt: str, digits: str) -> str:
    return hashlib.sha256(f"{salt}{digits}".encode()).hexdigest()


def _words(language: str, digits: str) -> str:
    if language == "en":
        return f"Your code is {digits}, valid for 10 minutes. We never ask for it by telephone."
    return f"您的验证码是 {digits}，10 分钟内有效。工作人员不会向您索要。"
