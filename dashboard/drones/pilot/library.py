"""``/wayline``, ``/manage``, ``/map``: the library of routes, topologies, elements of the map (none)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field
from sqlalchemy import select

from core.errors import InputInvalid, YiwangError
from dashboard.api.deps import Use
from dashboard.api.filters import Filters, LongText, Text
from dashboard.drones.inbox import bucket
from dashboard.drones.pilot.answering import enveloped, sent
from dashboard.drones.pilot.tokens import issue, read, session_of
from dashboard.services import Services
from ingest.drones.live.fleet import SOURCE
from ingest.drones.wpml.check import faults
from ingest.drones.wpml.read import MOST_BYTES
from ingest.drones.wpml.read import read as read_route
from storage.session import read_scope
from storage.tables.registry import Device
from storage.waylines import WaylineStore, WaylineView

router = APIRouter(include_in_schema=False)
BELOW = "/wayline/api/v1/workspaces/{workspace}"
KMZ = "application/vnd.google-earth.kmz"


class RouteFilters(Filters):
    """What Pilot asks of the library; lists come with and without brackets."""

    favorited: bool | None = None
    order_by: Text = "update_time desc"
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(10, ge=1, le=1000)
    drone_model_keys: list[Text] = []
    drone_models: list[Text] = Field([], alias="drone_model_keys[]")
    name: list[Text] = []
    names: list[Text] = Field([], alias="name[]")
    id: list[Text] = []
    ids: list[Text] = Field([], alias="id[]")


class KeyOfFile(Filters):
    """The token in a file's address."""

    key: LongText = ""


RouteQuery = Annotated[RouteFilters, Query()]


def shown(view: WaylineView) -> dict[str, Any]:
    """A route as Pilot lists it; the time in milliseconds."""
    return {
        "id": view.wayline_id, "name": view.name, "drone_model_key": view.drone_model_key,
        "payload_model_keys": view.payload_model_keys, "template_types": view.template_types or [0],
        "favorited": view.favorited, "update_time": int(view.updated_at.timestamp() * 1000),
        "user_name": view.user_name, "action_type": 0, "sign": view.sha256,
    }  # fmt: skip


class ElementsNotKept(YiwangError):
    code = "elements_not_kept"
    message = "what is drawn on this map is not kept"
    remedy = "report it as a finding or a case"
    zh = "此地图上的标绘不会保存"
    zh_remedy = "请作为发现或案件上报"


@router.get(f"{BELOW}/waylines")
@enveloped
async def listed(workspace: str, request: Request, use: Use, asked: RouteQuery) -> Any:
    """A page of the library."""
    await asyncio.to_thread(session_of, request, use)
    found = await asyncio.to_thread(WaylineStore(use.engine).listed)
    if asked.favorited is not None:
        found = [v for v in found if v.favorited is asked.favorited]
    models = [*asked.drone_model_keys, *asked.drone_models]
    if models:
        found = [v for v in found if not v.drone_model_key or v.drone_model_key in models]
    field, _, way = asked.order_by.partition(" ")
    key = {"name": lambda v: v.name, "create_time": lambda v: v.updated_at}.get(field, lambda v: v.updated_at)
    found.sort(key=key, reverse=way.strip().lower() != "asc")
    page, size = asked.page, min(asked.page_size, 200)
    return {
        "list": [shown(v) for v in found[(page - 1) * size : page * size]],
        "pagination": {"page": page, "page_size": size, "total": len(found)},
    }


@router.get(f"{BELOW}/waylines/duplicate-names")
@enveloped
async def duplicates(workspace: str, request: Request, use: Use, asked: RouteQuery) -> Any:
    """Which of these names exist."""
    await asyncio.to_thread(session_of, request, use)
    return await asyncio.to_thread(WaylineStore(use.engine).names, [*asked.name, *asked.names])


@router.get(f"{BELOW}/waylines/{{wayline_id}}/url")
@enveloped
async def address(workspace: str, wayline_id: str, request: Request, use: Use) -> Any:
    """Leads to the file; the address carries a token of its own."""
    who = await asyncio.to_thread(session_of, request, use)
    await asyncio.to_thread(WaylineStore(use.engine).data, wayline_id)
    path = f"/wayline/api/v1/workspaces/{quote(workspace)}/waylines/{quote(wayline_id)}/file"
    return RedirectResponse(f"{path}?key={issue(use, who.user_id, who.sn)}", 302)


@router.get(f"{BELOW}/waylines/{{wayline_id}}/file")
@enveloped
async def file(workspace: str, wayline_id: str, use: Use, asked: Annotated[KeyOfFile, Query()]) -> Any:
    """The file's bytes."""
    await asyncio.to_thread(read, use, asked.key)
    name, data = await asyncio.to_thread(WaylineStore(use.engine).data, wayline_id)
    disposition = f"attachment; filename*=UTF-8''{quote(name)}.kmz"
    return Response(data, media_type=KMZ, headers={"Content-Disposition": disposition})


