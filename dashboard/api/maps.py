"""The map: layers as GeoJSON, tiles, the style's sources."""

from __future__ import annotations

import gzip
import json
import time
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import select

from core.errors import NotFound
from dashboard import queries
from dashboard.answers.maps import FeatureCollection, MapStyle
from dashboard.api.deps import Use, Who, answers, respond, sends
from dashboard.api.filters import Filters, Word
from dashboard.layers.routes import listed
from dashboard.services import Services
from events.cases.queries import MAX_PAGE, CaseFilter, list_cases
from layers.ground.drawing import MAX_ZOOM, MIN_ZOOM
from layers.ground.kept import DrawnGround
from layers.tiles import load_tilesets
from storage.session import read_scope
from storage.tables.registry import Camera

router = APIRouter(tags=["map"])

LAYERS = ("sites", "cameras", "cases", "divisions", "devices", "views")
KEPT_S = 10.0
MAX_CASES = 5000
Theme = Literal["night", "day", "contrast"]


@router.get("/api/map/style.json", **answers(MapStyle))
def style(use: Use, who: Who) -> Response:
    """Tile sources, the first view, and the district's own layers as /api/layers lists them."""
    sources = {
        name: {
            "type": "vector",
            "tiles": [f"/tiles/{name}/{{z}}/{{x}}/{{y}}.pbf"],
            "minzoom": tiles.min_zoom,
            "maxzoom": tiles.max_zoom,
            "bounds": list(tiles.bounds),
        }
        for name, tiles in tilesets(use).items()
    }
    drawn = _drawn_source(use)
    ground = {"drawn": drawn} if drawn else {}
    return respond({"sources": sources, "metadata": first_view(use), "layers": listed(use, who), **ground})


def _drawn_source(use: Services) -> dict[str, Any] | None:
    ground = drawn_ground(use)
    if ground.bounds is None:
        return None
    tiles = [f"/tiles/drawn/{ground.mark}/{{theme}}/{{z}}/{{x}}/{{y}}.webp"]
    return {"tiles": tiles, "minzoom": MIN_ZOOM, "maxzoom": MAX_ZOOM, "bounds": list(ground.bounds)}


def drawn_ground(use: Services) -> DrawnGround:
    """The ground drawn from the tilesets as they are in memory."""
    tiles = tilesets(use)
    kept: tuple[int, DrawnGround] | None = use.counters.get("drawn")
    if kept is None or kept[0] != id(tiles):
        kept = use.counters["drawn"] = (id(tiles), DrawnGround(use.settings.tiles_dir, tiles))
    return kept[1]


def first_view(use: Services) -> dict[str, Any]:
    """Where the map starts: from the city's ``city.json``, else the middle of the tiles."""
    file = use.settings.data_dir / "city" / "city.json"
    view: dict[str, Any] = {"zoom": 12, "pitch": 45, "bearing": 0, "generated": True}
    if file.is_file():
        view |= json.loads(file.read_text(encoding="utf-8"))
    divisions = tilesets(use).get("divisions")
    if divisions is not None:
        west, south, east, north = divisions.bounds
        view["bounds"] = [[west, south], [east, north]]
        view["centre"] = view.get("centre") or [(west + east) / 2, (south + north) / 2]
    view["center"] = view.get("centre")
    return view


def tilesets(use: Services) -> dict[str, Any]:
    """The tilesets in memory; looked for again while there are none (an import may be running)."""
    if not use.tilesets:
        asked = use.counters.get("tiles_asked", -1e9)
        if time.monotonic() - asked > 5:
            use.counters["tiles_asked"] = time.monotonic()
            use.tilesets = load_tilesets(use.settings.tiles_dir)
    return use.tilesets


@router.get("/tiles/{tileset}/{z}/{x}/{y}.pbf", **sends("application/x-protobuf"))
def tile(tileset: str, z: int, x: int, y: int, request: Request, use: Use, who: Who) -> Response:
    """A vector tile; 204 where nothing lies."""
    del who
    tiles = tilesets(use).get(tileset)
    if tiles is None:
        raise NotFound(what="tileset", key=tileset)
    data = tiles.get(z, x, y)
    headers = {"Cache-Control": "private, max-age=3600"}
    if data is None:
        return Response(status_code=204, headers=headers)
    if tiles.encoding == "gzip":
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        else:
            data = gzip.decompress(data)
    return Response(data, media_type="application/x-protobuf", headers=headers)


