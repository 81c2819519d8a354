"""STAC API 1.0.0: core, collections, features and item search, by right; download is logged.

Signed in, or with a key of scope ``ogc`` (as ``/ogc``); the account must be of the centre or of the drone team.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field

from core.errors import Forbidden, InputInvalid, NotFound
from core.records import Actor
from dashboard.answers.stac import StacCatalogue, StacCollection, StacCollections, StacConformance, StacItem, StacItems
from dashboard.api.deps import Use, answers, respond, sends, takes
from dashboard.api.filters import Filters, Text
from dashboard.api.params import body
from dashboard.drones.routes import VIEWERS
from dashboard.interchange.partners import OGC, actor_of
from dashboard.ogc.asked import box, interval
from dashboard.services import Services
from dashboard.stac import shapes
from dashboard.stac.search import MOST, SearchBody, StacWanted, found, mosaics, wanted_of
from events.evidence.audit_log import SYSTEM_CHAIN, append
from storage.drones import DroneStore
from storage.session import session_scope

router = APIRouter(tags=["stac"])
CONFORMANCE = [
    *(f"https://api.stacspec.org/v1.0.0/{part}" for part in ("core", "collections", "ogcapi-features", "item-search")),
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
]


class KeyFilter(Filters):
    """A key in the address, where a client can send no header."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    api_key: Text | None = None


class StacFilters(KeyFilter):
    """What is searched: several collections or ids with commas."""

    collections: Text = ""
    ids: Text = ""
    bbox: Text = ""
    datetime: Text = ""
    limit: int = Field(100, ge=1, le=10_000_000, description="at most 1,000 are given")
    token: int = Field(0, ge=0, le=100_000_000, description="as the link `next` names it")


Asked = Annotated[KeyFilter, Query()]
AskedSearch = Annotated[StacFilters, Query()]


def _viewer(use: Services, request: Request) -> Actor:
    actor = actor_of(use, request, OGC)
    if not set(actor.roles) & set(VIEWERS):
        raise Forbidden(action="see what drones brought")
    return actor


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}/stac"


@router.get("/stac", **answers(StacCatalogue))
@router.get("/stac/", include_in_schema=False)
def landing(request: Request, use: Use, asked: Asked) -> Response:
    """The catalogue: where everything is."""
    _viewer(use, request)
    base = _base(request)
    links = [
        shapes.link(base, "self"), shapes.link(base, "root"), shapes.link(f"{base}/collections", "data"),
        shapes.link(f"{base}/conformance", "conformance"),
        shapes.link(f"{base}/search", "search", shapes.GEOJSON, method="GET"),
        shapes.link(f"{base}/search", "search", shapes.GEOJSON, method="POST"),
        shapes.link(f"{base.removesuffix('/stac')}/api/openapi.json", "service-desc",
                    "application/vnd.oai.openapi+json;version=3.1"),
    ]  # fmt: skip
    for flight in DroneStore(use.engine).flights():
        links.append(shapes.link(f"{base}/collections/{flight.flight_id}", "child", title=flight.name))
    return respond({
        "type": "Catalog", "stac_version": shapes.VERSION, "id": "yiwang", "title": "Yiwang 一网统管",
        "description": "flights of drones and mosaics", "conformsTo": CONFORMANCE, "links": links,
    })  # fmt: skip


@router.get("/stac/conformance", **answers(StacConformance))
def conformance(request: Request, use: Use, asked: Asked) -> Response:
    """The conformance classes."""
    _viewer(use, request)
    return respond({"conformsTo": CONFORMANCE})


@router.get("/stac/collections", **answers(StacCollections))
def collections(request: Request, use: Use, asked: Asked) -> Response:
    """Flights, the newest first, and the mosaics."""
    actor, base, store = _viewer(use, request), _base(request), DroneStore(use.engine)
    items = [shapes.collection_of(base, flight, store.files(flight.flight_id)) for flight in store.flights()]
    rasters = mosaics(use, actor)
    if rasters:
        items.append(shapes.collection_of_mosaics(base, rasters))
    links = [shapes.link(f"{base}/collections", "self"), shapes.link(base, "root")]
    return respond({"collections": items, "links": links})


