"""Try a camera before it is relied on: does its stream open, what is in it, can a browser play it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from core.errors import YiwangError
from dashboard import queries
from dashboard.api.deps import must_be
from dashboard.auth import Principal
from dashboard.services import Services
from dashboard.videowall.streams import look_into
from storage.session import read_scope

LONGEST_S = 20.0


async def try_camera(use: Services, who: Principal, camera_id: str) -> dict[str, Any]:
    """``{"ok", "streams": [{"name", "ok", "codec", "width", "height", "fps", "seconds", "playable", "problem"}]}``.

    Both streams are opened at once, each for at most ``LONGEST_S``; nothing is stored.
    """
    must_be(who, "admin")
    addresses = await asyncio.to_thread(_addresses, use, who, camera_id)
    found = await asyncio.gather(*(_tried(name, url) for name, url in addresses.items() if url))
    return {"camera_id": camera_id, "ok": bool(found) and all(one["ok"] for one in found), "streams": list(found)}


def _addresses(use: Services, who: Principal, camera_id: str) -> dict[str, str]:
    with read_scope(use.engine) as session:
        row, *_ = queries.one_camera(session, who.actor, camera_id)
        return {name: use.camera_seal.open(camera_id, getattr(row, name)) for name in ("url", "sub_url")}


async def _tried(name: str, url: str) -> dict[str, Any]:
    began = time.monotonic()
    told: dict[str, Any] = {"name": name, "ok": False, "codec": "", "width": 0, "height": 0, "fps": 0.0,
                            "playable": False, "problem": ""}  # fmt: skip
    try:
        told |= await asyncio.wait_for(asyncio.to_thread(look_into, url), LONGEST_S) | {"ok": True}
    except TimeoutError:
        told["problem"] = f"no picture within {LONGEST_S:.0f} s"
    except YiwangError as error:
        told["problem"] = queries.without_password(str(error))
    return told | {"seconds": round(time.monotonic() - began, 1)}
