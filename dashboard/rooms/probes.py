"""What a watcher asks: is the installation well, does this process answer."""

from __future__ import annotations

from fastapi import APIRouter, Response

from dashboard.answers.probes import HealthReport
from dashboard.api.deps import Done, Use, answers, respond
from dashboard.health import is_well

router = APIRouter(tags=["operations"])


@router.get("/healthz", **answers(HealthReport, 200, 503))
async def healthz(use: Use) -> Response:
    """200 when the city hears and writes, else 503; every part by itself.  Holds no data: open without a session.

    ``{"ok", "bus", "parts": {"database" | "bus" | "disk" | "worker": {"ok", "code", …}}}``; each was tried by writing.
    ``code`` is ``ok`` or: of the database ``locked``, ``full``, ``readonly``, ``away``, ``failed``; of the bus
    ``unreachable``, ``refuses``, ``missing``, ``full``; of the disk ``low``, ``reserve`` (no uploads), ``full``,
    ``readonly``; of the worker ``absent``, which is told and is no 503: the pages work.
    """
    parts = await use.health.now()
    well = is_well(parts)
    shown = {name: part.public() for name, part in parts.items()}
    heard = parts["bus"].code not in {"unreachable", "refuses", "no_answer"}
    return respond({"ok": well, "bus": heard, "parts": shown}, 200 if well else 503)


@router.get("/livez", **answers(Done))
async def livez() -> Response:
    """200 as long as this process answers: for whoever restarts it.  Holds no data: open without a session."""
    return respond({"ok": True})
