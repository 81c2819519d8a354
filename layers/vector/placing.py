"""From a file's coordinates to WGS 84: by the system it names, the user names, or its values show.

CGCS2000 is taken as WGS 84 (centimetres).  Beijing 1954 and Xian 1980 are not: without a region's parameters PROJ
moves them by nothing or by a guess, 85 m wrong at Changchun; they are refused until parameters are given.
Projected CGCS2000: 3° zones EPSG 4513–4533 (zone number in x) and 4534–4554, 6° zones 4491–4501 and 4502–4512.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.crs import BoundCRS
from pyproj.crs.coordinate_operation import ToWGS84Transformation
from pyproj.exceptions import ProjError

from core.geo.crs import System, many_to_wgs84, to_wgs84
from core.tables.problem import FileUnreadable
from layers.territory import Territory
from layers.vector import words as words

Floats = NDArray[np.float64]
SYSTEMS: dict[str, System] = {"gcj02": "gcj02", "gcj-02": "gcj02", "bd09": "bd09", "bd-09": "bd09"}
_ALIASES = {"wgs84": "EPSG:4326", "wgs-84": "EPSG:4326", "cgcs2000": "EPSG:4490"}
_THREE_DEGREES = {str(code) for code in range(4534, 4555)}
_OLD = re.compile(r"beijing|xi.?an|pulkovo|krass", re.IGNORECASE)
_NEAR_DEG = 0.7  # a district is smaller, neighbouring zones lie 3° apart
_ALIKE_SHARE = 0.02  # as much of the sample in the district: the likelier zone is taken
_ALIKE_M = 30.0  # systems that put the sample nearer than this are one for a map
_NAMED = (
    (re.compile(r"gcj-?0?2|火星|高德|amap", re.IGNORECASE), "gcj02"),
    (re.compile(r"bd-?0?9|百度", re.IGNORECASE), "bd09"),
)


@dataclass(frozen=True)
class Placing:
    """How coordinates become WGS 84: ``label`` as people name the system, ``notes`` what was decided and why."""

    label: str
    system: System | None = None
    transformer: Transformer | None = field(default=None, repr=False)
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()
    swap: bool = False

    def points(self, xy: Floats) -> Floats:
        """``xy`` (n × 2) in WGS 84 degrees; what cannot be converted is infinite."""
        if self.swap:
            xy = xy[:, ::-1]
        if self.transformer is not None:
            return np.column_stack(self.transformer.transform(xy[:, 0], xy[:, 1]))
        if self.system in {"gcj02", "bd09"}:
            return many_to_wgs84(xy, self.system)
        return xy

    def point(self, x: float, y: float) -> tuple[float, float]:
        """One point, quickly; 0, 0 stays, because it means that there is none."""
        if x == 0 and y == 0:
            return x, y
        if self.swap:
            x, y = y, x
        if self.transformer is not None:
            lon, lat = self.transformer.transform(x, y)
            return float(lon), float(lat)
        return to_wgs84(x, y, self.system) if self.system else (x, y)

    def shapes(self, shapes: Any) -> Any:
        """An array of shapes in WGS 84."""
        if self.transformer is None and self.system is None and not self.swap:
            return shapes
        return shapely.transform(shapes, self.points)


def of_values(
    declared: str | None,
    wanted: str,
    sample: Floats,
    territory: Territory,
    *,
    parameters: tuple[float, ...] = (),
    file_name: str = "",
    swap: bool = False,
) -> Placing:
    """The placing of a file that says ``declared`` and holds coordinates like ``sample`` (n × 2, in its own system).

    ``wanted``: ``auto`` or what the user named; ``parameters``: three or seven numbers to WGS 84 for old datums.
    :class:`FileUnreadable` where nothing may be taken.
    """
    sample = sample[np.isfinite(sample).all(axis=1)]
    if swap:
        sample = sample[:, ::-1]
    given = wanted.strip()
    if given.lower() in SYSTEMS:
        return Placing(SYSTEMS[given.lower()], SYSTEMS[given.lower()], swap=swap)
    if given.lower() == "auto" and declared in (None, "EPSG:4326", "OGC:CRS84"):
        named = next((system for pattern, system in _NAMED if pattern.search(file_name)), None)
        if named:
            return Placing(named, SYSTEMS[named], notes=(("crs_by_name", {"taken": named}),), swap=swap)
    asked = None if given.lower() == "auto" else _ALIASES.get(given.lower(), given)
    chosen = asked or declared
    if chosen is None:
        return _with(_guessed(sample, territory, parameters), "crs_missing", {}, swap)
    crs = _parse(chosen)
    _refuse_local(crs)
    placing = Placing(label_of(crs), transformer=_transformer(crs, parameters), swap=False)
    if _fit(placing, sample, territory) < 0.5:
        better = _better(sample, territory, parameters)
        if better is not None and better.label != placing.label:
            return _with(better, "crs_contradicts", {"declared": placing.label}, swap)
        if crs.is_geographic and not _are_degrees(sample):
            raise _open(sample, territory, parameters)
    if asked and declared and not _same(crs, _parse(declared)):
        return _with(placing, "crs_overruled", {"declared": label_of(_parse(declared))}, swap)
    return Placing(placing.label, transformer=placing.transformer, swap=swap)


def label_of(crs: CRS) -> str:
    """``EPSG:4551`` where the system is a known one, else its name."""
    code = crs.to_epsg(min_confidence=25) if not crs.is_bound else None
    return f"EPSG:{code}" if code else str(crs.name)


def _with(placing: Placing, code: str, values: dict[str, Any], swap: bool) -> Placing:
    notes = ((code, {**values, "taken": placing.label}), *placing.notes)
    return Placing(placing.label, placing.system, placing.transformer, notes, swap)


def _parse(text: str) -> CRS:
    try:
        crs = CRS.from_user_input(f"EPSG:{text}" if text.isdigit() else text)
    except (ProjError, ValueError) as error:
        raise FileUnreadable("crs_unknown", given=text[:80]) from error
    crs = crs.sub_crs_list[0] if crs.is_compound else crs
    return crs.to_2d() if len(crs.axis_info) > 2 and not crs.is_geocentric else crs  # heights are left out


def _refuse_local(crs: CRS) -> None:
    if crs.is_engineering or crs.geodetic_crs is None:
        raise FileUnreadable("crs_local", name=crs.name)


def _same(one: CRS, other: CRS) -> bool:
    return bool(one.equals(other, ignore_axis_order=True) or label_of(one) == label_of(other))


def is_old_datum(crs: CRS) -> bool:
    """Whether the system rests on Beijing 1954, Xian 1980 or another datum on their ellipsoids."""
    base = crs.geodetic_crs
    if base is None or crs.is_bound:
        return False
    names = f"{crs.name} {base.name} {base.datum.name if base.datum else ''}"
    axis = base.ellipsoid.semi_major_metre if base.ellipsoid else 0.0
    return bool(_OLD.search(names)) or round(axis) in {6378245, 6378140}


def _transformer(crs: CRS, parameters: tuple[float, ...]) -> Transformer:
    if is_old_datum(crs):
        if len(parameters) not in {3, 7}:
            base = crs.geodetic_crs
            datum = base.datum.name if base is not None and base.datum else crs.name
            raise FileUnreadable("crs_old_datum", datum=datum.replace("_", " "))
        shift = ToWGS84Transformation(crs.geodetic_crs, *parameters)
        crs = BoundCRS(source_crs=crs, target_crs=CRS.from_epsg(4326), transformation=shift)
    try:
        return Transformer.from_crs(crs, CRS.from_epsg(4326), always_xy=True)
    except ProjError as error:  # a damaged .prj may name an ellipsoid that is no earth
        raise FileUnreadable("crs_unknown", given=str(crs.name)[:80]) from error


def _fit(placing: Placing, sample: Floats, territory: Territory) -> float:
    """The share of ``sample`` that lies in the territory; without a sample all is well."""
    if not len(sample):
        return 1.0
    placed = placing.points(sample)
    good = np.isfinite(placed).all(axis=1)
    inside = shapely.intersects_xy(territory.shape, *np.where(np.isfinite(placed), placed, 0.0).T)
    return float((inside & good).mean())


def _better(sample: Floats, territory: Territory, parameters: tuple[float, ...]) -> Placing | None:
    """What fits the territory best; a system that would put the sample elsewhere in it is named in a note.

    UTM and Gauss-Krüger on one meridian differ by 0.04 %, two kilometres at 44° north: both may lie in the district.
    Among central meridians that fit a mere province nobody can choose.
    """
    fitting = list(_fitting(sample, territory, parameters))
    zones = [f for f in fitting if f.placing.label[5:] in _THREE_DEGREES]
    if len(zones) > 1 and not territory.exact:
        fitting = [f for f in fitting if _is_near(f.placing, sample, territory)]
    if not fitting:
        return None
    most = max(f.share for f in fitting)
    taken = min((f for f in fitting if f.share > most - _ALIKE_SHARE), key=lambda f: f.off)
    here = _middle(taken.placing, sample)
    others = {f.placing.label: _metres(here, _middle(f.placing, sample)) for f in fitting if f is not taken}
    elsewhere = {label: far for label, far in others.items() if far > _ALIKE_M}
    if not elsewhere:
        return taken.placing
    label, far = min(elsewhere.items(), key=lambda other: other[1])
    values = {"taken": taken.placing.label, "others": ", ".join(elsewhere), "other": label, "metres": round(far)}
    return Placing(taken.placing.label, None, taken.placing.transformer, (("crs_ambiguous", values),))


@dataclass(frozen=True)
class _Fitting:
    """A system in which the sample lies in the territory: its share, and how unlikely the zone is (``off``)."""

    placing: Placing
    share: float
    off: float


def _fitting(sample: Floats, territory: Territory, parameters: tuple[float, ...]) -> Iterator[_Fitting]:
    for code in _candidates(sample):
        placing = Placing(f"EPSG:{code}", transformer=_transformer(CRS.from_epsg(code), parameters))
        share = _fit(placing, sample, territory)
        if share >= 0.5:
            yield _Fitting(placing, share, _off_meridian(code, placing, sample))


def _middle(placing: Placing, sample: Floats) -> Floats:
    placed = placing.points(sample)
    return np.asarray(np.median(placed[np.isfinite(placed).all(axis=1)], axis=0))


def _metres(one: Floats, other: Floats) -> float:
    side = np.cos(np.radians(one[1]))
    return float(np.hypot((one[0] - other[0]) * side, one[1] - other[1]) * 111_320)


def _is_near(placing: Placing, sample: Floats, territory: Territory) -> bool:
    """Whether the sample lies where the district's known places are: nearer than any other zone would put it."""
    if territory.near is None:
        return False
    middle = np.median(placing.points(sample), axis=0)
    return bool(np.abs(middle - territory.near).max() < _NEAR_DEG)


