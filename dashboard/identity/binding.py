"""Whom an identity means here: bound by an administrator, or by an exact rule; roles through a table only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.ids import new_id
from dashboard.accounts.users import ROLES
from dashboard.identity.config import OidcConfig
from dashboard.identity.problems import NotBound, SignOnFailed
from events.evidence import audit_log
from storage.tables.accounts import ExternalIdentity
from storage.tables.people import User, UserRole

BY_RULE = "rule:staff_number"


def user_of(session: Session, config: OidcConfig, claims: Mapping[str, Any], now: datetime) -> User:
    """The active account of these claims, with the roles that the table gives; :class:`NotBound` otherwise."""
    subject = str(claims.get("sub") or "")
    if not 0 < len(subject) <= 200:
        raise SignOnFailed(detail="the token names nobody")
    query = select(ExternalIdentity).where(
        ExternalIdentity.issuer == config.issuer, ExternalIdentity.subject == subject
    )
    identity = session.scalars(query).one_or_none()
    if identity is None and config.bind == "staff_number":
        identity = _by_rule(session, config, claims, subject, now)
    user = session.get(User, identity.user_id) if identity is not None else None
    if identity is None or user is None or not user.active:
        raise NotBound(subject=subject)
    identity.last_used_at = now
    _give_roles(session, config, claims, user, now)
    return user


def bind(session: Session, user_id: str, issuer: str, subject: str, by: str, now: datetime) -> ExternalIdentity:
    """Say that ``subject`` of ``issuer`` is this account; one identity belongs to one account."""
    query = select(ExternalIdentity).where(ExternalIdentity.issuer == issuer, ExternalIdentity.subject == subject)
    if session.scalars(query).first() is not None:
        raise InputInvalid(field="subject", detail="is bound already", how="take that binding away first")
    identity = ExternalIdentity(
        identity_id=new_id(), issuer=issuer, subject=subject, user_id=user_id, bound_by=by, bound_at=now
    )  # fmt: skip
    session.add(identity)
    session.flush()
    return identity


def _by_rule(
    session: Session, config: OidcConfig, claims: Mapping[str, Any], subject: str, now: datetime
) -> ExternalIdentity | None:
    """The account whose login is exactly the staff number, in exactly the department that the provider names."""
    number = claims.get(config.staff_number_claim)
    if not isinstance(number, str) or not number:
        return None
    user = session.scalars(select(User).where(User.login == number, User.active.is_(True))).one_or_none()
    if user is None or (config.department_claim and claims.get(config.department_claim) != user.department_id):
        return None
    taken = select(ExternalIdentity).where(
        ExternalIdentity.user_id == user.user_id, ExternalIdentity.issuer == config.issuer
    )
    if session.scalars(taken).first() is not None:
        return None  # the account belongs to another identity of this provider
    identity = bind(session, user.user_id, config.issuer, subject, BY_RULE, now)
    content = {"user_id": user.user_id, "by": BY_RULE, "issuer": config.issuer}
    audit_log.append(session, audit_log.SYSTEM_CHAIN, now, "system", "identity_bound", content)
    return identity


def _give_roles(session: Session, config: OidcConfig, claims: Mapping[str, Any], user: User, now: datetime) -> None:
    """Of the roles that the table knows exactly those that the claim calls for; others are left as they are."""
    known = {role for roles in config.roles.values() for role in roles if role in ROLES}
    if not known:
        return
    said = claims.get(config.roles_claim)
    names = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    wanted = {role for name in names if isinstance(name, str) for role in config.roles.get(name, []) if role in ROLES}
    have = set(session.scalars(select(UserRole.role).where(UserRole.user_id == user.user_id)))
    gone, come = (have & known) - wanted, wanted - have
    if not gone and not come:
        return
    session.execute(delete(UserRole).where(UserRole.user_id == user.user_id, UserRole.role.in_(gone)))
    session.add_all([UserRole(user_id=user.user_id, role=role) for role in sorted(come)])
    content = {"user_id": user.user_id, "come": sorted(come), "gone": sorted(gone), "by": "identity provider"}
    audit_log.append(session, audit_log.SYSTEM_CHAIN, now, "system", "roles_mapped", content)
