"""The log of views: written by the server where a picture leaves it, whatever the page does."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.ids import new_id
from dashboard.auth import Principal
from dashboard.services import Services
from storage.session import session_scope
from storage.tables.videowall import VideoView

STILLS_S = 600  # stills of one camera to one person within this time are one row
KNOWN = "video_stills"


def began(use: Services, who: Principal, camera_id: str, kind: str, tour_id: str = "") -> str:
    """A view begins; its id."""
    view_id = new_id()
    with session_scope(use.engine) as session:
        session.add(
            VideoView(view_id=view_id, user_id=who.actor.user_id, camera_id=camera_id, kind=kind, tour_id=tour_id,
                      at=use.clock.now())
        )  # fmt: skip
    return view_id


def ended(use: Services, view_id: str, seconds: float) -> None:
    """A live view ended after ``seconds``."""
    with session_scope(use.engine) as session:
        row = session.get(VideoView, view_id)
        if row is not None:
            row.seconds = round(seconds, 1)


def still_seen(use: Services, who: Principal, camera_id: str) -> None:
    """A still was sent: one row for ten minutes of the same camera to the same person."""
    known: dict[tuple[str, str], datetime] = use.counters.setdefault(KNOWN, {})
    key, now = (who.actor.user_id, camera_id), use.clock.now()
    last = known.get(key)
    if last is not None and now - last < timedelta(seconds=STILLS_S):
        return
    if len(known) > 20_000:
        known.clear()
    known[key] = now
    began(use, who, camera_id, "still")


def log_of(session: Session, camera_id: str, user_id: str, limit: int) -> list[VideoView]:
    """The newest views, of a camera or by a person where given."""
    query = select(VideoView).order_by(VideoView.at.desc(), VideoView.view_id)
    if camera_id:
        query = query.where(VideoView.camera_id == camera_id)
    if user_id:
        query = query.where(VideoView.user_id == user_id)
    return list(session.scalars(query.limit(limit)))
