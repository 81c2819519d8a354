"""Departments and sites as routes and desk pages use them; administrators make and change them, by audit entry."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from dashboard.api.deps import audit, must_be
from dashboard.auth import Principal
from dashboard.services import Services
from storage.registry import grid_cell_at
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.registry import Department, Division, Site

KINDS = ("bureau", "street", "centre", "company")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_DEPARTMENT = ("department_id", "name", "name_en", "kind", "parent_id", "division_code", "phone")
_SITE = ("site_id", "name", "name_en", "kind", "lon", "lat", "department_id", "division_code", "address")


class DepartmentEdit(msgspec.Struct, forbid_unknown_fields=True):
    """A department as an administrator writes it."""

    name: str
    name_en: str = ""
    kind: str = "bureau"
    parent_id: str | None = None
    division_code: str | None = None
    phone: str = ""


class SiteEdit(msgspec.Struct, forbid_unknown_fields=True):
    """A site as an administrator writes it; community and grid cell follow from its place."""

    name: str
    kind: str
    lon: float
    lat: float
    name_en: str = ""
    department_id: str | None = None
    address: str = ""


def departments(use: Services) -> list[dict[str, Any]]:
    """All departments: whoever dispatches or transfers must be able to name one."""
    with read_scope(use.engine) as session:
        rows = session.scalars(select(Department).order_by(Department.kind, Department.department_id))
        return [{n: getattr(d, n) for n in _DEPARTMENT} for d in rows]


def open_cases(use: Services, who: Principal) -> dict[str, int]:
    """Open cases by department."""
    must_be(who, "admin")
    query = select(Case.department_id, func.count()).where(Case.open.is_(True)).group_by(Case.department_id)
    with read_scope(use.engine) as session:
        return {key: count for key, count in session.execute(query) if key}


def sites(use: Services, who: Principal) -> list[dict[str, Any]]:
    """All sites."""
    must_be(who, "admin")
    with read_scope(use.engine) as session:
        rows = session.scalars(select(Site).order_by(Site.kind, Site.name))
        return [{n: getattr(s, n) for n in _SITE} for s in rows]


def write_department(use: Services, who: Principal, key: str, edit: DepartmentEdit) -> None:
    """A new department, or changes of one; the audit entry keeps what stood before."""
    must_be(who, "admin")
    _check(key, edit.name, 80, edit.kind, KINDS)
    with session_scope(use.engine) as session:
        _known(session, Department, "parent_id", edit.parent_id)
        _known(session, Division, "division_code", edit.division_code)
        if edit.parent_id == key:
            raise InputInvalid(field="parent_id", detail="is the department itself", how="choose another, or none")
        _write(session, use, who, Department, ("department", "department_id"), key, msgspec.to_builtins(edit))


def write_site(use: Services, who: Principal, key: str, edit: SiteEdit) -> None:
    """A new site, or changes of one; the audit entry keeps what stood before."""
    must_be(who, "admin")
    _check(key, edit.name, 120, edit.kind, ())
    if not (-180 <= edit.lon <= 180 and -90 <= edit.lat <= 90):
        raise InputInvalid(field="lon", detail="is no place", how="give longitude and latitude in degrees (WGS 84)")
    with session_scope(use.engine) as session:
        _known(session, Department, "department_id", edit.department_id)
        values = msgspec.to_builtins(edit)
        cell = grid_cell_at(session, edit.lon, edit.lat)
        if cell is not None:
            values |= {"grid_code": cell.code, "division_code": cell.community_code}
        _write(session, use, who, Site, ("site", "site_id"), key, values)


def _check(key: str, name: str, longest: int, kind: str, kinds: tuple[str, ...]) -> None:
    if not _ID.fullmatch(key):
        raise InputInvalid(field="id", detail=f"{key!r} cannot be an id", how="use A-Z, a-z, 0-9, - and _")
    if not 0 < len(name.strip()) <= longest:
        raise InputInvalid(field="name", detail="is empty or too long", how=f"give 1 … {longest} characters")
    if kinds and kind not in kinds or not 0 < len(kind) <= 24:
        raise InputInvalid(field="kind", detail=f"{kind!r} is unknown", how=f"use {', '.join(kinds) or 'a short word'}")


def _known(session: Session, model: Any, field: str, key: str | None) -> None:
    if key and session.get(model, key) is None:
        raise NotFound(what=field, key=key)


def _write(
    session: Session, use: Services, who: Principal, model: Any, named: tuple[str, str], key: str,
    values: dict[str, Any],
) -> None:  # fmt: skip
    """Keep ``values``; the audit entry bears ``before`` (None: it is new) and ``after``."""
    what, identifier = named
    row = session.get(model, key, with_for_update=True)
    before = {n: getattr(row, n) for n in values} if row is not None else None
    if before == values:
        return
    if row is None:
        row = model(**{identifier: key})
        session.add(row)
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()
    note = {identifier: key, "before": before, "after": values}
    audit(session, use, who, f"{what}_{'create' if before is None else 'change'}", note)
