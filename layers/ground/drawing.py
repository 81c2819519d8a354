"""A tile of the ground as a picture: 512 × 512, drawn at twice the size and reduced, so that edges are smooth."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from core.late import Late
from layers.ground.colours import MAJOR, THEMES, TRUNK, USES, GroundColours
from layers.ground.vector_tile import LINE, POLYGON, Ring, TileShape, shapes
from layers.tiles import TileSet

if TYPE_CHECKING:
    from PIL import Image, ImageDraw
else:
    Image, ImageDraw = Late("PIL.Image"), Late("PIL.ImageDraw")

SIZE = 512
FINER = 2
MIN_ZOOM, MAX_ZOOM = 8, 16
BUILDINGS_FROM = 12
MINOR_FROM = 12
_MINOR_WIDTH = ((12, 0.6), (16, 5.0), (18, 12.0))
_MAJOR_WIDTH = ((9, 0.8), (13, 2.4), (16, 9.0), (18, 20.0))


def draw_ground(tilesets: Mapping[str, TileSet], theme: str, z: int, x: int, y: int) -> bytes:
    """Land, water, green, streets, outlines and buildings of ``z/x/y`` (512 px a tile) as WebP."""
    colours = THEMES[theme]
    full = SIZE * FINER
    image = Image.new("RGB", (full, full), colours.ground)
    pen = ImageDraw.Draw(image)
    divisions = list(_of(tilesets, "divisions", z, x, y))
    for shape, ring in _rings(s for s in divisions if s.properties.get("level") == "district"):
        del shape
        pen.polygon(ring, fill=colours.land)
    for name, colour in (("water", colours.water), ("green", colours.green)):
        for _, ring in _rings(_of(tilesets, name, z, x, y)):
            pen.polygon(ring, fill=colour)
    _roads(pen, list(_of(tilesets, "roads", z, x, y)), z, colours)
    for level, colour, width in (("street", colours.street, 1.1), ("district", colours.district, 2.2)):
        for _, ring in _rings(s for s in divisions if s.properties.get("level") == level):
            pen.line([*ring, ring[0]], fill=colour, width=max(1, round(width * FINER)))
    if z >= BUILDINGS_FROM:
        for shape, ring in _rings(_of(tilesets, "buildings", z, x, y)):
            use = shape.properties.get("use") or shape.properties.get("kind") or ""
            pen.polygon(ring, fill=colours.buildings[USES.get(use, "residential")])
    out = io.BytesIO()
    image.reduce(FINER).save(out, "WEBP", quality=82, method=2)
    return out.getvalue()


def _roads(pen: Any, roads: list[TileShape], z: int, colours: GroundColours) -> None:
    ranked = [(s, s.properties.get("class")) for s in roads if s.kind == LINE and s.properties.get("class") != "rail"]
    for shape, rank in ranked:
        if rank not in MAJOR and z >= MINOR_FROM:
            _line(pen, shape, _width(_MINOR_WIDTH, z), colours.minor)
    for shape, rank in ranked:
        if rank in MAJOR:
            _line(pen, shape, _width(_MAJOR_WIDTH, z), colours.trunk if rank in TRUNK else colours.major)


def _line(pen: Any, shape: TileShape, width: float, colour: str) -> None:
    wide = max(1, round(width * FINER))
    for part in shape.parts:
        pen.line(part, fill=colour, width=wide, joint="curve")
        for px, py in (part[0], part[-1]) if wide > 3 else ():
            pen.ellipse((px - wide / 2, py - wide / 2, px + wide / 2, py + wide / 2), fill=colour)


def _width(stops: tuple[tuple[int, float], ...], z: int) -> float:
    """MapLibre's exponential interpolation to the base 1.5."""
    if z <= stops[0][0]:
        return stops[0][1]
    for (low, small), (high, large) in zip(stops, stops[1:], strict=False):
        if z <= high:
            return float(small + (large - small) * (1.5 ** (z - low) - 1) / (1.5 ** (high - low) - 1))
    return stops[-1][1]


def _rings(found: Iterator[TileShape]) -> Iterator[tuple[TileShape, Ring]]:
    for shape in found:
        if shape.kind == POLYGON:
            yield from ((shape, ring) for ring in shape.parts if len(ring) > 2 and _area(ring) > 0)


def _area(ring: Ring) -> float:
    """Twice the signed area: above nought for an outer ring (specification 4.3.4.4); holes stay filled at this size."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True))


def _of(tilesets: Mapping[str, TileSet], name: str, z: int, x: int, y: int) -> Iterator[TileShape]:
    """Features of ``name`` in pixels of the drawn tile, from the tile itself or from the one above it that there is."""
    tiles = tilesets.get(name)
    if tiles is None or z < tiles.min_zoom:
        return
    up = max(0, z - tiles.max_zoom)
    data = tiles.get(z - up, x >> up, y >> up)
    if data is None:
        return
    extent, found = shapes(data, name)
    scale = SIZE * FINER * 2**up / extent
    left, top = SIZE * FINER * (x - ((x >> up) << up)), SIZE * FINER * (y - ((y >> up) << up))
    for shape in found:
        parts = [[(px * scale - left, py * scale - top) for px, py in part] for part in shape.parts]
        yield TileShape(shape.kind, parts, shape.properties)
