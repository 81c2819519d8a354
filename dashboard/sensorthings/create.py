"""An observation that a client creates, as a reading of the device that its datastream belongs to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from core.errors import InputInvalid
from core.ids import derived_id
from core.records import Actor, Reading
from dashboard import queries
from dashboard.sensorthings.model import Store
from dashboard.sensorthings.values import stream_parts
from dashboard.services import Services
from storage.session import read_scope
from storage.tables.readings import ReadingRow

_AHEAD = timedelta(minutes=5)


def reading_of(use: Services, actor: Actor, body: dict[str, Any], stream: str | None) -> tuple[Reading, str]:
    """The reading and the observation's id; the datastream must exist and be visible to ``actor``."""
    named = body.get("Datastream")
    key = stream if stream is not None else named.get("@iot.id") if isinstance(named, dict) else None
    if not isinstance(key, str):
        raise InputInvalid(field="Datastream", detail="is missing", how='send {"Datastream": {"@iot.id": "…"}}')
    result = body.get("result")
    if isinstance(result, bool) or not isinstance(result, (int, float)):
        raise InputInvalid(field="result", detail="is no number", how="send a number")
    now = use.clock.now()
    at = _time(body.get("phenomenonTime") or body.get("resultTime"), now)
    device, quantity, channel = stream_parts(key)
    with read_scope(use.engine) as session:
        found = Store(session, actor, use.hub.states, "").one("Datastreams", key)
        row = queries.device_detail(session, actor, use.hub.states, device)
    text = at.isoformat().replace("+00:00", "Z")
    reading = Reading(
        reading_id=derived_id("sensorthings", key, text, repr(result)), source=str(row["source"]), device_id=device,
        quantity=quantity, channel=channel, value=result, unit=found["unitOfMeasurement"]["symbol"] or "",
        observed_at=at, received_at=now, site_id=row.get("site_id"),
    )  # fmt: skip
    return reading, f"{key}|{text}"


def _time(given: Any, now: datetime) -> datetime:
    """The end of the interval, or the moment, that the client names; now when it names none."""
    if given is None:
        return now.astimezone(UTC)
    try:
        at = datetime.fromisoformat(str(given).rpartition("/")[2])
    except ValueError:
        raise InputInvalid(field="phenomenonTime", detail="is no time", how="write 2026-11-28T08:00:00Z") from None
    at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    if at > now + _AHEAD:
        raise InputInvalid(field="phenomenonTime", detail="lies in the future", how="correct the sender's clock")
    return at


async def wait_stored(use: Services, reading_id: str, seconds: float = 2.0) -> bool:
    """Whether the worker has stored the reading within ``seconds``."""

    def stored() -> bool:
        with read_scope(use.engine) as session:
            return session.get(ReadingRow, reading_id) is not None

    for _ in range(int(seconds / 0.05)):
        if await asyncio.to_thread(stored):
            return True
        await asyncio.sleep(0.05)
    return False
