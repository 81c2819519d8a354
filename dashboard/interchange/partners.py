"""Who asks at an interface: somebody signed in, or a partner's key with the right scope."""

from __future__ import annotations

import base64
import hashlib

from fastapi import Request

from core.errors import Forbidden
from core.records import Actor
from dashboard.errors import NotSignedIn, PasswordChangeRequired
from dashboard.services import Services
from storage.session import read_scope
from storage.tables.people import ApiKey, User, UserRole

OPEN311, SENSORTHINGS, SENSORTHINGS_WRITE, OGC = "open311", "sensorthings", "sensorthings_write", "ogc"


def actor_of(use: Services, request: Request, *scopes: str, session: bool = True) -> Actor:
    """The account behind the session (unless ``session`` is False) or the key.

    :class:`NotSignedIn` (401) without either, :class:`Forbidden` (403) for a key of another scope.
    """
    principal = request.scope.get("state", {}).get("principal") if session else None
    if principal is not None and principal.must_change_password:
        raise PasswordChangeRequired()
    if principal is not None:
        actor: Actor = principal.actor
        return actor
    key = _key(request)
    if not key:
        raise NotSignedIn()
    return account(use, key, scopes)


def account(use: Services, key: str, scopes: tuple[str, ...]) -> Actor:
    """The account that a key belongs to; :class:`NotSignedIn` for an unknown or revoked one."""
    with read_scope(use.engine) as database:
        row = database.get(ApiKey, hashlib.sha256(key.encode()).hexdigest())
        user = database.get(User, row.user_id) if row is not None and row.revoked_at is None else None
        if row is None or user is None or not user.active:
            raise NotSignedIn()
        if row.scope not in scopes:
            raise Forbidden(action=f"use this interface with a key of scope {row.scope}")
        roles = [r.role for r in database.query(UserRole).filter(UserRole.user_id == user.user_id)]
        return Actor(user_id=user.user_id, name=user.name, roles=tuple(sorted(roles)),
                     department_id=user.department_id, division_code=user.division_code)  # fmt: skip


def _key(request: Request) -> str:
    given = request.headers.get("x-api-key") or request.query_params.get("api_key")
    if given:
        return given
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except ValueError:  # letters outside ASCII, no base64, no UTF-8
            return ""
    return ""
