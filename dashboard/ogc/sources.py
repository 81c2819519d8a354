"""The collections of OGC API: what each is called, what it holds, and its features by page, box and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.late import Late
from core.records import Actor
from dashboard import queries
from dashboard.services import Services
from events.cases.access import visible_cases
from layers.catalogue.record import LayerRecord, features_of, layers, tiles_of
from layers.tiles import load_tilesets
from storage.session import read_scope
from storage.tables.cases import Case
from storage.tables.registry import Camera, Division, Site

if TYPE_CHECKING:
    import shapely
else:
    shapely = Late("shapely")

Feature = dict[str, Any]
Box = tuple[float, float, float, float]
POINT_ZOOMS = (0, 18)


@dataclass(frozen=True)
class FeaturesWanted:
    """A page of features: ``box`` in WGS 84, ``since`` and ``until`` (None: open)."""

    limit: int
    offset: int = 0
    box: Box | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class FeaturesFound:
    """Some features and how many fit in all."""

    features: list[Feature]
    total: int


@dataclass(frozen=True)
class Collection:
    """A collection: ``find`` and ``one`` need a database session and who asks; ``tiles``: its tile archive.

    ``points``: its tiles are made of its features when they are asked for.
    """

    name: str
    title: str
    description: str
    find: Callable[[Session, Actor, FeaturesWanted], FeaturesFound]
    one: Callable[[Session, Actor, str], Feature | None]
    extent: Box | None = None
    timed: bool = False
    tiles: Path | None = None
    points: bool = False
    source_layer: str = ""
    zooms: tuple[int, int] = (0, 0)
    attribution: str = ""
    licence: str = ""


def collections(use: Services, actor: Actor) -> list[Collection]:
    """Every collection that ``actor`` may see."""
    tilesets = load_tilesets_once(use)
    divisions = tilesets.get("divisions")
    extent = tuple(divisions.bounds) if divisions is not None else None
    fixed = [
        Collection("sites", "场所 Sites", "key places of the district", _sites.find, _sites.one, extent,
                   points=True, source_layer="sites", zooms=POINT_ZOOMS),
        Collection("cameras", "摄像机 Cameras", "cameras that you may see", _cameras.find, _cameras.one, extent,
                   points=True, source_layer="cameras", zooms=POINT_ZOOMS),
        Collection("cases", "案件 Cases", "cases that you may see, without confidential ones", _cases.find, _cases.one,
                   extent, timed=True, points=True, source_layer="cases", zooms=POINT_ZOOMS),
        Collection("divisions", "区划 Divisions", "district, streets and communities", _divisions.find, _divisions.one,
                   extent, tiles=use.settings.tiles_dir / "divisions.pmtiles" if divisions is not None else None,
                   source_layer="divisions", zooms=(divisions.min_zoom, divisions.max_zoom) if divisions else (0, 0)),
    ]  # fmt: skip
    return fixed + [
        _layer(use, record)
        for record in layers(use.settings)
        if record.drawn().form == "vector" and record.may_see(frozenset(actor.roles))
    ]


def load_tilesets_once(use: Services) -> dict[str, Any]:
    """The city's own tilesets."""
    if not use.tilesets:
        use.tilesets = load_tilesets(use.settings.tiles_dir)
    return use.tilesets


def collection(use: Services, actor: Actor, name: str) -> Collection:
    """The collection ``name``; :class:`NotFound` also for one that the person may not see."""
    for found in collections(use, actor):
        if found.name == name:
            return found
    raise NotFound(what="collection", key=name[:80])


def find(use: Services, actor: Actor, source: Collection, wanted: FeaturesWanted) -> FeaturesFound:
    """A page of its features."""
    with read_scope(use.engine) as session:
        return source.find(session, actor, wanted)


def one(use: Services, actor: Actor, source: Collection, key: str) -> Feature:
    """One feature; :class:`NotFound`."""
    with read_scope(use.engine) as session:
        found = source.one(session, actor, key)
    if found is None:
        raise NotFound(what="feature", key=key[:80])
    return found


