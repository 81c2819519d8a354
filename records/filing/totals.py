"""Rolling up a period: exact totals of every unit above, from the leaves' cells, with what is missing named."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from records.filing.period_state import Desk, exempted, own_turn
from records.filing.rollup import Child, Total, roll_up
from storage.tables.filing import Filing, FilingTotal, FilingValue

PRESENT = ("filed", "approved")
Cells = Mapping[str, Mapping[str, Any]]  # unit → question → value


def cells_of(session: Session, dataset_id: str, period: str) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """``(values, states)`` by unit of one period."""
    sql = (
        select(Filing.unit_id, Filing.state, FilingValue.question, FilingValue.value)
        .outerjoin(FilingValue, FilingValue.filing_id == Filing.filing_id)
        .where(Filing.dataset_id == dataset_id, Filing.period == period)
    )
    values: dict[str, dict[str, Any]] = defaultdict(dict)
    states: dict[str, str] = {}
    for unit, state, question, value in session.execute(sql):
        states[unit] = state
        if question is not None and value is not None:
            values[unit][question] = json.loads(value)
    return dict(values), states


def total_of(desk: Desk, unit: str, question: str, cells: Cells, states: Mapping[str, str], free: set[str]) -> Total:
    """The total of one question over the leaves of ``unit``."""
    dataset = desk.dataset
    rule, ratio = dataset.rollup[question], dataset.ratios.get(question)
    children = []
    for leaf in desk.tree.leaves_below(unit):
        if dataset.units and leaf not in dataset.units:
            continue
        own = cells.get(leaf, {})
        state = states.get(leaf, "open")
        num, den = (own.get(ratio.num), own.get(ratio.den)) if ratio else (None, None)
        children.append(Child(leaf, own.get(question), num, den, leaf in free, state))
    return roll_up(rule, children)


def roll_up_period(session: Session, desk: Desk, period: str, top: str | None = None) -> dict[str, dict[str, Total]]:
    """Roll every unit above the leaves up (or ``top`` and what is below it) and keep the totals, no longer stale."""
    own_turn(session, desk)
    cells, states = cells_of(session, desk.dataset.id, period)
    free = exempted(session, desk.dataset.id, period)
    units = [u for u in desk.tree.children if top is None or desk.tree.within(u, top)]
    found = {
        unit: {q: total_of(desk, unit, q, cells, states, free) for q in desk.dataset.rollup} for unit in units
    }  # fmt: skip
    session.execute(
        delete(FilingTotal).where(
            FilingTotal.dataset_id == desk.dataset.id, FilingTotal.period == period, FilingTotal.unit_id.in_(units)
        )
    )
    rows = [
        {
            "dataset_id": desk.dataset.id, "period": period, "unit_id": unit, "question": question,
            "value": None if total.value is None else json.dumps(total.value, ensure_ascii=False),
            "partial": total.partial, "missing": list(total.missing), "stale": False, "rolled_at": desk.at,
        }
        for unit, totals in found.items()
        for question, total in totals.items()
    ]  # fmt: skip
    if rows:
        session.execute(insert(FilingTotal), rows)
    return found


def kept_totals(session: Session, dataset_id: str, period: str, unit: str) -> dict[str, dict[str, Any]]:
    """Question → ``{value, partial, missing, stale}`` as last rolled up."""
    rows = session.scalars(
        select(FilingTotal).where(
            FilingTotal.dataset_id == dataset_id, FilingTotal.period == period, FilingTotal.unit_id == unit
        )
    )
    return {
        row.question: {
            "value": None if row.value is None else json.loads(row.value),
            "partial": row.partial, "missing": row.missing, "stale": row.stale, "rolled_at": row.rolled_at,
        }
        for row in rows
    }  # fmt: skip


def drill(session: Session, desk: Desk, unit: str, question: str, period: str) -> list[dict[str, Any]]:
    """What a total is made of, one level down: ``{unit, name, value, state, partial, leaf}``."""
    cells, states = cells_of(session, desk.dataset.id, period)
    free = exempted(session, desk.dataset.id, period)
    lines = []
    for child in desk.tree.children.get(unit, []):
        leaf = child not in desk.tree.children
        total = total_of(desk, child, question, cells, states, free)
        own = cells.get(child, {}).get(question)
        state = "exempt" if child in free else states.get(child, "open") if leaf else "total"
        lines.append(
            {"unit": child, "name": desk.tree.names.get(child, child), "value": own if leaf else total.value,
             "state": state, "partial": total.partial, "leaf": leaf}
        )  # fmt: skip
    return lines
