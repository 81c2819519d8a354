"""Buildings of the demo city beside real streets, and villages along the country roads; all of them generated.

The real streets cut the town into blocks; each block is filled in rows that lie along its longest side, no farther
than 150 m from a street.  In the country houses stand in two rows along the roads around each village.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from layers.demo.ground_source import RealStreet
from layers.demo.streets import Building, Road

REACH_M = 150.0
_WIDTH_M = {"trunk": 40.0, "primary": 34.0, "secondary": 24.0, "tertiary": 16.0, "service": 6.0}
_LINKS = ("trunk", "primary", "secondary", "tertiary")
DRIVEN = frozenset({*_LINKS, *(f"{c}_link" for c in _LINKS), "residential", "unclassified", "living_street", "service",
                    "motorway", "motorway_link", "road"})  # fmt: skip
_FORMS = {  # kind: length and depth of a building, gaps beside and behind it, lowest and highest m
    "residential": (44.0, 13.0, 14.0, 26.0, 17.0, 21.0),
    "tower": (26.0, 22.0, 30.0, 34.0, 54.0, 99.0),
    "office": (52.0, 38.0, 26.0, 30.0, 24.0, 78.0),
    "commercial": (96.0, 70.0, 30.0, 34.0, 12.0, 30.0),
    "industrial": (70.0, 46.0, 24.0, 28.0, 8.0, 14.0),
}
_HOUSE = (14.0, 9.0, 4.0, 8.0)  # length, depth, lowest and highest m


def town(rng: random.Random, area: BaseGeometry, real: list[RealStreet], first: int) -> list[Building]:
    """Buildings on the blocks that ``real`` streets cut out of ``area``."""
    driven = [s for s in real if s.road_class in DRIVEN]
    corridor = shapely.union_all(
        [s.line.buffer(_WIDTH_M.get(s.road_class.split("_")[0], 10.0) / 2 + 6) for s in driven]
    )
    near = shapely.union_all([s.line.buffer(REACH_M) for s in driven])
    built: list[Building] = []
    for block in _polygons(shapely.intersection(shapely.difference(area, corridor), near)):
        if block.area < 600:
            continue
        kind = _kind(rng, block)
        if kind == "park":
            continue
        for plan in _rows(rng, block, kind):
            low, high = _FORMS[kind][4:]
            height = round(rng.uniform(low, high), 1)
            built.append(Building(f"b{first + len(built):06d}", kind, height, plan))
    return built


def _kind(rng: random.Random, block: Polygon) -> str:
    middle = block.centroid
    busy = math.exp(-math.hypot(middle.x, middle.y) / 2600)
    if block.area > 250_000:
        return rng.choices(["industrial", "residential"], [3, 1])[0]
    weights = [5, 2 + 3 * busy, 0.4 + 3 * busy, 0.5 + 2 * busy, 0.6 * (1 - busy), 0.7]
    return rng.choices(["residential", "tower", "office", "commercial", "industrial", "park"], weights)[0]


def _rows(rng: random.Random, block: Polygon, kind: str) -> list[Polygon]:
    """Ground plans in rows along the block's longest side."""
    length, depth, beside, behind, *_ = _FORMS[kind]
    angle = _direction(block)
    flat = shapely.transform(block, lambda p: _turned(p, -angle))
    west, south, east, north = flat.bounds
    plans = []
    for y in np.arange(south + depth / 2 + 2, north - depth / 2, depth + behind):
        for x in np.arange(west + length / 2 + 2, east - length / 2, length + beside):
            wide, deep = length * rng.uniform(0.85, 1.05), depth * rng.uniform(0.9, 1.05)
            if rng.random() < 0.92:
                plans.append(box(x - wide / 2, y - deep / 2, x + wide / 2, y + deep / 2))
    shapely.prepare(flat)
    inside = shapely.contains(flat, np.array(plans, dtype=object)) if plans else []
    return [shapely.transform(p, lambda q: _turned(q, angle)) for p, yes in zip(plans, inside, strict=True) if yes]


