"""Codes for people without an account: made once, shown once, known to the table by their hash."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import one_time
from core.errors import InputInvalid
from core.ids import new_id
from storage.tables.persons import LinkToken

PURPOSES = ("file", "rating", "site")
LONGEST_DAYS = 365
USES = {"file": 20, "rating": 1, "site": 1}  # answers that a code may send; looking is free


def make_link(
    session: Session,
    purpose: str,
    *,
    now: datetime,
    by: str,
    days: float,
    case_id: str | None = None,
    subject_id: str | None = None,
    person_id: str | None = None,
    facts: dict[str, Any] | None = None,
) -> tuple[LinkToken, str]:
    """A code and its row; the code is nowhere kept."""
    if purpose not in PURPOSES:
        raise InputInvalid(field="purpose", detail=f"there is no {purpose!r}", how=f"use: {', '.join(PURPOSES)}")
    if not 0 < days <= LONGEST_DAYS:
        raise InputInvalid(field="days", detail=f"{days} is out of range", how=f"give up to {LONGEST_DAYS}")
    code = one_time.new_code()
    link = LinkToken(
        link_id=new_id(), token_hash=one_time.code_hash(code), purpose=purpose, case_id=case_id,
        subject_id=subject_id, person_id=person_id, facts=facts or {}, uses_left=USES[purpose], created_at=now,
        created_by=by, until=now + timedelta(days=days), view={"purpose": purpose},
    )  # fmt: skip
    session.add(link)
    session.flush()
    return link, code


def link_of(session: Session, token_hash: str, now: datetime, *, lock: bool = False) -> LinkToken | None:
    """The link behind a code, None when it is unknown, revoked or over."""
    query = select(LinkToken).where(LinkToken.token_hash == token_hash)
    link = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if link is None or link.revoked_at is not None or link.until < now:
        return None
    return link
