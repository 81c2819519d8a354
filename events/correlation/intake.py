"""From a batch of observations or readings to rows, rule states and cases: the inside of one transaction.

What the database knows already is skipped, so that a redelivered message changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from sqlalchemy.orm import Session

from core.clock import Clock
from core.errors import RecordError
from core.exchange import ORDER
from core.records import DeviceConfig, Observation, Quality, Reading
from events.correlation.case_placement import Desk
from events.correlation.places import PlaceRegistry
from events.correlation.rule_memory import CASE_OF, BatchMemory, insert_into, insert_new
from events.rules.findings import Context, Rule, RuleFinding
from events.rules.rulebook import Rulebook
from storage.devices import record_health
from storage.readings import store_readings
from storage.session import take_turn
from storage.tables.observations import ObservationRow
from storage.tables.registry import Device

DISCOVERED = "device_discovered"


@dataclass
class Taken:
    """What a batch came to."""

    received: int = 0
    new: int = 0
    evaluated: int = 0
    findings: int = 0
    opened: int = 0
    attached: int = 0
    quarantined: int = 0
    case_ids: list[str] = field(default_factory=list)


class Orders(Protocol):
    """Who makes cases of other platforms' orders."""

    def take(self, session: Session, observation: Observation) -> str | None: ...


class Intake:
    """Takes batches in; ``book`` may be exchanged between batches."""

    def __init__(
        self, clock: Clock, book: Rulebook, registry: PlaceRegistry, desk: Desk, orders: Orders | None = None
    ) -> None:
        self.orders = orders
        self.clock = clock
        self.book = book
        self.registry = registry
        self.desk = desk

    # observations --------------------------------------------------------
    def take_observations(self, session: Session, observations: Sequence[Observation]) -> Taken:
        """Store ``observations`` in order and judge the new ones."""
        taken = Taken(received=len(observations))
        new = self._insert(session, observations)
        taken.new = len(new)
        self.registry.load_devices(session, {o.source_id for o in new if o.source_type == "device"})
        self._discover(session, [o for o in new if o.kind == DISCOVERED])
        record_health(session, new)
        if self.orders is not None and any(order.kind == ORDER for order in new):
            take_turn(session)
            placed = [self.orders.take(session, order) for order in new if order.kind == ORDER]
            taken.case_ids += [case_id for case_id in placed if case_id]
        judged = [o for o in new if o.kind not in (DISCOVERED, ORDER) and self._may_judge(o, taken)]
        self._judge(session, judged, taken, stored=True)
        return taken

    def _may_judge(self, observation: Observation, taken: Taken) -> bool:
        if observation.source_type != "device" or self.registry.feeds_rules(observation.source_id):
            return True
        taken.quarantined += 1
        return False

    def _insert(self, session: Session, observations: Sequence[Observation]) -> list[Observation]:
        unique = {o.observation_id: o for o in reversed(observations)}
        if not unique:
            return []
        now = self.clock.now()
        rows = [_row(o, now) for o in reversed(unique.values())]
        connection = session.connection()
        statement = insert_new(connection.dialect.name, ObservationRow.__table__, "observation_id")
        known = set(connection.execute(statement, rows).scalars())
        return [o for o in reversed(unique.values()) if o.observation_id in known]

    def _discover(self, session: Session, observations: Iterable[Observation]) -> None:
        rows = []
        for observation in observations:
            try:
                config = msgspec.convert(observation.attributes, DeviceConfig)
            except msgspec.ValidationError as error:
                raise RecordError(record="device_discovered", detail=str(error)) from error
            rows.append(_device_row(config, observation))
        if rows:
            session.execute(
                insert_into(session, Device).on_conflict_do_nothing(index_elements=["device_id"]),
                rows,
            )
            self.registry.forget()

    # readings ------------------------------------------------------------
    def take_readings(self, session: Session, readings: Sequence[Reading]) -> Taken:
        """Store ``readings`` in order and offer the new, good ones of accepted devices to the rules."""
        taken = Taken(received=len(readings))
        new = store_readings(session, readings)
        taken.new = len(new)
        wanted = [r for r in new if r.quality is Quality.GOOD and self.book.rules_for(r.quantity)]
        if not wanted:
            return taken
        self.registry.load_devices(session, {r.device_id for r in wanted})
        judged = []
        for reading in wanted:
            if self.registry.feeds_rules(reading.device_id):
                judged.append(as_observation(reading))
            else:
                taken.quarantined += 1
        self._judge(session, judged, taken, stored=False)
        return taken

    # time ----------------------------------------------------------------
    def tick(self, session: Session) -> Taken:
        """Let the rules that wait for time to pass look at what they keep."""
        taken = Taken()
        memory = BatchMemory(session)
        context = Context(now=self.clock.now(), memory=memory)
        for rule in self.book.ticking:
            rule_id = rule.spec.rule_id
            for key, body in memory.load_all(rule_id):
                finding = rule.tick(key, body, context)
                if finding is not None:
                    self._found(session, finding, memory, taken, stored=False)
        memory.write_back(context.now)
        return taken

    # rules ---------------------------------------------------------------
    def _judge(self, session: Session, observations: list[Observation], taken: Taken, *, stored: bool) -> None:
        work: list[tuple[Observation, list[Rule]]] = []
        keys: list[tuple[str, str]] = []
        for observation in observations:
            rules = self.book.rules_for(observation.kind)
            if not rules:
                continue
            work.append((observation, rules))
            keys.extend((rule.spec.rule_id, key) for rule in rules for key in rule.keys(observation))
        if not work:
            return
        take_turn(session)  # two workers that hear of one happening must not both open a case
        memory = BatchMemory(session)
        memory.load(keys)
        context = Context(now=self.clock.now(), memory=memory)
        for observation, rules in work:
            for rule in rules:
                taken.evaluated += 1
                finding = rule.evaluate(observation, context)
                if finding is not None:
                    self._found(session, finding, memory, taken, stored=stored)
        memory.write_back(context.now)

    def _found(
        self, session: Session, finding: RuleFinding, memory: BatchMemory, taken: Taken, *, stored: bool
    ) -> None:
        taken.findings += 1
        if not stored:  # a reading becomes an observation of record once it matters to a case
            self._insert(session, [finding.observation])
        key = finding.standing_key[:160]
        place = self.registry.place(session, finding.observation)
        known = memory.recall(CASE_OF, key).get("case_id")
        outcome = self.desk.take(session, finding, place, self.book, known_case=known)
        if outcome is None:
            return
        taken.opened += outcome.opened
        taken.attached += not outcome.opened
        taken.case_ids.append(outcome.case_id)
        if outcome.case_id != known:
            memory.remember(CASE_OF, key, {"case_id": outcome.case_id})


