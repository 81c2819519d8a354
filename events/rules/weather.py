"""``weather``: rain measured by our own gauges reached a colour's threshold.  Never an official warning.

Increments (``rain_mm`` of an interval) are kept in 5-minute buckets for 24 h; the most severe of ``levels`` that holds
decides.  Defaults: rain warning signals of the China Meteorological Administration (order 16, 2007).  The level falls
when the sums have stayed below it for ``ease_s``: a cloud that pauses is not over.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.plugins import About, Words
from core.records import Observation, Severity
from events.rules.findings import Context, RuleFinding, RuleSpec, source_key

ABOUT = About(
    zh="天气",
    en="Weather",
    params={
        "levels": Words("等级", "Levels"),
        "ease_s": Words("缓解时间（秒）", "Eases after (s)"),
        "max_increment_mm": Words("单次最大雨量（毫米）", "Largest increment (mm)"),
        "hours": Words("小时", "Hours"),
        "mm": Words("雨量（毫米）", "Rain (mm)"),
        "severity": Words("等级", "Level"),
    },
)

BUCKET_S = 300
COLOURS = {1: "蓝", 2: "黄", 3: "橙", 4: "红"}


class RainLevel(msgspec.Struct, frozen=True, kw_only=True):
    """``mm`` of rain within ``hours`` has ``severity`` 1 (blue) … 4 (red)."""

    hours: float
    mm: float
    severity: int


_DEFAULT = (
    RainLevel(hours=12, mm=50, severity=1),
    RainLevel(hours=6, mm=50, severity=2),
    RainLevel(hours=3, mm=50, severity=3),
    RainLevel(hours=3, mm=100, severity=4),
)


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``max_increment_mm``: a single increment above is a fault of the gauge and does not count."""

    levels: tuple[RainLevel, ...] = _DEFAULT
    ease_s: float = 3600.0
    max_increment_mm: float = 60.0

    def __post_init__(self) -> None:
        if not self.levels or any(not 1 <= x.severity <= 4 or not 0 < x.hours <= 24 or x.mm <= 0 for x in self.levels):
            raise ValueError("levels need hours up to 24, positive mm and a severity 1, 2, 3 or 4")


def build(params: Params, *, spec: RuleSpec) -> Weather:
    """The rule of ``spec``."""
    return Weather(params, spec)


class Weather:
    """See the module."""

    def __init__(self, params: Params, spec: RuleSpec) -> None:
        self.params = params
        self.spec = spec
        self._keep_s = max(level.hours for level in params.levels) * 3600

    def keys(self, observation: Observation) -> tuple[str, ...]:
        return (source_key(observation),)

    def evaluate(self, observation: Observation, context: Context) -> RuleFinding | None:
        """See the module."""
        if observation.value is None or observation.state != "measure":
            return None
        if not 0 <= observation.value <= self.params.max_increment_mm:
            return None
        key = source_key(observation)
        before = context.memory.recall(self.spec.rule_id, key)
        if observation.value == 0 and not before:
            return None
        at = observation.observed_at.timestamp()
        newest = max(at, float(before.get("at", at)))
        buckets: dict[str, float] = dict(before.get("buckets", {}))
        name = str(int(at // BUCKET_S * BUCKET_S))
        buckets[name] = round(buckets.get(name, 0.0) + observation.value, 3)
        buckets = {k: v for k, v in buckets.items() if v and float(k) > newest - self._keep_s - BUCKET_S}
        level, because = self._level(buckets, newest)
        standing = int(before.get("severity", 0))
        held_at = newest if level >= standing else float(before.get("held_at", newest))
        if level < standing and newest - held_at < self.params.ease_s:
            level = standing
        context.memory.remember(
            self.spec.rule_id, key, {"buckets": buckets, "at": newest, "severity": level, "held_at": held_at}
        )
        if level == standing:
            return None
        return self._finding(observation, key, standing, level, because)

    def _level(self, buckets: dict[str, float], now: float) -> tuple[int, dict[str, Any]]:
        best, because = 0, {}
        for level in self.params.levels:
            start = now - level.hours * 3600
            total = sum(v for k, v in buckets.items() if float(k) + BUCKET_S > start)
            if total >= level.mm and level.severity > best:
                best, because = level.severity, {"hours": level.hours, "mm": round(total, 1), "limit_mm": level.mm}
        return best, because

    def _finding(self, observation: Observation, key: str, old: int, new: int, because: dict[str, Any]) -> RuleFinding:
        state: Literal["open", "update", "clear"] = "clear" if new == 0 else "open" if old == 0 else "update"
        step = {"step": "weather", "from": old, "to": new, "colour": COLOURS.get(new, ""), **because}
        return RuleFinding(
            state=state,
            rule=self.spec,
            standing_key=f"{self.spec.rule_id}|{key}"[:160],
            severity=Severity(new or max(old, 1)),
            observation=observation,
            why=(step, {"step": "note", "text": "local measurement, not an official warning"}),
            level=new,
        )
