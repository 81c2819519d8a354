"""How a controller enters: the page in Pilot's web view signs in, then gets what the bridge wants to be told."""

from __future__ import annotations

import asyncio
import re
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from core.errors import Forbidden
from dashboard.answers.pilot import PilotEntry
from dashboard.api.deps import Use, Who, allow, answers, audit, respond, sends, takes
from dashboard.api.params import body
from dashboard.auth import Principal
from dashboard.drones.pilot.tokens import issue
from dashboard.services import Services
from ingest.credentials import digest_of, new_secret
from ingest.drones.live.fleet import SOURCE, device_id
from storage.devices import set_credential
from storage.session import session_scope
from storage.tables.registry import Device

router = APIRouter(tags=["drones"])
PAGE = Path(__file__).parents[2] / "static" / "pilot.html"
_SN = re.compile(r"[A-Za-z0-9-]{4,40}")


class EnterWish(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/drone/pilot/enter``: the controller's serial number, as the bridge tells it."""

    sn: str


def workspace_of(use: Services) -> str:
    """The district's workspace: Pilot wants a UUID, always the same one."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"yiwang:{use.settings.district}"))


@router.get("/pilot", **sends("text/html"))
def page() -> Response:
    """The page that Pilot 2 opens (Cloud service → Open platforms)."""
    return FileResponse(PAGE, media_type="text/html")


@router.post(
    "/api/drone/pilot/enter", dependencies=[allow("admin", "operator", "drone")], **answers(PilotEntry),
    openapi_extra=takes(EnterWish),
)  # fmt: skip
async def enter(request: Request, use: Use, who: Who) -> Response:
    """What the bridge is told: workspace, token, broker with a new password for this controller.

    An unknown controller is put into quarantine and refused until somebody accepts it.
    """
    wish = await body(request, EnterWish)
    secret = await asyncio.to_thread(_credential, use, who, wish.sn)
    host = urlsplit(str(request.base_url)).hostname or use.settings.mqtt_host
    mqtt = f"{'ssl' if use.settings.mqtt_tls_cert else 'tcp'}://{host}:{use.settings.mqtt_port}"
    told = {
        "workspace_id": workspace_of(use), "platform": "Yiwang 一网统管",
        "token": issue(use, who.actor.user_id, wish.sn),
        "api_host": str(request.base_url).rstrip("/"), "mqtt_host": mqtt, "mqtt_user": device_id(wish.sn),
        "mqtt_password": secret, "app_id": use.settings.dji_app_id, "app_key": use.settings.dji_app_key,
        "app_license": use.settings.dji_app_license,
    }  # fmt: skip
    return respond(told)


def _credential(use: Services, who: Principal, sn: str) -> str:
    if not _SN.fullmatch(sn):
        raise Forbidden(action="enter without a controller's serial number")
    secret = new_secret()
    with session_scope(use.engine) as session:
        row = session.get(Device, device_id(sn))
        known = row is not None and row.status == "accepted" and row.device_type == "drone_controller"
        if row is None:
            session.add(Device(device_id=device_id(sn), source=SOURCE, address=sn, name=sn, status="quarantine",
                               device_type="drone_controller", attributes={}))  # fmt: skip
        if known:
            set_credential(session, device_id(sn), digest_of(secret))
        audit(session, use, who, "pilot_enter", {"sn": sn, "accepted": known})
    if not known:
        raise Forbidden(action=f"enter with controller {sn}: an administrator has to accept it first")
    return secret