def as_observation(reading: Reading) -> Observation:
    """The reading as the rules see it; booleans count 1 and 0, texts have no value."""
    value = reading.value
    attributes = {"channel": reading.channel, **reading.attributes} if reading.channel else reading.attributes
    return Observation(
        observation_id=reading.reading_id,
        kind=reading.quantity,
        state="measure",
        source_type="device",
        source_id=reading.device_id,
        observed_at=reading.observed_at,
        received_at=reading.received_at,
        site_id=reading.site_id,
        location=reading.location,
        value=float(value) if isinstance(value, bool | int | float) else None,
        unit=reading.unit,
        attributes=attributes,
    )


def _row(observation: Observation, now: Any) -> dict[str, Any]:
    return {
        "observation_id": observation.observation_id,
        "kind": observation.kind,
        "state": observation.state,
        "source_type": observation.source_type,
        "source_id": observation.source_id,
        "site_id": observation.site_id,
        "observed_at": observation.observed_at,
        "received_at": observation.received_at,
        "stored_at": now,
        "body": msgspec.to_builtins(observation),
    }


def _device_row(config: DeviceConfig, observation: Observation) -> dict[str, Any]:
    return {
        "device_id": config.device_id,
        "source": config.source,
        "address": config.address,
        "name": config.name,
        "device_type": config.device_type,
        "status": "quarantine",
        "lon": config.location.lon if config.location else None,
        "lat": config.location.lat if config.location else None,
        "coord_sys": config.coord_sys,
        "expected_interval_s": config.expected_interval_s,
        "attributes": dict(config.attributes),
        "calibration": {},
        "ranges": {},
        "first_seen_at": observation.received_at,
        "revision": 1,
    }
