"""Where submissions lie: inserted by the bus listener (or by the door's own database role), read by a code's hash."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.records import JSON
from dashboard.outside import wire
from dashboard.outside.wire import Answer, Submission
from storage.links import link_of
from storage.tables.outside import OutsidePage, OutsideRequest

MOST_WAITING = 5_000
_ID = re.compile(r"[0-9a-f]{32}")
_HASH = re.compile(r"[0-9a-f]{64}")


def insert(session: Session, submission: Submission, now: datetime) -> str:
    """Keep it; the code of a problem, or "".  What is there already is left as it is."""
    if submission.kind not in wire.KINDS or wire.too_large(submission):
        return "not_taken"
    if not _ID.fullmatch(submission.request_id) or not _HASH.fullmatch(submission.token_hash):
        return "not_taken"
    known = select(OutsideRequest.request_id).where(
        (OutsideRequest.request_id == submission.request_id) | (OutsideRequest.token_hash == submission.token_hash)
    )
    if session.scalars(known).first() is not None:
        return ""
    waiting = session.scalar(select(func.count()).select_from(OutsideRequest).where(OutsideRequest.state == "new"))
    if (waiting or 0) >= MOST_WAITING:
        return "busy"
    row = OutsideRequest(
        request_id=submission.request_id, token_hash=submission.token_hash, kind=submission.kind,
        body=submission.body, data=submission.data or None, language=submission.language[:5], created_at=now,
        state="new", view={}, own={},
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return ""
    return ""


def read(session: Session, token_hash: str, now: datetime) -> Answer:
    """What the holder of the code may see; nothing else of the row leaves the house."""
    link = link_of(session, token_hash, now)
    if link is not None:
        return Answer(state="taken", view=dict(link.view))
    row = session.execute(
        select(OutsideRequest.state, OutsideRequest.view).where(OutsideRequest.token_hash == token_hash)
    ).first()
    return Answer(found=False) if row is None else Answer(state=row.state, view=row.view)


def page(session: Session, name: str) -> dict[str, JSON]:
    """A public page; empty where there is none."""
    found = session.get(OutsidePage, name)
    return dict(found.body) if found is not None else {}
