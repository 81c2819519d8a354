"""What the self-test measured: stages with latencies, and whether it held."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile of ``values`` (not empty); ``share`` from 0 to 1."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass
class SelftestReport:
    """Milliseconds per stage, in the order in which the stages happen, and the balance of signals and cases."""

    stages: dict[str, list[float]] = field(default_factory=dict)
    cases_closed: int = 0
    cases_expected: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, stage: str, seconds: float) -> None:
        """One measurement of ``stage``."""
        self.stages.setdefault(stage, []).append(seconds * 1000)

    @property
    def held(self) -> bool:
        """Every case closed, nothing lost, nothing doubled."""
        complete = self.cases_closed == self.cases_expected > 0
        return complete and not (self.lost or self.doubled or self.failures)

    @property
    def p95_ms(self) -> float:
        """95th percentile from the signal to the dispatched case as a client sees it."""
        values = self.stages.get("signal_to_case", [])
        return round(percentile(values, 0.95), 1) if values else 0.0

    def as_json(self) -> str:
        """One JSON object, as ``--json`` prints it."""
        stages = [
            {
                "name": name,
                "count": len(values),
                "p50_ms": round(percentile(values, 0.5), 1),
                "p95_ms": round(percentile(values, 0.95), 1),
            }
            for name, values in self.stages.items()
        ]
        return json.dumps(
            {
                "result": "PASS" if self.held else "FAIL",
                "cases_closed": self.cases_closed,
                "cases_expected": self.cases_expected,
                "stages": stages,
                "lost": len(self.lost),
                "doubled": len(self.doubled),
                "p95_ms": self.p95_ms,
                "problems": [*self.lost, *self.doubled, *self.failures],
            },
            ensure_ascii=False,
        )

    def as_table(self) -> str:
        """A table for people, and the closing line."""
        lines = [f"{'stage':<18}{'count':>6}{'p50 ms':>12}{'p95 ms':>12}"]
        for name, v in self.stages.items():
            lines.append(f"{name:<18}{len(v):>6}{percentile(v, 0.5):>12.1f}{percentile(v, 0.95):>12.1f}")
        lines += [f"problem: {text}" for text in (*self.lost, *self.doubled, *self.failures)]
        verdict = "PASS" if self.held else "FAIL"
        lines.append(f"selftest: {verdict} cases_closed={self.cases_closed} p95_ms={self.p95_ms}")
        return "\n".join(lines)