def _off_meridian(code: int, placing: Placing, sample: Floats) -> float:
    """How unlikely a zone is: 3° zones within their own strip first, then 6° zones, then the rest."""
    if code not in range(4502, 4555):
        return 10.0
    middle = float(np.median(placing.points(sample)[:, 0]))
    meridian = 75 + 3 * (code - 4534) if code >= 4534 else 75 + 6 * (code - 4502)
    return abs(middle - meridian) + (0.0 if code >= 4534 else 3.0)


def _guessed(sample: Floats, territory: Territory, parameters: tuple[float, ...]) -> Placing:
    """By values alone; degrees are WGS 84 wherever they lie, metres must lie in the district."""
    if _are_degrees(sample):
        return Placing("EPSG:4326")
    found = _better(sample, territory, parameters) or _better(sample[:, ::-1], territory, parameters)
    if found is None:
        raise _open(sample, territory, parameters)
    return found


def _are_degrees(sample: Floats) -> bool:
    """Whether most of the sample can be longitudes and latitudes, in either order."""
    return not len(sample) or float((np.abs(sample) <= 180.0).all(axis=1).mean()) >= 0.5


def _open(sample: Floats, territory: Territory, parameters: tuple[float, ...]) -> FileUnreadable:
    """Why no system can be taken: none fits, or several do and nothing known lies near what they would mean."""
    x, y = (round(float(v), 1) for v in np.median(sample, axis=0))
    labels = [f.placing.label for f in _fitting(sample, territory, parameters)]
    if len(labels) > 1:
        return FileUnreadable("crs_undecided", x=x, y=y, systems=", ".join(labels))
    return FileUnreadable("crs_open", x=x, y=y)


def _candidates(sample: Floats) -> Iterator[int]:
    """EPSG codes that coordinates like these may be in, the likeliest first."""
    if not len(sample):
        return
    x, y = (float(v) for v in np.median(sample, axis=0))
    if abs(x) <= 180 and abs(y) <= 90:
        yield 4326
        return
    zone = int(x // 1_000_000)
    if 25 <= zone <= 45:
        yield 4513 + zone - 25
    elif 13 <= zone <= 23:
        yield 4491 + zone - 13
    elif 0 < x < 1_000_000 and 0 < y < 10_000_000:
        yield from range(4534, 4555)
        yield from range(4502, 4513)
        yield from range(32643, 32654)
    if abs(x) <= 20_037_509 and abs(y) <= 20_048_967:
        yield 3857
