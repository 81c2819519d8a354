"""What tus 1.0.0 asks of one request, as pure functions: version, media type, offset, checksum, metadata."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import InputInvalid

VERSION = "1.0.0"
BYTES = "application/offset+octet-stream"
SUMS = ("sha256", "sha1", "md5")
_WHOLE = re.compile(r"\d{1,15}")
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """HTTP status and where the upload stands afterwards."""

    status: int
    upload_offset: int


def refusal(headers: Mapping[str, str], received: int) -> int | None:
    """The status with which a PATCH is refused before its body is read; None when it may go on.  Lower-case names."""
    if headers.get("tus-resumable", VERSION) != VERSION:
        return 412
    if headers.get("content-type", "") != BYTES:
        return 415
    given = headers.get("upload-offset", "")
    if not _WHOLE.fullmatch(given):
        return 400
    return 409 if int(given) != received else None


def patch(headers: Mapping[str, str], body: bytes, length: int, received: int) -> Answer:
    """What a whole PATCH is answered: 204, or 412, 415, 400, 409, 413 (too long), 460 (checksum)."""
    status = refusal(headers, received)
    if status is None and received + len(body) > length:
        status = 413
    if status is None and (given := headers.get("upload-checksum")):
        try:
            name, digest = checksum(given)
        except InputInvalid:
            status = 400
        else:
            if hashlib.new(name, body, usedforsecurity=False).hexdigest() != digest:
                status = 460
    return Answer(status, received) if status else Answer(204, received + len(body))


def checksum(given: str) -> tuple[str, str]:
    """``Upload-Checksum`` as (algorithm, hex digest)."""
    name, _, value = given.partition(" ")
    try:
        digest = base64.b64decode(value, validate=True).hex()
    except ValueError:
        digest = ""
    if name not in SUMS or not digest:
        raise InputInvalid(field="Upload-Checksum", detail=f"{given!r} is not known", how=f"use {', '.join(SUMS)}")
    return name, digest


def metadata(text: str) -> dict[str, str]:
    """``Upload-Metadata`` as a dict; :class:`InputInvalid` for what is not base64 of UTF-8."""
    found: dict[str, str] = {}
    for pair in filter(None, (p.strip() for p in text.split(","))):
        name, _, value = pair.partition(" ")
        field = f"Upload-Metadata {name}"
        try:
            found[name] = base64.b64decode(value.strip(), validate=True).decode()
        except ValueError as error:
            raise InputInvalid(field=field, detail=str(error), how="send base64 of UTF-8") from error
        if len(found[name]) > _LONGEST or "\x00" in found[name]:
            raise InputInvalid(field=field, detail="is too long", how=f"send at most {_LONGEST} characters")
    return found
