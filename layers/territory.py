"""Where a district's things can lie: its outline, else the box of its province, else China."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Engine, select

from storage.session import read_scope
from storage.tables.registry import Division

MARGIN_DEG = 0.01  # about a kilometre: published outlines are no surveyed boundaries
# West, south, east, north of the provinces by the first two digits of GB/T 2260 codes; generous, in whole degrees.
_PROVINCES: dict[str, tuple[float, float, float, float]] = {
    "11": (115, 39, 118, 42), "12": (116, 38, 119, 41), "13": (113, 35, 120, 43), "14": (110, 34, 115, 41),
    "15": (97, 37, 127, 54), "21": (118, 38, 126, 44), "22": (121, 40, 132, 47), "23": (121, 43, 136, 54),
    "31": (120, 30, 123, 32), "32": (116, 30, 122, 36), "33": (118, 27, 123, 32), "34": (114, 29, 120, 35),
    "35": (115, 23, 121, 29), "36": (113, 24, 119, 31), "37": (114, 34, 123, 39), "41": (110, 31, 117, 37),
    "42": (108, 29, 117, 34), "43": (108, 24, 115, 31), "44": (109, 20, 118, 26), "45": (104, 20, 113, 27),
    "46": (108, 3, 118, 21), "50": (105, 28, 111, 33), "51": (97, 26, 109, 35), "52": (103, 24, 110, 30),
    "53": (97, 21, 107, 30), "54": (78, 26, 100, 37), "61": (105, 31, 112, 40), "62": (92, 32, 109, 43),
    "63": (89, 31, 104, 40), "64": (104, 35, 108, 40), "65": (73, 34, 97, 50), "71": (119, 21, 125, 27),
    "81": (113, 22, 115, 23), "82": (113, 22, 114, 23),
}  # fmt: skip
CHINA = (73.0, 3.0, 136.0, 54.0)


@dataclass(frozen=True)
class Territory:
    """``shape`` in WGS 84 degrees, its margin included; ``name`` for people."""

    shape: Any
    name: str
    exact: bool = False
    near: tuple[float, float] | None = None  # the middle of the places known, where no outline is

    def holds(self, lon: float, lat: float) -> bool:
        """Whether the point lies inside."""
        return bool(shapely.intersects_xy(self.shape, lon, lat))

    def hits(self, shapes: Any) -> Any:
        """For an array of shapes: which touch the territory."""
        shapely.prepare(self.shape)
        return shapely.intersects(self.shape, np.asarray(shapes, dtype=object))


def of_outline(outline: Any, name: str) -> Territory:
    """The territory of a district's outline."""
    return Territory(shapely.buffer(outline, MARGIN_DEG), name or "the district", exact=True)


def of_code(code: str) -> Territory:
    """The province of a division's code, China where it is none."""
    box = _PROVINCES.get(code[:2])
    return Territory(shapely.box(*(box or CHINA)), f"the province {code[:2]}" if box else "China")


def of_city(
    divisions: list[dict[str, Any]],
    code: str,
    name: str,
    engine: Engine | None = None,
    places: list[tuple[float, float]] | None = None,
) -> Territory:
    """By the outlines among ``divisions`` (rows with code and geometry), else the database's, else ``code``.

    Without an outline the divisions' own places, else ``places``, tell where in the province the district lies.
    """
    outline = _widest([(r["code"], r["geometry"]) for r in divisions if r.get("geometry") is not None], code)
    if outline is None and engine is not None:
        with read_scope(engine) as session:
            found = session.execute(select(Division.code, Division.geometry))
            outline = _widest([(c, shapely.from_wkb(wkb)) for c, wkb in found if wkb], code)
    if outline is not None:
        return of_outline(outline, name)
    known = [(r["lon"], r["lat"]) for r in divisions if r.get("lon") is not None and r.get("lat") is not None]
    province = of_code(code)
    known = known or [place for place in places or () if province.holds(*place)]
    if not known:
        return province
    lon, lat = np.median(np.array(known), axis=0)
    return replace(province, near=(float(lon), float(lat)))


def of_database(engine: Engine) -> Territory:
    """The district that stands in the database; China while there is none."""
    with read_scope(engine) as session:
        rows = [(c, n, w) for c, n, w in session.execute(select(Division.code, Division.name, Division.geometry))]
    districts = [(c, n) for c, n, _ in rows if len(c) == 6]
    code, name = districts[0] if districts else (min((c for c, _, _ in rows), default="")[:6], "")
    outline = _widest([(c, shapely.from_wkb(w)) for c, _, w in rows if w], code)
    return of_outline(outline, name) if outline is not None else of_code(code)


def _widest(areas: list[tuple[str, Any]], code: str) -> Any | None:
    """The district's own outline; the streets or communities together only where they cover all there are."""
    own = [shape for c, shape in areas if c == code]
    if own:
        return own[0]
    streets = [shape for c, shape in areas if len(c) == 9]
    return shapely.union_all(streets) if len(streets) > 2 else None
