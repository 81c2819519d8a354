"""A case's row and its files as the audit chain remembers them: a changed column, a removed or added file is found.

Each move's link carries ``row`` (a hash over the columns that only commands change) and ``added`` (the evidence rows
that came with it).  Columns that change between moves (last sign of life, standing conditions, deadlines recounted) are
not in the hash; the deadline stands in the link itself.
"""

from __future__ import annotations

import hashlib
from operator import itemgetter
from typing import Any

from sqlalchemy.orm import Session

from core.records import JSON
from events.evidence.audit_log import canonical, stamp
from storage.tables.cases import Case, CaseEvidence

COLUMNS = (
    "number", "definition_id", "definition_version", "stage", "state", "open", "severity", "class_code",
    "class_version", "kind", "title", "description", "source_type", "source_id", "reporter_id", "confidential",
    "department_id", "handler_id", "division_code", "grid_code", "lon", "lat", "opened_at", "closed_at",
    "registered_at", "dispatched_at", "finished_at", "checked_at", "bounces", "reworks", "reopened", "urged",
    "merged_into_id",
)  # fmt: skip
FILE_COLUMNS = (
    "evidence_id", "purpose", "kind", "uri", "sha256", "media_type", "taken_at", "added_at", "added_by", "size_bytes",
    "lon", "lat", "accuracy_m",
)  # fmt: skip
_LOADED = itemgetter(*COLUMNS)
_ADDED = "yiwang.evidence.added"  # in Session.info


def row_values(case: Case) -> list[JSON]:
    """What of a case's row is sealed, in the order of ``COLUMNS``."""
    try:
        return list(_LOADED(vars(case)))
    except KeyError:  # not everything is loaded yet
        return [getattr(case, name) for name in COLUMNS]


def row_hash(case: Case) -> str:
    """The hash of a case's row, 32 hex digits."""
    return seal_of(canonical(row_values(case)))


def seal_of(written: bytes) -> str:
    """The hash of :func:`row_values` in canonical writing."""
    return hashlib.sha256(written).hexdigest()[:32]


def told(row: CaseEvidence) -> dict[str, Any]:
    """An evidence row as its link tells of it."""
    return {name: _plain(getattr(row, name)) for name in FILE_COLUMNS}


def note_added(session: Session, row: CaseEvidence) -> None:
    """Remember that ``row`` was added in this transaction, for the next link of its case's chain."""
    session.info.setdefault(_ADDED, []).append(row)


def take_added(session: Session, case_id: str) -> list[dict[str, Any]]:
    """The evidence rows added to the case since its last link, as they are told; what was rolled back is forgotten."""
    rows = [row for row in session.info.pop(_ADDED, []) if row in session]
    session.info[_ADDED] = [row for row in rows if row.case_id != case_id]
    return [told(row) for row in rows if row.case_id == case_id]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if hasattr(value, "astimezone"):
        return stamp(value)
    return float(value) if isinstance(value, float) else int(value) if isinstance(value, int) else value
