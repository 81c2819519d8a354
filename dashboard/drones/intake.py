"""A whole upload of the target ``aerial`` becomes a file of a flight, placed by its own tags.

Called by the server when the last byte has arrived: whoever closed the page loses nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from core.ids import new_id
from core.media import MediaStore
from dashboard.services import Services
from ingest.drones.geojson import numbers, point
from ingest.drones.locate import locate
from ingest.drones.placed import Located
from storage.drones import DroneStore, FileView, flight_key
from storage.session import read_scope, session_scope
from storage.tables.drones import DroneFile, DroneFlight
from storage.tables.uploads import Upload
from storage.uploads import UploadGone, UploadView, claim


@dataclass(frozen=True)
class Arrival:
    """A file that lies in the media store; ``folder`` is where its owner had it."""

    name: str
    folder: str
    uri: str
    sha256: str
    size: int
    media_type: str


_HERE = timezone(timedelta(hours=8))
_BLOCK = 1 << 20


def arrived(use: Services, owner: str, view: UploadView) -> None:
    """What becomes of an upload that is whole: files of aircraft are taken in, also when it is asked for again."""
    if view.state == "ready" and view.target == "aerial":
        take(use, owner, view)


def take(use: Services, owner: str, view: UploadView) -> FileView:
    """Place the upload's file and keep it; the same bytes again answer what is kept."""
    uri, now = _uri(use, view), use.clock.now()
    kept = keep_file(
        use, owner, name=view.name, folder=str(view.facts.get("folder") or ""), uri=uri, sha256=view.sha256,
        size=view.size, media_type=view.media_type,
    )  # fmt: skip
    with session_scope(use.engine) as session:
        claim(session, view.upload_id, owner, f"drone:{kept.file_id}", now)
    return kept


def keep_file(use: Services, owner: str, **came: Any) -> FileView:
    """Place a file of the media store (name, folder, uri, sha256, size, media_type) and keep it."""
    arrival, store = Arrival(**came), DroneStore(use.engine)
    located = locate_media(use.media, arrival.uri, arrival.name)
    flight, file = _rows(arrival, located, owner, use.clock.now())
    kept = store.add(flight, file)
    if located.kind in ("film", "text"):
        film, text = subtitled(store, kept, owner, flight.name if arrival.folder else "")
        if film is not None and text is not None:
            joined = with_subtitles(use.media, film, text)
            found = store.located_anew(film.file_id, placed(joined))
            return found if film.file_id == kept.file_id else kept
    return kept


def subtitled(store: DroneStore, kept: FileView, owner: str, folder: str) -> tuple[FileView | None, FileView | None]:
    """The film and the subtitles of the same name that lie in one folder of an owner; one of them is ``kept``."""
    stem = Path(kept.name).stem
    other = store.named(owner, folder, stem, "text" if kept.kind == "film" else "film")
    return (kept, other) if kept.kind == "film" else (other, kept)


def with_subtitles(media: MediaStore, film: FileView, text: FileView) -> Located:
    """Where a film looked by the subtitles beside it; those of another film are told and not taken."""
    with on_disk(media, film.uri) as one, on_disk(media, text.uri) as other, tempfile.TemporaryDirectory() as folder:
        pair = Path(folder) / "film.mp4"
        pair.symlink_to(one.absolute())
        pair.with_suffix(".srt").symlink_to(other.absolute())
        return locate(pair, name=film.name)


def _uri(use: Services, view: UploadView) -> str:
    with read_scope(use.engine) as session:
        row = session.get(Upload, view.upload_id)
        if row is None:
            raise UploadGone()
        return row.uri


@contextmanager
def on_disk(media: MediaStore, uri: str) -> Iterator[Path]:
    """The file on this machine's disk: itself, or a copy for as long as it is needed."""
    there = Path(media.path(uri))
    if there.is_file():
        yield there
        return
    with tempfile.NamedTemporaryFile(suffix=there.suffix) as copy, media.files.open(media.path(uri), "rb") as file:
        while block := file.read(_BLOCK):
            copy.write(block)
        copy.flush()
        yield Path(copy.name)


def locate_media(media: MediaStore, uri: str, name: str) -> Located:
    """Where a kept file looked; ``name`` is what its owner called it."""
    with on_disk(media, uri) as path:
        return locate(path, name=name or path.name)


def place_of(located: Located) -> dict[str, Any]:
    """The place as it is kept: {} without one."""
    if located.place is None:
        return {}
    return {"corners": [point(corner) for corner in located.place.corners], **numbers(located.place)}


def placed(located: Located) -> dict[str, Any]:
    """What a row keeps of where a file looked."""
    facts, place = located.facts, place_of(located)
    lon, lat = place.get("centre", (None, None))
    return {
        "taken_at": _moment(facts.taken.utc if facts else None),
        "position": [facts.lon, facts.lat] if facts and facts.lon is not None and facts.lat is not None else [],
        "place": place, "centre_lon": lon, "centre_lat": lat,
        "problems": [{"code": code, "message": message} for code, message in located.notes],
    }  # fmt: skip


def _rows(came: Arrival, located: Located, owner: str, now: datetime) -> tuple[DroneFlight, DroneFile]:
    facts, known = located.facts, placed(located)
    taken = known["taken_at"]
    aircraft = " ".join(filter(None, (facts.model, facts.serial))) if facts else ""
    folder = came.folder
    day = (taken or now).astimezone(_HERE).date().isoformat()
    flight_id = flight_key(f"{owner}/{folder}", aircraft, day)
    name = folder.rsplit("/", 1)[-1] or day
    return (
        DroneFlight(flight_id=flight_id, name=name[:200], aircraft=aircraft[:80], owner=owner, created_at=now),
        DroneFile(
            file_id=new_id(), sha256=came.sha256, flight_id=flight_id, name=came.name[:200], kind=located.kind,
            media_type=came.media_type, uri=came.uri, size=came.size, camera=facts.model if facts else "",
            placed_by="", created_at=now, **known,
        ),
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
