"""What would have opened, and gone where: a past period replayed through rules, correlation and routing, in memory.

Reads the database and writes nothing.  Rules under test may differ from those in force.  Cases are imagined as handled
when their conditions ended and their window passed; people's moves are not replayed.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from core.clock import BEIJING, ManualClock
from core.errors import InputInvalid
from core.records import JSON, GeoPoint, Observation, Quality, Reading, Record
from events.correlation.case_placement import report_of, title_of
from events.correlation.intake import as_observation
from events.correlation.places import Place, PlaceRegistry
from events.correlation.scoring import IncomingReport, OpenCase, candidate_keys, decide, happening_key
from events.dispatching.routing import RoutingFacts, RoutingTable, route
from events.dispatching.routing_in_force import routing_in_force
from events.rules.findings import Context, DictMemory, RuleFinding, speaks
from events.rules.rulebook import Rulebook
from storage.session import read_scope
from storage.tables.observations import ObservationRow
from storage.tables.readings import ReadingRow
from storage.tables.registry import Device

MAX_RECORDS = 500_000
MAX_SHOWN = 500
TICK_S = 30.0


class SimulatedCase(Record, frozen=True, omit_defaults=False):
    """A case that would have been opened."""

    title: str
    rule_id: str
    happening: str
    severity: int
    opened_at: datetime
    ended_at: datetime | None
    site_id: str | None
    division_code: str | None
    lead: str
    assisting: tuple[str, ...]
    reports: int
    sources: int
    merge: dict[str, JSON]


class Simulation(Record, frozen=True, omit_defaults=False):
    """What a replay came to; ``busiest_10_min`` is the most new cases within any ten minutes."""

    since: datetime
    until: datetime
    observations: int
    findings: int
    cases: tuple[SimulatedCase, ...]
    cases_in_all: int
    by_rule: dict[str, int]
    by_department: dict[str, int]
    by_severity: dict[str, int]
    merged_reports: int
    busiest_10_min: int
    problems: tuple[str, ...] = ()


@dataclass
class _Case:
    """A case in the making."""

    case_id: str
    key: str
    finding: RuleFinding
    place: Place
    opened_at: datetime
    last_seen_at: datetime
    lead: str
    assisting: tuple[str, ...]
    merge: dict[str, JSON]
    severity: int
    standing: dict[str, bool] = field(default_factory=dict)
    sources: set[str] = field(default_factory=set)
    reports: int = 1
    ended_at: datetime | None = None

    def as_open(self) -> OpenCase:
        observation = self.finding.observation
        return OpenCase(
            case_id=self.case_id,
            number=self.case_id,
            happening=self.finding.rule.draft.happening,
            opened_at=self.opened_at,
            last_seen_at=self.last_seen_at,
            source_id=observation.source_id,
            kind=observation.kind,
            site_id=self.place.site_id,
            location=self.place.location,
            zone=observation.zone,
            accuracy_m=report_of(self.finding, self.place).accuracy_m,
            standing=any(self.standing.values()),
        )


class Simulator:
    """One replay.  Feed observations in order with :meth:`feed`; :meth:`result` sums up."""

    def __init__(self, session: Session, book: Rulebook, start: datetime, routing: RoutingTable | None = None) -> None:
        self._session = session
        self._book = book
        self._clock = ManualClock(start)
        self._registry = PlaceRegistry(self._clock, ttl_s=1e12)
        self._routing = routing or routing_in_force()
        self._memory = DictMemory()
        self._cases: list[_Case] = []
        self._by_key: dict[str, list[_Case]] = {}
        self._by_condition: dict[str, _Case] = {}
        self._ticked_at = start
        self.observations = 0
        self.findings = 0

    def feed(self, observation: Observation) -> None:
        """Judge one observation."""
        self.observations += 1
        if observation.received_at > self._clock.now():
            self._clock.set(observation.received_at)
        if observation.source_type == "device":
            source = self._registry.source(self._session, "device", observation.source_id)
            if source is None or source.status != "accepted":
                return
        context = Context(now=self._clock.now(), memory=self._memory)
        self._tick(context)
        for rule in self._book.rules_for(observation.kind):
            finding = rule.evaluate(observation, context)
            if finding is not None:
                self.findings += 1
                self._place(finding)

    def _tick(self, context: Context) -> None:
        """Let the rules that wait for time to pass look, every ``TICK_S`` of the replayed time."""
        if not self._book.ticking or (context.now - self._ticked_at).total_seconds() < TICK_S:
            return
        self._ticked_at = context.now
        for rule in self._book.ticking:
            for (rule_id, key), body in list(self._memory.bodies.items()):
                finding = rule.tick(key, body, context) if rule_id == rule.spec.rule_id else None
                if finding is not None:
                    self.findings += 1
                    self._place(finding)

    def _place(self, finding: RuleFinding) -> None:
        known = self._by_condition.get(finding.standing_key)
        at = finding.observation.observed_at
        happening = self._book.happening(finding.rule.draft.happening)
        if known is not None and (finding.state != "open" or _fresh(known, at, happening.window_s)):
            self._add(known, finding)
            return
        if finding.state == "clear":
            return
        place = self._registry.place(self._session, finding.observation)
        report = report_of(finding, place)
        near = {c.case_id: c for key in candidate_keys(report, happening) for c in self._by_key.get(key, ())}
        if happening.same_site and place.site_id:
            near |= {c.case_id: c for c in self._by_key.get(f"site:{report.happening}:{place.site_id}", ())}
        open_ones = [c for c in near.values() if _fresh(c, at, happening.window_s)]
        decision = decide(report, [c.as_open() for c in open_ones], happening)
        if decision.verdict == "attach" and decision.best is not None:
            self._add(near[decision.best.case_id], finding)
            return
        self._open(finding, place, report, happening_key(report, happening), decision.reason())

    def _add(self, case: _Case, finding: RuleFinding) -> None:
        self._by_condition[finding.standing_key] = case
        case.standing[finding.standing_key] = finding.state != "clear" and not speaks(finding.observation)
        case.sources.add(finding.observation.source_id)
        case.reports += finding.state == "open"
        case.severity = max(case.severity, int(finding.severity) if finding.state != "clear" else 0)
        case.last_seen_at = max(case.last_seen_at, finding.observation.observed_at)
        case.ended_at = None if any(case.standing.values()) else finding.observation.observed_at

    def _open(
        self, finding: RuleFinding, place: Place, report: IncomingReport, key: str, merge: dict[str, JSON]
    ) -> None:
        draft, observation = finding.rule.draft, finding.observation
        facts = RoutingFacts(
            happening=draft.happening,
            class_code=draft.class_code,
            kind=observation.kind,
            severity=int(finding.severity),
            division_code=place.division_code,
            site_department=place.department_id,
            local_time=observation.observed_at.astimezone(BEIJING).strftime("%H:%M"),
        )
        path = route(facts, self._routing, self._registry.departments(self._session))
        case = _Case(
            case_id=f"sim-{len(self._cases) + 1}",
            key=key,
            finding=finding,
            place=place,
            opened_at=observation.observed_at,
            last_seen_at=observation.observed_at,
            lead=path.lead.department_id,
            assisting=tuple(p.department_id for p in path.assisting),
            merge=merge,
            severity=int(finding.severity),
            standing={finding.standing_key: not speaks(observation)},
            sources={observation.source_id},
        )
        self._cases.append(case)
        self._by_key.setdefault(key, []).append(case)
        if place.site_id:
            self._by_key.setdefault(f"site:{report.happening}:{place.site_id}", []).append(case)
        self._by_condition[finding.standing_key] = case

    def result(self, since: datetime, until: datetime) -> Simulation:
        """The sum of it."""
        shown = [
            SimulatedCase(
                title=title_of(c.finding, c.place),
                rule_id=c.finding.rule.rule_id,
                happening=c.finding.rule.draft.happening,
                severity=c.severity,
                opened_at=c.opened_at,
                ended_at=c.ended_at,
                site_id=c.place.site_id,
                division_code=c.place.division_code,
                lead=c.lead,
                assisting=c.assisting,
                reports=c.reports,
                sources=len(c.sources),
                merge=c.merge,
            )
            for c in self._cases
        ]
        return Simulation(
            since=since,
            until=until,
            observations=self.observations,
            findings=self.findings,
            cases=tuple(shown[:MAX_SHOWN]),
            cases_in_all=len(shown),
            by_rule=dict(Counter(c.rule_id for c in shown).most_common()),
            by_department=dict(Counter(c.lead for c in shown).most_common()),
            by_severity={str(k): v for k, v in sorted(Counter(c.severity for c in shown).items())},
            merged_reports=sum(c.reports - 1 for c in self._cases),
            busiest_10_min=busiest([c.opened_at for c in shown], 600),
            problems=tuple(str(p) for p in self._book.problems),
        )


def _fresh(case: _Case, at: datetime, window_s: float) -> bool:
    return any(case.standing.values()) or (at - case.last_seen_at).total_seconds() <= window_s


def busiest(moments: list[datetime], seconds: float) -> int:
    """The most of ``moments`` within any ``seconds``."""
    ordered = sorted(m.timestamp() for m in moments)
    best = start = 0
    for end, moment in enumerate(ordered):
        while moment - ordered[start] > seconds:
            start += 1
        best = max(best, end - start + 1)
    return best


def simulate(engine: Engine, book: Rulebook, since: datetime, until: datetime) -> Simulation:
    """Replay what was recorded from ``since`` to ``until`` (at most ``MAX_RECORDS``) through ``book``."""
    if until <= since:
        raise InputInvalid(field="until", detail="is not after since", how="give a period that ends after it begins")
    with read_scope(engine) as session:
        simulator = Simulator(session, book, since)
        kinds = {kind for spec in book.specs.values() if spec.enabled for kind in spec.applies_to}
        _check_size(session, since, until, kinds)  # counted before anything is loaded
        for observation in recorded(session, since, until, kinds):
            simulator.feed(observation)
        return simulator.result(since, until)


def _check_size(session: Session, since: datetime, until: datetime, kinds: set[str]) -> None:
    readings = select(ReadingRow.reading_id).where(ReadingRow.observed_at >= since, ReadingRow.observed_at < until)
    told = select(ObservationRow.observation_id).where(
        ObservationRow.observed_at >= since, ObservationRow.observed_at < until
    )
    found = 0
    for rows in (readings.where(ReadingRow.quantity.in_(kinds)), told):
        found += int(session.scalar(select(func.count()).select_from(rows.limit(MAX_RECORDS + 1).subquery())) or 0)
    if found > MAX_RECORDS:
        detail = f"the period holds more than {MAX_RECORDS} records"
        raise InputInvalid(field="since", detail=detail, how="choose a shorter one")


def recorded(session: Session, since: datetime, until: datetime, kinds: Iterable[str]) -> Iterator[Observation]:
    """All observations and good readings of ``kinds`` recorded from ``since`` to ``until``, in order of time."""
    wanted = set(kinds)
    streams = [_observations(session, since, until), *_readings(session, since, until, wanted)]
    seen: set[str] = set()
    for observation in heapq.merge(*streams, key=lambda o: (o.observed_at, o.observation_id)):
        everything = "*" in wanted
        if (everything or observation.kind in wanted) and observation.observation_id not in seen:
            seen.add(observation.observation_id)
            yield observation


def _observations(session: Session, since: datetime, until: datetime) -> Iterator[Observation]:
    bodies = session.scalars(
        select(ObservationRow.body)
        .where(ObservationRow.observed_at >= since, ObservationRow.observed_at < until)
        .order_by(ObservationRow.observed_at, ObservationRow.observation_id)
        .execution_options(yield_per=2000)
    )
    for body in bodies:
        yield msgspec.convert(body, Observation)


def _readings(session: Session, since: datetime, until: datetime, kinds: set[str]) -> Iterator[Iterator[Observation]]:
    for device_id in session.scalars(select(Device.device_id).where(Device.status == "accepted")).all():
        rows = session.scalars(
            select(ReadingRow)
            .where(
                ReadingRow.device_id == device_id,
                ReadingRow.quantity.in_(kinds),
                ReadingRow.observed_at >= since,
                ReadingRow.observed_at < until,
                ReadingRow.quality == Quality.GOOD.value,
            )
            .order_by(ReadingRow.observed_at, ReadingRow.reading_id)
        ).all()
        if rows:
            yield iter([as_observation(reading_of(row)) for row in rows])


def reading_of(row: ReadingRow) -> Reading:
    """The row as the record it came from."""
    place = GeoPoint(lon=row.lon, lat=row.lat) if row.lon is not None and row.lat is not None else None
    return Reading(
        reading_id=row.reading_id,
        source=row.source,
        device_id=row.device_id,
        quantity=row.quantity,
        value=row.value if row.text is None else row.text,
        observed_at=row.observed_at,
        received_at=row.received_at,
        channel=row.channel,
        unit=row.unit,
        quality=Quality(row.quality),
        location=place,
        site_id=row.site_id,
        attributes=row.attributes or {},
    )
