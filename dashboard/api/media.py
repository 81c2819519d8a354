"""Evidence files: whoever may see one of the cases a file belongs to may see the file."""

from __future__ import annotations

import re
import time
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from core.errors import MediaMissing
from dashboard.api.deps import Use, Who, sends
from dashboard.services import Services
from events.cases.access import visible_cases
from events.evidence.audit_log import append
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseEvidence

router = APIRouter(tags=["media"])

VIEW_AGAIN_S = 3600.0

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


@router.get("/media/{uri:path}", **sends("application/octet-stream"))
def media(uri: str, request: Request, use: Use, who: Who) -> Response:
    """The file, or the part of it that ``Range`` asks for (one range)."""
    merged = aliased(Case)  # a report's picture is also for those who see the case it was merged into
    into = select(merged.merged_into_id).where(merged.case_id == CaseEvidence.case_id).correlate(CaseEvidence)
    stays = into.scalar_subquery()
    with read_scope(use.engine) as session:
        row = session.execute(
            select(CaseEvidence.media_type, CaseEvidence.sha256, CaseEvidence.case_id)
            .where(
                CaseEvidence.uri == uri,
                exists().where(Case.case_id.in_((CaseEvidence.case_id, stays)), visible_cases(who.actor)),
            )
            .limit(1)
        ).first()
    if row is None:
        # The same answer for "not there" and "not yours".
        raise MediaMissing(uri=uri)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=86400, immutable",
        "ETag": f'"{row.sha256}"',
        "Content-Disposition": "inline",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    data = use.media.read(uri)
    _note_view(use, who, row.case_id, uri, row.sha256)
    return part(data, request.headers.get("range", ""), row.media_type, headers)


def _note_view(use: Services, who: Any, case_id: str, uri: str, sha256: str) -> None:
    """Who looked at which file, in the case's chain; once an hour, because a player asks for a clip in many parts."""
    seen: dict[tuple[str, str], float] = use.counters.setdefault("views", {})
    key, now = (who.session_hash, uri), time.monotonic()
    if seen.get(key, -VIEW_AGAIN_S) > now - VIEW_AGAIN_S:
        return
    if len(seen) >= 20_000:
        seen.clear()
    seen[key] = now
    with session_scope(use.engine) as session:
        # The chain grows under the case's row lock, as every other link of it does.
        session.execute(select(Case.case_id).where(Case.case_id == case_id).with_for_update())
        append(session, case_id, use.clock.now(), who.actor.user_id, "view_evidence", {"uri": uri, "sha256": sha256})


def part(data: bytes, wanted: str, media_type: str, headers: dict[str, str]) -> Response:
    """``data`` whole (200), a part (206), or 416 when the part lies outside; an unknown unit is ignored."""
    found = _RANGE.match(wanted.strip())
    if not found or found.groups() == ("", ""):
        return Response(data, media_type=media_type, headers=headers)
    first, last = found.groups()
    size = len(data)
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or start > end:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers = {**headers, "Content-Range": f"bytes {start}-{end}/{size}"}
    return Response(data[start : end + 1], 206, media_type=media_type, headers=headers)
