"""What a person in the field has: duty, place, devices, and the classes to choose from."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter, Request, Response

from core.late import Late
from dashboard.answers.people import CaseClasses, DutyState, OwnDevices, PersonPlaces
from dashboard.api.deps import Done, Use, Who, allow, answers, packed, respond, takes
from dashboard.api.params import body
from dashboard.desk import people
from dashboard.field import add_position, duty_of, positions, set_duty
from events.taxonomy.edit import lines
from storage.session import read_scope, session_scope

if TYPE_CHECKING:
    import pypinyin
else:
    pypinyin = Late("pypinyin")

router = APIRouter(tags=["field"])


class DutyWish(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /api/me/duty``."""

    on_duty: bool
    consent: bool = False


class PlaceBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/me/position``: degrees, metres."""

    lon: float
    lat: float
    accuracy_m: float | None = None


@router.get("/api/me/duty", **answers(DutyState))
def my_duty(use: Use, who: Who) -> Response:
    """Whether I am on duty and share my place."""
    with read_scope(use.engine) as session:
        return respond(duty_of(session, who.actor.user_id))


@router.put("/api/me/duty", openapi_extra=takes(DutyWish), **answers(DutyState))
async def change_duty(request: Request, use: Use, who: Who) -> Response:
    """Go on or off duty; agree to share the place, or take that back (what was kept is then deleted)."""
    sent = await body(request, DutyWish)

    def write() -> Any:
        with session_scope(use.engine) as session:
            return set_duty(session, who.actor.user_id, sent.on_duty, sent.consent, use.clock.now())

    return respond(await asyncio.to_thread(write))


@router.post("/api/me/position", openapi_extra=takes(PlaceBody), **answers(Done))
async def tell_position(request: Request, use: Use, who: Who) -> Response:
    """Where I am now; 409 ``not_on_duty`` without duty and consent."""
    sent = await body(request, PlaceBody)

    def write() -> None:
        with session_scope(use.engine) as session:
            add_position(session, who.actor.user_id, sent.lon, sent.lat, sent.accuracy_m, use.clock.now())

    await asyncio.to_thread(write)
    return respond({"ok": True})


@router.get(
    "/api/positions", dependencies=[allow("admin", "operator", "dispatcher", "manager")], **answers(PersonPlaces)
)
def all_positions(use: Use, who: Who) -> Response:
    """Where people on duty are, with their consent: the centre sees all, a manager the department's."""
    with read_scope(use.engine) as session:
        return respond({"items": positions(session, who.actor, use.clock.now()), "next": None})


@router.get("/api/me/devices", **answers(OwnDevices))
def my_devices(use: Use, who: Who) -> Response:
    """Where I am signed in: browser, address, since when, last seen; ``this`` is the asking one."""
    return respond({"items": people.signed_in(use, who, who.actor.user_id), "next": None})


@router.delete("/api/me/devices/{device}", **answers(Done))
async def revoke_device(device: str, use: Use, who: Who) -> Response:
    """Sign a device out (a lost phone): its session ends at once, and nothing is pushed to it any more."""
    await asyncio.to_thread(people.sign_out, use, who, who.actor.user_id, device)
    return respond({"ok": True})


@lru_cache(maxsize=2048)
def _spelt(name: str) -> tuple[str, str]:
    """Full pinyin and initials, without tones."""
    initials = pypinyin.lazy_pinyin(name, style=pypinyin.Style.FIRST_LETTER)
    return "".join(pypinyin.lazy_pinyin(name)).lower(), "".join(initials).lower()


@router.get("/api/classes", **answers(CaseClasses))
def classes(request: Request, use: Use, who: Who) -> Response:
    """The classes in force, each once, with its limit, and pinyin and initials to search by."""
    del who
    found: dict[str, dict[str, Any]] = {}
    with read_scope(use.engine) as session:
        for line in lines(session, version="2013"):
            name = line.standard.small_name
            pinyin, initials = _spelt(name)
            found[line.class_code] = {
                "code": line.class_code, "name": name, "group": line.standard.big_name, "pinyin": pinyin,
                "initials": initials, "limit_value": line.standard.limit_value, "limit_unit": line.standard.limit_unit,
            }  # fmt: skip
    return packed(request, {"items": list(found.values()), "next": None})
