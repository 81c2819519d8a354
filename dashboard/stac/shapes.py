"""Flights as collections, files and mosaics as items: pure, from what the store gives to STAC's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from layers.catalogue.record import LayerRecord
from storage.drones import FileView, FlightView

VERSION = "1.1.0"
MOSAICS = "mosaics"
GEOJSON = "application/geo+json"
Box = tuple[float, float, float, float]
Json = dict[str, Any]
_WORLD = [-180.0, -90.0, 180.0, 90.0]


def utc(moment: datetime) -> str:
    """RFC 3339 in UTC, with Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def link(href: str, rel: str, kind: str = "application/json", **more: str) -> Json:
    """A STAC link."""
    return {"href": href, "rel": rel, "type": kind, **more}


def outline(file: FileView) -> tuple[Json | None, list[float] | None]:
    """(geometry, bbox): the footprint counter-clockwise, else where the camera was; both None without a place."""
    corners = file.place.get("corners") or []
    if len(corners) >= 4:
        ring = [[float(x), float(y)] for x, y, *_ in corners]
        twice = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))
        ring = ring if twice > 0 else ring[::-1]
        shape: Json = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        return shape, _bounds(ring)
    spot = file.place.get("centre") or file.position
    if not spot:
        return None, None
    return {"type": "Point", "coordinates": [float(v) for v in spot[:2]]}, _bounds([spot])


def _bounds(spots: Sequence[Sequence[float]]) -> list[float]:
    xs, ys = [float(s[0]) for s in spots], [float(s[1]) for s in spots]
    return [min(xs), min(ys), max(xs), max(ys)]


def item_of(base: str, file: FileView) -> Json:
    """A file as an item: ``datetime`` is when it was taken, else when it arrived (``yw:undated``)."""
    geometry, bbox = outline(file)
    own = f"{base}/collections/{file.flight_id}/items/{file.file_id}"
    place = file.place
    properties: Json = {
        "datetime": utc(file.taken_at or file.created_at), "created": utc(file.created_at),
        "title": file.name, "yw:kind": file.kind, "yw:flight": file.flight_id, "yw:sha256": file.sha256,
        **({"platform": file.camera, "instruments": [file.camera]} if file.camera else {}),
        **({"gsd": place["gsd_cm"] / 100} if place.get("gsd_cm") else {}),
        **({"yw:uncertainty_m": place["uncertainty_m"]} if place.get("uncertainty_m") is not None else {}),
        **({"yw:height_m": place["height_m"]} if place.get("height_m") is not None else {}),
        **({"yw:method": place["method"]} if place.get("method") else {}),
        **({"yw:undated": True} if file.taken_at is None else {}),
        **({"yw:problems": [p["code"] for p in file.problems]} if file.problems else {}),
    }  # fmt: skip
    assets: Json = {"data": {"href": f"{own}/file", "type": file.media_type, "title": file.name, "roles": ["data"]}}
    if file.kind in ("jpeg", "tiff"):
        preview = f"{base.removesuffix('/stac')}/api/drone/files/{file.file_id}/picture"
        assets["thumbnail"] = {"href": preview, "type": "image/jpeg", "roles": ["thumbnail"]}
    return _item(base, file.file_id, file.flight_id, geometry, bbox, properties, assets)


def item_of_layer(base: str, layer: LayerRecord, at: datetime) -> Json:
    """A raster layer as an item of the collection ``mosaics``; its tiles are the asset."""
    west, south, east, north = layer.bbox
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    root = base.removesuffix("/stac")
    tiles = {"href": f"{root}/layers/{quote(layer.name)}/{{z}}/{{x}}/{{y}}", "type": "image/png", "roles": ["visual"]}
    properties: Json = {
        "datetime": utc(at), "title": layer.title.get("zh") or layer.name, "yw:kind": layer.kind,
        **({"yw:source": layer.source} if layer.source else {}),
    }  # fmt: skip
    shape = {"type": "Polygon", "coordinates": [ring]}
    return _item(base, layer.name, MOSAICS, shape, list(layer.bbox), properties, {"tiles": tiles})


def _item(
    base: str, item_id: str, collection: str, geometry: Json | None, bbox: list[float] | None, properties: Json,
    assets: Json,
) -> Json:  # fmt: skip
    above = f"{base}/collections/{quote(collection)}"
    return {
        "type": "Feature", "stac_version": VERSION, "stac_extensions": [], "id": item_id, "geometry": geometry,
        **({"bbox": bbox} if bbox is not None else {}), "properties": properties, "collection": collection,
        "links": [
            link(f"{above}/items/{quote(item_id)}", "self", GEOJSON), link(above, "parent"),
            link(above, "collection"), link(base, "root"),
        ],
        "assets": assets,
    }  # fmt: skip


def collection_of(base: str, flight: FlightView, files: Sequence[FileView]) -> Json:
    """A flight as a collection; its extent is that of its files."""
    boxes = [box for file in files if (box := outline(file)[1]) is not None]
    spatial = [min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes),
               max(b[3] for b in boxes)] if boxes else _WORLD  # fmt: skip
    first, last = flight.first_at or flight.created_at, flight.last_at or flight.created_at
    said = f"{flight.aircraft or 'drone'}, {flight.files} files, {flight.placed} with a place"
    return _collection(base, flight.flight_id, flight.name or flight.flight_id, said, spatial, [utc(first), utc(last)])


def collection_of_mosaics(base: str, layers: Sequence[LayerRecord]) -> Json:
    """Every picture of the ground that was laid together or imported."""
    boxes = [layer.bbox for layer in layers]
    spatial = [min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes),
               max(b[3] for b in boxes)] if boxes else _WORLD  # fmt: skip
    return _collection(base, MOSAICS, "Mosaics", "georeferenced pictures of the ground", spatial, [None, None])


def _collection(base: str, name: str, title: str, said: str, spatial: list[float], span: list[str | None]) -> Json:
    own = f"{base}/collections/{quote(name)}"
    return {
        "type": "Collection", "stac_version": VERSION, "stac_extensions": [], "id": name, "title": title,
        "description": said, "license": "other", "keywords": ["drone"],
        "extent": {"spatial": {"bbox": [spatial]}, "temporal": {"interval": [span]}},
        "links": [
            link(own, "self"), link(base, "parent"), link(base, "root"), link(f"{own}/items", "items", GEOJSON),
        ],
    }  # fmt: skip