@router.get("/tiles/drawn/{mark}/{theme}/{z}/{x}/{y}.webp", **sends("image/webp"))
def drawn(mark: str, theme: Theme, z: int, x: int, y: int, use: Use, who: Who) -> Response:
    """Streets, buildings and land drawn as a picture, 512 × 512; ``mark`` names the state of the data."""
    del who
    ground = drawn_ground(use)
    data = ground.tile(theme, z, x, y)
    if data is None:
        raise NotFound(what="drawn tile", key=f"{z}/{x}/{y}")
    kept = "private, max-age=31536000, immutable" if mark == ground.mark else "no-cache"
    return Response(data, media_type="image/webp", headers={"Cache-Control": kept})


class LayerFilters(Filters):
    """Filters of a map layer."""

    level: Word | None = Field(None, description="of divisions: district, street, community …", max_length=40)
    kind: Word | None = Field(None, description="of sites", max_length=40)


@router.get("/api/map/{layer}.geojson", **answers(FeatureCollection, media="application/geo+json"))
def layer(layer: str, request: Request, asked: Annotated[LayerFilters, Query()], use: Use, who: Who) -> Response:
    """sites, cameras, views (the ground that cameras see), cases, divisions, devices; only what the person may see."""
    if layer not in LAYERS:
        raise NotFound(what="map layer", key=layer)
    if layer == "cases":
        return respond(queries.collection(_cases(use, who)))
    rights = "centre" if queries.sees_all(who.actor) else who.actor.user_id
    wish = asked.level or asked.kind or ""
    kept: dict[tuple[str, str, str], tuple[float, bytes]] = use.counters.setdefault("layers", {})
    key = (layer, rights if layer in {"cameras", "devices", "views"} else "all", wish)
    known = kept.get(key)
    if known is None or known[0] < time.monotonic() - KEPT_S:
        data = msgspec.json.encode(queries.collection(_features(use, who, layer, wish)))
        if len(kept) >= 512:
            kept.clear()
        known = kept[key] = (time.monotonic(), gzip.compress(data, 1))
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(known[1], media_type="application/geo+json", headers=headers)
    return Response(gzip.decompress(known[1]), media_type="application/geo+json")


def _features(use: Services, who: Any, layer: str, wish: str) -> list[dict[str, Any]]:
    with read_scope(use.engine) as session:
        if layer == "divisions":
            return queries.division_features(session, wish or None)
        if layer == "sites":
            return [queries.feature(r["lon"], r["lat"], r) for r in queries.site_rows(session, wish or None)]
        if layer == "devices":
            rows, _ = queries.device_page(session, who.actor, use.hub.states, {}, 100_000, 0)
            places = [(r["location"] or {"lon": r["lon"], "lat": r["lat"]}, r) for r in rows]
            return [queries.feature(p["lon"], p["lat"], r) for p, r in places if p["lon"] is not None]
        if layer == "views":
            return queries.view_features(session, who.actor)
        columns = (
            Camera.camera_id,
            Camera.name,
            Camera.name_en,
            Camera.category,
            Camera.site_id,
            Camera.enabled,
            Camera.lon,
            Camera.lat,
        )
        query = select(*columns).where(queries.visible_cameras(who.actor), Camera.lon.is_not(None))
        if wish:
            query = query.where(Camera.category == wish)
        states = use.hub.states
        return [
            queries.feature(
                lon,
                lat,
                {
                    "camera_id": camera_id,
                    "name": name,
                    "name_en": english or "",
                    "category": category,
                    "site_id": site_id,
                    "enabled": enabled,
                    "state": queries.state_of(states, "camera", camera_id).get("state")
                    or ("unknown" if enabled else "never"),
                    "seen_at": queries.state_of(states, "camera", camera_id).get("at"),
                },
            )
            for camera_id, name, english, category, site_id, enabled, lon, lat in session.execute(query)
        ]


def _cases(use: Services, who: Any) -> list[dict[str, Any]]:
    """Open cases with a place, newest first, at most ``MAX_CASES``."""
    features: list[dict[str, Any]] = []
    cursor: str | None = None
    with read_scope(use.engine) as session:
        while len(features) < MAX_CASES:
            page = list_cases(session, who.actor, CaseFilter(open=True), cursor, MAX_PAGE)
            features += [
                queries.feature(item.lon, item.lat, msgspec.to_builtins(item))
                for item in page.items
                if item.lon is not None
            ]
            cursor = page.next
            if cursor is None:
                break
    return features
