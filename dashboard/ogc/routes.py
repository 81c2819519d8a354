"""``/ogc``: OGC API Features Part 1 (17-069) and Tiles Part 1 (20-057).

Signed in, or with a key of scope ``ogc`` (``X-API-Key``, Bearer, Basic password, ``api_key``).  Coordinates are CRS84
(longitude, latitude).  A query parameter that is not understood is 400, as the standard asks.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import UTC
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response

from core.errors import NotFound
from core.records import Actor
from dashboard.answers.standards import (
    OgcCollection,
    OgcCollections,
    OgcConformance,
    OgcDescription,
    OgcFeature,
    OgcFeatures,
    OgcGrid,
    OgcGrids,
    OgcLanding,
    OgcTileset,
    OgcTilesets,
)
from dashboard.api.deps import Use, answers, respond, sends
from dashboard.interchange.partners import OGC, actor_of
from dashboard.ogc.asked import Asked, ItemFilters, box, interval
from dashboard.ogc.grids import GRID, QUAD, limits, tile_matrix_set
from dashboard.ogc.point_tiles import LARGEST, point_tile, tile_box
from dashboard.ogc.sources import Collection, FeaturesWanted, collection, collections, find, one
from layers.catalogue.archive import Archives

router = APIRouter(tags=["ogc"])

GEOJSON, MVT = "application/geo+json", "application/vnd.mapbox-vector-tile"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf"
_TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
CONFORMANCE = [
    *(f"{_FEATURES}/{part}" for part in ("core", "oas30", "geojson")),
    *(f"{_TILES}/{part}" for part in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt")),
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
]
OPENAPI_3 = "application/vnd.oai.openapi+json;version=3.0"
_archives = Archives()


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}/ogc"


def _link(href: str, rel: str, kind: str = "application/json", title: str = "") -> dict[str, str]:
    return {"href": href, "rel": rel, "type": kind, **({"title": title} if title else {})}


@router.get("/ogc", **answers(OgcLanding))
@router.get("/ogc/", include_in_schema=False)
def landing(request: Request, use: Use, asked: Asked) -> Response:
    """Where everything is."""
    actor_of(use, request, OGC)
    base = _base(request)
    return respond({
        "title": "Yiwang 一网统管", "description": "layers, sites, cameras, divisions and cases, by right",
        "links": [
            _link(base, "self"), _link(f"{base}/api", "service-desc", OPENAPI_3),
            _link(f"{base}/conformance", "conformance"), _link(f"{base}/collections", "data"),
            _link(f"{base}/tileMatrixSets", "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes"),
        ],
    })  # fmt: skip


@router.get("/ogc/conformance", **answers(OgcConformance))
def conformance(request: Request, use: Use, asked: Asked) -> Response:
    """The conformance classes."""
    actor_of(use, request, OGC)
    return respond({"conformsTo": CONFORMANCE})


@router.get("/ogc/api", **answers(OgcDescription, media=OPENAPI_3))
def definition(request: Request, use: Use, asked: Asked) -> Response:
    """The API as OpenAPI 3.0."""
    actor_of(use, request, OGC)
    said = {"200": {"description": "ok"}}
    paths = {path.removeprefix("/ogc") or "/": {"get": {"summary": summary, "responses": said}}
             for path, summary in sorted(_paths().items())}  # fmt: skip
    body = {"openapi": "3.0.3", "info": {"title": "Yiwang OGC API", "version": "1.0"}, "paths": paths,
            "servers": [{"url": _base(request)}]}  # fmt: skip
    return respond(body, headers={"Content-Type": OPENAPI_3})


def _paths() -> dict[str, str]:
    routes = [(getattr(r, "path", ""), getattr(r, "endpoint", None)) for r in router.routes]
    return {path: (end.__doc__ or "").split("\n")[0] for path, end in routes if end is not None and path != "/ogc/"}


@router.get("/ogc/collections", **answers(OgcCollections))
def listed(request: Request, use: Use, asked: Asked) -> Response:
    """The collections that the asker may see."""
    actor = actor_of(use, request, OGC)
    base = _base(request)
    found = [_described(base, c) for c in collections(use, actor)]
    return respond({"links": [_link(f"{base}/collections", "self")], "collections": found})


@router.get("/ogc/collections/{name}", **answers(OgcCollection))
def single(name: str, request: Request, use: Use, asked: Asked) -> Response:
    """One collection."""
    actor = actor_of(use, request, OGC)
    return respond(_described(_base(request), collection(use, actor, name)))


def _described(base: str, source: Collection) -> dict[str, Any]:
    address = f"{base}/collections/{quote(source.name)}"
    links = [_link(address, "self"), _link(f"{address}/items", "items", GEOJSON)]
    if source.tiles is not None or source.points:
        links.append(_link(f"{address}/tiles", "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"))
    if source.licence:
        links.append(_link("https://opendatacommons.org/licenses/odbl/1.0/" if "ODbL" in source.licence else address,
                           "license", "text/html", source.licence))  # fmt: skip
    extent: dict[str, Any] = {}
    if source.extent is not None:
        extent["spatial"] = {"bbox": [list(source.extent)], "crs": CRS84}
    if source.timed:
        extent["temporal"] = {"interval": [[None, None]]}
    attribution = {"attribution": source.attribution} if source.attribution else {}
    return {"id": source.name, "title": source.title, "description": source.description, "itemType": "feature",
            "crs": [CRS84], "extent": extent, "links": links, **attribution}  # fmt: skip


@router.get("/ogc/collections/{name}/items", **answers(OgcFeatures, media=GEOJSON))
def items(name: str, request: Request, use: Use, asked: Annotated[ItemFilters, Query()]) -> Response:
    """Features as GeoJSON with numberMatched."""
    actor = actor_of(use, request, OGC)
    source = collection(use, actor, name)
    since, until = interval(asked.datetime)
    wanted = FeaturesWanted(min(10_000, asked.limit), asked.offset, box(asked.bbox), since, until)
    found = find(use, actor, source, wanted)
    address = f"{_base(request)}/collections/{quote(source.name)}"
    kept = asked.model_dump(exclude_unset=True, exclude={"offset", "api_key"}, mode="json")
    links = [_link(_with(f"{address}/items", kept, wanted.offset), "self", GEOJSON), _link(address, "collection")]
    if wanted.offset + len(found.features) < found.total and found.features:
        links.append(_link(_with(f"{address}/items", kept, wanted.offset + len(found.features)), "next", GEOJSON))
    stamp = use.clock.now().astimezone(UTC).isoformat().replace("+00:00", "Z")
    body = {"type": "FeatureCollection", "timeStamp": stamp, "numberMatched": found.total,
            "numberReturned": len(found.features), "features": found.features, "links": links}  # fmt: skip
    return respond(body, headers={"Content-Type": GEOJSON, "Content-Crs": f"<{CRS84}>"})


def _with(address: str, query: Mapping[str, str], offset: int) -> str:
    parts = {**query, **({"offset": str(offset)} if offset else {})}
    return f"{address}?{urlencode(parts)}" if parts else address


@router.get("/ogc/collections/{name}/items/{key}", **answers(OgcFeature, media=GEOJSON))
def item(name: str, key: str, request: Request, use: Use, asked: Asked) -> Response:
    """One feature."""
    actor = actor_of(use, request, OGC)
    source = collection(use, actor, name)
    address = f"{_base(request)}/collections/{quote(source.name)}"
    found = one(use, actor, source, key)
    links = [_link(f"{address}/items/{quote(key)}", "self", GEOJSON), _link(address, "collection")]
    return respond({**found, "links": links}, headers={"Content-Type": GEOJSON, "Content-Crs": f"<{CRS84}>"})


# tiles ----------------------------------------------------------------
@router.get("/ogc/tileMatrixSets", **answers(OgcGrids))
def grids(request: Request, use: Use, asked: Asked) -> Response:
    """The tiling schemes: WebMercatorQuad."""
    actor_of(use, request, OGC)
    address = f"{_base(request)}/tileMatrixSets/{GRID}"
    return respond(
        {"tileMatrixSets": [{"id": GRID, "title": "Web Mercator", "uri": QUAD, "links": [_link(address, "self")]}]}
    )


@router.get("/ogc/tileMatrixSets/{grid}", **answers(OgcGrid))
def grid_of(grid: str, request: Request, use: Use, asked: Asked) -> Response:
    """One tiling scheme."""
    actor_of(use, request, OGC)
    if grid != GRID:
        raise NotFound(what="tile matrix set", key=grid[:60])
    return respond(tile_matrix_set())


@router.get("/ogc/collections/{name}/tiles", **answers(OgcTilesets))
def tilesets(name: str, request: Request, use: Use, asked: Asked) -> Response:
    """The tile sets of a collection."""
    actor = actor_of(use, request, OGC)
    return respond({"tilesets": [_tileset(_base(request), _tiled(use, actor, name))]})


@router.get("/ogc/collections/{name}/tiles/{grid}", **answers(OgcTileset))
def tileset(name: str, grid: str, request: Request, use: Use, asked: Asked) -> Response:
    """One tile set, with the template of its tiles."""
    actor = actor_of(use, request, OGC)
    source = _tiled(use, actor, name)
    if grid != GRID:
        raise NotFound(what="tile matrix set", key=grid[:60])
    return respond(_tileset(_base(request), source))


def _tiled(use: Use, actor: Actor, name: str) -> Collection:
    source = collection(use, actor, name)
    if source.tiles is None and not source.points:
        raise NotFound(what="tiles of collection", key=name[:80])
    return source


def _tileset(base: str, source: Collection) -> dict[str, Any]:
    address = f"{base}/collections/{quote(source.name)}/tiles/{GRID}"
    template = _link(f"{address}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", "item", MVT) | {"templated": True}
    scheme = _link(f"{base}/tileMatrixSets/{GRID}", "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme")
    west, south, east, north = source.extent or (-180.0, -85.0, 180.0, 85.0)
    return {
        "title": source.title, "dataType": "vector", "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        "tileMatrixSetURI": QUAD, "links": [_link(address, "self"), scheme, template],
        "boundingBox": {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84},
        "tileMatrixSetLimits": limits(source.zooms, (west, south, east, north)),
        "layers": [{"id": source.source_layer, "dataType": "vector"}],
    }  # fmt: skip


@router.get("/ogc/collections/{name}/tiles/{grid}/{matrix}/{row}/{column}", **sends(MVT))
def tile(
    name: str, grid: str, matrix: int, row: int, column: int, request: Request, use: Use, asked: Asked
) -> Response:
    """A vector tile: row before column; 204 where nothing lies, 404 outside the grid."""
    actor = actor_of(use, request, OGC)
    source = _tiled(use, actor, name)
    if grid != GRID or not 0 <= matrix <= 30 or not (0 <= row < 2**matrix and 0 <= column < 2**matrix):
        raise NotFound(what="tile", key=f"{grid}/{matrix}/{row}/{column}"[:80])
    if source.points:
        return _of_points(use, actor, source, (matrix, column, row))
    try:
        tiles = _archives.of(source.tiles)  # type: ignore[arg-type]  # _tiled has looked
    except OSError as error:
        raise NotFound(what="tiles of collection", key=name[:80]) from error
    data = tiles.get(matrix, column, row)
    if data is None:
        return Response(status_code=204)
    headers = {"Cache-Control": "private, max-age=300"}
    if tiles.encoding == "gzip":
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        else:
            data = gzip.decompress(data)
    return Response(data, media_type=MVT, headers=headers)


def _of_points(use: Use, actor: Actor, source: Collection, at: tuple[int, int, int]) -> Response:
    """A tile of what lies there now, by right; nobody keeps it."""
    wanted = FeaturesWanted(limit=LARGEST, box=tile_box(*at))
    data = point_tile(source.source_layer, find(use, actor, source, wanted).features, *at)
    headers = {"Cache-Control": "no-store"}
    return Response(data, media_type=MVT, headers=headers) if data else Response(status_code=204, headers=headers)
