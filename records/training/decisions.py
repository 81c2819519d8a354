"""How a decision in a drill is scored.  Pure.

Right: the department that had the case in the end, or that it was a false alarm: 70 points.  In time: 30 points, all of
them within the seconds that the severity allows, none from three times as long.  A case that nobody decides: 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

RIGHT, IN_TIME = 70.0, 30.0
ALLOWED_S: Mapping[int, float] = {4: 60.0, 3: 120.0, 2: 180.0, 1: 300.0}


@dataclass(frozen=True)
class DrillDecision:
    """``department_id`` to which a case goes, or ``false_alarm``."""

    department_id: str = ""
    false_alarm: bool = False

    def same(self, other: DrillDecision) -> bool:
        """False alarms are alike, whoever had them."""
        return self.false_alarm == other.false_alarm and (self.false_alarm or self.department_id == other.department_id)


def decision_points(given: DrillDecision, right: DrillDecision, seconds: float, severity: int) -> float:
    """0 to 100; a wrong decision has no points for being fast."""
    if not given.same(right):
        return 0.0
    allowed = ALLOWED_S.get(severity, ALLOWED_S[1])
    share = min(1.0, max(0.0, (3 * allowed - seconds) / (2 * allowed)))
    return round(RIGHT + IN_TIME * share, 1)


def drill_marks(rows: Iterable[Mapping[str, Any]], cases: int) -> dict[str, Any]:
    """A person's marks over the ``cases`` of a drill: ``rows`` are the answered ones with points and seconds."""
    answered = list(rows)
    points = sum(row["points"] for row in answered)
    seconds = sorted(row["seconds"] for row in answered)
    return {
        "answered": len(answered), "right": sum(row["points"] > 0 for row in answered),
        "missed": max(0, cases - len(answered)), "percent": round(points / cases, 1) if cases else None,
        "median_s": round(seconds[len(seconds) // 2], 1) if seconds else None,
    }  # fmt: skip
