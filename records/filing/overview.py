"""The approver's matrix and the owner's completeness: units × periods, complete and on time as two numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from records.filing.dataset import Dataset
from records.filing.period_state import Desk
from records.filing.periods import bounds
from records.filing.timeliness import Timeliness, filing_rates, timeliness
from storage.tables.filing import Filing, FilingApproval, FilingExemption

COMPLETE = frozenset({"filed", "approved"})


def matrix(session: Session, desk: Desk, top: str, periods: Sequence[str]) -> dict[str, Any]:
    """``{periods, rows: [{unit, name, level, cells: [{state, on_time, overdue, locked}]}], rates}`` below ``top``.

    A unit above the leaves shows ``approved``, ``ready`` (all below approved) or how many of its leaves have filed.
    """
    filed = _filed(session, desk.dataset.id, periods)
    approved, free = _approved(session, desk.dataset.id, periods), _free(session, desk.dataset.id)
    rows: list[dict[str, Any]] = []
    _rows(desk, top, 0, periods, filed, approved, free, rows)
    rates = [asdict(_rates(desk, top, period, filed, free)) for period in periods]
    return {"periods": list(periods), "rows": rows, "rates": rates}


def _rows(
    desk: Desk, unit: str, level: int, periods: Sequence[str], filed: dict[tuple[str, str], Any],
    approved: set[tuple[str, str]], free: set[tuple[str, str]], rows: list[dict[str, Any]],
) -> None:  # fmt: skip
    below = desk.tree.children.get(unit)
    if below is None and desk.dataset.units and unit not in desk.dataset.units:
        return
    if below is None:
        cells = [_leaf(desk, unit, period, filed, free) for period in periods]
    else:
        cells = [_above(desk, unit, period, filed, approved, free) for period in periods]
    name = desk.tree.names.get(unit, unit)
    rows.append({"unit": unit, "name": name, "level": level, "leaf": below is None, "cells": cells})
    for child in below or ():
        _rows(desk, child, level + 1, periods, filed, approved, free, rows)


def _leaf(
    desk: Desk, unit: str, period: str, filed: dict[tuple[str, str], Any], free: set[tuple[str, str]]
) -> dict[str, Any]:
    if (unit, period) in free or (unit, "") in free:
        return {"state": "exempt", "on_time": None, "overdue": False, "locked": True}
    row = filed.get((unit, period))
    state = row.state if row else "open"
    judged = _judged(desk.dataset, period, desk.today)
    overdue = judged.overdue and state not in COMPLETE
    return {"state": state, "on_time": row.on_time if row else None, "overdue": overdue, "locked": judged.locked}


@lru_cache(maxsize=4096)
def _judged(dataset: Dataset, period: str, today: date) -> Timeliness:
    """A period nobody has filed yet, as it stands today: the same for every unit."""
    _, end = bounds(dataset.period, period)
    return timeliness(end, None, dataset.rule, today)


def _above(
    desk: Desk, unit: str, period: str, filed: dict[tuple[str, str], Any], approved: set[tuple[str, str]],
    free: set[tuple[str, str]],
) -> dict[str, Any]:  # fmt: skip
    leaves = _expected(desk, unit, period, free)
    done = sum((leaf, period) in filed and filed[leaf, period].state in COMPLETE for leaf in leaves)
    if (unit, period) in approved:
        state = "approved"
    else:
        lacking = [
            child for child in desk.tree.children[unit]
            if (child, period) not in approved and _expected(desk, child, period, free)
        ]  # fmt: skip
        state = "ready" if not lacking else "partial" if done else "open"
    return {"state": state, "filed": done, "expected": len(leaves)}


def _expected(desk: Desk, unit: str, period: str, free: set[tuple[str, str]]) -> list[str]:
    return [
        leaf for leaf in desk.tree.leaves_below(unit)
        if (leaf, period) not in free and (leaf, "") not in free
        and (not desk.dataset.units or leaf in desk.dataset.units)
    ]  # fmt: skip


def _rates(desk: Desk, top: str, period: str, filed: dict[tuple[str, str], Any], free: set[tuple[str, str]]) -> Any:
    leaves = _expected(desk, top, period, free)
    done = [filed[leaf, period] for leaf in leaves if (leaf, period) in filed]
    complete = [row for row in done if row.state in COMPLETE]
    return filing_rates(len(leaves), 0, len(complete), sum(bool(row.on_time) for row in complete))


def _filed(session: Session, dataset_id: str, periods: Sequence[str]) -> dict[tuple[str, str], Any]:
    sql = select(Filing.unit_id, Filing.period, Filing.state, Filing.on_time)
    rows = session.execute(sql.where(Filing.dataset_id == dataset_id, Filing.period.in_(periods)))
    return {(row.unit_id, row.period): row for row in rows}


def _approved(session: Session, dataset_id: str, periods: Sequence[str]) -> set[tuple[str, str]]:
    sql = select(FilingApproval.unit_id, FilingApproval.period)
    rows = session.execute(sql.where(FilingApproval.dataset_id == dataset_id, FilingApproval.period.in_(periods)))
    return {(row[0], row[1]) for row in rows}


def _free(session: Session, dataset_id: str) -> set[tuple[str, str]]:
    sql = select(FilingExemption.unit_id, FilingExemption.period).where(FilingExemption.dataset_id == dataset_id)
    return {(row[0], row[1]) for row in session.execute(sql)}
