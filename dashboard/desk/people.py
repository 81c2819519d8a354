"""Accounts as routes and desk pages use them: who there is, new ones, changes, passwords, signed-in devices."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Forbidden, NotFound
from dashboard import queries
from dashboard.accounts.batch import Batch, import_accounts
from dashboard.accounts.confirming import gives_power, must_be_confirmed
from dashboard.accounts.invitations import invite
from dashboard.accounts.users import POWERS, add_user, check_roles, check_separate, set_password
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.people import user_page
from dashboard.services import Services
from events.dispatching.duty_roster import shifts_ahead
from storage.session import read_scope, session_scope
from storage.tables.people import LoginSession, PushSubscription, User, UserRole
from storage.tables.registry import Department, Division


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/users``."""

    login: str
    name: str
    roles: list[str]
    department_id: str | None = None
    division_code: str | None = None


class UserEdit(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PATCH /api/users/{user_id}``: only what shall change."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    roles: list[str] | msgspec.UnsetType = msgspec.UNSET
    department_id: str | None | msgspec.UnsetType = msgspec.UNSET
    division_code: str | None | msgspec.UnsetType = msgspec.UNSET
    active: bool | msgspec.UnsetType = msgspec.UNSET


def user_list(
    use: Services, who: Principal, wanted: dict[str, Any], limit: int, offset: int
) -> tuple[list[dict[str, Any]], int]:
    """People by department, role, text: the command centre sees all, others their own department.

    ``all``: closed accounts too (administrators).
    """
    wanted = {**wanted, "all": who.has("security") and wanted.get("all")}
    if not queries.sees_all(who.actor):
        if wanted.get("department") not in (None, who.actor.department_id) or not who.actor.department_id:
            raise Forbidden(action="list people of another department")
        wanted["department"] = who.actor.department_id
    with read_scope(use.engine) as session:
        return user_page(session, wanted, limit, offset)


def check_power(use: Services, who: Principal, roles: object) -> None:
    """Whoever makes an administrator proves again to be there; where they are kept apart nobody is two."""
    if gives_power(roles):
        must_be_confirmed(who, use.clock.now())
        if use.settings.separate_admins and isinstance(roles, list):
            check_separate(roles)


def create_user(use: Services, who: Principal, sent: NewUser) -> dict[str, Any]:
    """A new account; its first password stands in the answer, this once."""
    must_be(who, "security")
    check_power(use, who, sent.roles)
    with session_scope(use.engine) as session:
        user = add_user(
            session, login=sent.login, name=sent.name, roles=sent.roles, department_id=sent.department_id,
            division_code=sent.division_code,
        )  # fmt: skip
        password = set_password(session, user, None, must_change=True)
        note = {"user_id": user.user_id, "login": user.login, "roles": sorted(sent.roles)}
        audit(session, use, who, "user_create", note)
        return {"user_id": user.user_id, "login": user.login, "password": password}


def change_user(use: Services, who: Principal, user_id: str, changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Name, roles, department, division; ``active: false`` closes the account and ends its sessions.

    Returns the running and coming duty shifts of an account that was closed now: somebody else must stand there.
    """
    must_be(who, "security")
    changes = dict(changes)
    roles = changes.pop("roles", None)
    check_power(use, who, roles)
    with session_scope(use.engine) as session:
        user = session.get(User, user_id)
        if user is None:
            raise NotFound(what="user", key=user_id)
        own = set(who.actor.roles) & set(POWERS)
        if user_id == who.actor.user_id and (changes.get("active") is False or (roles and own - set(roles))):
            raise Forbidden(action="take your own administration away: ask another administrator")
        for name, model in (("department_id", Department), ("division_code", Division)):
            if changes.get(name) and session.get(model, changes[name]) is None:
                raise NotFound(what=name, key=changes[name])
        before: dict[str, Any] = {name: getattr(user, name) for name in changes}
        for name, value in changes.items():
            setattr(user, name, value)
        if roles is not None:
            check_roles(roles)
            before["roles"] = sorted(session.scalars(select(UserRole.role).where(UserRole.user_id == user_id)))
            for row in session.scalars(select(UserRole).where(UserRole.user_id == user_id)):
                session.delete(row)
            session.flush()
            session.add_all([UserRole(user_id=user_id, role=r) for r in sorted(set(roles))])
        if changes.get("active") is False:
            for login in session.scalars(select(LoginSession).where(LoginSession.user_id == user_id)):
                session.delete(login)
        note = {"user_id": user_id, **changes} | ({"roles": sorted(roles)} if roles is not None else {})
        audit(session, use, who, "user_change", note | {"before": before})
        closed = before.get("active") is True and changes["active"] is False
        left = _shifts_left(session, use, user_id) if closed else []
    use.sessions.forget(user_id)
    return left


def _shifts_left(session: Session, use: Services, user_id: str) -> list[dict[str, Any]]:
    rows = shifts_ahead(session, user_id, use.clock.now())
    names = {row.department_id: session.get_one(Department, row.department_id) for row in rows}
    return [
        {
            "shift_id": row.shift_id, "department_id": row.department_id, "post": row.post,
            "department_name": names[row.department_id].name, "department_name_en": names[row.department_id].name_en,
            "starts_at": row.starts_at.isoformat(), "ends_at": row.ends_at.isoformat(),
        }
        for row in rows
    ]  # fmt: skip


def reset_password(use: Services, who: Principal, user_id: str) -> str:
    """A new password, shown this once; the person must change it; open sessions end."""
    must_be(who, "security")
    with session_scope(use.engine) as session:
        user = session.get(User, user_id)
        if user is None:
            raise NotFound(what="user", key=user_id)
        held = list(session.scalars(select(UserRole.role).where(UserRole.user_id == user_id)))
        if gives_power(held):  # whoever sets an administrator's password could become him
            must_be_confirmed(who, use.clock.now())
        audit(session, use, who, "user_password", {"user_id": user_id})
        password = set_password(session, user, None, must_change=True)
    use.sessions.forget(user_id)
    return password


def invite_user(use: Services, who: Principal, user_id: str) -> str:
    """A one-time code for a person, shown this once; earlier codes of the person end."""
    must_be(who, "security")
    with session_scope(use.engine) as session:
        user = session.get(User, user_id)
        if user is None:
            raise NotFound(what="user", key=user_id)
        held = list(session.scalars(select(UserRole.role).where(UserRole.user_id == user_id)))
        if gives_power(held):  # an invitation sets the password, too
            must_be_confirmed(who, use.clock.now())
        audit(session, use, who, "user_invite", {"user_id": user_id})
        return invite(session, user, who.actor.user_id, use.clock.now())


def invitation_link(use: Services, code: str) -> str:
    """Where the phone opens an invitation."""
    return f"{use.settings.public_url}/m#/invitation/{code}"


def import_users(use: Services, who: Principal, data: bytes, name: str, *, dry_run: bool) -> Batch:
    """Accounts from a table: every problem stands with its row, the good rows become accounts with invitations."""
    must_be(who, "security")
    if not dry_run:
        must_be_confirmed(who, use.clock.now())  # the table may make administrators
    with session_scope(use.engine) as session:
        made = import_accounts(
            session, io.BytesIO(data), name, who.actor.user_id, use.clock.now(), dry_run=dry_run, language=who.language
        )
        if not dry_run:
            note = {"file": name, "created": len(made.created), "problems": len(made.problems)}
            audit(session, use, who, "users_import", note)
        return made


def device_id(session_hash: str) -> str:
    """How a login is named: nothing can be made of it."""
    return hashlib.sha256(f"device:{session_hash}".encode()).hexdigest()[:20]


def signed_in(use: Services, who: Principal, user_id: str) -> list[dict[str, Any]]:
    """Where a person is signed in, last seen first; one's own, or anybody's for administrators."""
    if user_id != who.actor.user_id:
        must_be(who, "security")
    with read_scope(use.engine) as session:
        rows = session.scalars(
            select(LoginSession)
            .where(LoginSession.user_id == user_id, LoginSession.expires_at > use.clock.now())
            .order_by(LoginSession.last_seen_at.desc())
        )
        return [
            {
                "device_id": device_id(row.session_hash), "user_agent": row.user_agent, "address": row.address,
                "created_at": row.created_at, "last_seen_at": row.last_seen_at,
                "this": row.session_hash == who.session_hash,
            }
            for row in rows
        ]  # fmt: skip


def sign_out(use: Services, who: Principal, user_id: str, device: str) -> None:
    """Sign a device out: its session ends at once, and nothing is pushed to it any more."""
    if user_id != who.actor.user_id:
        must_be(who, "security")
    with session_scope(use.engine) as session:
        theirs = session.scalars(select(LoginSession).where(LoginSession.user_id == user_id)).all()
        found = next((row for row in theirs if device_id(row.session_hash) == device), None)
        if found is None:
            raise NotFound(what="device", key=device)
        for push in session.scalars(
            select(PushSubscription).where(PushSubscription.session_hash == found.session_hash)
        ):
            session.delete(push)
        session.delete(found)
        note = {"device_id": device, "user_agent": found.user_agent}
        audit(session, use, who, "device_revoke", note | ({} if user_id == who.actor.user_id else {"user_id": user_id}))
    use.sessions.forget(user_id)


def remove_factor(use: Services, who: Principal, user_id: str) -> None:
    """A lost authenticator: the person logs in without a code and sets up a new one."""
    must_be(who, "security")
    use.accounts.second.remove(user_id)
    with session_scope(use.engine) as session:
        audit(session, use, who, "second_factor_off", {"user_id": user_id})
