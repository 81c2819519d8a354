"""Layouts kept per person and tours: what they hold, whose cameras they name, what stops them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.ids import new_id
from core.records import Actor
from dashboard.queries import visible_cameras
from dashboard.videowall.schedule import Schedule
from events.cases.access import visible_cases
from layers.along import M_PER_DEGREE, along, street_lines
from storage.tables.cases import Case
from storage.tables.registry import Camera
from storage.tables.videowall import VideoLayout, VideoTour

MOST = 400  # cameras of a tour


class LayoutBody(BaseModel):
    """Body of ``PUT /api/video/layouts/{name}``."""

    model_config = ConfigDict(extra="forbid")
    tiles: int = Field(4, ge=1, le=16)
    cameras: list[str] = Field(default_factory=list, max_length=16)


class TourBody(BaseModel):
    """Body of ``POST /api/video/tours``: cameras by list, along a street in its order, or of a category."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=80)
    cameras: list[str] = Field(default_factory=list, max_length=MOST)
    road: str = Field("", max_length=80, description="name of a street; its category narrows it")
    within_m: float = Field(40.0, ge=5, le=500)
    category: str = Field("", max_length=24)
    schedule: Schedule = Field(default_factory=Schedule)
    dwell_s: float = Field(10.0, ge=3, le=600)
    stop_at_findings: bool = True


def keep_layout(session: Session, actor: Actor, name: str, body: LayoutBody, now: datetime) -> None:
    """Save the person's tiles under ``name``."""
    row = session.get(VideoLayout, (actor.user_id, name))
    if row is None:
        row = VideoLayout(user_id=actor.user_id, name=name, body={}, saved_at=now)
        session.add(row)
    row.body, row.saved_at = body.model_dump(), now


def layouts_of(session: Session, actor: Actor) -> list[VideoLayout]:
    """The person's own layouts by name."""
    query = select(VideoLayout).where(VideoLayout.user_id == actor.user_id).order_by(VideoLayout.name)
    return list(session.scalars(query.limit(50)))


def make_tour(session: Session, actor: Actor, body: TourBody, now: datetime) -> str:
    """A new tour; its id."""
    tour = VideoTour(
        tour_id=new_id(), name=body.name, body=body.model_dump(exclude={"name"}), made_by=actor.user_id, made_at=now
    )
    session.add(tour)
    return tour.tour_id


def tour_stops(session: Session, actor: Actor, tour: VideoTour, data_dir: Path) -> list[dict[str, Any]]:
    """The tour's cameras that the person may see, in order, each with the open cases it is the source of."""
    wanted: list[str] = tour.body.get("cameras") or []
    road = tour.body.get("road")
    if not wanted and road:
        wanted = on_street(session, actor, data_dir, tour.body)
        if not wanted:
            return []
    columns = (Camera.camera_id, Camera.name, Camera.name_en, Camera.category, Camera.lon, Camera.lat, Camera.url)
    query = select(*columns, Camera.sub_url)
    query = query.where(visible_cameras(actor))
    query = query.where(Camera.camera_id.in_(wanted) if wanted else Camera.category == tour.body.get("category", ""))
    rows = session.execute(query.order_by(Camera.risk.desc(), Camera.camera_id).limit(MOST)).all()
    if wanted:
        place = {camera_id: n for n, camera_id in enumerate(wanted)}
        rows = sorted(rows, key=lambda row: place[row.camera_id])
    found = open_findings(session, actor, [row.camera_id for row in rows])
    return [
        {"camera_id": r.camera_id, "name": r.name, "name_en": r.name_en or "", "category": r.category,
         "lon": r.lon, "lat": r.lat,
         "has_video": bool(r.url or r.sub_url), "findings": found.get(r.camera_id, [])} for r in rows
    ]  # fmt: skip


def on_street(session: Session, actor: Actor, data_dir: Path, body: dict[str, Any]) -> list[str]:
    """Cameras along the tour's street, in the order of the way."""
    lines = street_lines(data_dir, body["road"])
    if not lines:
        return []
    margin = body["within_m"] / M_PER_DEGREE * 2
    boxes = [line.bounds for line in lines]
    west, south = (min(box[n] for box in boxes) - margin for n in (0, 1))
    east, north = (max(box[n] for box in boxes) + margin for n in (2, 3))
    query = select(Camera.camera_id, Camera.lon, Camera.lat).where(
        visible_cameras(actor), Camera.lon.between(west, east), Camera.lat.between(south, north)
    )
    if body.get("category"):
        query = query.where(Camera.category == body["category"])
    places = [(row.camera_id, float(row.lon), float(row.lat)) for row in session.execute(query)]
    return along(lines, places, body["within_m"])[:MOST]


def open_findings(session: Session, actor: Actor, cameras: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Camera id → its open cases, gravest first."""
    query = select(Case.case_id, Case.title, Case.severity, Case.source_id).where(
        visible_cases(actor), Case.open, Case.source_id.in_(cameras)
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in session.execute(query.order_by(Case.severity.desc(), Case.opened_at.desc()).limit(1000)):
        found.setdefault(row.source_id, []).append(
            {"case_id": row.case_id, "title": row.title, "severity": row.severity}
        )  # fmt: skip
    return found


def tour_of(session: Session, tour_id: str) -> VideoTour:
    """The tour; :class:`NotFound` when there is none."""
    tour = session.get(VideoTour, tour_id)
    if tour is None:
        raise NotFound(what="tour", key=tour_id)
    return tour
