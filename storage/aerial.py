"""Keeps what was found in pictures of drones, and what people said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, func, select, update

from core.errors import NotFound
from core.records import Record
from storage.session import read_scope, session_scope
from storage.tables.drones import AerialFinding, AerialLook, DroneFile

PICTURES = ("jpeg", "tiff")
MOST = 5000  # findings of one answer


class FindingView(Record, frozen=True, omit_defaults=False):
    """A finding as pages show it; ``box`` in shares of the picture, degrees and metres on the ground."""

    finding_id: str
    flight_id: str
    file_id: str
    thing_id: str
    name: str
    box: list[Any]
    confidence: float
    model: str
    model_sha256: str
    lon: float | None
    lat: float | None
    uncertainty_m: float | None
    state: str
    judged_by: str
    judged_at: datetime | None
    reported_at: datetime | None
    created_at: datetime


class LookView(Record, frozen=True, omit_defaults=False):
    """A picture that was looked at."""

    file_id: str
    looked_at: datetime
    seconds: float
    width: int
    height: int
    problem: str
    reviewed_by: str


class AerialStore:
    """Looks and findings of one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def arriving(self, least: int) -> list[str]:
        """Flights with at least ``least`` pictures that nobody looked at."""
        query = (
            select(DroneFile.flight_id).outerjoin(AerialLook, AerialLook.file_id == DroneFile.file_id)
            .where(AerialLook.file_id.is_(None), DroneFile.kind.in_(PICTURES))
            .group_by(DroneFile.flight_id).having(func.count() >= least).limit(20)
        )  # fmt: skip
        with read_scope(self.engine) as session:
            return list(session.scalars(query))

    def put_spots(self, spots: Mapping[str, tuple[float, float, float]]) -> None:
        """Where findings lie by the matched flight: longitude, latitude, 95 % radius by finding."""
        with session_scope(self.engine) as session:
            for finding_id, (lon, lat, radius) in spots.items():
                where = AerialFinding.finding_id == finding_id, AerialFinding.state == "found"
                session.execute(
                    update(AerialFinding).where(*where).values(lon=lon, lat=lat, uncertainty_m=round(radius, 1))
                )

    def waiting(self, before: datetime, limit: int = 20) -> list[str]:
        """Flights with pictures that nobody looked at, the oldest first; none to which a file came after ``before``."""
        unseen = (
            select(DroneFile.flight_id)
            .outerjoin(AerialLook, AerialLook.file_id == DroneFile.file_id)
            .where(AerialLook.file_id.is_(None), DroneFile.kind.in_(PICTURES))
            .distinct()
        )
        newest = func.max(DroneFile.created_at)
        query = (
            select(DroneFile.flight_id).where(DroneFile.flight_id.in_(unseen)).group_by(DroneFile.flight_id)
            .having(newest < before).order_by(newest).limit(limit)
        )  # fmt: skip
        with read_scope(self.engine) as session:
            return list(session.scalars(query))

    def looks(self, flight_id: str) -> dict[str, LookView]:
        """By file, the pictures of a flight that were looked at."""
        query = select(AerialLook).join(DroneFile, DroneFile.file_id == AerialLook.file_id)
        with read_scope(self.engine) as session:
            rows = session.scalars(query.where(DroneFile.flight_id == flight_id))
            return {row.file_id: _look(row) for row in rows}

    def keep(self, look: AerialLook, findings: Sequence[AerialFinding]) -> None:
        """A picture's look with its findings; a second look replaces what no person has judged."""
        with session_scope(self.engine) as session:
            stale = delete(AerialFinding).where(AerialFinding.file_id == look.file_id, AerialFinding.state == "found")
            session.execute(stale.where(AerialFinding.reported_at.is_(None)))
            session.merge(look)
            session.add_all(findings)

    def put_place(self, file_id: str, place: Mapping[str, Any]) -> None:
        """A better place by the whole flight; what a person placed by hand stays."""
        values = {"place": dict(place), "centre_lon": place["centre"][0], "centre_lat": place["centre"][1]}
        with session_scope(self.engine) as session:
            where = DroneFile.file_id == file_id, DroneFile.placed_by == ""
            session.execute(update(DroneFile).where(*where).values(**values))

    def group(self, things: Mapping[str, str]) -> None:
        """Which thing each finding shows."""
        with session_scope(self.engine) as session:
            for finding_id, thing_id in things.items():
                where = AerialFinding.finding_id == finding_id
                session.execute(update(AerialFinding).where(where).values(thing_id=thing_id))

    def findings(
        self, flight_id: str | None = None, file_id: str | None = None, state: str | None = None, limit: int = MOST
    ) -> list[FindingView]:
        """Findings, the newest first."""
        query = select(AerialFinding).order_by(AerialFinding.created_at.desc(), AerialFinding.finding_id)
        for column, wanted in (
            (AerialFinding.flight_id, flight_id), (AerialFinding.file_id, file_id), (AerialFinding.state, state)
        ):  # fmt: skip
            if wanted is not None:
                query = query.where(column == wanted)
        with read_scope(self.engine) as session:
            return [_finding(row) for row in session.scalars(query.limit(min(limit, MOST)))]

    def unreported(self) -> list[FindingView]:
        """What may still have to be told, whole things: nothing of them was told before."""
        told = select(AerialFinding.thing_id).where(AerialFinding.reported_at.is_not(None))
        query = select(AerialFinding).where(AerialFinding.thing_id.not_in(told), AerialFinding.state != "rejected")
        with read_scope(self.engine) as session:
            return [_finding(row) for row in session.scalars(query.order_by(AerialFinding.created_at).limit(MOST))]

    def reported(self, thing_id: str, at: datetime) -> None:
        """The thing was told."""
        with session_scope(self.engine) as session:
            session.execute(update(AerialFinding).where(AerialFinding.thing_id == thing_id).values(reported_at=at))

    def finding(self, finding_id: str) -> FindingView:
        """One finding; ``NotFound``."""
        with read_scope(self.engine) as session:
            row = session.get(AerialFinding, finding_id)
            if row is None:
                raise NotFound(what="finding", key=finding_id)
            return _finding(row)

    def judge(
        self, finding_id: str, state: str, by: str, at: datetime, *, name: str = "", box: Sequence[float] = ()
    ) -> FindingView:
        """What a person says: confirmed or rejected, perhaps with another name or box."""
        with session_scope(self.engine) as session:
            row = session.get(AerialFinding, finding_id, with_for_update=True)
            if row is None:
                raise NotFound(what="finding", key=finding_id)
            row.state, row.judged_by, row.judged_at = state, by, at
            row.name, row.box = name or row.name, list(box) or row.box
            session.flush()
            return _finding(row)

    def add(self, finding: AerialFinding) -> FindingView:
        """A box that a person drew."""
        with session_scope(self.engine) as session:
            session.add(finding)
            session.flush()
            return _finding(finding)

    def review(self, file_id: str, by: str, at: datetime) -> LookView:
        """A person has seen the whole picture: its boxes are complete."""
        with session_scope(self.engine) as session:
            row = session.get(AerialLook, file_id, with_for_update=True)
            if row is None:
                raise NotFound(what="look at drone file", key=file_id)
            row.reviewed_by, row.reviewed_at = by, at
            session.flush()
            return _look(row)

    def reviewed(self) -> list[LookView]:
        """Pictures whose boxes are complete."""
        query = select(AerialLook).where(AerialLook.reviewed_by != "").order_by(AerialLook.file_id)
        with read_scope(self.engine) as session:
            return [_look(row) for row in session.scalars(query)]

    def placed(self) -> int:
        """How many findings that stand have a place."""
        query = select(func.count(AerialFinding.lon)).where(AerialFinding.state != "rejected")
        with read_scope(self.engine) as session:
            return session.scalar(query) or 0


def _finding(row: AerialFinding) -> FindingView:
    return FindingView(**{name: getattr(row, name) for name in FindingView.__struct_fields__})


def _look(row: AerialLook) -> LookView:
    return LookView(**{name: getattr(row, name) for name in LookView.__struct_fields__})
