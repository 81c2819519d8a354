"""What a rule concludes, and what a rule may lean on while it judges.

A rule is pure but for its memory, which it reads and writes through :class:`Memory`; the worker keeps that
memory in the ``rule_state`` table, in the transaction that also holds the observation and the case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from core.legal_time.limits import Limit
from core.records import JSON, Observation, Record, Severity

Body = Mapping[str, Any]


class DraftSpec(Record, frozen=True):
    """What a rule opens: the ``draft`` part of a rule's configuration.

    ``happening`` names the class of happenings that may be one and the same thing across sources
    (fire: a smoke detector, a camera and a citizen); see ``happenings`` in rules.yaml.
    ``title`` may hold ``{place}`` and ``{level}``; ``{value}`` and ``{unit}`` are allowed and left empty: a number
    frozen in a title is wrong a minute later, pages show the live one.
    """

    happening: str
    class_code: str
    title: str
    severity: int = 2
    limit: Limit | None = None  # handling limit; None: the class's own
    class_version: str = "2013"
    definition: str = "city_management"
    auto_register: bool = True
    recheck: bool = True  # "closed means clear": ask the same source before closing
    maintenance: bool = False  # concerns our own equipment, not the city


class RuleSpec(Record, frozen=True):
    """A configured rule, as it stands in the ``rule`` table."""

    rule_id: str
    kind: str
    name: str
    applies_to: tuple[str, ...]
    draft: DraftSpec
    params: dict[str, JSON] = {}
    enabled: bool = True
    version: int = 1


class RuleFinding(Record, frozen=True):
    """What a rule concluded from one observation.

    ``open`` a happening began, ``update`` it stands and something worth recording changed, ``clear`` it ended.
    ``standing_key`` names the condition (rule, source, channel) so that a case knows which of its
    conditions still stand.  ``why`` is the rule's reasoning in structured steps.
    """

    state: Literal["open", "update", "clear"]
    rule: RuleSpec
    standing_key: str
    severity: Severity
    observation: Observation
    why: tuple[dict[str, JSON], ...] = ()
    confidence: float | None = None
    level: int = 0


class Memory(Protocol):
    """A rule's memory: bodies by key."""

    def recall(self, rule_id: str, key: str) -> Body: ...

    def remember(self, rule_id: str, key: str, body: Body) -> None: ...


class Rule(Protocol):
    """A built rule plug-in."""

    spec: RuleSpec

    def keys(self, observation: Observation) -> tuple[str, ...]:
        """The memory keys that :meth:`evaluate` will recall for ``observation`` (to load them in bulk)."""
        ...

    def evaluate(self, observation: Observation, context: Context) -> RuleFinding | None: ...


@runtime_checkable
class TickingRule(Rule, Protocol):
    """A rule that also finds something when time passes: called every few seconds for each body it keeps."""

    def tick(self, key: str, body: Body, context: Context) -> RuleFinding | None: ...


@dataclass(frozen=True)
class Context:
    """What a rule may lean on besides the observation itself."""

    now: datetime
    memory: Memory


@dataclass
class DictMemory:
    """Memory in a dict: for tests, the simulator, and one batch of the worker.  ``changed`` names what was written."""

    bodies: dict[tuple[str, str], Body] = field(default_factory=dict)
    changed: set[tuple[str, str]] = field(default_factory=set)

    def recall(self, rule_id: str, key: str) -> Body:
        return self.bodies.get((rule_id, key), {})

    def remember(self, rule_id: str, key: str, body: Body) -> None:
        self.bodies[rule_id, key] = body
        self.changed.add((rule_id, key))


def speaks(observation: Observation) -> bool:
    """Said by people, a drone or another platform, who tell of many places and seldom that it is over."""
    return observation.source_type not in ("camera", "device")


def source_key(observation: Observation) -> str:
    """Memory key of one condition of one source: source, channel, zone; for those who :func:`speaks`, the place too.

    The same caller's second fire, at another place, is another condition.
    """
    channel = observation.attributes.get("channel", "")
    parts = [observation.source_id]
    if channel:
        parts.append(str(channel))
    if observation.zone:
        parts.append(observation.zone)
    if speaks(observation):
        parts.append(_spot(observation))
    return "|".join(part for part in parts if part)[:160]


def _spot(observation: Observation) -> str:
    """The place in steps of about 100 m, else the address."""
    if observation.location is not None:
        return f"{observation.location.lat:.3f},{observation.location.lon:.3f}"
    return str(observation.attributes.get("address", ""))[:60]
