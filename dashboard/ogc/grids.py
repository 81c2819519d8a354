"""WebMercatorQuad (17-083r4, annex D.1): the tile matrices, and the part of them that a box covers."""

from __future__ import annotations

import math
from typing import Any

GRID = "WebMercatorQuad"
QUAD = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{GRID}"
_HALF = 20_037_508.342789244
_SCALE = 559_082_264.028717  # of matrix 0, at 0.28 mm a pixel


def tile_matrix_set() -> dict[str, Any]:
    """The scheme with its matrices 0 … 24."""
    matrices = [
        {"id": str(z), "scaleDenominator": _SCALE / 2**z, "cellSize": 2 * _HALF / 256 / 2**z,
         "pointOfOrigin": [-_HALF, _HALF], "cornerOfOrigin": "topLeft", "tileWidth": 256, "tileHeight": 256,
         "matrixWidth": 2**z, "matrixHeight": 2**z}
        for z in range(25)
    ]  # fmt: skip
    return {"id": GRID, "title": "Google Maps Compatible for the World", "uri": QUAD,
            "crs": "http://www.opengis.net/def/crs/EPSG/0/3857", "orderedAxes": ["X", "Y"],
            "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
            "tileMatrices": matrices}  # fmt: skip


def limits(zooms: tuple[int, int], box: tuple[float, float, float, float]) -> list[dict[str, Any]]:
    """Rows and columns of each zoom that lie in ``box`` (degrees)."""
    west, south, east, north = box
    found = []
    for z in range(zooms[0], zooms[1] + 1):
        (left, top), (right, bottom) = _tile(west, north, z), _tile(east, south, z)
        found.append({"tileMatrix": str(z), "minTileRow": top, "maxTileRow": bottom, "minTileCol": left,
                      "maxTileCol": right})  # fmt: skip
    return found


def _tile(lon: float, lat: float, z: int) -> tuple[int, int]:
    edge = 2**z
    y = (1 - math.asinh(math.tan(math.radians(max(-85.0511, min(85.0511, lat))))) / math.pi) / 2
    return min(edge - 1, max(0, int((lon + 180) / 360 * edge))), min(edge - 1, max(0, int(y * edge)))
