"""Case numbers: ``220105-20261121-00042``, one sequence a district and Beijing day, safe with many writers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.clock import BEIJING
from events.cases.definition_parts import Numbering
from storage.tables.cases import CaseSequence


def next_number(session: Session, district: str, at: datetime, numbering: Numbering = Numbering()) -> str:
    """The next number; its row stays locked until the caller commits, so that no number is given twice."""
    day = at.astimezone(BEIJING).strftime("%Y" if numbering.series == "year" else "%Y%m%d")
    head = numbering.prefix or district
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = (
        dialect.insert(CaseSequence)
        .values(district=head, day=day, last=1)
        .on_conflict_do_update(index_elements=["district", "day"], set_={"last": CaseSequence.last + 1})
        .returning(CaseSequence.last)
    )
    return f"{head}-{day}-{session.execute(statement).scalar_one():05}"
