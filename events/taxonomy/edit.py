"""The table of classes in force, and changing a line of it: limits and units are defaults that a district edits."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.legal_time.workclock import UNITS
from core.records import Record
from events.taxonomy.classes import Standard, shipped_standards
from events.taxonomy.importer import import_standards
from storage.tables.cases import CaseStandard


class ClassRow(Record, frozen=True, omit_defaults=False):
    """A filing condition in force; ``own``: from the district's table, else the one we ship."""

    standard_id: str
    class_code: str
    standard: Standard
    own: bool


class Change(Record, frozen=True):
    """What may be changed of a line; None leaves it as it is."""

    limit_value: float | None = None
    limit_unit: str | None = None
    close_condition: str | None = None
    enabled: bool | None = None


def lines(session: Session, prefix: str = "", words: str = "", version: str = "") -> list[ClassRow]:
    """The lines in force by class: the district's where it has the class, else ours."""
    rows = session.scalars(select(CaseStandard).order_by(CaseStandard.position))
    own = [_line(standard_of(row), True) for row in rows]
    taken = {(line.standard.class_version, line.class_code) for line in own}
    ours = [_line(s, False) for s in shipped_standards() if (s.class_version, s.class_code) not in taken]
    found = [
        line
        for line in (*own, *ours)
        if line.class_code.startswith(prefix)
        and (not version or line.standard.class_version == version)
        and words in f"{line.standard.big_name}{line.standard.small_name}{line.standard.condition}"
    ]
    return sorted(found, key=lambda line: (line.standard.class_version, line.class_code))


def change(session: Session, standard_id: str, wish: Change, now: datetime) -> ClassRow:
    """Change a line.  The first change of a class copies its shipped lines into the district's table."""
    found = next((line for line in lines(session) if line.standard_id == standard_id), None)
    if found is None:
        raise NotFound(what="filing condition", key=standard_id)
    if wish.limit_unit is not None and wish.limit_unit not in UNITS:
        detail = f"{wish.limit_unit!r} is not a unit"
        raise InputInvalid(field="limit_unit", detail=detail, how=f"use {', '.join(UNITS)}")
    if wish.limit_value is not None and not 0 < wish.limit_value <= 1000:
        raise InputInvalid(field="limit_value", detail=f"{wish.limit_value:g}", how="give a number from 0 to 1000")
    changes = {name: value for name, value in msgspec.structs.asdict(wish).items() if value is not None}
    changed = msgspec.structs.replace(found.standard, **changes)
    if changed.limit_value and not changed.limit_unit:
        raise InputInvalid(field="limit_unit", detail="is missing", how=f"use {', '.join(UNITS)}")
    key = (changed.class_version, changed.class_code)
    family = [line.standard for line in lines(session) if (line.standard.class_version, line.class_code) == key]
    once = {s.standard_id: s for s in family} | {standard_id: changed}
    import_standards(session, list(once.values()), [], now, dry_run=False)
    session.flush()
    return _line(changed, True)


def standard_of(row: CaseStandard) -> Standard:
    """The row as a record."""
    return Standard(**{name: getattr(row, name) for name in Standard.__struct_fields__})


def _line(standard: Standard, own: bool) -> ClassRow:
    return ClassRow(standard_id=standard.standard_id, class_code=standard.class_code, standard=standard, own=own)
