"""``combination``: several different signs at one site within a time: the camera agrees with the sensor.

Each part watches some observation kinds; a part holds while its condition stands (or for ``hold_s`` after
a plain value beyond its limit).  When at least ``need`` parts hold, the happening opens; it ends when fewer do.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.plugins import About, Words
from core.records import Observation, Severity
from events.rules.findings import Context, RuleFinding, RuleSpec

ABOUT = About(
    zh="组合",
    en="Combination",
    params={
        "parts": Words("组成信号", "Signs"),
        "need": Words("需要几个（0 全部）", "How many (0: all)"),
        "hold_s": Words("保持时间（秒）", "Hold (s)"),
        "per": Words("按", "By"),
        "at_least": Words("不低于", "At least"),
        "at_most": Words("不高于", "At most"),
        "kinds": Words("观测类型", "Observations"),
        "min_confidence": Words("最低置信度", "Least confidence"),
        "name": Words("名称", "Name"),
    },
)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """``kinds``: any of these; ``at_least``, ``at_most``: limits for plain values; else open and clear count."""

    name: str
    kinds: tuple[str, ...]
    at_least: float | None = None
    at_most: float | None = None
    min_confidence: float = 0.0


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``need`` parts must hold at once (0: all).  ``per``: signs belong together by site or by source."""

    parts: tuple[Part, ...]
    need: int = 0
    hold_s: float = 900.0
    per: Literal["site", "source"] = "site"

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise ValueError("a combination needs at least two parts")
        if len({part.name for part in self.parts}) < len(self.parts):
            raise ValueError("each part needs a name of its own")
        if not 0 <= self.need <= len(self.parts):
            raise ValueError("need must lie between 0 (all) and the number of parts")
        if any(not part.kinds for part in self.parts):
            raise ValueError("a part without kinds can never hold")


def build(params: Params, *, spec: RuleSpec) -> Combination:
    """The rule of ``spec``."""
    return Combination(params, spec)


class Combination:
    """See the module."""

    def __init__(self, params: Params, spec: RuleSpec) -> None:
        self.params = params
        self.spec = spec
        self._need = params.need or len(params.parts)

    def keys(self, observation: Observation) -> tuple[str, ...]:
        place = observation.site_id if self.params.per == "site" else observation.source_id
        return (place[:160],) if place else ()

    def evaluate(self, observation: Observation, context: Context) -> RuleFinding | None:
        """See the module."""
        keys = self.keys(observation)
        part = next((p for p in self.params.parts if observation.kind in p.kinds), None)
        if not keys or part is None:
            return None
        holds = _holds(part, observation)
        if holds is None:
            return None
        before = context.memory.recall(self.spec.rule_id, keys[0])
        at = observation.observed_at.timestamp()
        until = 1e18 if observation.state == "open" else at + self.params.hold_s
        held: dict[str, dict[str, float]] = {n: dict(s) for n, s in before.get("held", {}).items()}
        sources = held.setdefault(part.name, {})
        if holds:
            sources[observation.source_id] = until
        else:
            sources.pop(observation.source_id, None)
        held = {n: kept for n, s in held.items() if (kept := {k: u for k, u in s.items() if u >= at})}
        standing = bool(before.get("standing"))
        now_standing = len(held) >= self._need
        if held or before:
            context.memory.remember(self.spec.rule_id, keys[0], {"held": held, "standing": now_standing})
        if standing == now_standing:
            return None
        severity = Severity(self.spec.draft.severity)
        step: dict[str, Any] = {
            "step": "combination", "held": {n: sorted(s) for n, s in held.items()}, "need": self._need,
            "last": part.name, "value": observation.value,
        }  # fmt: skip
        return RuleFinding(
            state="open" if now_standing else "clear",
            rule=self.spec,
            standing_key=f"{self.spec.rule_id}|{keys[0]}"[:160],
            severity=severity,
            observation=observation,
            why=(step,),
            confidence=observation.confidence,
            level=int(severity),
        )


def _holds(part: Part, observation: Observation) -> bool | None:
    if part.at_least is not None or part.at_most is not None:
        if observation.value is None:
            return None
        above = part.at_least is None or observation.value >= part.at_least
        return above and (part.at_most is None or observation.value <= part.at_most)
    if observation.state == "measure":
        return None
    confidence = 1.0 if observation.confidence is None else observation.confidence
    return observation.state == "open" and confidence >= part.min_confidence
