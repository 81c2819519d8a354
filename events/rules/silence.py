"""``silence``: a source that always spoke speaks no more.  "A silent sensor is a signal."

Every observation of the wanted kinds notes when its source was heard; a tick of the worker (not an observation) finds
that ``after_s`` have passed.  The next observation ends the silence.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from core.ids import derived_id
from core.plugins import About, Words
from core.records import Observation, Severity
from events.rules.findings import Body, Context, RuleFinding, RuleSpec

ABOUT = About(
    zh="无数据",
    en="No data",
    params={
        "after_s": Words("多久无数据（秒）", "Silent for (s)"),
        "forget_s": Words("多久后遗忘（秒）", "Forget after (s)"),
    },
)

NOTE_EVERY = 4  # the time heard is written when a quarter of ``after_s`` passed, not for every reading


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``after_s``: how long nothing may be heard of a source.  ``forget_s``: a source gone longer is forgotten."""

    after_s: float
    forget_s: float = 30 * 86400.0

    def __post_init__(self) -> None:
        if not 0 < self.after_s < self.forget_s:
            raise ValueError("0 < after_s < forget_s must hold")


def build(params: Params, *, spec: RuleSpec) -> Silence:
    """The rule of ``spec``."""
    return Silence(params, spec)


class Silence:
    """See the module."""

    def __init__(self, params: Params, spec: RuleSpec) -> None:
        self.params = params
        self.spec = spec

    def keys(self, observation: Observation) -> tuple[str, ...]:
        return (observation.source_id[:160],)

    def evaluate(self, observation: Observation, context: Context) -> RuleFinding | None:
        """Note that the source was heard; ends a silence."""
        key = self.keys(observation)[0]
        before = context.memory.recall(self.spec.rule_id, key)
        heard = observation.received_at.timestamp()
        silent = bool(before.get("silent"))
        if not silent and heard - float(before.get("heard", 0)) < self.params.after_s / NOTE_EVERY:
            return None
        body = {
            "heard": heard,
            "silent": False,
            "source_type": observation.source_type,
            "source_id": observation.source_id,
            "site_id": observation.site_id,
            "kind": observation.kind,
        }
        context.memory.remember(self.spec.rule_id, key, body)
        return self._finding("clear", observation, key, heard - float(before["heard"])) if silent else None

    def tick(self, key: str, body: Body, context: Context) -> RuleFinding | None:
        """Whether the source of ``body`` has been silent too long now."""
        silent_s = context.now.timestamp() - float(body.get("heard", 0))
        limit = self.params.after_s * (1 + 1 / NOTE_EVERY)  # the note may be this old although it spoke
        if body.get("silent") or not limit <= silent_s < self.params.forget_s:
            return None
        context.memory.remember(self.spec.rule_id, key, {**body, "silent": True})
        heard = datetime.fromtimestamp(float(body["heard"]), UTC)
        observation = Observation(
            observation_id=derived_id("silence", self.spec.rule_id, key, body["heard"]),
            kind=str(body.get("kind", "silence")),
            state="open",
            source_type=body["source_type"],
            source_id=str(body["source_id"]),
            observed_at=context.now,
            received_at=context.now,
            site_id=body.get("site_id"),
            attributes={"silent_since": heard.isoformat()},
        )
        return self._finding("open", observation, key, silent_s)

    def _finding(
        self, state: Literal["open", "clear"], observation: Observation, key: str, silent_s: float
    ) -> RuleFinding:
        severity = Severity(self.spec.draft.severity)
        step: dict[str, Any] = {"step": "silence", "silent_s": round(silent_s, 1), "after_s": self.params.after_s}
        return RuleFinding(
            state=state,
            rule=self.spec,
            standing_key=f"{self.spec.rule_id}|{key}"[:160],
            severity=severity,
            observation=observation,
            why=(step,),
            level=int(severity),
        )
