"""Departments, divisions, people, rules, dead letters, notices."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import false, or_, select, update

from core.errors import Forbidden, NotFound
from dashboard import people, queries
from dashboard.accounts.confirming import gives_power, must_be_confirmed
from dashboard.answers.office import DeadLetterPage, DepartmentList, DivisionList
from dashboard.answers.people import AccountPage, FirstPassword, NoticePage, NoticeRead
from dashboard.api.deps import Done, Use, Who, allow, answers, audit, respond, takes
from dashboard.api.filters import Filters, Paged, Text
from dashboard.api.params import body, fields
from dashboard.auth import POWERS, add_user, check_roles, check_separate, set_password
from storage.session import read_scope, session_scope
from storage.tables.cases import Notice
from storage.tables.observations import DeadLetter
from storage.tables.people import LoginSession, User, UserRole
from storage.tables.registry import Department, Division

router = APIRouter(tags=["office"])


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


@router.get("/api/departments", **answers(DepartmentList))
def departments(use: Use, who: Who) -> Response:
    """All departments: whoever dispatches or transfers must be able to name one."""
    del who
    names = ("department_id", "name", "name_en", "kind", "parent_id", "division_code", "phone")
    with read_scope(use.engine) as session:
        rows = [
            {n: getattr(d, n) for n in names} for d in session.scalars(select(Department).order_by(Department.kind))
        ]
    return respond({"items": rows, "next": None})


class DivisionFilters(Filters):
    """Filters of ``GET /api/divisions``."""

    level: Text | None = None
    parent: Text | None = None


class AccountFilters(Paged):
    """Filters of ``GET /api/users``."""

    department: Text | None = None
    role: Text | None = None
    q: Text | None = None
    all: bool | None = Field(None, description="closed accounts too (administrators)")


class DeadLetterFilters(Filters):
    """Filters of ``GET /api/dead-letters``."""

    resolved: bool = Field(False, description="the settled ones")
    limit: int = Field(100, ge=1, le=1000)


class NoticeFilters(Filters):
    """Filters of ``GET /api/notices``."""

    unread: bool = False
    limit: int = Field(100, ge=1, le=500)


@router.get("/api/divisions", **answers(DivisionList))
def divisions(asked: Annotated[DivisionFilters, Query()], use: Use, who: Who) -> Response:
    """Divisions without their outlines."""
    del who
    query = select(Division.code, Division.name, Division.level, Division.parent_code, Division.lon, Division.lat)
    if asked.level:
        query = query.where(Division.level == asked.level)
    if asked.parent:
        query = query.where(Division.parent_code == asked.parent)
    with read_scope(use.engine) as session:
        rows = [dict(r._mapping) for r in session.execute(query.order_by(Division.code))]
    return respond({"items": rows, "next": None})


@router.get("/api/users", **answers(AccountPage))
def users(asked: Annotated[AccountFilters, Query()], use: Use, who: Who) -> Response:
    """People: the command centre sees all, others their own department."""
    wanted: dict[str, Any] = {"department": asked.department, "role": asked.role, "q": asked.q}
    wanted["all"] = who.has("security") and asked.all
    if not queries.sees_all(who.actor):
        if wanted["department"] not in (None, who.actor.department_id) or not who.actor.department_id:
            raise Forbidden(action="list people of another department")
        wanted["department"] = who.actor.department_id
    with read_scope(use.engine) as session:
        items, total = people.user_page(session, wanted, asked.limit, asked.offset)
    more = asked.offset + len(items)
    return respond({"items": items, "total": total, "next": more if more < total else None})


@router.post(
    "/api/users", dependencies=[allow("security")], openapi_extra=takes(NewUser), **answers(FirstPassword, 201)
)
async def create_user(request: Request, use: Use, who: Who) -> Response:
    """A new account; its first password stands in the answer, this once."""
    sent = await body(request, NewUser)
    _check_power(use, who, sent.roles)
    return respond(await asyncio.to_thread(_create, use, who, sent), 201)


def _check_power(use: Any, who: Any, roles: Any) -> None:
    """Whoever makes an administrator proves again to be there; where they are kept apart nobody is two."""
    if gives_power(roles):
        must_be_confirmed(who, use.clock.now())
        if use.settings.separate_admins:
            check_separate(roles)


def _create(use: Any, who: Any, sent: NewUser) -> dict[str, Any]:
    with session_scope(use.engine) as session:
        user = add_user(
            session, login=sent.login, name=sent.name, roles=sent.roles, department_id=sent.department_id,
            division_code=sent.division_code,
        )  # fmt: skip
        password = set_password(session, user, None, must_change=True)
        note = {"user_id": user.user_id, "login": user.login, "roles": sorted(sent.roles)}
        audit(session, use, who, "user_create", note)
        return {"user_id": user.user_id, "login": user.login, "password": password}


@router.patch("/api/users/{user_id}", dependencies=[allow("security")], openapi_extra=takes(UserEdit), **answers(Done))
async def change_user(user_id: str, request: Request, use: Use, who: Who) -> Response:
    """Name, roles, department, division; ``active: false`` closes the account and ends its sessions."""
    sent = await body(request, UserEdit)
    changes = fields(sent)
    _check_power(use, who, changes.get("roles"))
    await asyncio.to_thread(_change, use, who, user_id, changes)
    use.sessions.forget(user_id)
    return respond({"ok": True})


def _change(use: Any, who: Any, user_id: str, changes: dict[str, Any]) -> None:
    roles = changes.pop("roles", None)
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
        for name, value in changes.items():
            setattr(user, name, value)
        if roles is not None:
            check_roles(roles)
            for row in session.scalars(select(UserRole).where(UserRole.user_id == user_id)):
                session.delete(row)
            session.flush()
            session.add_all([UserRole(user_id=user_id, role=r) for r in sorted(set(roles))])
        if changes.get("active") is False:
            for login in session.scalars(select(LoginSession).where(LoginSession.user_id == user_id)):
                session.delete(login)
        note = {"user_id": user_id, **changes} | ({"roles": sorted(roles)} if roles is not None else {})
        audit(session, use, who, "user_change", note)


@router.post("/api/users/{user_id}/password", dependencies=[allow("security")], **answers(FirstPassword))
async def reset_password(user_id: str, use: Use, who: Who) -> Response:
    """A new password, shown this once; the person must change it; open sessions end."""
    password = await asyncio.to_thread(_reset, use, who, user_id)
    use.sessions.forget(user_id)
    return respond({"user_id": user_id, "password": password})


def _reset(use: Any, who: Any, user_id: str) -> str:
    with session_scope(use.engine) as session:
        user = session.get(User, user_id)
        if user is None:
            raise NotFound(what="user", key=user_id)
        held = list(session.scalars(select(UserRole.role).where(UserRole.user_id == user_id)))
        if gives_power(held):  # whoever sets an administrator's password could become him
            must_be_confirmed(who, use.clock.now())
        audit(session, use, who, "user_password", {"user_id": user_id})
        return set_password(session, user, None, must_change=True)


@router.get("/api/dead-letters", dependencies=[allow("admin")], **answers(DeadLetterPage))
def dead_letters(asked: Annotated[DeadLetterFilters, Query()], use: Use) -> Response:
    """Messages that could not be processed, newest first."""
    query = select(DeadLetter).order_by(DeadLetter.happened_at.desc())
    query = query.where(DeadLetter.resolved_at.is_not(None) if asked.resolved else DeadLetter.resolved_at.is_(None))
    names = ("dead_letter_id", "stream", "subject", "error", "deliveries", "happened_at", "resolved_at", "resolved_by")
    with read_scope(use.engine) as session:
        rows = [{n: getattr(d, n) for n in names} | {"payload": d.payload[:4000]} for d in
                session.scalars(query.limit(asked.limit))]  # fmt: skip
    return respond({"items": rows, "next": None})


@router.post("/api/dead-letters/{dead_letter_id}/resolve", dependencies=[allow("admin")], **answers(Done))
def resolve(dead_letter_id: str, use: Use, who: Who) -> Response:
    """Mark a dead letter as settled."""
    now = use.clock.now()
    with session_scope(use.engine) as session:
        row = session.get(DeadLetter, dead_letter_id)
        if row is None:
            raise NotFound(what="dead letter", key=dead_letter_id)
        row.resolved_at, row.resolved_by = now, who.actor.user_id
        audit(session, use, who, "dead_letter_resolve", {"dead_letter_id": dead_letter_id})
    return respond({"ok": True})


def _mine(who: Any) -> Any:
    actor = who.actor
    department = Notice.department_id == actor.department_id if actor.department_id else false()
    to_role = Notice.role.in_(actor.roles) & Notice.user_id.is_(None) & Notice.department_id.is_(None)
    return or_(Notice.user_id == actor.user_id, department, to_role)


@router.get("/api/notices", **answers(NoticePage))
def notices(asked: Annotated[NoticeFilters, Query()], use: Use, who: Who) -> Response:
    """Notices to this person, the department or the roles, newest first."""
    query = select(Notice).where(_mine(who)).order_by(Notice.created_at.desc())
    if asked.unread:
        query = query.where(Notice.read_at.is_(None))
    names = ("notice_id", "case_id", "user_id", "department_id", "role", "kind", "title", "body", "severity",
             "created_at", "read_at")  # fmt: skip
    with read_scope(use.engine) as session:
        rows = [{n: getattr(x, n) for n in names} for x in session.scalars(query.limit(asked.limit))]
    return respond({"items": rows, "next": None})


@router.post("/api/notices/{notice_id}/read", **answers(NoticeRead))
def read_notice(notice_id: str, use: Use, who: Who) -> Response:
    """Mark a notice as read."""
    with session_scope(use.engine) as session:
        done = session.execute(
            update(Notice).where(Notice.notice_id == notice_id, _mine(who), Notice.read_at.is_(None))
            .values(read_at=use.clock.now()).returning(Notice.notice_id)
        ).first()  # fmt: skip
    return respond({"ok": True, "changed": done is not None})
