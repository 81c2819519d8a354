"""``threshold``: levels with hysteresis on a plain value, confirmed by successive readings; a fast rise escalates.

Levels go up when the last ``successive`` readings all lie above the standing level, and to the lowest of
them; they go down when the last ``successive`` readings all lie ``hysteresis`` below.  Readings older than
the newest one judged do not run the hysteresis backwards (they are stored all the same).
Defaults for waterlogging: standards note 07 §3 (5/15/27/40 cm, 3 cm, two readings, 5 cm in 10 min).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.plugins import About, Words
from core.records import Observation, Severity
from events.rules.findings import Body, Context, RuleFinding, RuleSpec, source_key

ABOUT = About(
    zh="阈值",
    en="Threshold",
    params={
        "levels": Words("等级", "Levels"),
        "hysteresis": Words("回差", "Hysteresis"),
        "successive": Words("连续读数次数", "Successive readings"),
        "direction": Words("方向", "Direction"),
        "rise_by": Words("快速上涨量（升一级，0 不用）", "Rise that adds a level (0: off)"),
        "rise_within_s": Words("上涨时间窗（秒）", "Rise within (s)"),
        "max_gap_s": Words("读数最大间隔（秒，0 不限）", "Longest gap of readings (s, 0: any)"),
        "at": Words("界限值", "From"),
        "name": Words("名称", "Name"),
        "severity": Words("等级", "Level"),
    },
)

MAX_HISTORY = 64  # readings kept for the rate of rise; the oldest go first


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """From ``at`` on (in the observation's unit) the happening has ``severity`` 1 … 4."""

    at: float
    severity: int
    name: str = ""


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``levels`` in order of severity; ``direction`` below: low values are bad (pressure, staffing).

    ``rise_by`` within ``rise_within_s`` seconds escalates a standing level by one; 0 switches it off.
    ``max_gap_s``: successive readings further apart than this do not confirm one another; 0: any gap.
    """

    levels: tuple[Level, ...]
    hysteresis: float = 0.0
    successive: int = 2
    direction: Literal["above", "below"] = "above"
    rise_by: float = 0.0
    rise_within_s: float = 600.0
    max_gap_s: float = 0.0

    def __post_init__(self) -> None:
        if not self.levels:
            raise ValueError("levels may not be empty")
        if self.hysteresis < 0 or self.rise_by < 0 or self.rise_within_s <= 0:
            raise ValueError("hysteresis, rise_by and rise_within_s may not be negative")
        if not 1 <= self.successive <= 10:
            raise ValueError("successive must lie between 1 and 10")
        sign = 1 if self.direction == "above" else -1
        ats = [sign * level.at for level in self.levels]
        if ats != sorted(set(ats)) or [x.severity for x in self.levels] != sorted(x.severity for x in self.levels):
            raise ValueError("levels must grow in danger: each beyond the one before, and no less severe")
        if any(not 1 <= level.severity <= 4 for level in self.levels):
            raise ValueError("a level's severity must be 1, 2, 3 or 4")


def build(params: Params, *, spec: RuleSpec) -> Threshold:
    """The rule of ``spec``."""
    return Threshold(params, spec)


class Threshold:
    """See the module."""

    def __init__(self, params: Params, spec: RuleSpec) -> None:
        self.params = params
        self.spec = spec
        self._sign = 1.0 if params.direction == "above" else -1.0
        self._ups = [self._sign * level.at for level in params.levels]
        self._downs = [at - params.hysteresis for at in self._ups]

    def keys(self, observation: Observation) -> tuple[str, ...]:
        return (source_key(observation),)

    def evaluate(self, observation: Observation, context: Context) -> RuleFinding | None:
        """See the module."""
        if observation.value is None or observation.state != "measure":
            return None
        key = source_key(observation)
        before = context.memory.recall(self.spec.rule_id, key)
        at = observation.observed_at.timestamp()
        if at < before.get("at", float("-inf")):
            return None
        value = self._sign * observation.value
        level = int(before.get("level", 0))
        calm = value < self._downs[0] and level == 0 and not before.get("run") and not self.params.rise_by
        if calm:
            return None  # the usual case: nothing stood, nothing begins, nothing to remember
        run = self._run(before, value, at)
        history = self._history(before, value, at)
        new_level = self._next_level(level, run)
        rising = self._rising(history)
        severity = self._severity(new_level, rising, before if new_level >= level > 0 else {})
        context.memory.remember(
            self.spec.rule_id,
            key,
            {"level": new_level, "run": run, "history": history, "at": at, "severity": severity},
        )
        if new_level == level and severity <= int(before.get("severity", 0)):
            return None
        return self._finding(observation, key, level, new_level, severity, run, rising)

    def _run(self, before: Body, value: float, at: float) -> list[list[float]]:
        run = [list(pair) for pair in before.get("run", [])]
        gap = self.params.max_gap_s
        if gap and run and at - run[-1][0] > gap:
            run = []
        return [*run, [at, value]][-self.params.successive :]

    def _history(self, before: Body, value: float, at: float) -> list[list[float]]:
        if not self.params.rise_by:
            return []
        since = at - self.params.rise_within_s
        # only what is lower than everything after it can be the least of the window: most values go at once
        kept = [pair for pair in before.get("history", []) if pair[0] >= since and pair[1] < value]
        return [*kept, [at, value]][-MAX_HISTORY:]

    def _rising(self, history: list[list[float]]) -> float:
        """How much the value rose within the window, ending now; 0 when the rate of rise is not watched."""
        return history[-1][1] - min(v for _, v in history) if history else 0.0

    def _next_level(self, level: int, run: list[list[float]]) -> int:
        if len(run) < self.params.successive:
            return level
        ups = [sum(value >= at for at in self._ups) for _, value in run]
        downs = [sum(value >= at for at in self._downs) for _, value in run]
        if min(ups) > level:
            return min(ups)
        if max(downs) < level:
            return max(downs)
        return level

    def _severity(self, level: int, rising: float, before: Body) -> int:
        if level == 0:
            return 0
        severity = self.params.levels[level - 1].severity
        if self.params.rise_by and rising >= self.params.rise_by - 1e-9:
            severity = min(severity + 1, int(Severity.RED))
        return max(severity, int(before.get("severity", 0)))

    def _finding(
        self, observation: Observation, key: str, old: int, new: int, severity: int, run: list[Any], rising: float
    ) -> RuleFinding:
        level = self.params.levels[max(new, 1) - 1]
        step = {
            "step": "threshold",
            "values": [round(self._sign * value, 4) for _, value in run],
            "unit": observation.unit,
            "from_level": old,
            "to_level": new,
            "limit": level.at,
            "direction": self.params.direction,
            "hysteresis": self.params.hysteresis,
            "successive": self.params.successive,
        }
        if self.params.rise_by:
            step |= {"rise": round(rising, 4), "rise_by": self.params.rise_by, "within_s": self.params.rise_within_s}
        return RuleFinding(
            state="clear" if new == 0 else "open" if old == 0 else "update",
            rule=self.spec,
            standing_key=f"{self.spec.rule_id}|{key}"[:160],
            severity=Severity(severity or level.severity),
            observation=observation,
            why=(step,),
            confidence=observation.confidence,
            level=new,
        )
