"""``/api/drone/aircraft``: controllers and aircraft registered, where each is, its live picture started and stopped."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.records import decode
from dashboard.answers.aircraft import AircraftList, ControllerCredential, LiveOrder, RegisteredAircraft
from dashboard.api.deps import Use, Who, allow, answers, audit, respond, takes
from dashboard.api.params import body
from dashboard.auth import Principal
from dashboard.drones.routes import VIEWERS
from dashboard.errors import Unavailable
from dashboard.services import Services
from ingest.credentials import digest_of, new_secret
from ingest.drones.dji import models
from ingest.drones.live.fleet import SOURCE, device_id
from ingest.drones.live.orders import SUBJECT, TIMEOUT_S, AircraftAnswer, AircraftOrder
from storage.session import read_scope, session_scope
from storage.tables.registry import Camera, Device

router = APIRouter(tags=["drones"])
KINDS = {"controller": "drone_controller", "dock": "drone_dock"}
_SN = re.compile(r"[A-Za-z0-9-]{4,40}")
_RETRY_S = (0.0, 3.0, 6.0)  # the first order right after coming online often fails
RTMP = 1  # url_type of live_start_push


class NewController(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drone/controllers``; ``kind``: controller or dock.  Again: a new password."""

    sn: str
    name: str = ""
    kind: str = "controller"


