"""Roads, blocks and buildings of the demo city: a plausible network, generated, never real streets."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import shapely
from shapely.geometry import LineString, Polygon, box
from shapely.geometry.base import BaseGeometry

SPACING_M = 200.0
TILT = math.radians(-7.0)  # the city's axes lie a little off north
_CLASS_OF = ((8, "primary"), (4, "secondary"), (2, "tertiary"), (1, "residential"))
_WIDTH_M = {"primary": 34.0, "secondary": 24.0, "tertiary": 16.0, "residential": 10.0, "county": 12.0}

Node = tuple[int, int]


@dataclass(frozen=True)
class Road:
    """A road line in metres."""

    road_id: str
    name: str
    road_class: str
    line: LineString

    @property
    def width_m(self) -> float:
        return _WIDTH_M[self.road_class]


@dataclass(frozen=True)
class Building:
    """A building's ground plan in metres and its height."""

    building_id: str
    kind: str
    height_m: float
    plan: Polygon


def lattice_point(i: int, j: int) -> tuple[float, float]:
    """Crossing ``i`` east, ``j`` north, gently bent so that no street is ruler-straight."""
    x, y = i * SPACING_M, j * SPACING_M
    bent_x = x + 28 * math.sin(y / 900) + 11 * math.sin(y / 310 + x / 1700)
    bent_y = y + 24 * math.sin(x / 1100) + 9 * math.sin(x / 270 + y / 1500)
    return (
        bent_x * math.cos(TILT) - bent_y * math.sin(TILT),
        bent_x * math.sin(TILT) + bent_y * math.cos(TILT),
    )


def road_class(index: int) -> str:
    """Every eighth line is a primary road, every fourth a secondary one …"""
    return next(name for step, name in _CLASS_OF if index % step == 0)


def lattice(area: BaseGeometry) -> set[Node]:
    """Crossings that lie inside ``area``."""
    reach = int(max(abs(v) for v in area.bounds) * 1.2 / SPACING_M) + 2
    nodes = [(i, j) for i in range(-reach, reach + 1) for j in range(-reach, reach + 1)]
    inside = shapely.contains_xy(area, [lattice_point(*n) for n in nodes])
    return {n for n, yes in zip(nodes, inside, strict=True) if yes}


def urban_roads(rng: random.Random, nodes: set[Node]) -> list[Road]:
    """Lines along both axes of the lattice; minor ones have gaps."""
    roads: list[Road] = []
    for axis, title in ((0, "纬"), (1, "经")):
        lines = sorted({n[1 - axis] for n in nodes})
        for index in lines:
            kind = road_class(index)
            run: list[Node] = []
            for step in range(min(n[axis] for n in nodes), max(n[axis] for n in nodes) + 2):
                node = (step, index) if axis == 0 else (index, step)
                gap = kind == "residential" and rng.random() < 0.18
                if node in nodes and not gap:
                    run.append(node)
                    continue
                _close(roads, run, f"{title}{_ordinal(index)}{'路' if kind != 'residential' else '街'}", kind)
                run = [node] if node in nodes else []
    return roads


def _close(roads: list[Road], run: list[Node], name: str, kind: str) -> None:
    if len(run) > 1:
        roads.append(Road(f"r{len(roads) + 1:05d}", name, kind, LineString([lattice_point(*n) for n in run])))


def _ordinal(index: int) -> str:
    digits = "零一二三四五六七八九十"
    side, n = ("东" if index >= 0 else "西"), abs(index)
    if n <= 10:
        return f"{side}{digits[n]}"
    tens, ones = divmod(n, 10)
    return f"{side}{digits[tens] if tens > 1 else ''}十{digits[ones] if ones else ''}"


def country_roads(
    rng: random.Random, places: list[tuple[float, float]], first: int, within: BaseGeometry
) -> list[Road]:
    """Winding roads that join ``places`` (a Delaunay net without its longest edges), inside ``within``."""
    edges = shapely.delaunay_triangles(shapely.MultiPoint(places), only_edges=True).geoms
    roads: list[Road] = []
    for edge in sorted(edges, key=lambda e: e.wkt):
        if edge.length > 9_000 or not within.contains(edge):
            continue
        roads.append(Road(f"r{first + len(roads):05d}", f"县道{len(roads) + 1}号", "county", _winding(rng, edge)))
    return roads


