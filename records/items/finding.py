"""Lists of the catalogue: by text, pinyin, code, department, level and state."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from core.records import Actor
from records.items.access import visible_items
from records.registers.naming import searched
from storage.tables.items import ServiceItem

ORDERS = ("name", "code", "level", "state", "blocking", "warnings", "updated_at", "answer_due")
MOST = 500


@dataclass(frozen=True)
class ItemQuery:
    """Filters of a list; ``text``: part of a name, its pinyin or initials, or the beginning of a code."""

    text: str = ""
    department: str = ""
    level: str = ""
    state: str = ""
    outdated: bool = False
    blocked: bool = False
    order: str = "name"
    descending: bool = False
    offset: int = 0
    limit: int = 100


def listed(session: Session, query: ItemQuery, actor: Actor) -> tuple[list[ServiceItem], int]:
    """The page's items and how many there are."""
    sql = _filtered(select(ServiceItem), query, actor)
    total = session.scalar(select(func.count()).select_from(sql.subquery())) or 0
    column = getattr(ServiceItem, query.order if query.order in ORDERS else "name")
    ordered = sql.order_by(column.desc() if query.descending else column, ServiceItem.item_id)
    return list(session.scalars(ordered.offset(query.offset).limit(min(query.limit, MOST)))), int(total)


def _filtered(sql: Select[ServiceItem], query: ItemQuery, actor: Actor) -> Select[ServiceItem]:
    sql = sql.where(visible_items(actor))
    for column, wanted in (
        (ServiceItem.department_id, query.department),
        (ServiceItem.level, query.level),
        (ServiceItem.state, query.state),
    ):
        sql = sql.where(column == wanted) if wanted else sql
    if query.outdated:
        sql = sql.where(ServiceItem.answer_due.is_not(None))
    if query.blocked:
        sql = sql.where(ServiceItem.blocking > 0)
    return sql.where(_matches(query.text)) if query.text.strip() else sql


def _matches(text: str) -> ColumnElement[bool]:
    given, plain = text.strip(), searched(text)
    ways: list[ColumnElement[bool]] = [ServiceItem.name.contains(given, autoescape=True)]
    if plain.isascii():
        ways += [
            ServiceItem.pinyin.contains(plain, autoescape=True), ServiceItem.initials.contains(plain, autoescape=True),
            ServiceItem.code.startswith(plain.upper(), autoescape=True),
            ServiceItem.basic.startswith(plain.upper(), autoescape=True),
        ]  # fmt: skip
    return or_(*ways)
