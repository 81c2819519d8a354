"""What a period's commands share: the desk they work at, exemptions, approvals, stale totals, history.

Whatever changes what is filed or approved has its data set to itself until it is committed (:func:`own_turn`): a total
is never rolled up from parts that somebody returns at the same moment, nor a town approved while a village is taken
back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.ids import new_id
from records.filing.dataset import Dataset
from records.filing.tree import UnitTree
from storage.session import take_turn
from storage.tables.filing import FilingApproval, FilingEvent, FilingExemption, FilingTotal


@dataclass(frozen=True)
class Desk:
    """Where a command works: the data set, the units, who acts, when and on which local day."""

    dataset: Dataset
    tree: UnitTree
    actor_id: str
    at: datetime
    today: date


def own_turn(session: Session, desk: Desk) -> None:
    """Wait until no other transaction changes what is filed or approved of the desk's data set."""
    take_turn(session, f"filing {desk.dataset.id}")


def approved_units(session: Session, dataset_id: str, period: str) -> set[str]:
    where = (FilingApproval.dataset_id == dataset_id, FilingApproval.period == period)
    return set(session.scalars(select(FilingApproval.unit_id).where(*where)))


def exempted(session: Session, dataset_id: str, period: str) -> set[str]:
    """Units that need not file ``period``."""
    where = (FilingExemption.dataset_id == dataset_id, FilingExemption.period.in_(("", period)))
    return set(session.scalars(select(FilingExemption.unit_id).where(*where)))


def mark_stale(session: Session, desk: Desk, unit: str, period: str) -> None:
    """Every total above no longer stands for its parts; what is shown stays until it is rolled up again."""
    above = list(desk.tree.above(unit))
    where = [FilingTotal.dataset_id == desk.dataset.id, FilingTotal.unit_id.in_(above)]
    if period:
        where.append(FilingTotal.period == period)
    session.execute(update(FilingTotal).where(*where).values(stale=True))
    session.flush()


def note_event(
    session: Session, desk: Desk, unit: str, period: str, action: str, question: str = "", old: Any = None,
    new: Any = None, note: str = "",
) -> None:  # fmt: skip
    """Write one line of the unit's history."""
    session.add(
        FilingEvent(
            event_id=new_id(), dataset_id=desk.dataset.id, unit_id=unit, period=period, at=desk.at,
            actor_id=desk.actor_id, action=action, question=question, old=None if old is None else as_json(old),
            new=None if new is None else as_json(new), note=note[:500],
        )
    )  # fmt: skip


def as_json(value: Any) -> str:
    """A cell as it is kept."""
    return json.dumps(value, ensure_ascii=False)
