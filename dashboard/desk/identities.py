"""Which identity of the provider is which account: as routes and the administration page use it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import delete, select

from core.errors import NotFound
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.identity import binding
from dashboard.services import Services
from storage.session import read_scope, session_scope
from storage.tables.accounts import ExternalIdentity
from storage.tables.people import LoginSession, User


class IdentityView(msgspec.Struct):
    """An identity that is bound to an account."""

    identity_id: str
    issuer: str
    subject: str
    bound_by: str
    bound_at: datetime
    last_used_at: datetime | None


def bound_to(use: Services, who: Principal, user_id: str) -> list[IdentityView]:
    """The identities of an account."""
    must_be(who, "security")
    with read_scope(use.engine) as session:
        rows = session.scalars(select(ExternalIdentity).where(ExternalIdentity.user_id == user_id))
        return [_view(row) for row in rows]


def bind(use: Services, who: Principal, user_id: str, subject: str) -> IdentityView:
    """Bind ``subject`` (the provider's ``sub``) to an account."""
    must_be(who, "security")
    if use.identity is None:
        raise NotFound(what="identity provider", key="oidc.json")
    issuer = use.identity.config.issuer
    with session_scope(use.engine) as session:
        if session.get(User, user_id) is None:
            raise NotFound(what="user", key=user_id)
        row = binding.bind(session, user_id, issuer, subject.strip()[:200], who.actor.user_id, use.clock.now())
        audit(session, use, who, "identity_bound", {"user_id": user_id, "issuer": issuer, "subject": row.subject})
        return _view(row)


def unbind(use: Services, who: Principal, identity_id: str) -> IdentityView:
    """Take a binding away; the sessions that came of it end."""
    must_be(who, "security")
    with session_scope(use.engine) as session:
        row = session.get(ExternalIdentity, identity_id)
        if row is None:
            raise NotFound(what="identity", key=identity_id)
        shown = _view(row)
        session.execute(
            delete(LoginSession).where(LoginSession.user_id == row.user_id, LoginSession.issuer == row.issuer)
        )
        audit(session, use, who, "identity_unbound", {"user_id": row.user_id, "subject": row.subject})
        session.delete(row)
        use.sessions.forget(row.user_id)
    return shown


def _view(row: ExternalIdentity) -> IdentityView:
    return IdentityView(**{name: getattr(row, name) for name in IdentityView.__struct_fields__})
