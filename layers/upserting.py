"""Rows of a city folder into their tables, a thousand at a time: new ones inserted, changed ones updated."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from layers.cityrows import Row
from storage.tables.people import UserRole

_OPERATORS: dict[str, frozenset[str]] = {
    "cameras": frozenset({"algorithms", "zones", "calibration", "enabled", "analysis_fps", "priority", "risk"}),
    "devices": frozenset({"status", "calibration", "ranges"}),
    "users": frozenset({"login", "language", "department_id", "division_code"}),
}
_REFERENCES = ("parent_code", "parent_id", "division_code", "department_id", "site_id")
_REVISED = {"cameras", "devices"}
_BATCH = 1000  # rows compared and written at a time: what SQLAlchemy makes of them is larger than they are


def key_of(model: type[Any]) -> str:
    """The name of a table's key column."""
    name: str = model.__table__.primary_key.columns.values()[0].name
    return name


def upsert(
    session: Session, table: str, model: type[Any], rows: list[Row], *, overwrite: bool = False, dry_run: bool = False
) -> tuple[int, int, int]:
    """Write ``rows``; returns how many are new, changed and unchanged (``dry_run``: would be)."""
    key = key_of(model)
    kept = frozenset() if overwrite else _OPERATORS.get(table, frozenset())
    fresh: set[str] = set()
    changed = 0
    for some in (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)):
        new_rows, changes = _compared(session, table, model, some, kept)
        fresh |= {r[key] for r in new_rows}
        changed += len(changes)
        if not dry_run:
            _write(session, model, new_rows, changes)
    if table == "users" and not dry_run:
        _roles(session, rows, fresh, overwrite)
    return len(fresh), changed, len(rows) - len(fresh) - changed


def _compared(
    session: Session, table: str, model: type[Any], rows: Sequence[Row], kept: frozenset[str]
) -> tuple[list[Row], list[tuple[Any, Row]]]:
    """The rows that are new, and key and changed values of those that differ from what is stored."""
    columns = model.__table__.columns
    key = key_of(model)
    stored = select(*columns).where(columns[key].in_([row[key] for row in rows]))
    old = {r._mapping[key]: r._mapping for r in session.execute(stored)}
    new_rows: list[Row] = []
    changes: list[tuple[Any, Row]] = []
    for row in rows:
        values = {k: (None if k in _REFERENCES and v == "" else v) for k, v in row.items() if k in columns}
        before = old.get(values[key])
        if before is None:
            new_rows.append(values)
            continue
        changed = {k: v for k, v in values.items() if k not in kept and not _same(before[k], v)}
        if changed:
            if table in _REVISED:
                changed["revision"] = before["revision"] + 1
            changes.append((values[key], changed))
    return new_rows, changes


def _write(session: Session, model: type[Any], new_rows: list[Row], changes: list[tuple[Any, Row]]) -> None:
    # Rows of one statement must have the same columns; neighbours that have them go together, the order holds.
    for _, group in groupby(new_rows, key=lambda r: sorted(r)):
        session.execute(insert(model), list(group))
    column = getattr(model, key_of(model))
    for value, changed in changes:
        session.execute(update(model).where(column == value).values(**changed))


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, float) and isinstance(after, (int, float)):
        return abs(before - after) < 1e-9
    if isinstance(before, dict | list):
        return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
    return bool(before == after)


def _roles(session: Session, rows: list[Row], fresh: set[str], overwrite: bool) -> None:
    wanted = {(r["user_id"], role) for r in rows if overwrite or r["user_id"] in fresh for role in r["roles"]}
    have = {(u, r) for u, r in session.execute(select(UserRole.user_id, UserRole.role))}
    missing = [{"user_id": u, "role": r} for u, r in sorted(wanted - have)]
    if missing:
        session.execute(insert(UserRole), missing)
