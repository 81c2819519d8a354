"""What the page under ``/h`` asks.  No cookie, no session: who holds a code sees what belongs to it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from core.errors import InputInvalid, NotFound
from core.pictures import shrink
from dashboard.outside import asked, limits, wire
from dashboard.outside.bodies import CodeSent, DigitsSent, PhoneSent, Sent
from dashboard.outside.counter import Counter
from dashboard.outside.problems import TooLarge

router = APIRouter()
MAX_JSON = 65_536
MAX_PHOTO = 12_000_000
EDGE = 1600  # pixels: enough to see what it is, small enough for the bus
PAGES = ("places", "guides", "settings")


def counter_of(request: Request) -> Counter:
    """The counter of this process."""
    counter: Counter = request.app.state.counter
    return counter


Desk = Annotated[Counter, Depends(counter_of)]


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def address_of(request: Request) -> str:
    """Whose rate counts."""
    return limits.neighbourhood(request.client.host if request.client else "")


async def body_of(request: Request, most: int) -> bytes:
    """The body, at most ``most`` bytes."""
    kept = bytearray()
    async for part in request.stream():
        kept += part
        if len(kept) > most:
            raise TooLarge()
    return bytes(kept)


async def _read(request: Request, kind: type[Any]) -> Any:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise InputInvalid(field="content-type", detail="is not application/json", how="send JSON")
    try:
        return msgspec.json.decode(await body_of(request, MAX_JSON), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputInvalid(field="body", detail=str(error)[:200], how="send what the page sends") from error


@router.get("/h/api/challenge")
async def challenge(desk: Desk) -> Response:
    """A check against robots to solve."""
    return _json(desk.robots.challenge())


@router.get("/h/api/forms/{kind}")
async def form(kind: str, desk: Desk) -> Response:
    """A form as the renderer takes it."""
    return _json(asked.form_for(kind, await desk.page("places")))


@router.get("/h/api/pages/{name}")
async def page(name: str, desk: Desk) -> Response:
    """Guides, places, settings."""
    if name not in PAGES:
        raise NotFound(what="page", key=name[:40])
    return _json(await desk.page(name))


@router.post("/h/api/photos")
async def photo(request: Request, desk: Desk) -> Response:
    """A photograph for a report that follows: decoded, made smaller, without what hides in the file."""
    desk.rates.take("photos", limits.PHOTOS, address_of(request))
    data = await body_of(request, MAX_PHOTO)
    async with desk.decoding:
        picture = await asyncio.to_thread(shrink, data, EDGE, wire.MAX_DATA)
    return _json({"photo_id": await desk.photo(picture.data)}, 201)


@router.post("/h/api/phone")
async def phone(request: Request, desk: Desk) -> Response:
    """Send a code to a telephone."""
    sent = await _read(request, PhoneSent)
    return _json(await desk.phone(sent.key, sent.phone, sent.solution, sent.language, address_of(request)), 201)


@router.post("/h/api/confirm")
async def confirm(request: Request, desk: Desk) -> Response:
    """The digits that came to the telephone."""
    sent = await _read(request, DigitsSent)
    return _json(await desk.confirm(sent.ticket, sent.digits, address_of(request)))


@router.post("/h/api/requests/{kind}")
async def request_in(kind: str, request: Request, desk: Desk) -> Response:
    """Take a report, a request for help, a complaint or a rating; answers the code that leads to it."""
    sent = await _read(request, Sent)
    return _json(await desk.take(kind, sent, address_of(request)), 201)


@router.post("/h/api/read")
async def read(request: Request, desk: Desk) -> Response:
    """What belongs to a code."""
    sent = await _read(request, CodeSent)
    return _json(await desk.read(sent.code, address_of(request)))
