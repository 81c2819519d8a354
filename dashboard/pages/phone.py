"""The phone's files: the shell (what the first screen needs, found by following imports), words, service worker.

All files are small text; they are compressed once and kept, and found again by what is in them (ETag).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError

from core.late import Late
from dashboard.i18n import COOKIE, LANGUAGES, chosen
from dashboard.i18n import words as all_words
from storage.session import read_scope

if TYPE_CHECKING:
    from dashboard.auth import Principal
    from dashboard.pages import kind_words as kind_names
    from dashboard.services import Services
    from events.cases.worklists import tasks as worklists
    from events.cases.worklists.tasks import TaskPage
else:
    kind_names = Late("dashboard.pages.kind_words")
    worklists = Late("events.cases.worklists.tasks")

HERE = Path(__file__).parent.parent / "mobile"
STATIC = Path(__file__).parent.parent / "static"
_KINDS = {
    ".mjs": "text/javascript", ".css": "text/css", ".png": "image/png", ".webmanifest": "application/manifest+json",
}  # fmt: skip
_NAME = re.compile(r"(?:[\w-]+/)*[\w.-]+\.(?:mjs|css|png|webmanifest)")
_IMPORT = re.compile(r"""^\s*(?:import|export)\b[^"';]*["']([^"']+)["']""", re.MULTILINE)
FACTS = tuple(
    f"fact.{n}" for n in ("class", "department", "deadline", "grid", "kind", "opened", "place", "severity", "title")
)
EXAM = tuple(
    f"exam.{n}" for n in (
        "title", "none", "questions", "minutes", "passing", "best", "begin", "go_on", "hand_in", "left", "kept",
        "unkept", "open", "yours", "right", "passed", "failed", "state_", "why_",
    )
)  # fmt: skip
# Words that the phone shows; the command centre's many others stay behind.
_PREFIXES = (
    "phone.", "act.", "app.", "login.", "error.", "state.", "severity.", "command.", "kind.", "field.", *FACTS,
    "purpose.", "userrole.", "unit.", "span.", "mission.state.", "cases.overdue", "cases.left", "case.until",
    "case.nothing_allowed", "case.timeline", "top.logout", "plans.do_", "work.documents", "work.version", "work.part",
)  # fmt: skip

# Words of screens that are loaded later, in a file of their own: the shell stays small.
_LATER_WORDS = (
    "guide.", *EXAM, "phone.filing_", "phone.campaign_", "phone.campaigns_", "phone.handbook", "phone.exams",
    "phone.second", "phone.site_about", "phone.site_make", "phone.site_matter", "phone.site_place", "phone.push_",
    "mission.state.", "phone.grid_", "phone.share_", "phone.revoke", "phone.last_login", "phone.devices",
    "phone.this_device", "phone.correct", "phone.note_visit", "phone.nothing_changed", "phone.on_duty_now",
    "phone.team_counts", "phone.nothing_to_approve", "phone.no_grid", "phone.nothing_due", "phone.solved_",
    "phone.not_my_grid", "phone.valid_until", "phone.leave_waiting", "phone.class_hint", "phone.locating",
)  # fmt: skip

START, APP = "/m/first.mjs", "/m/app.mjs"
_SECOND = (APP, "/m/screens/task.mjs", "/m/screens/login.mjs")  # fetched once the first list is drawn
# Words of the first list, before all of them are read.
_FIRST_WORDS = (
    "state.", "severity.", "span.", "cases.overdue", "cases.left", "phone.my_turn", "phone.tasks", "phone.online",
    "phone.offline", "phone.session_ended", "login.submit", "phone.title", "phone.map", "phone.report", "phone.grid",
    "phone.team",
    "phone.me", "phone.to_", "phone.in_hand", "phone.sending", "phone.others", "phone.order", "phone.urgent_first",
    "phone.near_first", "phone.unread", "phone.lists", "phone.view_", "phone.new", "act.refresh",
)  # fmt: skip

