"""A task ledger (任务台账): indicators with a year's target for each responsible unit, on the filing engine.

Each month a unit files what is done since the year began; the light compares it with the share of the target that was
planned until then.  Filing, return, sign-off (approval) and locks are those of any data set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import NotFound
from records.filing.dataset import Dataset, TaskTarget
from records.filing.period_state import Desk, approved_units
from records.filing.periods import bounds
from records.filing.totals import cells_of
from storage.tables.filing import Filing

COLOURS = ("green", "yellow", "red", "grey")


@dataclass(frozen=True)
class Light:
    """One cell: what is done, the year's target, what was planned until the period's end, and the colour.

    ``progress`` is done by planned (1: as planned); of an indicator where less is better, planned by done.  Grey:
    nothing was filed.
    """

    colour: str
    done: float | None
    target: float
    planned: float
    progress: float | None


def planned_share(dataset: Dataset, period: str, target: TaskTarget) -> float:
    """The share of the year's target that is planned until the period's end: by milestones, else by months."""
    _, end = bounds(dataset.period, period)
    known = [(month, share) for month, share in sorted(target.milestones.items()) if month <= end.month]
    if target.milestones:
        return known[-1][1] if known else 0.0
    return end.month / 12


def light_of(target: TaskTarget, wanted: float, done: float | None, share: float) -> Light:
    """Green from as planned, yellow from ``target.yellow`` percent of it, red below; grey when nothing was filed."""
    planned = wanted if target.better == "less" else wanted * share
    if done is None:
        return Light("grey", None, wanted, planned, None)
    if target.better == "less":  # a ceiling: accidents, complaints; it counts from the first day on
        progress = 1.0 if done <= planned else planned / done
    else:
        progress = 1.0 if planned <= 0 else done / planned
    colour = "green" if progress >= 1 else "yellow" if progress * 100 >= target.yellow else "red"
    return Light(colour, done, wanted, round(planned, 4), round(progress, 4))


def ledger(session: Session, desk: Desk, period: str, units: list[str]) -> dict[str, Any]:
    """Indicators × responsible units of a period with lights, how many of each colour, and who has signed off.

    :class:`NotFound` when the data set carries no targets.
    """
    dataset = desk.dataset
    if not dataset.targets:
        raise NotFound(what="ledger", key=dataset.id)
    cells, _ = cells_of(session, dataset.id, period)
    states = dict(
        session.execute(
            select(Filing.unit_id, Filing.state).where(Filing.dataset_id == dataset.id, Filing.period == period)
        ).tuples().all()
    )  # fmt: skip
    signed = approved_units(session, dataset.id, period)
    rows, counts = [], dict.fromkeys(COLOURS, 0)
    for question, target in dataset.targets.items():
        share = planned_share(dataset, period, target)
        lights = {
            unit: light_of(target, wanted, _number(cells.get(unit, {}).get(question)), share)
            for unit, wanted in target.units.items()
            if unit in units
        }
        for one in lights.values():
            counts[one.colour] += 1
        if lights:
            rows.append({"question": question, "title": dataset.title(question), "better": target.better,
                         "cells": {unit: one.__dict__ for unit, one in lights.items()}})  # fmt: skip
    heads = [
        {"unit": unit, "name": desk.tree.names.get(unit, unit), "state": states.get(unit, "open"),
         "signed": unit in signed or states.get(unit) == "approved"}
        for unit in units if any(unit in row["cells"] for row in rows)
    ]  # fmt: skip
    return {"period": period, "units": heads, "rows": rows, "counts": counts}


def worst(cells: Mapping[str, Mapping[str, Any]]) -> str:
    """The colour of a row: the worst of its lights."""
    found = {str(cell["colour"]) for cell in cells.values()}
    return next((colour for colour in ("red", "yellow", "grey", "green") if colour in found), "grey")


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
