"""Departments, divisions, people, rules, dead letters, notices."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import false, or_, select, update

from dashboard.answers.office import DeadLetterPage, DepartmentList, DivisionList
from dashboard.answers.people import AccountChanged, AccountPage, FirstPassword, NoticePage, NoticeRead
from dashboard.api.deps import Done, Use, Who, allow, answers, respond, takes
from dashboard.api.filters import Filters, Paged, Text
from dashboard.api.params import body, fields
from dashboard.desk import letters, people, places
from dashboard.desk.people import NewUser, UserEdit
from storage.session import read_scope, session_scope
from storage.tables.cases import Notice
from storage.tables.registry import Division

router = APIRouter(tags=["office"])


@router.get("/api/departments", **answers(DepartmentList))
def departments(use: Use, who: Who) -> Response:
    """All departments: whoever dispatches or transfers must be able to name one."""
    del who
    return respond({"items": places.departments(use), "next": None})


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
    query = select(
        Division.code, Division.name, Division.name_en, Division.level, Division.parent_code, Division.lon, Division.lat
    )
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
    wanted: dict[str, Any] = {"department": asked.department, "role": asked.role, "q": asked.q, "all": asked.all}
    items, total = people.user_list(use, who, wanted, asked.limit, asked.offset)
    more = asked.offset + len(items)
    return respond({"items": items, "total": total, "next": more if more < total else None})


@router.post(
    "/api/users", dependencies=[allow("security")], openapi_extra=takes(NewUser), **answers(FirstPassword, 201)
)
async def create_user(request: Request, use: Use, who: Who) -> Response:
    """A new account; its first password stands in the answer, this once."""
    sent = await body(request, NewUser)
    return respond(await asyncio.to_thread(people.create_user, use, who, sent), 201)


@router.patch(
    "/api/users/{user_id}", dependencies=[allow("security")], openapi_extra=takes(UserEdit), **answers(AccountChanged)
)
async def change_user(user_id: str, request: Request, use: Use, who: Who) -> Response:
    """Name, roles, department, division; ``active: false`` closes the account, ends its sessions, names its shifts."""
    sent = await body(request, UserEdit)
    left = await asyncio.to_thread(people.change_user, use, who, user_id, fields(sent))
    return respond({"ok": True, "shifts": left})


@router.post("/api/users/{user_id}/password", dependencies=[allow("security")], **answers(FirstPassword))
async def reset_password(user_id: str, use: Use, who: Who) -> Response:
    """A new password, shown this once; the person must change it; open sessions end."""
    password = await asyncio.to_thread(people.reset_password, use, who, user_id)
    return respond({"user_id": user_id, "password": password})


@router.get("/api/dead-letters", dependencies=[allow("admin")], **answers(DeadLetterPage))
def dead_letters(asked: Annotated[DeadLetterFilters, Query()], use: Use, who: Who) -> Response:
    """Messages that could not be processed, newest first."""
    return respond({"items": letters.dead_letters(use, who, resolved=asked.resolved, limit=asked.limit), "next": None})


@router.post("/api/dead-letters/{dead_letter_id}/resolve", dependencies=[allow("admin")], **answers(Done))
def resolve(dead_letter_id: str, use: Use, who: Who) -> Response:
    """Mark a dead letter as settled."""
    letters.settle(use, who, dead_letter_id)
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