def _direction(block: Polygon) -> float:
    """The angle of the longer side of the smallest rectangle around ``block``."""
    corners = list(shapely.minimum_rotated_rectangle(block).exterior.coords)
    (ax, ay), (bx, by) = max(zip(corners, corners[1:], strict=False), key=lambda e: math.dist(*e))
    return math.atan2(by - ay, bx - ax)


def _turned(points: object, angle: float) -> object:
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return np.asarray(points) @ turn


def villages(
    rng: random.Random, centres: Iterable[tuple[float, float]], roads: list[Road], within: BaseGeometry, first: int
) -> list[Building]:
    """Houses along the country ``roads``: close together near each of ``centres``, single farms in between."""
    country = [r for r in roads if r.road_class == "county"]
    middle = shapely.MultiPoint(list(centres))
    taken: list[Polygon] = []
    heights: list[float] = []
    for road in country:
        for plan in _along(rng, road.line, middle):
            taken.append(plan)
            heights.append(round(rng.uniform(*_HOUSE[2:]), 1))
    kept = _apart(taken, shapely.union_all([r.line.buffer(9) for r in roads]), within)
    return [Building(f"b{first + n:06d}", "village", heights[k], taken[k]) for n, k in enumerate(kept)]


def _along(rng: random.Random, line: LineString, centres: BaseGeometry) -> list[Polygon]:
    plans = []
    at = rng.uniform(0, 30)
    while at < line.length:
        spot = line.interpolate(at)
        near = spot.distance(centres) < 380
        for side in (-1, 1):
            for row in (1, 2) if near else (1,):
                if rng.random() < (0.75 if near else 0.12):
                    plans.append(_house(rng, line, at, side * (8 + 24 * row)))
        at += rng.uniform(20, 27) if near else rng.uniform(130, 420)
    return plans


def _house(rng: random.Random, line: LineString, at: float, off: float) -> Polygon:
    here, ahead = line.interpolate(at), line.interpolate(min(line.length, at + 5))
    angle = math.atan2(ahead.y - here.y, ahead.x - here.x)
    length, depth = _HOUSE[0] * rng.uniform(0.8, 1.1), _HOUSE[1] * rng.uniform(0.85, 1.1)
    plan = box(-length / 2, -depth / 2, length / 2, depth / 2)
    turned = shapely.transform(plan, lambda p: _turned(p, angle))
    x, y = here.x - math.sin(angle) * off, here.y + math.cos(angle) * off
    return shapely.transform(turned, lambda p: np.asarray(p) + (x, y))


def _apart(plans: list[Polygon], corridor: BaseGeometry, within: BaseGeometry) -> list[int]:
    """Indices of the plans that touch no road and no earlier plan."""
    array = np.array(plans, dtype=object)
    shapely.prepare(corridor)
    shapely.prepare(within)
    free = ~shapely.intersects(corridor, array) & shapely.contains(within, array)
    tree = shapely.STRtree(array)
    left, right = tree.query(array, predicate="intersects")
    dropped = ~free
    for a, b in sorted(zip(left.tolist(), right.tolist(), strict=True)):
        if a < b and not dropped[a]:
            dropped[b] = True
    return [k for k in range(len(plans)) if not dropped[k]]


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    return sorted((p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"), key=lambda p: p.wkb)


def spots(real: list[RealStreet], within: BaseGeometry, apart: float = 60.0) -> list[tuple[float, float]]:
    """Places on the real streets, ``apart`` metres from each other along each: where cameras hang."""
    found = []
    for street in real:
        if street.road_class not in DRIVEN:
            continue
        for at in np.arange(0, max(1.0, street.line.length), apart):
            point: Point = street.line.interpolate(float(at))
            found.append((point.x, point.y))
    inside = shapely.contains_xy(within, found)
    return [spot for spot, yes in zip(found, inside, strict=True) if yes]