class NewAircraft(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drone/aircraft``; ``gateways``: which may speak for it; ``model_key``: 0-77-1."""

    sn: str
    name: str = ""
    model_key: str = ""
    gateways: list[str] = []


class LiveWish(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drone/aircraft/{sn}/live``; ``quality`` 0 auto … 4; ``video_id`` as the gateway offers it."""

    on: bool = True
    video_id: str = ""
    quality: int = 0


@router.get("/api/drone/aircraft", dependencies=[allow(*VIEWERS)], **answers(AircraftList))
def aircraft(use: Use) -> Response:
    """Every registered aircraft and controller; with where it is, while it flies, and what was refused of it."""
    with read_scope(use.engine) as session:
        rows = session.scalars(select(Device).where(Device.source == SOURCE).order_by(Device.device_id)).all()
        shown = [_shown(use, row) for row in rows]
    return respond({"items": shown})


def _shown(use: Services, row: Device) -> dict[str, Any]:
    state = use.hub.states.get(f"device.{SOURCE}={row.address}", {})
    attributes = row.attributes or {}
    pose = use.hub.aircraft.get(row.address, {}) if row.device_type == "aircraft" else {}
    return {
        "device_id": row.device_id, "sn": row.address, "name": row.name or row.address, "type": row.device_type,
        "status": row.status, "model": models.name(str(attributes.get("model_key") or "")),
        "gateways": attributes.get("gateways") or [], "heard_at": state.get("heard_at"),
        "refused": (state.get("refused") or {}).get("count", 0),
        "refusals": (state.get("refused") or {}).get("last", []), "standing": state.get("standing") or [],
        **{k: v for k, v in pose.items() if k not in ("sn", "name", "model")},
    }  # fmt: skip


@router.post(
    "/api/drone/controllers", dependencies=[allow("admin")], **answers(ControllerCredential, 201),
    openapi_extra=takes(NewController),
)  # fmt: skip
async def controller(request: Request, use: Use, who: Who) -> Response:
    """Register a controller or dock: its broker user and password, shown this once."""
    sent = await body(request, NewController)
    if sent.kind not in KINDS:
        raise InputInvalid(field="kind", detail="is unknown", how=f"use {', '.join(KINDS)}")
    secret = new_secret()
    await asyncio.to_thread(_register, use, who, sent.sn, sent.name, KINDS[sent.kind], token_sha256=digest_of(secret))
    return respond({"device_id": device_id(sent.sn), "user": device_id(sent.sn), "password": secret}, 201)


@router.post(
    "/api/drone/aircraft", dependencies=[allow("admin")], **answers(RegisteredAircraft, 201),
    openapi_extra=takes(NewAircraft),
)  # fmt: skip
async def register(request: Request, use: Use, who: Who) -> Response:
    """Register an aircraft, or name its gateways anew; it becomes a camera that moves (``uav-SN``)."""
    sent = await body(request, NewAircraft)
    for gateway in sent.gateways:
        _check_sn(gateway)
    kept = {"gateways": sent.gateways, **({"model_key": sent.model_key} if sent.model_key else {})}
    await asyncio.to_thread(_register, use, who, sent.sn, sent.name, "aircraft", **kept)
    return respond({"device_id": device_id(sent.sn), "camera_id": f"uav-{sent.sn}"}, 201)


def _check_sn(sn: str) -> None:
    if not _SN.fullmatch(sn):
        raise InputInvalid(field="sn", detail=f"{sn[:40]!r} is no serial number", how="4 … 40 letters and digits")


def _register(use: Services, who: Principal, sn: str, name: str, kind: str, **attributes: Any) -> None:
    _check_sn(sn)
    now = use.clock.now()
    with session_scope(use.engine) as session:
        row = session.get(Device, device_id(sn), with_for_update=True)
        if row is None:
            row = Device(device_id=device_id(sn), source=SOURCE, address=sn, attributes={}, revision=0)
            session.add(row)
        row.name, row.device_type, row.status = name or row.name or sn, kind, "accepted"
        row.attributes = {**(row.attributes or {}), **attributes}
        row.accepted_by, row.accepted_at = who.actor.user_id, now
        row.revision += 1
        if kind == "aircraft":
            _camera(session, use, sn, row.name)
        shown = {k: v for k, v in attributes.items() if k != "token_sha256"}
        audit(session, use, who, "drone_register", {"device_id": device_id(sn), "type": kind, **shown})


def _camera(session: Session, use: Services, sn: str, name: str) -> None:
    """The aircraft as a camera; its stream is what the media server gives under the aircraft's name."""
    camera_id = f"uav-{sn}"[:40]
    url = _stream(use.settings.drone_play_url, camera_id)
    row = session.get(Camera, camera_id)
    if row is None:
        session.add(Camera(camera_id=camera_id, name=name, category="drone", url=url, enabled=False, source=SOURCE))
    elif row.url != url or row.name != name:
        row.url, row.name = url, name
        row.revision += 1


def _stream(address: str, name: str) -> str:
    """``address`` with the stream's name: where ``{name}`` stands, else at its end; "" stays ""."""
    if "{name}" in address:
        return address.replace("{name}", name)
    return f"{address.rstrip('/')}/{name}" if address else ""


@router.post(
    "/api/drone/aircraft/{sn}/live", dependencies=[allow("admin", "operator", "dispatcher", "drone")],
    **answers(LiveOrder), openapi_extra=takes(LiveWish),
)  # fmt: skip
async def live(sn: str, request: Request, use: Use, who: Who) -> Response:
    """Start or stop the live picture: the controller pushes it to the media server; tried again while it comes up."""
    sent = await body(request, LiveWish)
    if not 0 <= sent.quality <= 4:
        raise InputInvalid(field="quality", detail="is out of range", how="give 0 (auto) … 4")
    with read_scope(use.engine) as session:
        if session.get(Device, device_id(sn)) is None:
            raise NotFound(what="aircraft", key=sn[:40])
    if not use.settings.drone_push_url:
        raise InputInvalid(field="YIWANG_DRONE_PUSH_URL", detail="is not set", how="name the media server (RTMP)")
    video = sent.video_id or await _offered(use, who, sn)
    data: dict[str, Any] = {"video_id": video}
    if sent.on:
        url = _stream(use.settings.drone_push_url, f"uav-{sn}")
        data |= {"url_type": RTMP, "url": url, "video_quality": sent.quality}
    method = "live_start_push" if sent.on else "live_stop_push"
    answer = AircraftAnswer("no_answer")
    for pause in _RETRY_S if sent.on else (0.0,):
        await asyncio.sleep(pause)
        answer = await _order(use, who, sn, method, data)
        if answer.code != "refused":
            break
    with session_scope(use.engine) as session:
        audit(session, use, who, "drone_live", {"sn": sn, "on": sent.on, "code": answer.code})
    told = {"code": answer.code, "detail": answer.detail, "result": answer.result, "camera_id": f"uav-{sn}"}
    return respond(told)


async def _offered(use: Services, who: Principal, sn: str) -> str:
    known = await _order(use, who, sn, "fleet", {})
    streams = known.output.get("streams")
    offered = streams.get(sn) if isinstance(streams, dict) else None
    if not isinstance(offered, list) or not offered:
        raise InputInvalid(field="video_id", detail="the gateway offers no picture", how="wait until it flies")
    return str(offered[0])


async def _order(use: Services, who: Principal, sn: str, method: str, data: dict[str, Any]) -> AircraftAnswer:
    if use.hub.bus is None:
        raise Unavailable(what="the message bus", detail="it is not connected")
    order = AircraftOrder(sn=sn, method=method, data=data, requested_by=who.actor.user_id)
    try:
        return decode(AircraftAnswer, await use.hub.bus.request(SUBJECT, order, TIMEOUT_S + 5))
    except TimeoutError as error:
        raise Unavailable(what="the gateways' service", detail="no answer") from error
