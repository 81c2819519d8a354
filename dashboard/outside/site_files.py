"""The page and its few files: own modules, and the one form renderer of phone and desk."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

router = APIRouter()
SITE = Path(__file__).parent / "site"
FORMS = Path(__file__).parent.parent / "static" / "forms"
_NAME = re.compile(r"[a-z_]+\.(mjs|css|svg|html|webmanifest)")
_KINDS = {
    "mjs": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml",
    "html": "text/html; charset=utf-8",
}  # fmt: skip


@lru_cache(maxsize=64)
def _read(path: Path, changed_ns: int) -> tuple[bytes, bytes, str]:
    del changed_ns  # part of the key: a changed file is read again
    body = path.read_bytes()
    return body, gzip.compress(body, 9, mtime=0), f'"{hashlib.sha256(body).hexdigest()[:20]}"'


def _send(folder: Path, name: str, request: Request) -> Response:
    path = folder / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise HTTPException(404)
    body, packed, tag = _read(path, path.stat().st_mtime_ns)
    head = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    kind = _KINDS[name.rsplit(".", 1)[1]]
    if request.headers.get("if-none-match") == tag and not name.endswith(".html"):
        return Response(status_code=304, headers=head)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type=kind, headers={**head, "Content-Encoding": "gzip"})
    return Response(body, media_type=kind, headers=head)


@router.get("/", include_in_schema=False)
def start() -> Response:
    """To the page."""
    return RedirectResponse("/h")


@router.get("/h")
@router.get("/h/")
def page(request: Request) -> Response:
    """The page."""
    return _send(SITE, "index.html", request)


@router.get("/h/site/{name}")
def site_file(name: str, request: Request) -> Response:
    """A module, style or picture of the page."""
    return _send(SITE, name, request)


@router.get("/h/forms/{name}")
def form_file(name: str, request: Request) -> Response:
    """A module of the form renderer."""
    return _send(FORMS, name, request)


@router.get("/healthz")
def healthz() -> Response:
    """It runs."""
    return Response(b"ok", media_type="text/plain")
