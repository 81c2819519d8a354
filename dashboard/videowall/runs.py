"""The log of tours: who ran which when, what was shown, where it stopped; and what was planned and did not happen."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Forbidden, NotFound
from core.ids import new_id
from core.records import Actor
from dashboard.videowall.schedule import Schedule, due, missed
from dashboard.videowall.tours import MOST
from storage.tables.videowall import VideoTour, VideoTourRun, VideoView

BACK = timedelta(days=7)  # how long missed tours are named
STILLS = timedelta(minutes=10)  # one row of the log of views stands for stills of so long


class StopNote(BaseModel):
    """What the tour stopped at and what became of it."""

    model_config = ConfigDict(extra="forbid")
    camera_id: str = Field(max_length=40)
    case_id: str = Field(max_length=26)
    outcome: str = Field("passed", pattern="^(passed|opened|made)$")


class RunBody(BaseModel):
    """Body of ``POST /api/video/runs/{run_id}``: what was shown since the last word, and whether it is over."""

    model_config = ConfigDict(extra="forbid")
    seen: list[str] = Field(default_factory=list, max_length=MOST)
    found: list[StopNote] = Field(default_factory=list, max_length=100)
    ended: bool = False


def starts_of(session: Session, tour_ids: list[str], since: datetime) -> dict[str, list[datetime]]:
    """Tour → when it was begun since then."""
    query = select(VideoTourRun.tour_id, VideoTourRun.started_at).where(
        VideoTourRun.tour_id.in_(tour_ids), VideoTourRun.started_at >= since
    )
    found: dict[str, list[datetime]] = {}
    for tour_id, at in session.execute(query):
        found.setdefault(tour_id, []).append(at)
    return found


def begin_run(session: Session, actor: Actor, tour: VideoTour, stops: int, now: datetime) -> VideoTourRun:
    """A tour begins; it counts for the planned moment that waits, if one does."""
    starts = starts_of(session, [tour.tour_id], now - BACK).get(tour.tour_id, [])
    run = VideoTourRun(
        run_id=new_id(), tour_id=tour.tour_id, tour_name=tour.name, user_id=actor.user_id, started_at=now,
        planned_at=due(plan_of(tour), starts, now), stops=stops, seen=[], found=[],
    )  # fmt: skip
    session.add(run)
    return run


def plan_of(tour: VideoTour) -> Schedule:
    """The tour's schedule; an empty one where it has none."""
    return Schedule.model_validate(tour.body.get("schedule") or {})


def note_run(session: Session, actor: Actor, run_id: str, body: RunBody, now: datetime) -> VideoTourRun:
    """Add what was shown; only who runs the tour may.

    Raises:
        NotFound: there is no such run.
        Forbidden: somebody else runs it.
    """
    run = session.get(VideoTourRun, run_id, with_for_update=True)
    if run is None:
        raise NotFound(what="tour run", key=run_id)
    if run.user_id != actor.user_id:
        raise Forbidden(action="write into somebody else's tour")
    run.seen = list(dict.fromkeys([*run.seen, *body.seen]))[:MOST]
    known = {(n["case_id"], n["outcome"]) for n in run.found}
    more = [n.model_dump() | {"at": now.isoformat()} for n in body.found if (n.case_id, n.outcome) not in known]
    run.found = [*run.found, *more][:MOST]
    if body.ended and run.ended_at is None:
        run.ended_at = now
    return run


def log_of_runs(session: Session, tour_id: str, limit: int) -> list[dict[str, Any]]:
    """The newest runs; ``viewed``: how many of the shown cameras the server itself sent pictures of to this person."""
    query = select(VideoTourRun).order_by(VideoTourRun.started_at.desc(), VideoTourRun.run_id)
    if tour_id:
        query = query.where(VideoTourRun.tour_id == tour_id)
    names = ("run_id", "tour_id", "tour_name", "user_id", "planned_at", "started_at", "ended_at", "stops", "found")
    return [
        {name: getattr(run, name) for name in names} | {"seen": len(run.seen), "viewed": _viewed(session, run)}
        for run in session.scalars(query.limit(limit))
    ]


def _viewed(session: Session, run: VideoTourRun) -> int:
    if not run.seen:
        return 0
    end = run.ended_at or run.started_at + timedelta(days=1)
    count = select(func.count(VideoView.camera_id.distinct())).where(
        VideoView.user_id == run.user_id, VideoView.at.between(run.started_at - STILLS, end),
        VideoView.camera_id.in_(run.seen),
    )  # fmt: skip
    return session.scalar(count) or 0


def missed_runs(session: Session, now: datetime) -> list[dict[str, Any]]:
    """Planned moments of the last week that passed without a tour, the newest first; none from before it was made."""
    tours = list(session.scalars(select(VideoTour).limit(200)))
    starts = starts_of(session, [tour.tour_id for tour in tours], now - BACK - timedelta(days=1))
    rows: list[dict[str, Any]] = [
        {"tour_id": tour.tour_id, "tour_name": tour.name, "planned_at": moment}
        for tour in tours
        for moment in missed(plan_of(tour), starts.get(tour.tour_id, []), max(now - BACK, tour.made_at), now)
    ]
    return sorted(rows, key=lambda row: row["planned_at"], reverse=True)[:100]
