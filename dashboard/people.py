"""Read-only queries of people: what may be shown of accounts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from storage.tables.people import User, UserRole
from storage.tables.registry import Department

Row = dict[str, Any]


def user_page(session: Session, wanted: Row, limit: int, offset: int) -> tuple[list[Row], int]:
    """People by department, role, text; no secrets."""
    conditions: list[ColumnElement[bool]] = [] if wanted.get("all") else [User.active.is_(True)]
    if wanted.get("department"):
        conditions.append(User.department_id == wanted["department"])
    if wanted.get("role"):
        conditions.append(exists().where(UserRole.user_id == User.user_id, UserRole.role == wanted["role"]))
    if wanted.get("q"):
        conditions.append(or_(*[c.contains(wanted["q"], autoescape=True) for c in (User.name, User.login)]))
    total = session.scalar(select(func.count()).select_from(User).where(*conditions)) or 0
    query = (
        select(User, Department.name)
        .outerjoin(Department, Department.department_id == User.department_id)
        .where(*conditions)
        .order_by(User.user_id)
        .limit(limit)
        .offset(offset)
    )
    found = session.execute(query).all()
    roles: dict[str, list[str]] = {}
    ids = [u.user_id for u, _ in found]
    for user_id, role in session.execute(select(UserRole.user_id, UserRole.role).where(UserRole.user_id.in_(ids))):
        roles.setdefault(user_id, []).append(role)
    return [
        {
            "user_id": u.user_id,
            "login": u.login,
            "name": u.name,
            "department_id": u.department_id,
            "department_name": department,
            "division_code": u.division_code,
            "roles": sorted(roles.get(u.user_id, [])),
            "active": u.active,
            "can_log_in": bool(u.password_hash) and u.active,
        }
        for u, department in found
    ], total
