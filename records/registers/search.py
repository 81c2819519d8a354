"""Finding records: by name, pinyin, initials or a whole number; filtered pages in a stable order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from core.codes.result import normalise
from core.sealing import Seal, comparable_number
from records.registers.definition import shipped_registers
from records.registers.naming import searched
from storage.tables.records import RecordBlind, RecordGram, RegisterRecord

MOST = 200  # rows of a page
COUNTED = 1000
_ENOUGH = 3000
_HIGHEST = "\U0010ffff"
_KINDS = ("resident_id", "phone")
ORDERS = {
    "name": RegisterRecord.name, "updated_at": RegisterRecord.updated_at, "visit_due": RegisterRecord.visit_due,
    "division_code": RegisterRecord.division_code,
}  # fmt: skip


@dataclass(frozen=True)
class Query:
    """A filtered page of a register.

    ``text`` is a name, pinyin, initials or a whole number; ``division`` a code of 6, 9, 12 or 15 digits; ``box`` west,
    south, east, north; ``grids`` grid cells, for registers without points; ``may_see`` the condition of the reader's
    rights.
    """

    register_id: str | None = None
    text: str = ""
    division: str = ""
    facet_a: Sequence[str] = ()
    facet_b: Sequence[str] = ()
    building: str = ""
    box: tuple[float, float, float, float] | None = None
    grids: Sequence[str] = ()
    due_before: Any = None
    states: Sequence[str] = ("active",)
    order: str = "name"
    descending: bool = False
    offset: int = 0
    limit: int = 50
    may_see: ColumnElement[bool] | None = field(default=None, compare=False)


def page(session: Session, query: Query, seal: Seal) -> list[RegisterRecord]:
    """The records of the page: of a search the nearest first (whole, beginning, inside), else in the query's order."""
    limit = min(query.limit, MOST)
    if query.text.strip():
        found: dict[str, RegisterRecord] = {}
        for sql in _paths(session, select(RegisterRecord), query, seal):
            wanted = query.offset + limit
            found |= {r.record_id: r for r in session.scalars(sql.limit(wanted)) if r.record_id not in found}
            if len(found) >= wanted:
                break
        return list(found.values())[query.offset : query.offset + limit]
    order = ORDERS.get(query.order, RegisterRecord.name)
    by = order.desc() if query.descending else order.asc()
    sql = _filtered(select(RegisterRecord), query, ordered=True).order_by(by, RegisterRecord.record_id)
    return list(session.scalars(sql.offset(query.offset).limit(limit)))


def count(session: Session, query: Query, seal: Seal) -> int:
    """How many records the filters leave; of a search at most :data:`COUNTED`, which stands for "so many or more"."""
    if query.text.strip():
        found: set[str] = set()
        for sql in _paths(session, select(RegisterRecord.record_id), query, seal):
            found.update(session.scalars(sql.limit(COUNTED)))
            if len(found) >= COUNTED:
                return COUNTED
        return len(found)
    sql = _filtered(select(func.count()).select_from(RegisterRecord), query)
    return int(session.scalar(sql) or 0)


def _filtered(sql: Select[Any], query: Query, narrow: bool = True, ordered: bool = False) -> Select[Any]:
    """``ordered``: the page is read in its order, a street's code only sorts out.

    ``narrow`` False: register and state only sort out what another index has found; the planner cannot know that a
    beginning of a name is rarer than a register.
    """
    table = RegisterRecord
    register, state = (
        (table.register_id, table.state)
        if narrow
        else (func.coalesce(table.register_id, ""), func.coalesce(table.state, ""))
    )
    if query.register_id:
        sql = sql.where(register == query.register_id)
    if query.states:
        sql = sql.where(state.in_(query.states))
    if query.division:
        sql = sql.where(below(query.division, ordered or bool(query.facet_a or query.facet_b)))
    if query.facet_a:
        sql = sql.where(table.facet_a.in_(query.facet_a))
    if query.facet_b:
        sql = sql.where(table.facet_b.in_(query.facet_b))
    if query.building:
        sql = sql.where(table.building_id == query.building)
    if query.box is not None:
        west, south, east, north = query.box
        sql = sql.where(table.lon.between(west, east), table.lat.between(south, north))
    if query.grids:
        sql = sql.where(table.grid_code.in_(query.grids))
    if query.due_before is not None:
        sql = sql.where(table.visit_due <= query.due_before)
    if query.may_see is not None:
        sql = sql.where(query.may_see)
    return sql