@router.post(f"{BELOW}/upload-callback")
@enveloped
async def uploaded(workspace: str, request: Request, use: Use) -> Any:
    """Pilot saved a route into the bucket: checked and kept."""
    who = await asyncio.to_thread(session_of, request, use)
    body = await sent(request)
    facts = body.get("metadata") if isinstance(body.get("metadata"), dict) else {}
    await asyncio.to_thread(_keep, use, str(body.get("name") or ""), str(body.get("object_key") or ""), facts, who.name)
    return {}


def _keep(use: Services, name: str, key: str, facts: Any, user: str) -> None:
    files, root = bucket(use.settings)
    path = f"{root.partition('/')[0]}/{key.lstrip('/')}"
    if not name or len(name) > 200 or ".." in key.split("/") or not files.exists(path):
        raise InputInvalid(field="object_key", detail="is not in the bucket", how="upload it first")
    with files.open(path, "rb") as source:
        data = source.read(MOST_BYTES + 1)
    keep_route(use, name, data, user, drone_model_key=str(facts.get("drone_model_key") or "")[:24],
               payload_model_keys=_words(facts.get("payload_model_keys")),
               template_types=_words(facts.get("template_types")))  # fmt: skip


def _words(value: Any) -> list[Any]:
    return value[:20] if isinstance(value, list) else []


def keep_route(use: Services, name: str, data: bytes, user: str, **facts: Any) -> WaylineView:
    """Keep a route file that is none the worse for being flown.

    Raises:
        InputInvalid: it is no route, too large, or has faults.
        WaylineNameTaken: the name stands for another one.
    """
    if len(data) > MOST_BYTES:
        raise InputInvalid(field="route", detail="is larger than 5 MB", how="send a route file")
    wrong = faults(read_route(data))
    if wrong:
        raise InputInvalid(field="route", detail=", ".join(wrong), how="correct what is named")
    bare = name.removesuffix(".kmz")
    return WaylineStore(use.engine).add(bare, data, use.clock.now(), user_name=user[:80], **facts)


@router.api_route(f"{BELOW}/favorites", methods=["POST", "DELETE"])
@enveloped
async def favorites(workspace: str, request: Request, use: Use, asked: RouteQuery) -> Any:
    """Mark routes, or unmark them."""
    await asyncio.to_thread(session_of, request, use)
    ids = [*asked.id, *asked.ids]
    body = await sent(request)
    ids += [str(i) for i in _words(body.get("id"))]
    await asyncio.to_thread(WaylineStore(use.engine).favor, ids, request.method == "POST")
    return {}


@router.get("/manage/api/v1/workspaces/{workspace}/devices/topologies")
@enveloped
async def topologies(workspace: str, request: Request, use: Use) -> Any:
    """Controllers with the aircraft behind them, as Pilot's map of the others wants it."""
    await asyncio.to_thread(session_of, request, use)
    return {"list": await asyncio.to_thread(_topologies, use)}


def _topologies(use: Services) -> list[dict[str, Any]]:
    with read_scope(use.engine) as session:
        rows = session.scalars(select(Device).where(Device.source == SOURCE, Device.status == "accepted")).all()
        known = [(r.address, r.name or r.address, r.device_type, dict(r.attributes or {})) for r in rows]
    found = []
    for sn, name, kind, _facts in known:
        if kind == "aircraft":
            continue
        behind = [one for one in known if one[2] == "aircraft" and sn in (one[3].get("gateways") or [])]
        found.append({"hosts": [_node(use, *one) for one in behind], "parents": [_node(use, sn, name, kind, {})]})
    return found


def _node(use: Services, sn: str, name: str, kind: str, facts: dict[str, Any]) -> dict[str, Any]:
    key = str(facts.get("model_key") or ("2-144-0" if kind == "drone_controller" else "0-0-0"))
    domain, kind_number, sub = [*key.split("-"), "0", "0"][:3]
    model = {"key": key, "domain": domain, "type": kind_number, "sub_type": sub}
    return {
        "sn": sn, "online_status": sn in use.hub.aircraft, "device_callsign": name, "device_model": model,
        "user_id": "", "user_callsign": "", "icon_urls": {"normal_icon_url": "", "selected_icon_url": ""},
    }  # fmt: skip


@router.post("/manage/api/v1/token/refresh")
@enveloped
async def refresh(request: Request, use: Use) -> Any:
    """A new token for one that still holds."""
    who = await asyncio.to_thread(session_of, request, use)
    return {"access_token": issue(use, who.user_id, who.sn)}


@router.get("/map/api/v1/workspaces/{workspace}/element-groups")
@enveloped
async def elements(workspace: str, request: Request, use: Use) -> Any:
    """No elements are shared over Pilot's map."""
    await asyncio.to_thread(session_of, request, use)
    return []


@router.post("/map/api/v1/workspaces/{workspace}/element-groups/{group}/elements")
@router.api_route("/map/api/v1/workspaces/{workspace}/elements/{element}", methods=["PUT", "DELETE"])
@enveloped
async def draw(workspace: str, request: Request, use: Use) -> Any:
    """Nothing that is drawn on Pilot's map is kept; the pilot is told."""
    await asyncio.to_thread(session_of, request, use)
    raise ElementsNotKept()
