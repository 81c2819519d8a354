"""Probable duplicates of a case, with reasons."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from core.records import Record
from events.correlation.happening import candidates
from events.rules.rulebook import Rulebook
from storage.tables.cases import Case

MAX_SHOWN = 10


class Proposal(Record, frozen=True, omit_defaults=False):
    """A case that may be the same happening."""

    case_id: str
    number: str
    title: str
    score: float
    steps: tuple[dict[str, Any], ...]


def proposals(session: Session, case: Case, book: Rulebook) -> list[Proposal]:
    """Open cases that may be the same happening as ``case``, best first.

    The dispatcher decides: command ``merge`` joins the two, ``distinct`` says that they are two, for good.
    """
    found = [c for c in candidates(session, case, book) if c.probable]
    return [
        Proposal(
            case_id=c.case.case_id, number=c.case.number, title=c.case.title, score=c.score.total, steps=c.score.steps
        )
        for c in found[:MAX_SHOWN]
    ]