def below(division: str, loose: bool = False) -> ColumnElement[bool]:
    """In a division (6, 9 or 12 digits: itself and all below) or in a grid cell (15 digits).

    ``loose``: a street or district is no way into the table, only a filter on the index that gives the order.
    """
    if len(division) == 15:
        return RegisterRecord.grid_code == division
    if len(division) == 12:
        return RegisterRecord.division_code == division
    code = func.coalesce(RegisterRecord.division_code, "") if loose else RegisterRecord.division_code
    return and_(code >= division, code < division + ":")


def _paths(session: Session, sql: Select[Any], query: Query, seal: Seal) -> Iterator[Select[Any]]:
    """One statement a way to find the text, the nearest way first; each is answered from an index, in its order."""
    table, text, number = RegisterRecord, query.text.strip(), normalise(query.text)
    loose, sql = _filtered(sql, query, narrow=False), _filtered(sql, query)
    if number.isascii() and sum(c.isdigit() for c in number) >= 5:
        hashes = [seal.blind(kind, comparable_number(kind, number)) for kind in _KINDS]
        ids = select(RecordBlind.record_id).where(RecordBlind.hash.in_(hashes))
        yield loose.where(table.record_id.in_(ids)).order_by(table.record_id)
        yield loose.where(_has_key(number, seal)).order_by(table.record_id)
        return
    name = searched(text)
    yield sql.where(table.name == text).order_by(table.record_id)
    yield sql.where(_starts(table.name, text)).order_by(table.name, table.record_id)
    if name.isascii() and name.isalnum():
        yield loose.where(table.initials == name).order_by(table.initials, table.name)
        yield loose.where(_starts(table.pinyin, name)).order_by(table.pinyin, table.name)
        yield loose.where(_starts(table.initials, name)).order_by(table.initials, table.name)
    if len(name) >= 2:
        inside = loose.join(RecordGram, RecordGram.record_id == table.record_id)
        inside = inside.where(RecordGram.gram == _rarest(session, name), _contains(text))
        yield inside.order_by(RecordGram.record_id)


def _rarest(session: Session, name: str) -> str:
    """The pair of the name that the fewest records have: the shortest list to look through."""
    pairs = list(dict.fromkeys(name[i : i + 2] for i in range(len(name) - 1)))[:6]
    if len(pairs) == 1:
        return pairs[0]

    def frequency(pair: str) -> int:
        some = select(RecordGram.record_id).where(RecordGram.gram == pair).limit(_ENOUGH).subquery()
        return int(session.scalar(select(func.count()).select_from(some)) or 0)

    return min(pairs, key=frequency)


def _contains(text: str) -> ColumnElement[bool]:
    return RegisterRecord.name.contains(text, autoescape=True)


def _has_key(number: str, seal: Seal) -> ColumnElement[bool]:
    """A code (credit code, number of a building …) is the natural key of some registers."""
    registers = [register for register in shipped_registers().values() if len(register.key) == 1]
    same = [
        and_(RegisterRecord.register_id == r.id, RegisterRecord.natural_key == seal.blind(f"key {r.id}", number))
        for r in registers
    ]
    return or_(*same)


def _starts(column: Any, text: str) -> ColumnElement[bool]:
    """A prefix as a range, which every database answers from an index whatever its collation."""
    return and_(column >= text, column < text + _HIGHEST)
