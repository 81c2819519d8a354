"""What the command centre's page asks for at once, sent along with it: no round trip before the first map.

Each answer is the route's own, so that rights and shapes are the same; a page uses it once and asks from then on.
"""

from __future__ import annotations

import msgspec
from fastapi import Request

from core.records import Actor
from dashboard.api.deps import respond
from dashboard.api.maps import style
from dashboard.auth import Principal
from dashboard.desk import places
from dashboard.services import Services
from events.cases.queries import MAX_PAGE, CaseFilter, list_cases
from events.cases.read_models import CaseSummary
from storage.session import read_scope

MOST_CASES = 5000
CASES = "/api/cases?open=true&limit=500"


def first_answers(request: Request, who: Principal) -> bytes:
    """``{address: answer}`` as JSON that may stand in a page; empty for whoever must choose a password first."""
    use = getattr(request.app.state, "services", None)
    if not isinstance(use, Services) or who.public().get("must_change_password"):
        return b"{}"
    parts = {
        "/api/me": respond({"user": who.public(), "csrf_token": who.csrf_token, **who.public()}).body,
        "/api/map/style.json": style(use, who).body,
        "/api/departments": respond({"items": places.departments(use), "next": None}).body,
        CASES: respond({"items": _open_cases(use, who.actor), "next": None}).body,
    }
    made = b",".join(msgspec.json.encode(address) + b":" + bytes(body) for address, body in parts.items())
    return b"{" + made.replace(b"<", b"\\u003c") + b"}"


def _open_cases(use: Services, actor: Actor) -> list[CaseSummary]:
    found: list[CaseSummary] = []
    cursor: str | None = None
    with read_scope(use.engine) as session:
        while len(found) < MOST_CASES:
            page = list_cases(session, actor, CaseFilter(open=True), cursor, MAX_PAGE)
            found += page.items
            cursor = page.next
            if cursor is None:
                break
    return found
