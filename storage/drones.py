"""Keeps flights and their files; the same bytes are kept once, a flight's row is made by whichever file comes first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.records import Record
from storage.session import read_scope, session_scope
from storage.tables.drones import DroneFile, DroneFlight

MOST_FILES = 5000  # of one answer
Box = tuple[float, float, float, float]


class FileView(Record, frozen=True, omit_defaults=False):
    """A file as pages show it; degrees and metres."""

    file_id: str
    sha256: str
    flight_id: str
    name: str
    kind: str
    media_type: str
    uri: str
    size: int
    camera: str
    taken_at: datetime | None
    position: list[Any]
    place: dict[str, Any]
    problems: list[Any]
    placed_by: str
    created_at: datetime


class FlightView(Record, frozen=True, omit_defaults=False):
    """A flight with its counts; ``placed`` have a place on the ground."""

    flight_id: str
    name: str
    aircraft: str
    owner: str
    created_at: datetime
    files: int
    placed: int
    first_at: datetime | None
    last_at: datetime | None


def flight_key(folder: str, aircraft: str, day: str) -> str:
    """The flight's id: the same folder, aircraft and day are the same flight, whoever asks first."""
    return hashlib.sha256("\x1f".join((folder, aircraft, day)).encode()).hexdigest()[:32]


class DroneStore:
    """Flights and files of one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def known(self, hashes: Sequence[str]) -> list[str]:
        """Those of ``hashes`` (SHA-256) that are kept already."""
        with read_scope(self.engine) as session:
            found = session.scalars(select(DroneFile.sha256).where(DroneFile.sha256.in_(hashes[:MOST_FILES])))
            return sorted(found)

    def by_hash(self, sha256: str) -> FileView | None:
        """The kept file with these bytes."""
        with read_scope(self.engine) as session:
            row = _by_hash(session, sha256)
            return _file(row) if row is not None else None

    def add(self, flight: DroneFlight, file: DroneFile) -> FileView:
        """Keep a file; one with the same hash is answered as it stands."""
        sha256 = file.sha256
        try:
            with session_scope(self.engine) as session:
                there = _by_hash(session, sha256)
                if there is not None:
                    return _file(there)
                if session.get(DroneFlight, flight.flight_id) is None:
                    session.add(flight)
                    session.flush()
                session.add(file)
                session.flush()
                return _file(file)
        except IntegrityError:  # another file of the flight, or the same file, was faster
            return self._again(flight.flight_id, sha256, _copy(file))

    def _again(self, flight_id: str, sha256: str, file: DroneFile) -> FileView:
        with session_scope(self.engine) as session:
            there = _by_hash(session, sha256)
            if there is not None:
                return _file(there)
            if session.get(DroneFlight, flight_id) is None:
                raise NotFound(what="flight", key=flight_id)
            session.add(file)
            session.flush()
            return _file(file)

    def file(self, file_id: str) -> FileView:
        """One file; ``NotFound``."""
        with read_scope(self.engine) as session:
            row = session.get(DroneFile, file_id)
            if row is None:
                raise NotFound(what="drone file", key=file_id)
            return _file(row)

    def flight(self, flight_id: str) -> FlightView:
        """One flight; ``NotFound``."""
        found = self.flights(1, flight_id)
        if not found:
            raise NotFound(what="flight", key=flight_id)
        return found[0]

    def flights(self, limit: int = 200, flight_id: str = "") -> list[FlightView]:
        """The newest flights first; ``flight_id``: only that one."""
        counted = (
            select(
                DroneFlight, func.count(DroneFile.file_id), func.count(DroneFile.centre_lon),
                func.min(DroneFile.taken_at), func.max(DroneFile.taken_at),
            )
            .outerjoin(DroneFile, DroneFile.flight_id == DroneFlight.flight_id)
            .group_by(DroneFlight.flight_id).order_by(DroneFlight.created_at.desc()).limit(limit)
        )  # fmt: skip
        if flight_id:
            counted = counted.where(DroneFlight.flight_id == flight_id)
        with read_scope(self.engine) as session:
            return [
                FlightView(
                    flight_id=row.flight_id, name=row.name, aircraft=row.aircraft, owner=row.owner,
                    created_at=row.created_at, files=files, placed=placed, first_at=first, last_at=last,
                )
                for row, files, placed, first, last in session.execute(counted)
            ]  # fmt: skip

    def files(self, flight_id: str | None = None, box: Box | None = None, limit: int = MOST_FILES) -> list[FileView]:
        """Files, the newest first; ``box`` (west, south, east, north) keeps those whose middle lies in it."""
        query = select(DroneFile).order_by(DroneFile.created_at.desc(), DroneFile.name).limit(min(limit, MOST_FILES))
        if flight_id is not None:
            query = query.where(DroneFile.flight_id == flight_id)
        if box is not None:
            query = query.where(
                DroneFile.centre_lon.between(box[0], box[2]), DroneFile.centre_lat.between(box[1], box[3])
            )
        with read_scope(self.engine) as session:
            return [_file(row) for row in session.scalars(query)]

    def named(self, owner: str, folder: str, stem: str, kind: str) -> FileView | None:
        """An owner's newest file of ``kind`` called ``stem`` (no ending), of ``folder`` where one is named."""
        query = (
            select(DroneFile).join(DroneFlight, DroneFlight.flight_id == DroneFile.flight_id)
            .where(DroneFlight.owner == owner, DroneFile.kind == kind)
            .where(func.lower(DroneFile.name).like(_escaped(stem.lower()) + ".%", escape="\\"))
            .order_by(DroneFile.created_at.desc()).limit(20)
        )  # fmt: skip
        if folder:
            query = query.where(DroneFlight.name == folder)
        with read_scope(self.engine) as session:
            rows = [row for row in session.scalars(query) if row.name.rpartition(".")[0].lower() == stem.lower()]
            return _file(rows[0]) if rows else None

    def located_anew(self, file_id: str, known: Mapping[str, Any]) -> FileView:
        """A file is placed by more than itself; a place by hand stays."""
        with session_scope(self.engine) as session:
            row = session.get(DroneFile, file_id, with_for_update=True)
            if row is None:
                raise NotFound(what="drone file", key=file_id)
            stays = ("place", "centre_lon", "centre_lat") if row.placed_by else ()
            for name, value in known.items():
                if name not in stays:
                    setattr(row, name, value)
            session.flush()
            return _file(row)

    def placed(self) -> int:
        """How many files have a place."""
        with read_scope(self.engine) as session:
            return session.scalar(select(func.count(DroneFile.centre_lon))) or 0

    def put_place(self, file_id: str, place: dict[str, Any], by: str) -> FileView:
        """A place by hand; the tags' own problems stay told."""
        with session_scope(self.engine) as session:
            row = session.get(DroneFile, file_id, with_for_update=True)
            if row is None:
                raise NotFound(what="drone file", key=file_id)
            row.place, row.placed_by = place, by
            row.centre_lon, row.centre_lat = place["centre"]
            session.flush()
            return _file(row)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _by_hash(session: Session, sha256: str) -> DroneFile | None:
    return session.scalar(select(DroneFile).where(DroneFile.sha256 == sha256))


def _copy(file: DroneFile) -> DroneFile:
    """The same values in a row that no session has seen."""
    return DroneFile(**{column.name: getattr(file, column.name) for column in DroneFile.__table__.columns})


def _file(row: DroneFile) -> FileView:
    return FileView(**{name: getattr(row, name) for name in FileView.__struct_fields__})