def _winding(rng: random.Random, edge: LineString) -> LineString:
    (ax, ay), (bx, by) = edge.coords[0], edge.coords[-1]
    count = max(2, int(edge.length / 400))
    sway, phase = rng.uniform(-0.05, 0.05) * edge.length, rng.uniform(1.0, 2.5)
    points = []
    for k in range(count + 1):
        t = k / count
        off = sway * math.sin(math.pi * t) * math.sin(math.pi * t * phase)
        points.append(
            (ax + (bx - ax) * t - (by - ay) / edge.length * off, ay + (by - ay) * t + (bx - ax) / edge.length * off)
        )
    return LineString(points)


def blocks(nodes: set[Node]) -> list[tuple[Node, Polygon]]:
    """Blocks between four crossings, shrunk by half the roads' widths."""
    found = []
    for i, j in sorted(nodes):
        if {(i + 1, j), (i, j + 1), (i + 1, j + 1)} <= nodes:
            corners = [
                lattice_point(i, j),
                lattice_point(i + 1, j),
                lattice_point(i + 1, j + 1),
                lattice_point(i, j + 1),
            ]
            margin = 5 + max(_WIDTH_M[road_class(k)] for k in (i, i + 1, j, j + 1)) / 2
            found.append(((i, j), Polygon(corners).buffer(-margin, join_style="mitre")))
    return [(n, b) for n, b in found if not b.is_empty]


_SHAPES = {  # kind: rows, columns, length m, depth m, lowest and highest m
    "residential": (4, 3, 44, 13, 17, 21),
    "tower": (2, 3, 24, 22, 54, 99),
    "office": (1, 2, 52, 40, 24, 78),
    "commercial": (1, 1, 120, 90, 12, 30),
    "industrial": (2, 2, 66, 52, 8, 14),
    "village": (5, 5, 16, 10, 4, 8),
}


def buildings(rng: random.Random, places: list[tuple[Node, Polygon]], fringe: set[Node]) -> list[Building]:
    """Buildings on each block; blocks in ``fringe`` are industry and villages, some are parks."""
    built: list[Building] = []
    for node, block in places:
        kind = _block_kind(rng, node, node in fringe)
        if kind == "park":
            continue
        rows, columns, length, depth, low, high = _SHAPES[kind]
        min_x, min_y, max_x, max_y = shapely.transform(block, lambda p: _turn(p, -TILT)).bounds
        shapely.prepare(block)
        for r in range(rows):
            for c in range(columns):
                x = min_x + (max_x - min_x) * (c + 0.5) / columns
                y = min_y + (max_y - min_y) * (r + 0.5) / rows
                wide, deep = length * rng.uniform(0.85, 1.05), depth * rng.uniform(0.9, 1.05)
                plan = box(x - wide / 2, y - deep / 2, x + wide / 2, y + deep / 2)
                plan = shapely.transform(plan, lambda p: _turn(p, TILT))
                if rng.random() < 0.9 and block.contains(plan):
                    height = round(rng.uniform(low, high), 1)
                    built.append(Building(f"b{len(built) + 1:06d}", kind, height, plan))
    return built


def _turn(points: object, angle: float) -> object:
    import numpy as np

    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return np.asarray(points) @ turn


def _block_kind(rng: random.Random, node: Node, fringe: bool) -> str:
    if fringe:
        return rng.choices(["industrial", "village", "park", "residential"], [4, 3, 3, 1])[0]
    busy = math.exp(-math.hypot(*node) / 9)
    return rng.choices(
        ["residential", "tower", "office", "commercial", "park"], [5, 2 + 3 * busy, 0.4 + 3 * busy, 0.5 + 2 * busy, 0.8]
    )[0]
