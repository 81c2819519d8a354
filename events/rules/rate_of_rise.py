"""``rate_of_rise``: a value that climbs fast, whatever its level: a flood in the making, a tank that runs full.

Opens when the value rose by a level's ``by`` within ``within_s`` (lowest earlier value to the newest); ends when it
rose by less than ``calm`` × the lowest level for a whole window.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.plugins import About, Words
from core.records import Observation, Severity
from events.rules.findings import Context, RuleFinding, RuleSpec, source_key

ABOUT = About(
    zh="上涨速率",
    en="Rate of rise",
    params={
        "levels": Words("等级", "Levels"),
        "within_s": Words("时间窗（秒）", "Within (s)"),
        "calm": Words("平缓比例", "Calm share"),
        "from_value": Words("起算值", "From value"),
        "min_readings": Words("最少读数", "Least readings"),
        "by": Words("上涨量", "Rise"),
        "severity": Words("等级", "Level"),
    },
)

MAX_HISTORY = 128


class RiseLevel(msgspec.Struct, frozen=True, kw_only=True):
    """A rise of ``by`` (in the observation's unit) has ``severity`` 1 … 4."""

    by: float
    severity: int


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``from_value``: values below are no concern (a puddle may fill fast)."""

    levels: tuple[RiseLevel, ...]
    within_s: float = 600.0
    calm: float = 0.5
    from_value: float | None = None
    min_readings: int = 3

    def __post_init__(self) -> None:
        bys = [level.by for level in self.levels]
        if not bys or bys != sorted(set(bys)) or bys[0] <= 0:
            raise ValueError("levels must hold growing, positive rises")
        if any(not 1 <= level.severity <= 4 for level in self.levels):
            raise ValueError("a level's severity must be 1, 2, 3 or 4")
        if self.within_s <= 0 or not 0 < self.calm <= 1 or self.min_readings < 2:
            raise ValueError("within_s > 0, 0 < calm ≤ 1 and min_readings ≥ 2 must hold")


def build(params: Params, *, spec: RuleSpec) -> RateOfRise:
    """The rule of ``spec``."""
    return RateOfRise(params, spec)


class RateOfRise:
    """See the module."""

    def __init__(self, params: Params, spec: RuleSpec) -> None:
        self.params = params
        self.spec = spec

    def keys(self, observation: Observation) -> tuple[str, ...]:
        return (source_key(observation),)

    def evaluate(self, observation: Observation, context: Context) -> RuleFinding | None:
        """See the module."""
        if observation.value is None or observation.state != "measure":
            return None
        key = source_key(observation)
        before = context.memory.recall(self.spec.rule_id, key)
        at = observation.observed_at.timestamp()
        history: list[list[float]] = [list(pair) for pair in before.get("history", [])]
        if history and at < history[-1][0]:
            return None
        kept = [p for p in history if p[0] >= at - self.params.within_s]
        history = [*kept, [at, observation.value]][-MAX_HISTORY:]
        rise = observation.value - min(v for _, v in history)
        level = int(before.get("level", 0))
        new = self._level(level, rise, observation.value, len(history))
        context.memory.remember(self.spec.rule_id, key, {"history": history, "level": new})
        if new == level:
            return None
        state: Literal["open", "update", "clear"] = "clear" if new == 0 else "open" if level == 0 else "update"
        severity = Severity(self.params.levels[max(new, 1) - 1].severity)
        step: dict[str, Any] = {
            "step": "rate_of_rise", "rise": round(rise, 4), "unit": observation.unit, "within_s": self.params.within_s,
            "limit": self.params.levels[max(new, 1) - 1].by, "from_level": level, "to_level": new,
        }  # fmt: skip
        return RuleFinding(
            state=state,
            rule=self.spec,
            standing_key=f"{self.spec.rule_id}|{key}"[:160],
            severity=severity,
            observation=observation,
            why=(step,),
            level=new,
        )

    def _level(self, level: int, rise: float, value: float, readings: int) -> int:
        reached = sum(rise >= step.by - 1e-9 for step in self.params.levels)
        low = self.params.from_value is not None and value < self.params.from_value
        if readings < self.params.min_readings or low:
            reached = 0
        if reached > level:
            return reached
        if level and rise < self.params.calm * self.params.levels[0].by:
            return 0
        return level
