"""Registers on the map and what people keep: buildings with what is inside by right, counts a cell, views, mappings."""

from __future__ import annotations

import asyncio
import io
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from dashboard.answers.maps import FeatureCollection
from dashboard.answers.registers import BuildingInside, Headings, MappingList, MappingRow, SavedView, SavedViews
from dashboard.api.deps import Use, Who, answers, packed, respond, sends, takes, takes_file
from dashboard.api.filters import Filters, Text
from dashboard.api.params import body
from dashboard.registers.keeping import KeepingDesk
from dashboard.registers.places import PlaceDesk

router = APIRouter()
_reading = asyncio.Semaphore(2)


class BuildingFilters(Filters):
    """Which building: its number, or the place where one is drawn."""

    number: Text = Field("", description="the building's number (房屋编号)")
    lon: float | None = Field(None, ge=-180, le=180)
    lat: float | None = Field(None, ge=-90, le=90)


class HeadingFilters(Filters):
    """The file whose headings are asked."""

    name: Text = Field("upload", description="the file's name")


class ViewBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /api/registers/{register_id}/views``: the list's filters under a name."""

    name: str
    filters: dict[str, Any]


class ViewName(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/registers/{register_id}/views/remove``."""

    name: str


class MappingBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /api/registers/{register_id}/mappings``: heading → field under a name."""

    name: str
    mapping: dict[str, str]


@router.get("/api/building", **answers(BuildingInside))
def building(asked: Annotated[BuildingFilters, Query()], use: Use, who: Who) -> Response:
    """A registered building with its floors, households, enterprises and places by right."""
    found = PlaceDesk(use, who.actor).building(asked.number, asked.lon, asked.lat)
    return respond(found, headers={"Cache-Control": "no-store"})


@router.get("/api/registers/{register_id}/cells.geojson", **answers(FeatureCollection))
def cells(register_id: str, request: Request, use: Use, who: Who) -> Response:
    """Grid cells with counts; a count below five is told as such.  Never people as points."""
    return packed(request, PlaceDesk(use, who.actor).cell_features(register_id))


@router.get("/api/registers/{register_id}/views", **answers(SavedViews))
def views(register_id: str, use: Use, who: Who) -> Response:
    """The person's own saved views of a register."""
    return respond({"items": KeepingDesk(use, who.actor).views(register_id), "next": None})


@router.put("/api/registers/{register_id}/views", openapi_extra=takes(ViewBody), **answers(SavedView))
async def save_view(register_id: str, request: Request, use: Use, who: Who) -> Response:
    """Save a view; the same name again replaces it."""
    sent = await body(request, ViewBody)
    desk = KeepingDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.save_view, register_id, sent.name, sent.filters))


@router.post(
    "/api/registers/{register_id}/views/remove", openapi_extra=takes(ViewName), **sends(status=204, what="removed")
)
async def remove_view(register_id: str, request: Request, use: Use, who: Who) -> Response:
    """Remove an own view."""
    sent = await body(request, ViewName)
    await asyncio.to_thread(KeepingDesk(use, who.actor).remove_view, register_id, sent.name)
    return Response(status_code=204)


@router.get("/api/registers/{register_id}/mappings", **answers(MappingList))
def mappings(register_id: str, use: Use, who: Who) -> Response:
    """Saved mappings of headings onto fields, the latest first."""
    return respond({"items": KeepingDesk(use, who.actor).mappings(register_id), "next": None})


@router.put("/api/registers/{register_id}/mappings", openapi_extra=takes(MappingBody), **answers(MappingRow))
async def save_mapping(register_id: str, request: Request, use: Use, who: Who) -> Response:
    """Save a mapping; the same name again replaces it."""
    sent = await body(request, MappingBody)
    desk = KeepingDesk(use, who.actor)
    return respond(await asyncio.to_thread(desk.save_mapping, register_id, sent.name, sent.mapping))


@router.post(
    "/api/registers/{register_id}/headings", openapi_extra=takes_file("application/octet-stream"), **answers(Headings)
)
async def headings(
    register_id: str, request: Request, asked: Annotated[HeadingFilters, Query()], use: Use, who: Who
) -> Response:
    """The headings of the file that is the body, with first values and the fields they suggest; nothing is kept."""
    content = io.BytesIO(await request.body())
    desk = KeepingDesk(use, who.actor)
    async with _reading:
        found = await asyncio.to_thread(desk.headings, register_id, content, asked.name)
    return respond(found)
