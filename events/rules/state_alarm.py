"""``state_alarm``: a source says "open" and later "clear"; in between the happening stands once.

A repeated "open" refreshes the standing happening (its evidence and confidence), it never opens another.
With ``hold_s`` a condition must have stood that long before it is found (a camera that blinks is no case).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.errors import PluginParamsInvalid
from core.plugins import About, Words
from core.records import Observation, Severity
from events.rules.findings import Body, Context, RuleFinding, RuleSpec, source_key, speaks

ABOUT = About(
    zh="状态告警",
    en="State alarm",
    params={
        "min_confidence": Words("最低置信度", "Least confidence"),
        "severity_by": Words("按属性定级", "Level by attribute"),
        "where": Words("属性条件", "Only where"),
        "refresh_s": Words("重复记录间隔（秒）", "Repeat after (s)"),
        "hold_s": Words("保持时间（秒）", "Hold (s)"),
    },
)


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``min_confidence``: below it an "open" is stored but opens nothing.

    ``severity_by``: an attribute name, and the severity for each of its values, e.g.
    ``{"attribute": "state", "values": {"offline": 2}}``.  ``where``: attribute values that an
    observation must have (a value or a list of values) for the rule to look at it.
    ``refresh_s``: a repeated "open" is recorded on the case at most this often.
    ``hold_s``: how long a condition must stand before it is found; 0: at once.
    """

    min_confidence: float = 0.0
    severity_by: dict[str, Any] = {}
    where: dict[str, Any] = {}
    refresh_s: float = 60.0
    hold_s: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise ValueError("min_confidence must lie between 0 and 1")
        if self.severity_by and not {"attribute", "values"} <= set(self.severity_by):
            raise ValueError("severity_by needs 'attribute' and 'values'")


def build(params: Params, *, spec: RuleSpec) -> StateAlarm:
    """The rule of ``spec``."""
    try:
        for value in dict(params.severity_by.get("values", {})).values():
            Severity(value)
    except ValueError as error:
        raise PluginParamsInvalid(
            group="rule", kind="state_alarm", detail=f"severity_by.values: {error}", known="1, 2, 3, 4"
        ) from error
    return StateAlarm(params, spec)


class StateAlarm:
    """Open and clear as the source says, once per standing condition."""

    def __init__(self, params: Params, spec: RuleSpec) -> None:
        self.params = params
        self.spec = spec

    def keys(self, observation: Observation) -> tuple[str, ...]:
        return (source_key(observation),)

    def evaluate(self, observation: Observation, context: Context) -> RuleFinding | None:
        """See the module."""
        if observation.state == "measure" or not matches(self.params.where, observation.attributes):
            return None
        key = source_key(observation)
        before = context.memory.recall(self.spec.rule_id, key)
        at = observation.observed_at.timestamp()
        person = speaks(observation)  # each word of a person counts, late or not: he asks what became of it
        if at < before.get("at", float("-inf")) and (not person or observation.state == "clear"):
            return None  # late: a newer word of this source has been heard
        standing = bool(before.get("standing"))
        if observation.state == "clear":
            if not standing:
                if before.get("pending"):
                    context.memory.remember(self.spec.rule_id, key, {"standing": False, "at": at})
                return None
            context.memory.remember(self.spec.rule_id, key, {"standing": False, "at": at})
            return self._finding("clear", observation, key, float(before.get("since", at)))
        if (observation.confidence if observation.confidence is not None else 1.0) < self.params.min_confidence:
            return None
        if standing and not person and at - float(before.get("told", 0)) < self.params.refresh_s:
            return None
        if self.params.hold_s and not standing:
            return self._hold(observation, before, key, at, context)
        since = float(before["since"]) if standing else at
        at = max(at, float(before.get("at", at)))
        context.memory.remember(self.spec.rule_id, key, {"standing": True, "since": since, "at": at, "told": at})
        return self._finding("update" if standing else "open", observation, key, since)

    def _hold(
        self, observation: Observation, before: Body, key: str, at: float, context: Context
    ) -> RuleFinding | None:
        """Remember a condition that must stand a while; :meth:`tick` finds it when it did."""
        since = float(before.get("since", at)) if before.get("pending") else at
        body = {"standing": False, "at": at, "since": since, "pending": msgspec.to_builtins(observation)}
        context.memory.remember(self.spec.rule_id, key, body)
        return None

    def tick(self, key: str, body: Body, context: Context) -> RuleFinding | None:
        """The condition of ``body``, when it has stood for ``hold_s`` now."""
        pending = body.get("pending")
        if not pending or context.now.timestamp() - float(body["since"]) < self.params.hold_s:
            return None
        observation = msgspec.convert(pending, Observation)
        at = float(body["at"])
        kept = {"standing": True, "since": body["since"], "at": at, "told": at}
        context.memory.remember(self.spec.rule_id, key, kept)
        return self._finding("open", observation, key, float(body["since"]))

    def _finding(self, state: Any, observation: Observation, key: str, since: float) -> RuleFinding:
        severity = self._severity(observation.attributes)
        step = {"step": "state_alarm", "kind": observation.kind, "said": observation.state, "standing_since": since}
        if self.params.min_confidence:
            step |= {"confidence": observation.confidence, "min_confidence": self.params.min_confidence}
        return RuleFinding(
            state=state,
            rule=self.spec,
            standing_key=f"{self.spec.rule_id}|{key}"[:160],
            severity=severity,
            observation=observation,
            why=(step,),
            confidence=observation.confidence,
            level=int(severity),
        )

    def _severity(self, attributes: Mapping[str, Any]) -> Severity:
        by = self.params.severity_by
        given = by["values"].get(str(attributes.get(by["attribute"], ""))) if by else None
        return Severity(given or self.spec.draft.severity)


def matches(where: Mapping[str, Any], attributes: Mapping[str, Any]) -> bool:
    """Whether ``attributes`` have, for each name in ``where``, its value or one of its values."""
    for name, wanted in where.items():
        have = attributes.get(name)
        if have not in wanted if isinstance(wanted, list) else have != wanted:
            return False
    return True
