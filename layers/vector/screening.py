"""Judges features one batch at a time: placed in WGS 84, repaired where that is safe, else refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from layers.territory import Territory
from layers.vector.placing import Placing
from layers.vector.reading import Feature

FAMILIES = {
    "Point": "point", "MultiPoint": "point", "LineString": "line", "MultiLineString": "line", "LinearRing": "line",
    "Polygon": "polygon", "MultiPolygon": "polygon", "GeometryCollection": "collection",
}  # fmt: skip
_SINGLE = {
    "point": ("Point", "MultiPoint"),
    "line": ("LineString", "MultiLineString"),
    "polygon": ("Polygon", "MultiPolygon"),
}
_NULL_ISLAND = 1e-6  # degrees
_ASTRAY_DEG = 5.0  # a line that crosses the district may be long; a vertex further off is a slip


@dataclass(frozen=True)
class Flaw:
    """A problem of feature ``number``: ``code`` and ``values`` as :class:`core.tables.problem.Problem` takes them."""

    number: int
    code: str
    values: dict[str, Any]


@dataclass
class Screen:
    """What a layer takes: ``families`` (point, line, polygon) inside ``territory``."""

    placing: Placing
    territory: Territory
    families: frozenset[str] = frozenset({"point", "line", "polygon"})
    refuse_outside: bool = True  # False: whoever takes the rows judges where they lie
    warn_outside: bool = False  # True: it is told here, because the rows have no columns for a place
    flaws: list[Flaw] = field(default_factory=list)

    def pass_through(self, features: Iterable[Feature]) -> Iterator[tuple[Feature, Any]]:
        """The good features with their shapes in WGS 84; those refused or repaired are in ``flaws``."""
        kept = []
        for feature in features:
            if feature.broken:
                self._tell(feature, "geometry_broken", detail=feature.broken)
            elif feature.shape is None or feature.shape.is_empty:
                self._tell(feature, "geometry_missing")
            elif not np.isfinite(shapely.get_coordinates(feature.shape)).all():
                self._tell(feature, "geometry_broken", detail="a coordinate is no number")
            else:
                kept.append(feature)
        yield from self._placed(kept)

    def _placed(self, features: Sequence[Feature]) -> Iterator[tuple[Feature, Any]]:
        if not features:
            return
        raw = np.array([f.shape for f in features], dtype=object)
        placed = self.placing.shapes(raw)
        valid, hits = shapely.is_valid(placed), self._hits(placed) & ~self._astray(placed)
        for k, feature in enumerate(features):
            shape = placed[k]
            if not hits[k] and self._is_refused(feature, shape):
                continue
            if not valid[k]:
                shape = self._repaired(feature, shape)
            chosen = self._of_families(feature, shape) if shape is not None else None
            if chosen is not None:
                yield feature, chosen

    def _hits(self, placed: Any) -> Any:
        """Which shapes touch the territory; an invalid one is judged by its points (GEOS may refuse to)."""
        try:
            return self.territory.hits(placed)
        except shapely.errors.GEOSException:
            points = [shapely.MultiPoint(shapely.get_coordinates(s)[:200]) for s in placed]
            return self.territory.hits(points)

    def _astray(self, placed: Any) -> Any:
        """Which shapes have a vertex at 0, 0 or far from the territory, though another one lies in it."""
        if not self.refuse_outside:
            return np.zeros(len(placed), dtype=bool)
        west, south, east, north = self.territory.shape.bounds
        w, s, e, n = shapely.bounds(placed).T
        far = (
            (w < west - _ASTRAY_DEG) | (s < south - _ASTRAY_DEG) | (e > east + _ASTRAY_DEG) | (n > north + _ASTRAY_DEG)
        )
        return far | ~np.isfinite(w + s + e + n)

    def _is_refused(self, feature: Feature, shape: Any) -> bool:
        """Tells of a shape outside the territory; a mere warning where ``refuse_outside`` is not asked for."""
        if self.refuse_outside or self._is_nowhere(shape) or self._is_swapped(feature):
            self._tell_outside(feature, shape)
            return True
        if self.warn_outside:
            lon, lat = (round(float(v), 6) for v in shapely.get_coordinates(shape).mean(axis=0))
            self._tell(feature, "place_outside", lon=lon, lat=lat)
        return False

    def _is_swapped(self, feature: Feature) -> bool:
        middle = shapely.get_coordinates(feature.shape).mean(axis=0)
        there = self.placing.points(middle[None, ::-1])[0]
        return bool(np.isfinite(there).all()) and self.territory.holds(float(there[0]), float(there[1]))

    def _is_nowhere(self, shape: Any) -> bool:
        """0, 0, what could not be converted, or no degrees at all."""
        middle = np.abs(shapely.get_coordinates(shape).mean(axis=0))
        return not np.isfinite(middle).all() or bool((middle < _NULL_ISLAND).all() or (middle > (180.0, 90.0)).any())

    def _tell_outside(self, feature: Feature, shape: Any) -> None:
        middle = shapely.get_coordinates(feature.shape).mean(axis=0)
        x, y = round(float(middle[0]), 6), round(float(middle[1]), 6)
        if abs(x) < _NULL_ISLAND and abs(y) < _NULL_ISLAND:
            self._tell(feature, "shape_zero")
            return
        if self._is_swapped(feature):
            self._tell(feature, "axes_swapped", x=x, y=y)
            return
        points = shapely.get_coordinates(shape)
        if bool((np.abs(points) < _NULL_ISLAND).all(axis=1).any()):
            self._tell(feature, "shape_zero")
            return
        placed = self._farthest(points)
        lon, lat = (round(float(v), 5) if np.isfinite(v) else None for v in placed)
        self._tell(feature, "shape_outside", area=self.territory.name, lon=lon, lat=lat)

    def _farthest(self, points: Any) -> Any:
        """The point that lies farthest from the territory's middle; one that could not be converted before all."""
        west, south, east, north = self.territory.shape.bounds
        off = np.abs(points - ((west + east) / 2, (south + north) / 2)).max(axis=1)
        return points[np.argmax(np.where(np.isfinite(off), off, np.inf))]

    def _repaired(self, feature: Feature, shape: Any) -> Any | None:
        reason = str(shapely.is_valid_reason(shape))
        try:
            mended = shapely.make_valid(shape)
        except shapely.errors.GEOSException as error:
            self._tell(feature, "geometry_broken", detail=str(error)[:120])
            return None
        family = FAMILIES.get(shape.geom_type, "")
        mended = _parts(mended, family) if family in _SINGLE else mended
        if mended is None or mended.is_empty:
            self._tell(feature, "geometry_broken", detail=reason)
            return None
        self._tell(feature, "geometry_repaired", reason=reason)
        return mended

    def _of_families(self, feature: Feature, shape: Any) -> Any | None:
        family = FAMILIES.get(shape.geom_type, "")
        if family in self.families:
            return shape
        if family == "collection":
            for wanted in ("polygon", "line", "point"):
                found = _parts(shape, wanted) if wanted in self.families else None
                if found is not None:
                    self._tell(feature, "geometry_repaired", reason=f"a collection; its {wanted}s are taken")
                    return found
        wanted_text = ", ".join(sorted(self.families))
        self._tell(feature, "geometry_type", found=shape.geom_type, wanted=wanted_text)
        return None

    def _tell(self, feature: Feature, code: str, **values: Any) -> None:
        self.flaws.append(Flaw(feature.number, code, values))


def families_of(shape: Any) -> set[str]:
    """``point``, ``line``, ``polygon``: what a shape is, or what a collection is made of."""
    parts = shapely.get_parts(_flat(shape)) if shape.geom_type == "GeometryCollection" else [shape]
    return {FAMILIES[p.geom_type] for p in parts if p.geom_type in FAMILIES}


def _parts(shape: Any, family: str) -> Any | None:
    """The parts of ``shape`` that are points, lines or polygons, as one shape; None where there are none."""
    if shape.geom_type in _SINGLE[family]:
        return shape
    parts = [p for p in shapely.get_parts(_flat(shape)) if p.geom_type == _SINGLE[family][0]]
    if not parts:
        return None
    many = {"point": shapely.MultiPoint, "line": shapely.MultiLineString, "polygon": shapely.MultiPolygon}[family]
    return parts[0] if len(parts) == 1 else many(parts)


def _flat(shape: Any) -> Any:
    """A collection without collections in it."""
    parts = [q for p in shapely.get_parts(shape) for q in shapely.get_parts(p)]
    return shapely.GeometryCollection(parts)
