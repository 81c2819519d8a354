"""A camera's still picture: from its stream, kept for seconds, else its newest evidence picture."""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from core.errors import MediaMissing, NotFound
from core.late import Late
from dashboard import queries
from dashboard.auth import Principal
from dashboard.errors import Unavailable
from dashboard.services import Services
from dashboard.videowall.streams import still
from storage.session import read_scope
from storage.tables.cases import Case, CaseEvidence

if TYPE_CHECKING:
    from PIL import Image
else:
    Image = Late("PIL.Image")

KEPT_S = 5.0
MOST_KEPT = 256
_decoding = asyncio.Semaphore(2)


def stream_of(use: Services, who: Principal, camera_id: str) -> str:
    """The address of the camera's lighter stream; :class:`NotFound` also for a camera that he may not see."""
    with read_scope(use.engine) as session:
        row, *_ = queries.one_camera(session, who.actor, camera_id)
        return use.camera_seal.open(camera_id, row.sub_url or row.url)


async def picture_of(use: Services, who: Principal, camera_id: str) -> bytes:
    """A still as JPEG, decoded at most every ``KEPT_S`` seconds."""
    url = await asyncio.to_thread(stream_of, use, who, camera_id)
    kept: dict[str, tuple[float, bytes]] = use.counters.setdefault("stills", {})
    known = kept.get(camera_id)
    if known is None or known[0] < time.monotonic() - KEPT_S:
        data = await _still(use, camera_id, url)
        if len(kept) >= MOST_KEPT:
            kept.pop(next(iter(kept)))
        known = kept[camera_id] = (time.monotonic(), data)
    return known[1]


async def shape_of(use: Services, who: Principal, camera_id: str) -> tuple[int, int]:
    """Width and height of the camera's picture in pixels."""
    data = await picture_of(use, who, camera_id)

    def size() -> Any:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size

    width, height = await asyncio.to_thread(size)
    return int(width), int(height)


async def _still(use: Services, camera_id: str, url: str) -> bytes:
    if url:
        async with _decoding:
            with contextlib.suppress(Unavailable):
                return await asyncio.wait_for(asyncio.to_thread(still, url), 12)
    return await asyncio.to_thread(_last_evidence, use, camera_id)


def _last_evidence(use: Services, camera_id: str) -> bytes:
    with read_scope(use.engine) as session:
        uri = session.scalar(
            select(CaseEvidence.uri)
            .join(Case, Case.case_id == CaseEvidence.case_id)
            .where(Case.source_id == camera_id, CaseEvidence.media_type == "image/jpeg")
            .order_by(CaseEvidence.taken_at.desc())
            .limit(1)
        )
    if uri is None:
        raise NotFound(what="picture of camera", key=camera_id)
    try:
        return use.media.read(uri)
    except MediaMissing as error:
        raise NotFound(what="picture of camera", key=camera_id) from error
