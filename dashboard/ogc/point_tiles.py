"""Points as a Mapbox Vector Tile 2.1, made when they are asked for: sites, cameras and cases move, an archive does not.

Only points are written, which is one command a feature; outlines and lines come from tile archives made by GDAL.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from typing import Any

EXTENT, BUFFER = 4096, 64
LARGEST = 20_000  # points of a tile
Box = tuple[float, float, float, float]


def tile_box(z: int, x: int, y: int) -> Box:
    """West, south, east, north of a tile of WebMercatorQuad with its buffer, in degrees."""
    more = BUFFER / EXTENT
    west, east = ((x - more) / 2**z * 360 - 180, (x + 1 + more) / 2**z * 360 - 180)
    return west, _latitude((y + 1 + more) / 2**z), east, _latitude((y - more) / 2**z)


def _latitude(part: float) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * part))))


def point_tile(layer: str, features: Iterable[Mapping[str, Any]], z: int, x: int, y: int) -> bytes:
    """GeoJSON point features as the tile ``z/x/y`` with one layer; empty where none of them lies in it."""
    keys: dict[str, int] = {}
    values: dict[tuple[type, Any], int] = {}
    body = b""
    for feature in features:
        geometry = feature["geometry"]
        if geometry is None or geometry["type"] != "Point":
            continue
        tags: list[int] = []
        for name, value in feature["properties"].items():
            if value is not None and isinstance(value, bool | int | float | str):
                tags.append(keys.setdefault(name, len(keys)))
                tags.append(values.setdefault((type(value), value), len(values)))
        lon, lat = geometry["coordinates"][:2]
        at = _in_tile(lon, lat, z, x, y)
        drawn = b"".join(_varint(n) for n in (9, *(_zigzag(part) for part in at)))  # 9: MoveTo, once
        body += _part(2, _part(2, b"".join(map(_varint, tags))) + _number(3, 1) + _part(4, drawn))
    if not body:
        return b""
    named = b"".join(_part(3, key.encode()) for key in keys)
    valued = b"".join(_part(4, _value(*value)) for value in values)
    return _part(3, _number(15, 2) + _part(1, layer.encode()) + body + named + valued + _number(5, EXTENT))


def _in_tile(lon: float, lat: float, z: int, x: int, y: int) -> tuple[int, int]:
    lat = max(-85.0511, min(85.0511, lat))
    down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return round(((lon + 180) / 360 * 2**z - x) * EXTENT), round((down * 2**z - y) * EXTENT)


def _value(kind: type, value: Any) -> bytes:
    if kind is bool:
        return _number(7, int(value))
    if kind is int:
        return _number(6, _zigzag(value))
    if kind is float:
        return b"\x19" + struct.pack("<d", value)
    return _part(1, value.encode())


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _part(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data
