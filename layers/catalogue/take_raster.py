"""Takes a georeferenced raster in: a picture as WebP tiles, heights as terrarium PNG tiles, in one PMTiles file.

The raster is read through GDAL's warping window by window (a COG's overviews are used), so its size does not matter.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core import plugins
from core.settings import Settings
from core.tables.problem import FileUnreadable
from layers.catalogue.kinds import recorded, surest
from layers.catalogue.record import TILES, folder, save
from layers.catalogue.report import LayerReport
from layers.contract import LayerKind, Likeness
from layers.territory import Territory
from layers.vector.placing import of_values

SIZE = 256
MAX_TILES = 400_000
_WORLD = 20_037_508.342789244
_NO_HEIGHT = -9999.0


def take_raster(settings: Settings, path: Path, territory: Territory, wish: Any, report: LayerReport) -> None:
    """Tile ``path`` and record it; what was decided and refused is in ``report``."""
    import rasterio

    try:
        with rasterio.open(path) as data:
            kind = _kind(path, wish, data)
            report.kind, report.encoding = kind.kind, ""
            source_crs = _placed(path, data, territory, wish, report)
            source = _Picture(data, source_crs, kind.form == "terrain")
            with source.warped() as whole:
                report.bbox = _extent(whole, territory)
                zooms = _zooms(whole, kind)
                bounds = tuple(float(v) for v in whole.bounds)
            target = folder(settings) / report.layer / TILES
            report.features = _write(source, bounds, zooms, target, report)
    except rasterio.errors.RasterioError as error:
        raise FileUnreadable("not_geodata", detail=str(error)) from error
    if report.features:
        save(settings, recorded(path, wish, report, kind))


def _kind(path: Path, wish: Any, data: Any) -> LayerKind:
    heights = data.count == 1 and (np.issubdtype(data.dtypes[0], np.floating) or data.dtypes[0] == "int16")
    likeness = Likeness(path.stem, frozenset(), "heights" if heights else "raster")
    chosen = wish.kind or surest(likeness)
    kind: LayerKind = plugins.build("layer", chosen, wish.params)
    if kind.form == "vector":
        raise FileUnreadable("not_geodata", detail=f"{chosen} takes points, lines or areas, the file is a raster")
    return kind


def _placed(path: Path, data: Any, territory: Territory, wish: Any, report: LayerReport) -> str:
    """The raster's system as PROJ takes it; GCJ-02 and BD-09 pictures cannot be warped and are refused."""
    if data.transform.is_identity and data.crs is None:
        raise FileUnreadable("crs_open", x=0, y=0)
    left, bottom, right, top = data.bounds
    sample = np.array([[(left + right) / 2, (bottom + top) / 2]])
    declared = data.crs.to_wkt() if data.crs else None
    placing = of_values(declared, wish.crs, sample, territory, parameters=wish.towgs84, file_name="")
    report.crs = placing.label
    for code, values in placing.notes:
        report.problems.tell(path.name, code, field="crs", **values)
    if placing.system:
        raise FileUnreadable("not_geodata", detail=f"a picture in {placing.system} cannot be placed")
    found = placing.transformer.source_crs if placing.transformer else None
    return str(found.to_wkt()) if found is not None else placing.label