@router.get("/stac/collections/{name}", **answers(StacCollection))
def collection(name: str, request: Request, use: Use, asked: Asked) -> Response:
    """One flight, or the mosaics."""
    actor, base, store = _viewer(use, request), _base(request), DroneStore(use.engine)
    if name == shapes.MOSAICS:
        return respond(shapes.collection_of_mosaics(base, mosaics(use, actor)))
    flight = next((f for f in store.flights(5000) if f.flight_id == name), None)
    if flight is None:
        raise NotFound(what="collection", key=name[:80])
    return respond(shapes.collection_of(base, flight, store.files(name)))


@router.get("/stac/collections/{name}/items", **answers(StacItems, media=shapes.GEOJSON))
def items(name: str, request: Request, use: Use, asked: AskedSearch) -> Response:
    """A page of a collection's items."""
    actor = _viewer(use, request)
    span, limit = interval(asked.datetime), min(asked.limit, MOST)
    wanted = StacWanted((name,), (), box(asked.bbox), *span, None, limit, asked.token)
    return _page(request, use, actor, wanted, f"/collections/{name}/items")


@router.get("/stac/collections/{name}/items/{key}", **answers(StacItem, media=shapes.GEOJSON))
def item(name: str, key: str, request: Request, use: Use, asked: Asked) -> Response:
    """One item."""
    actor = _viewer(use, request)
    matched, _ = found(use, actor, _base(request), StacWanted((name,), (key,), None, None, None, None, 1, 0))
    if not matched:
        raise NotFound(what="item", key=key[:80])
    return respond(matched[0], headers={"Content-Type": shapes.GEOJSON})


@router.get("/stac/collections/{name}/items/{key}/file", **sends("application/octet-stream"))
def download(name: str, key: str, request: Request, use: Use, asked: Asked) -> Response:
    """The original file; who fetched it stands in the audit chain."""
    actor = _viewer(use, request)
    file = DroneStore(use.engine).file(key)
    if file.flight_id != name:
        raise NotFound(what="item", key=key[:80])
    with session_scope(use.engine) as session:
        append(session, SYSTEM_CHAIN, use.clock.now(), actor.user_id, "drone_download", {"file_id": key})

    def pieces() -> Iterator[bytes]:
        with use.media.files.open(use.media.path(file.uri), "rb") as source:
            while block := source.read(1 << 20):
                yield block

    head = {"Content-Length": str(file.size), "ETag": f'"{file.sha256}"'}
    return StreamingResponse(pieces(), media_type=file.media_type, headers=head)


@router.get("/stac/search", **answers(StacItems, media=shapes.GEOJSON))
def search(request: Request, use: Use, asked: AskedSearch) -> Response:
    """Items by collection, id, box and time."""
    actor = _viewer(use, request)
    names = tuple(filter(None, asked.collections.split(",")))
    ids = tuple(filter(None, asked.ids.split(",")))
    span, limit = interval(asked.datetime), min(asked.limit, MOST)
    wanted = StacWanted(names, ids, box(asked.bbox), *span, None, limit, asked.token)
    return _page(request, use, actor, wanted, "/search")


@router.post("/stac/search", **answers(StacItems, media=shapes.GEOJSON), openapi_extra=takes(SearchBody))
async def search_with_body(request: Request, use: Use, asked: Asked) -> Response:
    """As ``GET``, with ``intersects`` (GeoJSON) besides."""
    actor = _viewer(use, request)
    sent = await body(request, SearchBody)
    if sent.bbox is not None and sent.intersects is not None:
        raise InputInvalid(field="bbox", detail="cannot stand beside intersects", how="send one of them")
    return _page(request, use, actor, wanted_of(sent), "/search")


def _page(request: Request, use: Services, actor: Actor, wanted: StacWanted, path: str) -> Response:
    base = _base(request)
    matched, total = found(use, actor, base, wanted)
    own = f"{base}{path}"
    links: list[dict[str, Any]] = [shapes.link(own, "self", shapes.GEOJSON), shapes.link(base, "root")]
    after = wanted.offset + len(matched)
    if after < total and matched:
        if request.method == "GET":
            address = request.url.include_query_params(token=after).remove_query_params("api_key")
            links.append(shapes.link(f"{base}{path}?{address.query}", "next", shapes.GEOJSON, method="GET"))
        else:
            links.append({**shapes.link(own, "next", shapes.GEOJSON, method="POST"), "body": {"token": after},
                          "merge": True})  # fmt: skip
    page = {"type": "FeatureCollection", "features": matched, "links": links, "numberMatched": total,
            "numberReturned": len(matched)}  # fmt: skip
    return respond(page, headers={"Content-Type": shapes.GEOJSON})
