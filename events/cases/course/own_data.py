"""A case's own data as rows: what it was reported with and what commands left, searchable and dated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.records import JSON
from storage.tables.cases import Case
from storage.tables.files import CaseField

MAX_TEXT = 4000


def keep_fields(session: Session, case: Case, values: Mapping[str, JSON], command: str, by: str, now: datetime) -> None:
    """Write ``values``, each over what it was before."""
    for name, value in values.items():
        row = session.get(CaseField, (case.case_id, name[:60]))
        if row is None:
            row = CaseField(case_id=case.case_id, name=name[:60])
            session.add(row)
        row.value, row.text, row.at = {"value": value}, text_of(value)[:MAX_TEXT], instant_of(value)
        row.command, row.by, row.updated_at = command, by, now


def text_of(value: Any) -> str:
    """What a search finds of a value."""
    if isinstance(value, Mapping):
        return " ".join(text_of(each) for each in value.values())
    if isinstance(value, list):
        return " ".join(text_of(each) for each in value)
    return "" if value is None else str(value)


def instant_of(value: Any) -> datetime | None:
    """A date (its beginning in Beijing) or an ISO time as an instant; None for everything else."""
    if not isinstance(value, str) or not 8 <= len(value) <= 40 or not value[:4].isdigit():
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)
