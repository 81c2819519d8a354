"""``k_of_n``: the condition must hold in ``k`` of the last ``n`` observations of a source, within a time.

For sources that err now and then: a sleeping or phone detector, a sensor that jumps.  An observation
holds when it is ``open`` with enough confidence or, where ``limit`` is set, when its value lies beyond it.
The happening ends when at most ``clear_k`` of the last ``n`` hold.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.plugins import About, Words
from core.records import Observation, Severity
from events.rules.findings import Context, RuleFinding, RuleSpec, source_key

ABOUT = About(
    zh="多次确认",
    en="k of n",
    params={
        "k": Words("至少 k 次", "k observations"),
        "n": Words("最近 n 次中", "of the last n"),
        "within_s": Words("时间窗（秒）", "Within (s)"),
        "clear_k": Words("至多几次即解除", "Ends at most at"),
        "min_confidence": Words("最低置信度", "Least confidence"),
        "limit": Words("数值界限", "Limit"),
        "direction": Words("方向", "Direction"),
    },
)


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``within_s``: older observations do not count.  ``limit``, ``direction``: for plain values."""

    k: int
    n: int
    within_s: float = 600.0
    clear_k: int = 0
    min_confidence: float = 0.0
    limit: float | None = None
    direction: Literal["above", "below"] = "above"

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n <= 100:
            raise ValueError("1 ≤ k ≤ n ≤ 100 must hold")
        if not 0 <= self.clear_k < self.k:
            raise ValueError("0 ≤ clear_k < k must hold")
        if self.within_s <= 0:
            raise ValueError("within_s must be positive")


def build(params: Params, *, spec: RuleSpec) -> KOfN:
    """The rule of ``spec``."""
    return KOfN(params, spec)


class KOfN:
    """See the module."""

    def __init__(self, params: Params, spec: RuleSpec) -> None:
        self.params = params
        self.spec = spec

    def keys(self, observation: Observation) -> tuple[str, ...]:
        return (source_key(observation),)

    def evaluate(self, observation: Observation, context: Context) -> RuleFinding | None:
        """See the module."""
        holds = self._holds(observation)
        if holds is None:
            return None
        key = source_key(observation)
        before = context.memory.recall(self.spec.rule_id, key)
        at = observation.observed_at.timestamp()
        last: list[list[float]] = [list(pair) for pair in before.get("last", [])]
        if last and at < last[-1][0]:
            return None
        if not holds and not before.get("standing") and not any(x[1] for x in last):
            return None
        last = [pair for pair in [*last, [at, float(holds)]] if pair[0] >= at - self.params.within_s][-self.params.n :]
        count = int(sum(pair[1] for pair in last))
        standing = bool(before.get("standing"))
        state: Literal["open", "clear"] | None = None
        if not standing and count >= self.params.k:
            state = "open"
        elif standing and count <= self.params.clear_k:
            state = "clear"
        context.memory.remember(
            self.spec.rule_id, key, {"last": last, "standing": standing if state is None else state == "open"}
        )
        if state is None:
            return None
        step: dict[str, Any] = {
            "step": "k_of_n", "held": count, "of": len(last), "k": self.params.k, "n": self.params.n,
            "clear_k": self.params.clear_k, "within_s": self.params.within_s,
        }  # fmt: skip
        if self.params.limit is not None:
            step |= {"limit": self.params.limit, "direction": self.params.direction, "value": observation.value}
        severity = Severity(self.spec.draft.severity)
        return RuleFinding(
            state=state,
            rule=self.spec,
            standing_key=f"{self.spec.rule_id}|{key}"[:160],
            severity=severity,
            observation=observation,
            why=(step,),
            confidence=round(count / max(1, len(last)), 3),
            level=int(severity),
        )

    def _holds(self, observation: Observation) -> bool | None:
        """Whether the condition holds in ``observation``; None when it says nothing about it."""
        if self.params.limit is not None:
            if observation.value is None:
                return None
            beyond = observation.value - self.params.limit
            return beyond >= 0 if self.params.direction == "above" else beyond <= 0
        if observation.state == "measure":
            return None
        confidence = 1.0 if observation.confidence is None else observation.confidence
        return observation.state == "open" and confidence >= self.params.min_confidence
