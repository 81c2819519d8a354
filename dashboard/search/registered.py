"""People with an account and records of the registers, found by right."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from core.records import Actor
from core.sealing import Seal
from dashboard import queries
from dashboard.search.spelling import match, spell
from dashboard.services import Services
from dashboard.wall.surroundings import metres
from records.registers.access import visible_records
from records.registers.definition import shipped_registers
from records.registers.search import Query, page
from storage.session import read_scope
from storage.tables.people import User
from storage.tables.registry import Department

SHORTEST = 2  # characters from which records are looked for: one finds half the district


def people(engine: Engine, actor: Actor, query: str, limit: int) -> dict[str, Any]:
    """Colleagues by name (Chinese, pinyin, initials) or login: the centre finds all, others their department's."""
    wanted = query.strip().lower()
    if not wanted:
        return {"total": 0, "items": []}
    columns = (User.user_id, User.name, User.login, User.phone, Department.name.label("department"))
    asked = select(*columns).outerjoin(Department, Department.department_id == User.department_id)
    asked = asked.where(User.active.is_(True))
    if not queries.sees_all(actor):
        asked = asked.where(User.department_id == actor.department_id, User.department_id.is_not(None))
    found = []
    with read_scope(engine) as session:
        for row in session.execute(asked):
            at = match(wanted, spell(row.name))
            if at is not None or wanted in row.login.lower():
                span = [at.start, at.end] if at else [0, 0]
                score = at.score if at else 0.4
                item = {
                    "id": row.user_id, "name": row.name, "name_en": "", "match": span,
                    "how": at.how if at else "number", "department": row.department or "", "phone": row.phone,
                    "lon": None, "lat": None, "distance_m": None,
                }  # fmt: skip
                found.append((-score, row.name, item))
    found.sort(key=lambda each: each[:2])
    return {"total": len(found), "items": [item for *_, item in found[:limit]]}


def records(use: Services, actor: Actor, query: str, limit: int, here: tuple[float, float] | None) -> dict[str, Any]:
    """Records by name, pinyin, initials or a whole number, by the right to their register; nothing sealed is shown."""
    if len(query.strip()) < SHORTEST:
        return {"total": 0, "items": []}
    registers = shipped_registers()
    wanted = Query(text=query, limit=limit, may_see=visible_records(actor, registers))
    with read_scope(use.engine) as session:
        rows = page(session, wanted, Seal(use.settings.records_key))
        items = [
            {
                "id": row.record_id, "name": row.name, "name_en": "", "match": [0, 0], "how": "name",
                "register_id": row.register_id, "register": registers[row.register_id].zh,
                "register_en": registers[row.register_id].en, "lon": row.lon, "lat": row.lat,
                "distance_m": None if here is None or row.lon is None or row.lat is None
                else round(metres(here, (row.lon, row.lat))),
            }
            for row in rows
            if row.register_id in registers
        ]  # fmt: skip
    return {"total": len(items), "items": items}
