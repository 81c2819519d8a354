"""Street and community areas of the demo city: Voronoi cells, because no open polygons exist."""

from __future__ import annotations

import random
from dataclasses import dataclass

import shapely
from shapely.geometry import MultiPoint, Point
from shapely.geometry.base import BaseGeometry

# Where the 12 streets and towns lie, roughly (degrees): the seeds of the generated areas.
STREET_SEEDS: dict[str, tuple[float, float]] = {
    "220105001": (125.369, 43.886),
    "220105002": (125.372, 43.874),
    "220105003": (125.358, 43.884),
    "220105004": (125.361, 43.898),
    "220105005": (125.397, 43.898),
    "220105006": (125.379, 43.907),
    "220105007": (125.392, 43.866),
    "220105010": (125.412, 43.874),
    "220105100": (125.455, 43.889),
    "220105173": (125.680, 43.840),
    "220105174": (125.560, 43.900),
    "220105270": (125.560, 43.830),
}


@dataclass(frozen=True)
class DemoArea:
    """A division's area in metres on the plane."""

    code: str
    name: str
    shape: BaseGeometry

    @property
    def urban(self) -> bool:
        """Streets (街道) have numbers below 100; towns and townships from 100."""
        return int(self.code[6:9]) < 100


def voronoi(points: list[tuple[float, float]], within: BaseGeometry) -> list[BaseGeometry]:
    """One cell a point, cut to ``within``, in the order of ``points``."""
    if len(points) == 1:
        return [within]
    cells = list(shapely.voronoi_polygons(MultiPoint(points), extend_to=within).geoms)
    tree = shapely.STRtree(cells)
    chosen = []
    for x, y in points:
        inside = [i for i in tree.query(Point(x, y)) if cells[int(i)].intersects(Point(x, y))]
        chosen.append(_polygonal(cells[int(inside[0])].intersection(within)))
    return chosen


def _polygonal(shape: BaseGeometry) -> BaseGeometry:
    if shape.geom_type in {"Polygon", "MultiPolygon"}:
        return shape
    return shapely.MultiPolygon([p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"])


def scatter(rng: random.Random, within: BaseGeometry, count: int) -> list[tuple[float, float]]:
    """``count`` evenly spread points inside ``within`` (random, then relaxed four times)."""
    points = [random_point(rng, within) for _ in range(count)]
    for _ in range(4):
        cells = voronoi(points, within)
        points = [(p.x, p.y) for p in (_inner(cell) for cell in cells)]
    return points


def random_point(rng: random.Random, within: BaseGeometry) -> tuple[float, float]:
    """A point inside ``within``."""
    min_x, min_y, max_x, max_y = within.bounds
    shapely.prepare(within)
    while True:
        x, y = rng.uniform(min_x, max_x), rng.uniform(min_y, max_y)
        if shapely.contains_xy(within, x, y):
            return x, y


def _inner(cell: BaseGeometry) -> Point:
    centre = cell.centroid
    return centre if cell.contains(centre) else cell.representative_point()


def street_areas(names: dict[str, str], seeds: dict[str, tuple[float, float]], outline: BaseGeometry) -> list[DemoArea]:
    """Areas of the streets in ``names`` around ``seeds`` (metres)."""
    codes = sorted(names)
    cells = voronoi([seeds[c] for c in codes], outline)
    return [DemoArea(c, names[c], cell) for c, cell in zip(codes, cells, strict=True)]


def community_areas(rng: random.Random, street: DemoArea, names: dict[str, str]) -> list[DemoArea]:
    """Areas of the communities (``names``: code → name) inside ``street``."""
    codes = sorted(names)
    points = sorted(scatter(rng, street.shape, len(codes)))
    return [DemoArea(c, names[c], cell) for c, cell in zip(codes, voronoi(points, street.shape), strict=True)]
