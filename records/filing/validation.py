"""Checks of a filing's values: the form's own, within the row, and against the unit's last twelve periods."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.forms.engine import evaluate_form
from core.forms.excel_cells import read_cell
from core.forms.scope import Scope
from core.legal_time.calendar import statutory_calendar
from records.filing.dataset import Dataset

LEAST_HISTORY = 3  # periods below which nothing is said about what is usual


@dataclass(frozen=True, slots=True)
class CellProblem:
    """``severity`` block or warn; a warned cell may be filed with a comment.  ``code`` and ``values`` for pages."""

    question: str
    code: str
    severity: str
    zh: str = ""
    en: str = ""
    values: tuple[tuple[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        own = {"question": self.question, "code": self.code, "severity": self.severity, "zh": self.zh, "en": self.en}
        return {**own, "values": dict(self.values)}


def cell_problems(
    dataset: Dataset, values: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], today: str
) -> list[CellProblem]:
    """Every problem of ``values``; ``earlier`` are the values of the last periods, the nearest first."""
    state = evaluate_form(dataset.compiled, dict(values), today=today, calendar=statutory_calendar())
    found = [CellProblem(path, code, "block") for path, code in state.errors]
    scope = Scope({**state.values, **{f"last_{k}": v for k, v in (earlier[0] if earlier else {}).items()}}, today=today)
    for check in dataset.checks:
        if check.fault.truth(scope):
            found.append(CellProblem(check.question, check.id, check.severity, check.zh, check.en))
    for question in dataset.questions:
        found += _unusual(question, values.get(question), [row.get(question) for row in earlier[:12]], dataset.drift)
    return found


def _unusual(question: str, value: Any, earlier: Sequence[Any], drift: float) -> list[CellProblem]:
    """Outside the least and greatest of the last twelve *and* more than ``drift`` percent off their mean."""
    known = [float(v) for v in earlier if _number(v)]
    if not _number(value) or len(known) < LEAST_HISTORY:
        return []
    low, high, mean = min(known), max(known), statistics.fmean(known)
    if low <= value <= high or abs(value - mean) <= abs(mean) * drift / 100:
        return []
    usual = (("low", low), ("high", high), ("mean", round(mean, 2)))
    return [CellProblem(question, "unusual", "warn", "与近12期相差较大", "far from the last twelve periods", usual)]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain_number(value: Any) -> Any:
    """What was typed into a cell: a number (full-width digits, thousands by commas) as a number, else as it is."""
    if not isinstance(value, str):
        return value
    read = read_cell(value, "decimal")
    return value if read.error or read.value is None else read.value
