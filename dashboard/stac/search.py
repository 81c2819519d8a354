"""Which items are wanted, and those that are: files of flights first, then mosaics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import shapely
import shapely.errors
import shapely.geometry

from core.errors import InputInvalid
from core.records import Actor
from dashboard.ogc.asked import interval
from dashboard.services import Services
from dashboard.stac import shapes
from layers.catalogue.record import LayerRecord, layers
from storage.drones import DroneStore

MOST = 1000  # items of one page
Json = dict[str, Any]


class SearchBody(msgspec.Struct):
    """Body of ``POST /stac/search``; ``token``: as the link ``next`` names it."""

    collections: list[str] = []
    ids: list[str] = []
    bbox: list[float] | None = None
    datetime: str | None = None
    intersects: dict[str, Any] | None = None
    limit: int = 100
    token: int = 0


@dataclass(frozen=True)
class StacWanted:
    """Empty or None: everything; ``since`` and ``until`` are included."""

    collections: tuple[str, ...]
    ids: tuple[str, ...]
    box: tuple[float, float, float, float] | None
    since: datetime | None
    until: datetime | None
    shape: Any
    limit: int
    offset: int


def wanted_of(sent: SearchBody) -> StacWanted:
    """The body, checked."""
    if not 1 <= sent.limit <= 10_000_000 or not 0 <= sent.token <= 100_000_000:
        raise InputInvalid(field="limit", detail="is out of range", how=f"give 1 … {MOST}")
    box = None
    if sent.bbox is not None:
        flat = {4: (0, 1, 2, 3), 6: (0, 1, 3, 4)}.get(len(sent.bbox), ())
        numbers = [sent.bbox[place] for place in flat]
        if not numbers or numbers[0] > numbers[2] or numbers[1] > numbers[3]:
            raise InputInvalid(field="bbox", detail="is no box", how="send west, south, east, north")
        box = (numbers[0], numbers[1], numbers[2], numbers[3])
    shape = None
    if sent.intersects is not None:
        try:
            shape = shapely.geometry.shape(sent.intersects)
            shapely.prepare(shape)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, shapely.errors.ShapelyError) as error:
            raise InputInvalid(field="intersects", detail="is no geometry", how="send GeoJSON") from error
    since, until = interval(sent.datetime or "")
    return StacWanted(
        tuple(sent.collections), tuple(sent.ids), box, since, until, shape, min(sent.limit, MOST), sent.token
    )


def mosaics(use: Services, actor: Actor) -> list[LayerRecord]:
    """Raster layers that ``actor`` may see."""
    return [r for r in layers(use.settings) if r.drawn().form == "raster" and r.may_see(frozenset(actor.roles))]


def found(use: Services, actor: Actor, base: str, wanted: StacWanted) -> tuple[list[Json], int]:
    """(the page's items, how many fit in all)."""
    store = DroneStore(use.engine)
    one = wanted.collections[0] if len(wanted.collections) == 1 else None
    rows = [] if one == shapes.MOSAICS else store.files(one)
    items = [
        shapes.item_of(base, file) for file in rows
        if (not wanted.collections or file.flight_id in wanted.collections)
        and (not wanted.ids or file.file_id in wanted.ids)
    ]  # fmt: skip
    if not wanted.collections or shapes.MOSAICS in wanted.collections:
        items += [
            shapes.item_of_layer(base, layer, _moment(layer)) for layer in mosaics(use, actor)
            if not wanted.ids or layer.name in wanted.ids
        ]  # fmt: skip
    fit = [item for item in items if _fits(item, wanted)]
    return fit[wanted.offset : wanted.offset + wanted.limit], len(fit)


def _moment(layer: LayerRecord) -> datetime:
    for text in (layer.date, layer.imported_at):
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            continue
        return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return datetime(2000, 1, 1, tzinfo=UTC)


def _fits(item: Json, wanted: StacWanted) -> bool:
    at = datetime.fromisoformat(item["properties"]["datetime"])
    if (wanted.since is not None and at < wanted.since) or (wanted.until is not None and at > wanted.until):
        return False
    if wanted.box is None and wanted.shape is None:
        return True
    if item["geometry"] is None:
        return False
    shape = shapely.geometry.shape(item["geometry"])
    if wanted.box is not None and not shape.intersects(shapely.box(*wanted.box)):
        return False
    return wanted.shape is None or bool(shape.intersects(wanted.shape))
