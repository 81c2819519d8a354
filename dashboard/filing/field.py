"""What a person has to file, in one answer that a phone keeps for when there is no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from dashboard.filing.desk import FilingDesk
from records.filing.access import OWNERS, own_units
from records.filing.commands import get_filing, problems_of, values_of_filing
from records.filing.period_state import Desk, approved_units, exempted
from records.filing.periods import before, bounds, period_of
from records.filing.prefill import prefilled
from records.filing.store import datasets
from records.filing.timeliness import timeliness
from records.filing.tree import load_tree
from storage.session import read_scope

MOST_UNITS = 4


@dataclass(frozen=True)
class FieldFilingDesk(FilingDesk):
    """Filings as they are made on the phone: the person's own units only."""

    def mine(self) -> dict[str, Any]:
        """Data sets with their forms, and of each own unit the current period and the one before."""
        with read_scope(self.services.engine) as session:
            tree = load_tree(session)
            own = [] if set(self.actor.roles) & OWNERS else own_units(self.actor, tree)
            leaves = [unit for unit in own if unit not in tree.children][:MOST_UNITS]
            sets, filings, today = [], [], ""
            for dataset in datasets(session) if leaves else ():
                desk = self._desk(session, dataset)
                today = desk.today.isoformat()
                units = [unit for unit in leaves if not dataset.units or unit in dataset.units]
                current = period_of(dataset.period, desk.today)
                periods = [current, *before(dataset.period, current, 1)]
                found = [self._one(session, desk, unit, period) for unit in units for period in periods]
                if found:
                    sets.append({"dataset_id": dataset.id, "zh": dataset.zh, "en": dataset.en, "form": dataset.form})
                    filings += found
        return {"today": today, "datasets": sets, "filings": filings}

    def _one(self, session: Session, desk: Desk, unit: str, period: str) -> dict[str, Any]:
        row = get_filing(session, desk, unit, period)
        values = values_of_filing(session, row.filing_id) if row else {}
        _, end = bounds(desk.dataset.period, period)
        judged = timeliness(end, None, desk.dataset.rule, desk.today)
        state = row.state if row else "open"
        if unit in exempted(session, desk.dataset.id, period):
            state = "exempt"
        elif unit in approved_units(session, desk.dataset.id, period):
            state = "approved"
        open_ = state in ("saved", "returned") or (state == "open" and not judged.locked)
        problems = problems_of(session, desk, unit, period, values) if row and open_ else []
        return {
            "dataset_id": desk.dataset.id, "unit": unit, "name": desk.tree.names.get(unit, unit), "period": period,
            "state": state, "open": open_, "version": row.version if row else 0, "note": row.note if row else "",
            "due": judged.due, "overdue": judged.overdue and state not in ("filed", "approved", "exempt"),
            "ended": end <= desk.today, "values": values,
            "prefill": {q: p["value"] for q, p in prefilled(session, desk, unit, period).items()} if open_ else {},
            "problems": [p.as_dict() for p in problems],
        }  # fmt: skip