# tables ---------------------------------------------------------------
@dataclass(frozen=True)
class _Table:
    """Rows of a table as features."""

    model: Any
    key: str
    names: tuple[str, ...]
    rights: Callable[[Actor], list[Any]]
    time: str = ""
    area: str = ""

    def find(self, session: Session, actor: Actor, wanted: FeaturesWanted) -> FeaturesFound:
        model, conditions = self.model, self.rights(actor)
        if wanted.box is not None and not self.area:
            west, south, east, north = wanted.box
            conditions += [model.lon.between(west, east), model.lat.between(south, north)]
        if self.time and wanted.since is not None:
            conditions.append(getattr(model, self.time) >= wanted.since)
        if self.time and wanted.until is not None:
            conditions.append(getattr(model, self.time) <= wanted.until)
        query = select(model).where(*conditions).order_by(getattr(model, self.key))
        if self.area and wanted.box is not None:
            box = shapely.box(*wanted.box)
            rows = [r for r in session.scalars(query) if self._shape(r) is not None and self._shape(r).intersects(box)]
            part = rows[wanted.offset : wanted.offset + wanted.limit]
            return FeaturesFound([self._feature(r) for r in part], len(rows))
        total = session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0
        part = list(session.scalars(query.offset(wanted.offset).limit(wanted.limit)))
        return FeaturesFound([self._feature(r) for r in part], total)

    def one(self, session: Session, actor: Actor, key: str) -> Feature | None:
        row = session.scalars(
            select(self.model).where(*self.rights(actor), getattr(self.model, self.key) == key)
        ).one_or_none()
        return self._feature(row) if row is not None else None

    def _shape(self, row: Any) -> Any:
        wkb = getattr(row, self.area) if self.area else None
        if wkb:
            return shapely.from_wkb(wkb)
        return shapely.Point(row.lon, row.lat) if row.lon is not None and row.lat is not None else None

    def _feature(self, row: Any) -> Feature:
        shape = self._shape(row)
        properties = {name: _plain(getattr(row, name)) for name in self.names}
        geometry = shapely.geometry.mapping(shape) if shape is not None else None
        return {"type": "Feature", "id": getattr(row, self.key), "geometry": geometry, "properties": properties}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


_PLACED = ("name", "division_code", "grid_code", "department_id")
_sites = _Table(Site, "site_id", ("site_id", "name_en", "kind", "address", "source", *_PLACED), lambda a: [])
_cameras = _Table(
    Camera, "camera_id", ("camera_id", "category", "site_id", "enabled", "source", *_PLACED),
    lambda a: [queries.visible_cameras(a)],
)  # fmt: skip
_cases = _Table(
    Case, "case_id",
    ("case_id", "number", "title", "kind", "class_code", "severity", "stage", "state", "open", "site_id",
     "division_code", "grid_code", "department_id", "opened_at", "updated_at", "closed_at", "deadline_at"),
    lambda a: [visible_cases(a), Case.confidential.is_(False), Case.merged_into_id.is_(None)], time="opened_at",
)  # fmt: skip
_divisions = _Table(Division, "code", ("code", "name", "level", "parent_code", "source"), lambda a: [], area="geometry")


# layers ---------------------------------------------------------------
def _layer(use: Services, record: LayerRecord) -> Collection:
    file = features_of(use.settings, record.name)

    def find_features(session: Session, actor: Actor, wanted: FeaturesWanted) -> FeaturesFound:
        return _read(file, wanted)

    def one_feature(session: Session, actor: Actor, key: str) -> Feature | None:
        if not key.isascii() or not key.isdigit() or not file.exists():
            return None
        found = _read(file, FeaturesWanted(1, int(key))).features
        return found[0] if found else None

    title = " ".join(dict.fromkeys(t for t in record.title.values() if t)) or record.name
    return Collection(
        record.name, title, record.source, find_features, one_feature, record.bbox,
        tiles=tiles_of(use.settings, record.name), source_layer=record.name, zooms=record.zooms,
        attribution=record.attribution, licence=record.licence,
    )  # fmt: skip


def _read(file: Path, wanted: FeaturesWanted) -> FeaturesFound:
    """Features of a FlatGeobuf by its own index; their ids are their places in the file."""
    import pyogrio

    if not file.exists():
        return FeaturesFound([], 0)
    total = int(pyogrio.read_info(file)["features"])
    if wanted.box is None:
        if wanted.offset >= total:
            return FeaturesFound([], total)
        how: dict[str, Any] = {"skip_features": wanted.offset, "max_features": wanted.limit}
        meta, _, shapes, columns = pyogrio.raw.read(file, datetime_as_string=True, **how)
        return FeaturesFound(_features(meta, range(wanted.offset, wanted.offset + len(shapes)), shapes, columns), total)
    meta, fids, shapes, columns = pyogrio.raw.read(file, bbox=wanted.box, return_fids=True, datetime_as_string=True)
    part = slice(wanted.offset, wanted.offset + wanted.limit)
    features = _features(meta, [int(f) for f in fids[part]], shapes[part], [c[part] for c in columns])
    return FeaturesFound(features, len(fids))


def _features(meta: Mapping[str, Any], ids: Any, shapes: Any, columns: Any) -> list[Feature]:
    names = [str(n) for n in meta["fields"]]
    return [
        {
            "type": "Feature",
            "id": number,
            "geometry": shapely.geometry.mapping(shapely.from_wkb(shapes[k])),
            "properties": {name: _value(column[k]) for name, column in zip(names, columns, strict=True)},
        }
        for k, number in enumerate(ids)
    ]


def _value(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if value is None or value != value else value
