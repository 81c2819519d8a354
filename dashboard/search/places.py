"""What can be found besides cases: cameras, sites, divisions, streets and departments, kept in memory for a minute."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, select

from dashboard.search.spelling import Match, match, spell
from layers.names import road_names
from storage.session import read_scope
from storage.tables.registry import Camera, Department, Division, Site

KEPT_S = 60.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing with a name; ``more`` is what its second line shows."""

    kind: str
    id: str
    name: str
    name_en: str
    lon: float | None
    lat: float | None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchHit:
    """An entry that a query found, and where in its name."""

    entry: Entry
    at: Match


class Places:
    """The entries of a district, read anew when they are older than a minute."""

    def __init__(self, engine: Engine, data_dir: Any) -> None:
        self._engine = engine
        self._data_dir = data_dir
        self._read_at = -1e9
        self._entries: tuple[Entry, ...] = ()

    def entries(self) -> tuple[Entry, ...]:
        """Everything with a name."""
        if time.monotonic() - self._read_at > KEPT_S:
            self._entries = tuple(self._read())
            self._read_at = time.monotonic()
        return self._entries

    def _read(self) -> Iterable[Entry]:
        with read_scope(self._engine) as session:
            for s in session.scalars(select(Site)):
                yield Entry(
                    "site", s.site_id, s.name, s.name_en or "", s.lon, s.lat, {"kind": s.kind, "address": s.address}
                )
            for d in session.scalars(select(Division)):
                yield Entry("division", d.code, d.name, d.name_en or "", d.lon, d.lat, {"level": d.level})
            for p in session.scalars(select(Department)):
                yield Entry("department", p.department_id, p.name, p.name_en or "", None, None, {"phone": p.phone})
            columns = (Camera.camera_id, Camera.name, Camera.name_en, Camera.category, Camera.lon, Camera.lat)
            for camera_id, name, english, category, lon, lat in session.execute(select(*columns)):
                yield Entry("camera", camera_id, name, english or "", lon, lat, {"category": category})
        for road in road_names(self._data_dir):
            yield Entry("street", road.name, road.name, road.name_en, road.lon, road.lat, {"class": road.kind})


def find(entries: Sequence[Entry], query: str) -> list[SearchHit]:
    """The entries whose name (in Chinese, pinyin, initials or English) or number holds ``query``, best first."""
    wanted = query.strip().lower()
    if not wanted:
        return []
    found = []
    for entry in entries:
        at = match(wanted, spell(entry.name))
        if at is None and entry.name_en and wanted in entry.name_en.lower():
            at = Match(0, 0, "english", 0.6)
        if at is None and len(wanted) > 2 and wanted in entry.id.lower():
            at = Match(0, 0, "number", 0.5)
        if at is not None:
            found.append(SearchHit(entry, at))
    return sorted(found, key=lambda f: (-f.at.score, len(f.entry.name), f.entry.id))
