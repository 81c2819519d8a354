"""Workbooks of the catalogue: taken in as drafts, written with element names."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dashboard.items.desk import CatalogueDesk
from dashboard.registers.desk import ChainAudit
from records.items.access import may_make
from records.items.finding import ItemQuery, listed
from records.items.reading import read_item_file
from records.items.taking import take_items
from records.items.workbook import write_items
from storage.session import read_scope, session_scope
from storage.tables.items import ServiceItemVersion
from storage.tables.registry import Department

MOST_EXPORTED = 5000


def take_file(desk: CatalogueDesk, content: bytes, name: str, dry_run: bool, in_force: bool) -> dict[str, Any]:
    """Take a workbook, CSV or JSON list of items, or try it."""
    read = read_item_file(io.BytesIO(content), Path(name or "items.xlsx"))
    with session_scope(desk.services.engine) as session:
        names = {n: d for d, n in session.execute(select(Department.department_id, Department.name))}
        done = take_items(
            session, desk.acting(session), read, names, source=Path(name).name[:80], in_force=in_force,
            dry_run=dry_run,
        )  # fmt: skip
        if not dry_run:
            body = {"file": Path(name).name[:80], "created": done.created, "changed": done.changed}
            ChainAudit().append(session, desk.services.clock.now(), desk.actor.user_id, "item_import", body)
    return {
        "dry_run": dry_run, "items": len(read.records), "created": done.created, "changed": done.changed,
        "unchanged": done.unchanged, "refused": [{"item": key, "code": code} for key, code in done.refused],
        "file_problems": [problem.as_dict() for problem in read.problems],
    }  # fmt: skip


def export(desk: CatalogueDesk, query: ItemQuery) -> bytes:
    """The filtered items as a workbook with element names."""
    with read_scope(desk.services.engine) as session:
        return write_items(_whole(desk, session, query))


def _whole(desk: CatalogueDesk, session: Session, query: ItemQuery) -> Iterator[Mapping[str, Any]]:
    for offset in range(0, MOST_EXPORTED, 500):
        rows, _ = listed(session, replace(query, offset=offset, limit=500), desk.actor)
        keys = {
            row.item_id: (row.head if may_make(desk.actor, row.department_id) else row.live or row.head) for row in rows
        }
        found = {
            (v.item_id, v.version): v.data
            for v in session.scalars(select(ServiceItemVersion).where(ServiceItemVersion.item_id.in_(keys)))
        }
        yield from (found[pair] for pair in keys.items() if pair in found)
        if len(rows) < 500:
            return
