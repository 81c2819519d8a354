"""An open page and what it may be told: its queue, the events as bytes, rights on states and notices."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.late import Late
from core.records import Actor
from dashboard.auth import Principal

if TYPE_CHECKING:
    from events.cases import access, queries
    from events.cases.read_models import CaseSummary
else:
    access, queries = Late("events.cases.access"), Late("events.cases.queries")

QUEUE = 512


@dataclass(eq=False)  # viewers are kept in a set, each is itself
class Viewer:
    """One open page."""

    principal: Principal
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(QUEUE))
    cut: bool = False
    states: bool = True  # wants cameras' and devices' states as well

    def offer(self, payload: bytes) -> None:
        """Queue ``payload``; a viewer who is 512 ticks behind is cut off (drop policy: the whole viewer)."""
        try:
            self.queue.put_nowait(payload)
        except asyncio.QueueFull:
            self.cut = True
            with contextlib.suppress(asyncio.QueueEmpty):
                self.queue.get_nowait()
            self.queue.put_nowait(None)


def event(name: str, body: Any) -> bytes:
    """One server-sent event."""
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"


def shown(state: dict[str, Any]) -> dict[str, Any]:
    """What pages need of a live state; counters that move all the time stay behind."""
    health = state.get("health") or {}
    found = {
        "camera_id": state.get("camera_id"),
        "device_id": state.get("device_id"),
        "state": state.get("state") or health.get("state") or "online",
        "reason": state.get("reason") or health.get("reason") or "",
        "at": state.get("heard_at") or health.get("since"),
        "values": state.get("values"),
        "standing": state.get("standing"),
        "faults": state.get("faults"),
        "location": state.get("location"),
    }
    if state.get("camera_id"):
        found["standing"] = [s.get("kind") for s in state.get("standing") or []]
    return {k: v for k, v in found.items() if v is not None}


def may_see_state(actor: Actor, owner: str | None) -> bool:
    """The centre sees every camera and device, others those of their department."""
    return bool(access.SEE_ALL & set(actor.roles)) or (owner is not None and owner == actor.department_id)


def is_for(actor: Actor, kind: str, to: str) -> bool:
    """Is a notice to ``kind`` (user, department, role, centre) ``to`` for this person?"""
    if kind == "centre":
        return bool(access.SEE_ALL & set(actor.roles))
    if kind == "aircraft":
        return bool((access.SEE_ALL | {"drone"}) & set(actor.roles))
    if kind == "user":
        return actor.user_id == to
    if kind == "department":
        return actor.department_id == to
    return to in actor.roles


def summaries(session: Session, case_ids: Sequence[str]) -> list[CaseSummary]:
    """The summaries of those of ``case_ids`` that there still are."""
    found = []
    for case_id in case_ids:
        with contextlib.suppress(NotFound):  # a drill's case, or one that was purged
            found.append(queries.summary_of(session, case_id))
    return found
