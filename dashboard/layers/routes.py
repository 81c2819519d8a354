"""``/api/layers``: the layers that a person may see, with legend, source and date; ``/tiles/layer/…``: their tiles."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from core import plugins
from core.errors import NotFound
from dashboard.answers.maps import LayerList
from dashboard.api.deps import Use, Who, answers, respond, sends
from dashboard.auth import Principal
from dashboard.drones import finding_routes
from dashboard.drones import routes as drones
from dashboard.registers.places import PlaceDesk
from dashboard.services import Services
from layers.catalogue.archive import Archives
from layers.catalogue.record import LayerRecord, layer, layers, tiles_of
from layers.contract import LayerKind

router = APIRouter(tags=["map"])
_archives = Archives()
_MEDIA = {
    "pbf": "application/x-protobuf",
    "webp": "image/webp",
    "png": "image/png",
}


@router.get("/api/layers", **answers(LayerList))
def catalogue(use: Use, who: Who) -> Response:
    """The layers that the person may see, in the order of drawing.

    Each: name, kind, title (zh, en), form (vector, raster, terrain), tiles (address), zooms, bbox, style (MapLibre
    layers; ``@name`` is a colour of ``palette`` by theme), legend, features, source, date, licence, attribution,
    generated.
    """
    return respond({"items": listed(use, who)})


def listed(use: Services, who: Principal) -> list[dict[str, Any]]:
    """The district's layers, what drones brought, and counts of the registers a grid cell, by right."""
    roles = frozenset(who.actor.roles)
    brought = [layer for layer in (drones.layer(use, roles), finding_routes.layer(use, roles)) if layer]
    counts = PlaceDesk(use, who.actor).layers()
    return [*(described(record) for record in visible(use, who)), *brought, *counts]


def visible(use: Services, who: Principal) -> list[LayerRecord]:
    """Layers by right."""
    return [record for record in layers(use.settings) if record.may_see(frozenset(who.actor.roles))]


def described(record: LayerRecord) -> dict[str, Any]:
    """One layer as the pages need it."""
    kind = record.drawn()
    about = plugins.about("layer", record.kind)
    return {
        "name": record.name,
        "kind": record.kind,
        "kind_title": {"zh": about.zh, "en": about.en},
        "title": record.title,
        "form": kind.form,
        "tiles": f"/tiles/layer/{record.name}/{{z}}/{{x}}/{{y}}.{extension(kind)}",
        "zooms": record.zooms,
        "bbox": record.bbox,
        "style": [_with_source(record, kind, style) for style in kind.style],
        "palette": kind.palette,
        "legend": [{"colour": e.colour, "zh": e.zh, "en": e.en, "shape": e.shape} for e in kind.legend],
        "order": kind.order,
        "features": record.features,
        "generated": record.generated,
        **{name: getattr(record, name) for name in ("source", "date", "licence", "attribution", "imported_at")},
    }


def _with_source(record: LayerRecord, kind: LayerKind, style: Mapping[str, Any]) -> dict[str, Any]:
    source_layer = {"source-layer": record.name} if kind.form == "vector" else {}
    return {"source": f"layer:{record.name}", **source_layer, **style}


def extension(kind: LayerKind) -> str:
    """How tile addresses of the kind end."""
    return {"vector": "pbf", "raster": "webp", "terrain": "png"}[kind.form]


@router.get("/tiles/layer/{name}/{z}/{x}/{y}.{form}", **sends(*_MEDIA.values()))
def tile(name: str, z: int, x: int, y: int, form: str, request: Request, use: Use, who: Who) -> Response:
    """A tile of a layer (pbf, webp or png by its form); 204 where nothing lies, 404 where the person may not look."""
    return tile_of(use, who, name, (z, x, y), form, request)


def tile_of(
    use: Services, who: Principal, name: str, place: tuple[int, int, int], form: str, request: Request
) -> Response:
    """The answer for one tile, rights checked."""
    record = layer(use.settings, name)
    if not record.may_see(frozenset(who.actor.roles)) or form != extension(record.drawn()):
        raise NotFound(what="layer", key=name)
    try:
        tiles = _archives.of(tiles_of(use.settings, name))
    except OSError as error:
        raise NotFound(what="tiles of layer", key=name) from error
    data = tiles.get(*place)
    headers = {"Cache-Control": "private, max-age=300"}
    if data is None:
        return Response(status_code=204, headers=headers)
    if tiles.encoding == "gzip":
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        else:
            data = gzip.decompress(data)
    return Response(data, media_type=_MEDIA[form], headers=headers)
