"""Read-only queries of people: what may be shown of accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from storage.tables.people import User, UserRole
from storage.tables.registry import Department, Division

Row = dict[str, Any]


def person_names(session: Session, ids: Iterable[str | None]) -> dict[str, str]:
    """Names of the people among ``ids``, also of closed accounts; ``system`` and other actors are left out."""
    wanted = sorted({user_id for user_id in ids if user_id})
    found: dict[str, str] = {}
    for start in range(0, len(wanted), 500):
        rows = session.execute(select(User.user_id, User.name).where(User.user_id.in_(wanted[start : start + 500])))
        found |= {row.user_id: row.name for row in rows}
    return found


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
        select(User, Department.name, Department.name_en, Division.name)
        .outerjoin(Department, Department.department_id == User.department_id)
        .outerjoin(Division, Division.code == User.division_code)
        .where(*conditions)
        .order_by(User.user_id)
        .limit(limit)
        .offset(offset)
    )
    found = session.execute(query).all()
    roles: dict[str, list[str]] = {}
    ids = [u.user_id for u, *_ in found]
    for user_id, role in session.execute(select(UserRole.user_id, UserRole.role).where(UserRole.user_id.in_(ids))):
        roles.setdefault(user_id, []).append(role)
    return [
        {
            "user_id": u.user_id,
            "login": u.login,
            "name": u.name,
            "department_id": u.department_id,
            "department_name": department,
            "department_name_en": department_en,
            "division_code": u.division_code,
            "division_name": division,
            "roles": sorted(roles.get(u.user_id, [])),
            "active": u.active,
            "can_log_in": bool(u.password_hash) and u.active,
        }
        for u, department, department_en, division in found
    ], total