@dataclass(frozen=True)
class _Picture:
    """The open raster and how it is warped to the map's projection."""

    data: Any
    crs: str
    terrain: bool

    @contextmanager
    def coarse(self, metres: float) -> Iterator[_Picture]:
        """The same picture by the overview that is just finer than ``metres`` a pixel: a tile of a whole district would
        otherwise read every pixel of it at once."""
        import rasterio

        own = abs(self.data.transform.a) * (1.0 if self.data.crs is None or self.data.crs.is_projected else 111_320.0)
        levels = [k for k, factor in enumerate(self.data.overviews(1)) if own * factor <= metres]
        if not levels:
            yield self
            return
        with rasterio.open(self.data.name, overview_level=levels[-1]) as data:
            yield _Picture(data, self.crs, self.terrain)

    @contextmanager
    def warped(self, **window: Any) -> Iterator[Any]:
        """The raster in Web Mercator; ``window`` (transform, width, height) for one tile."""
        from rasterio.enums import Resampling
        from rasterio.vrt import WarpedVRT

        alpha = not self.terrain and self.data.nodata is None and self.data.count in {1, 3}
        nodata = _NO_HEIGHT if self.terrain and self.data.nodata is None else self.data.nodata
        with WarpedVRT(self.data, src_crs=self.crs, crs="EPSG:3857", resampling=Resampling.bilinear, add_alpha=alpha,
                       nodata=nodata, **window) as warped:  # fmt: skip
            yield warped


def _extent(warped: Any, territory: Territory) -> list[float]:
    """West, south, east, north in degrees; a raster that lies elsewhere is refused."""
    left, bottom, right, top = warped.bounds
    west, south = _degrees(left, bottom)
    east, north = _degrees(right, top)
    if not shapely.intersects(territory.shape, shapely.box(west, south, east, north)):
        middle = {"lon": round((west + east) / 2, 5), "lat": round((south + north) / 2, 5)}
        raise FileUnreadable("shape_outside", area=territory.name, **middle)
    return [round(v, 7) for v in (west, south, east, north)]


def _degrees(x: float, y: float) -> tuple[float, float]:
    return x / _WORLD * 180, math.degrees(2 * math.atan(math.exp(y / _WORLD * math.pi)) - math.pi / 2)


def _zooms(warped: Any, kind: LayerKind) -> tuple[int, int]:
    """From the zoom at which it is one tile to the one that shows its own pixels, within what the kind allows."""
    native = math.ceil(math.log2(2 * _WORLD / SIZE / abs(warped.transform.a)) - 0.25)
    high = min(kind.zooms[1], max(native, kind.zooms[0]))
    left, bottom, right, top = warped.bounds
    while high > kind.zooms[0] and _count(left, bottom, right, top, high) > MAX_TILES:
        high -= 1
    return kind.zooms[0], high


