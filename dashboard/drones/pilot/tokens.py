"""The token that Pilot sends as ``X-Auth-Token``: who signed in at which controller, until when; signed, kept nowhere.

A missing or ended token answers 401: Pilot then leaves the platform and asks for a login.  A missing right answers 403.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request
from sqlalchemy import select

from core.errors import Forbidden
from dashboard.errors import NotSignedIn
from dashboard.services import Services
from storage.session import read_scope
from storage.tables.people import User, UserRole

LASTS = timedelta(hours=12)
ROLES = frozenset({"admin", "operator", "drone"})


@dataclass(frozen=True)
class PilotSession:
    """Who works at which controller."""

    user_id: str
    name: str
    sn: str


def issue(use: Services, user_id: str, sn: str) -> str:
    """A token for ``user_id`` at controller ``sn``."""
    until = int((use.clock.now() + LASTS).timestamp())
    body = base64.urlsafe_b64encode(json.dumps([user_id, sn, until]).encode()).decode().rstrip("=")
    return f"{body}.{_sign(use, body)}"


def _sign(use: Services, body: str) -> str:
    return hmac.new(use.settings.session_secret.encode(), b"pilot:" + body.encode(), hashlib.sha256).hexdigest()


def session_of(request: Request, use: Services) -> PilotSession:
    """Whose request this is.

    Raises:
        NotSignedIn: no token, a wrong one, one that ended, or an account that is closed.
        Forbidden: the account is no crew.
    """
    return read(use, request.headers.get("x-auth-token") or "")


def read(use: Services, token: str) -> PilotSession:
    """As :func:`session_of`, of the token itself."""
    body, _, mark = token[:2000].partition(".")
    if not hmac.compare_digest(mark.encode(), _sign(use, body).encode()):
        raise NotSignedIn()
    user_id, sn, until = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if datetime.fromtimestamp(until, use.clock.now().tzinfo) < use.clock.now():
        raise NotSignedIn()
    with read_scope(use.engine) as session:
        user = session.get(User, user_id)
        roles = set(session.scalars(select(UserRole.role).where(UserRole.user_id == user_id)))
        if user is None or not user.active:
            raise NotSignedIn()
        name = user.name
    if not roles & ROLES:
        raise Forbidden(action="work with a controller")
    return PilotSession(user_id, name, sn)
