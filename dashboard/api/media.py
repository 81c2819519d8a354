"""Evidence files: whoever may see one of the cases a file belongs to may see the file."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response
from sqlalchemy import exists, select

from core.errors import MediaMissing
from dashboard.api.deps import Use, Who
from events.access import visible_cases
from storage.session import read_scope
from storage.tables.cases import Case, CaseEvidence

router = APIRouter(tags=["media"])

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


@router.get("/media/{uri:path}")
def media(uri: str, request: Request, use: Use, who: Who) -> Response:
    """The file, or the part of it that ``Range`` asks for (one range)."""
    with read_scope(use.engine) as session:
        row = session.execute(
            select(CaseEvidence.media_type, CaseEvidence.sha256)
            .where(
                CaseEvidence.uri == uri,
                exists().where(Case.case_id == CaseEvidence.case_id, visible_cases(who.actor)),
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
    return part(data, request.headers.get("range", ""), row.media_type, headers)


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