LATER = ("/m/push.mjs", "/m/queue/film.mjs", "/static/work/parties.mjs", *(
    f"/m/screens/{n}.mjs"
    for n in (
        "me", "report", "ask", "work", "home", "grid", "record", "approvals", "missions", "site", "team",
        "filing", "campaigns", "training/exams", "training/handbook",
    )
))  # fmt: skip

router = APIRouter(include_in_schema=False)
log = logging.getLogger("yiwang.phone")


@dataclass(frozen=True)
class Asset:
    """A file as it is sent: plain, compressed, and its ETag."""

    body: bytes
    packed: bytes
    media_type: str
    tag: str


def _asset(body: bytes, media_type: str) -> Asset:
    return Asset(body, gzip.compress(body, 9, mtime=0), media_type, f'"{hashlib.sha256(body).hexdigest()[:20]}"')


def _send(asset: Asset, request: Request, **headers: str) -> Response:
    head = {"ETag": asset.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding", **headers}
    if request.headers.get("if-none-match") == asset.tag:
        return Response(status_code=304, headers=head)
    if "gzip" in request.headers.get("accept-encoding", "") and not asset.media_type.startswith("image/"):
        return Response(asset.packed, media_type=asset.media_type, headers={**head, "Content-Encoding": "gzip"})
    return Response(asset.body, media_type=asset.media_type, headers=head)


@lru_cache(maxsize=256)
def _read(path: Path, changed_ns: int) -> Asset:
    del changed_ns  # part of the key: a changed file is read again
    kind = _KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return _asset(path.read_bytes(), kind)


def _file(path: Path) -> Asset:
    return _read(path, path.stat().st_mtime_ns)


def _path(address: str) -> Path | None:
    if address.startswith("/m/"):
        return HERE / address.removeprefix("/m/")
    return STATIC / address.removeprefix("/static/") if address.startswith("/static/") else None


def shell(*starts: str) -> list[str]:
    """Addresses of what the first screens need (or ``starts``): every module they import without waiting."""
    found: dict[str, None] = {}
    waiting = list(starts or (START, *_SECOND))
    while waiting:
        address = waiting.pop(0)
        path = _path(address)
        if address in found or path is None or not path.is_file():
            continue
        found[address] = None
        for name in _IMPORT.findall(path.read_text(encoding="utf-8")):
            waiting.append(name if name.startswith("/") else _joined(address, name))
    return list(found)


def later(listed: list[str]) -> list[str]:
    """Addresses of what the forms of commands need besides the shell."""
    found = [address for name in LATER for address in shell(name)]
    found += ["/static/forms/forms.css", "/static/work/exam.css"]
    return [address for address in dict.fromkeys(found) if address not in listed]


def _joined(address: str, name: str) -> str:
    parts = address.split("/")[:-1]
    for part in name.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def words(language: str, *, later: bool = False) -> bytes:
    """The phone's words in ``language`` as JSON: those of the shell, or of what is loaded ``later``."""
    known = all_words(language)
    if later:
        shown = {k: v for k, v in known.items() if k.startswith(_LATER_WORDS)} | kind_names.kind_words(language)
    else:
        shown = {k: v for k, v in known.items() if k.startswith(_PREFIXES) and not k.startswith(_LATER_WORDS)}
    return json.dumps(shown, ensure_ascii=False).encode()


def first_words(language: str, tasks: TaskPage) -> dict[str, str]:
    """The words of the first list: those of every list, and the names of these tasks' states and kinds."""
    known = all_words(language)
    shown = {k: v for k, v in known.items() if k.startswith(_FIRST_WORDS) and not k.startswith(_LATER_WORDS)}
    kinds = tuple(f"kind.{c.definition_id}.{what}." for c in tasks.items for what in ("state", "kind"))
    if kinds:
        shown |= {k: v for k, v in kind_names.kind_words(language).items() if k.startswith(tuple(set(kinds)))}
    keys = {f"kind.{c.kind}" for c in tasks.items}
    return shown | {k: known[k] for k in keys & known.keys()}


def index(brought: Mapping[str, Any] | None = None) -> bytes:
    """The page: styles in it, what the first list needs asked for at once, the rest after it.

    ``brought`` is what the first list of a signed-in person shows.
    """
    first = shell(START)
    blocks = {"first": brought, "rest": [a for a in shell(APP) if a not in first]}
    body = "\n".join(
        f'<script type="application/json" id="{name}">{_in_html(value)}</script>'
        for name, value in blocks.items() if value is not None
    )  # fmt: skip
    preload = "\n".join(f'<link rel="modulepreload" href="{a}">' for a in first if a != START)
    text = (HERE / "index.html").read_text(encoding="utf-8")
    style = (HERE / "phone.css").read_text(encoding="utf-8")
    for mark, value in (("__PRELOAD__", preload), ("__STYLE__", style), ("__BROUGHT__", body)):
        text = text.replace(mark, value, 1)
    return text.encode()


def _in_html(value: Any) -> str:
    """JSON that may stand in a page: nothing in it ends the block."""
    return msgspec.json.encode(value).decode().replace("<", "\\u003c")


def worker() -> bytes:
    """The service worker with the shell's list and a version that changes with any of its files."""
    listed = ["/m", *shell(), "/m/manifest.webmanifest", "/static/icon.svg"]
    listed += [f"/m/words/{language}.json" for language in LANGUAGES]
    digest = hashlib.sha256(index())
    behind = later(listed) + [f"/m/words/{language}-later.json" for language in LANGUAGES]
    for address in (*listed, *behind):
        path = _path(address)
        if path is not None and path.is_file():
            digest.update(path.read_bytes())
    for language in LANGUAGES:
        digest.update(words(language) + words(language, later=True))
    text = (HERE / "sw.js").read_text(encoding="utf-8")
    text = text.replace("__VERSION__", digest.hexdigest()[:12]).replace("__SHELL__", json.dumps(listed))
    return text.replace("__LATER__", json.dumps(behind)).encode()


@router.get("/m")
@router.get("/m/")
def page(request: Request) -> Response:
    """The phone's page, with the first list of whoever is signed in: nothing of it is kept by the browser.

    Always whole: a 304 carries no content type, and the headers that go with it (the gate's policy for what is no
    page) would replace those of the kept page.
    """
    return _page(request, index(_brought(request)))


@router.get("/m/shell")
def bare(request: Request) -> Response:
    """The page without anybody's list: what the service worker keeps."""
    return _page(request, index())


def _page(request: Request, body: bytes) -> Response:
    packed = "gzip" in request.headers.get("accept-encoding", "")
    head = {"Cache-Control": "no-store", "Vary": "Accept-Encoding, Cookie"}
    if packed:
        body, head["Content-Encoding"] = gzip.compress(body, 6, mtime=0), "gzip"
    return Response(body, media_type="text/html; charset=utf-8", headers=head)


def _brought(request: Request) -> dict[str, Any] | None:
    """The first list of whoever is signed in."""
    who: Principal | None = request.scope.get("state", {}).get("principal")
    if who is None or who.must_change_password:
        return None
    services: Services = request.app.state.services
    try:
        with read_scope(services.engine) as session:
            tasks = worklists.urgent_tasks(session, who.actor)
    except SQLAlchemyError as error:
        log.warning("the phone's page comes without its first list: %s", error)
        return None
    language = chosen(request.cookies.get(COOKIE))
    said = first_words(language, tasks)
    return {"me": who.public(), "tasks": tasks, "at": services.clock.now(), "words": said}


@router.get("/m/sw.js")
def service_worker(request: Request) -> Response:
    """A route of its own: the worker's scope is ``/m``."""
    return _send(_asset(worker(), "text/javascript"), request, **{"Service-Worker-Allowed": "/m"})


@router.get("/m/words/{language}.json")
def phone_words(language: str, request: Request) -> Response:
    """The phone's words; ``zh-later``: those of the screens that are loaded later."""
    name, _, part = language.partition("-")
    if name not in LANGUAGES or part not in ("", "later"):
        raise HTTPException(404, "no such language")
    return _send(_asset(words(name, later=part == "later"), "application/json"), request)


@router.get("/m/{name:path}")
def phone_file(name: str, request: Request) -> Response:
    """A module, style or picture of the phone."""
    path = HERE / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise HTTPException(404, "no such file")
    return _send(_file(path), request)