def _span(left: float, bottom: float, right: float, top: float, zoom: int) -> tuple[range, range]:
    side = 2 * _WORLD / 2**zoom
    first_x, last_x = int((left + _WORLD) // side), int((right + _WORLD - 1e-6) // side)
    first_y, last_y = int((_WORLD - top) // side), int((_WORLD - bottom - 1e-6) // side)
    edge = 2**zoom - 1
    return range(max(0, first_x), min(edge, last_x) + 1), range(max(0, first_y), min(edge, last_y) + 1)


def _count(left: float, bottom: float, right: float, top: float, zoom: int) -> int:
    columns, rows = _span(left, bottom, right, top, zoom)
    return len(columns) * len(rows)


def _write(
    source: _Picture, bounds: tuple[float, ...], zooms: tuple[int, int], target: Path, report: LayerReport
) -> int:
    """The tiles, in the archive's own order; returns how many hold something."""
    from pmtiles.tile import Compression, TileType, zxy_to_tileid
    from pmtiles.writer import Writer

    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.stem}-part{target.suffix}")
    left, bottom, right, top = bounds
    places = [(zxy_to_tileid(z, x, y), z, x, y) for z in range(zooms[0], zooms[1] + 1)
              for xs, ys in [_span(left, bottom, right, top, z)] for x in xs for y in ys]  # fmt: skip
    terrain = source.terrain
    count = 0
    try:
        with partial.open("wb") as file:
            writer = Writer(file)
            for z, at_zoom in groupby(sorted(places), key=lambda place: place[1]):  # ids rise with the zoom
                with source.coarse(_metres(z, bounds)) as picture:
                    for tile_id, _, x, y in at_zoom:
                        tile = _tile(picture, z, x, y)
                        if tile is not None:
                            writer.write_tile(tile_id, tile)
                            count += 1
            if count:
                west, south, east, north = report.bbox or [0, 0, 0, 0]
                header = {
                    "tile_type": TileType.PNG if terrain else TileType.WEBP,
                    "tile_compression": Compression.NONE, "min_zoom": zooms[0], "max_zoom": zooms[1],
                    "min_lon_e7": int(west * 1e7), "min_lat_e7": int(south * 1e7),
                    "max_lon_e7": int(east * 1e7), "max_lat_e7": int(north * 1e7),
                    "center_zoom": zooms[0], "center_lon_e7": int((west + east) * 5e6),
                    "center_lat_e7": int((south + north) * 5e6),
                }  # fmt: skip
                writer.finalize(header, {"name": report.layer, "encoding": "terrarium" if terrain else ""})
        if count:
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return count


def _metres(zoom: int, bounds: tuple[float, ...]) -> float:
    """A tile's pixel on the ground in the raster's middle, metres."""
    _, latitude = _degrees(0.0, (bounds[1] + bounds[3]) / 2)
    return float(2 * _WORLD / 2**zoom / SIZE * math.cos(math.radians(latitude)))


def _tile(source: _Picture, z: int, x: int, y: int) -> bytes | None:
    """One tile's bytes; None where the raster has nothing."""
    from PIL import Image
    from rasterio.transform import from_bounds

    side = 2 * _WORLD / 2**z
    left, top = x * side - _WORLD, _WORLD - y * side
    window = {"transform": from_bounds(left, top - side, left + side, top, SIZE, SIZE), "width": SIZE, "height": SIZE}
    with source.warped(**window) as warped:
        pixels = warped.read(masked=True)
        meaning = warped.colorinterp
    seen = ~np.ma.getmaskarray(pixels[0])
    if not seen.any():
        return None
    if source.terrain:
        heights = np.where(seen, pixels[0].filled(0), 0).astype(float)
        return _encoded(Image.fromarray(terrarium(heights), "RGB"), "PNG")
    colours = _colours(pixels.filled(0), meaning, seen)
    return None if colours is None else _encoded(Image.fromarray(colours, "RGBA"), "WEBP", quality=82)


def terrarium(heights: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Heights in metres as red, green, blue."""
    value = np.clip(heights, -32_768, 32_767) + 32_768
    rest = np.floor((value - np.floor(value)) * 256)
    return np.dstack([np.floor(value / 256), np.floor(value) % 256, rest]).astype(np.uint8)


def _colours(pixels: NDArray[Any], meaning: Any, seen: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    """Bands as RGBA of 8 bits; None where all is transparent."""
    from rasterio.enums import ColorInterp

    alpha = next((k for k, m in enumerate(meaning) if m == ColorInterp.alpha), None)
    shown = [k for k in range(len(pixels)) if k != alpha][:3]
    bands = [_eight_bits(pixels[k]) for k in shown]
    bands = bands if len(bands) == 3 else [bands[0]] * 3
    opaque = seen & (pixels[alpha] > 0) if alpha is not None else seen
    if not opaque.any():
        return None
    return np.dstack([*bands, np.where(opaque, 255, 0).astype(np.uint8)])


def _eight_bits(band: NDArray[Any]) -> NDArray[np.uint8]:
    if band.dtype == np.uint8:
        return np.asarray(band, dtype=np.uint8)
    if np.issubdtype(band.dtype, np.integer):
        high = band.astype(np.int64) >> (8 * (band.dtype.itemsize - 1))
        return np.asarray(high.clip(0, 255), dtype=np.uint8)
    bright = np.nan_to_num(band) * (255 if np.nanmax(band) <= 1 else 1)
    return np.asarray(bright.clip(0, 255), dtype=np.uint8)


def _encoded(picture: Any, form: str, **how: Any) -> bytes:
    target = io.BytesIO()
    picture.save(target, form, **how)
    return target.getvalue()
