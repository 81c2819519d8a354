"""Filing's figures: the matrix of a form's year, its roll-up beside a brute-force sum, and filing itself."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from records.filing.example import DISTRICT, example_datasets, fill_example, write_units
from records.filing.overview import matrix
from records.filing.period_state import Desk
from records.filing.totals import cells_of, roll_up_period
from records.filing.tree import load_tree
from storage.schema import create_all
from storage.session import make_engine, read_scope, session_scope
from storage.tables.filing import FilingUnit

MONTHS = [f"2026-{month:02d}" for month in range(1, 12)]


def measure_filing(folder: Path) -> dict[str, Any]:
    """One form of the example over 93 units and eleven months; ms of wall time."""
    engine = make_engine(f"sqlite:///{folder / 'filing.db'}")
    create_all(engine)
    dataset = next(d for d in example_datasets() if d.ratios and d.period == "month")
    began, filed = time.process_time(), 0
    with session_scope(engine) as session:
        write_units(session)
        tree = load_tree(session)
        for number, month in enumerate(MONTHS, 1):
            filed += fill_example(session, dataset, tree, month, datetime(2026, number, 28, tzinfo=UTC), share=0.95)
    per_filing = (time.process_time() - began) / filed * 1000
    desk = Desk(dataset, tree, "bench", datetime(2026, 11, 28, tzinfo=UTC), date(2026, 11, 28))
    with read_scope(engine) as session:
        units = len(session.scalars(select(FilingUnit.unit_id)).all())
        began = time.perf_counter()
        matrix(session, desk, DISTRICT, MONTHS)
        shown = (time.perf_counter() - began) * 1000
    with session_scope(engine) as session:
        began = time.perf_counter()
        totals = roll_up_period(session, desk, MONTHS[-1])
        rolled = (time.perf_counter() - began) * 1000
        cells, _ = cells_of(session, dataset.id, MONTHS[-1])
        same = totals[DISTRICT]["q1"].value == sum(row["q1"] for row in cells.values())
    engine.dispose()
    return {
        "units": units, "months": len(MONTHS), "filings": filed, "filing_cpu_ms": round(per_filing, 1),
        "matrix_ms": round(shown), "roll_up_ms": round(rolled), "equals_brute_force": same,
    }  # fmt: skip
