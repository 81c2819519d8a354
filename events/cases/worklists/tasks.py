"""What waits for a person, the gravest first and of equal ones what is due first: all of it, page by page."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.records import Actor, Record
from events.cases.access import visible_cases
from events.cases.queries import MAX_PAGE, mine, summaries, summary
from events.cases.read_models import CaseSummary
from storage.tables.cases import Case


class TaskPage(Record, frozen=True, omit_defaults=False):
    """One page of tasks; ``total`` counts all pages, ``next`` is the cursor of the next one, None at the end."""

    items: list[CaseSummary]
    next: str | None
    total: int


def urgent_tasks(session: Session, actor: Actor, cursor: str | None = None, limit: int = 50) -> TaskPage:
    """The open cases that ``actor`` or his department has to act on."""
    if not 1 <= limit <= MAX_PAGE:
        raise InputInvalid(field="limit", detail=f"{limit} is out of range", how=f"give 1 … {MAX_PAGE}")
    wanted = (visible_cases(actor), mine(actor))
    total = session.scalar(select(func.count()).select_from(Case).where(*wanted)) or 0
    query = summaries().where(*wanted)
    if cursor:
        query = query.where(_after(*_read(cursor)))
    order = (Case.severity.desc(), Case.deadline_at.is_(None), Case.deadline_at, Case.case_id)
    rows = session.execute(query.order_by(*order).limit(limit + 1)).all()
    items = [summary(row) for row in rows[:limit]]
    return TaskPage(items=items, next=_cursor(items[-1]) if len(rows) > limit else None, total=total)


def _after(severity: int, due: datetime | None, case_id: str) -> Any:
    """What comes after the row with these values in the order above."""
    equal = Case.severity == severity
    if due is None:
        later = and_(Case.deadline_at.is_(None), Case.case_id > case_id)
    else:
        later = or_(
            Case.deadline_at > due, Case.deadline_at.is_(None), and_(Case.deadline_at == due, Case.case_id > case_id)
        )
    return or_(Case.severity < severity, and_(equal, later))


def _cursor(item: CaseSummary) -> str:
    due = item.deadline_at.isoformat() if item.deadline_at else None
    return base64.urlsafe_b64encode(json.dumps([item.severity, due, item.case_id]).encode()).decode().rstrip("=")


def _read(text: str) -> tuple[int, datetime | None, str]:
    try:
        severity, due, case_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(due) if due is not None else None
        if moment is not None and moment.tzinfo is None:
            raise ValueError("no time zone")
        return int(severity), moment, str(case_id)
    except (ValueError, TypeError) as error:
        raise InputInvalid(field="cursor", detail="is not one of ours", how="take it from the page before") from error
