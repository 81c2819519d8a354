"""How well reports of one happening become one case: a labelled day through the real intake, then counted.

A *duplicate* is a source's report of an incident that another source reported before: without merging it would have
opened a case.  An incident is *lost* when no case is mainly its own.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, select

from bench.parts.replay import Day, Incident
from core.clock import ManualClock
from core.errors import YiwangError
from core.records import SYSTEM, Actor, Command, Observation, Reading
from events.cases.service import CaseService
from events.correlation.case_placement import Desk
from events.correlation.intake import Intake
from events.correlation.places import PlaceRegistry
from events.dispatching.routing import default_routing
from events.rules.rulebook import default_rulebook
from storage.session import read_scope, session_scope
from storage.tables.cases import Case, CaseObservation
from storage.tables.registry import Camera, Department, Device, Site

OPERATOR = Actor(user_id="bench-operator", name="bench", roles=("operator",))
CLOSE_AFTER = timedelta(minutes=45)  # an incident's case is closed this long after it ended


@dataclass(frozen=True)
class Merging:
    """What a labelled day came to."""

    incidents: int
    signals: int
    duplicates: int
    merged: int
    lost: int
    wrongly_joined: int
    spurious_cases: int
    cases: int
    seconds: float

    @property
    def merged_share(self) -> float:
        return self.merged / self.duplicates if self.duplicates else 1.0


def settle_city(engine: Engine, day: Day) -> None:
    """Departments, sites, cameras and devices of ``day``."""
    with session_scope(engine) as session:
        for name in ("dept-fire", "dept-drainage", "dept-emergency", "dept-urban", "dept-traffic", "dept-command",
                     "dept-it", "dept-gas", "dept-environment"):  # fmt: skip
            session.add(Department(department_id=name, name=name))
        session.flush()
        for site in day.sites:
            session.add(
                Site(site_id=site.site_id, name=f"点位{site.site_id}", kind="bench", lon=site.point.lon,
                     lat=site.point.lat, attributes={})
            )  # fmt: skip
        session.flush()
        for site in day.sites:
            for camera in site.cameras:
                session.add(Camera(camera_id=camera, name=camera, category="general", site_id=site.site_id))
            for device in (site.panel, site.gauge):
                session.add(
                    Device(device_id=device, source=device.split(":")[0], address=site.site_id, status="accepted",
                           site_id=site.site_id)
                )  # fmt: skip


def play(engine: Engine, day: Day, batch_s: float = 5.0) -> Merging:
    """``day`` through rules, correlation and cases on an empty ``engine`` (schema made), then counted."""
    settle_city(engine, day)
    clock = ManualClock(day.signals[0].at - timedelta(seconds=1))
    registry = PlaceRegistry(clock, ttl_s=1e9)
    service = CaseService(engine, clock)
    intake = Intake(clock, default_rulebook(), registry, Desk(service, clock, registry, default_routing()))
    closes = sorted(day.incidents, key=lambda i: i.ends)
    started = time.perf_counter()
    position, closed = 0, 0
    while position < len(day.signals):
        end = position
        limit = day.signals[position].at + timedelta(seconds=batch_s)
        while end < len(day.signals) and day.signals[end].at <= limit:
            end += 1
        chunk = day.signals[position:end]
        while closed < len(closes) and closes[closed].ends + CLOSE_AFTER <= chunk[0].at:
            clock.set(max(clock.now(), closes[closed].ends + CLOSE_AFTER))
            _close(engine, service, day, closes[closed])
            closed += 1
        clock.set(max(clock.now(), chunk[-1].at))
        with session_scope(engine) as session:
            intake.take_observations(session, [s.record for s in chunk if isinstance(s.record, Observation)])
            intake.take_readings(session, [s.record for s in chunk if isinstance(s.record, Reading)])
        position = end
    return count(engine, day, time.perf_counter() - started)


def _close(engine: Engine, service: CaseService, day: Day, incident: Incident) -> None:
    """The people on site are done: the cases that hold mainly this incident are closed."""
    labels = _labels(day)
    own = [name for name, incident_id in labels.items() if incident_id == incident.incident_id]
    with read_scope(engine) as session:
        touched = select(CaseObservation.case_id).where(CaseObservation.observation_id.in_(own))
        rows = session.execute(
            select(CaseObservation.case_id, CaseObservation.observation_id)
            .join(Case, Case.case_id == CaseObservation.case_id)
            .where(Case.open.is_(True), Case.case_id.in_(touched))
        ).all()
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for case_id, observation_id in rows:
            votes[case_id][labels.get(observation_id, "")] += 1
    for case_id, counter in votes.items():
        if counter.most_common(1)[0][0] == incident.incident_id:
            command = Command(name="force_close", case_id=case_id, actor_id="bench", data={"reason": "已处置"})
            try:
                service.execute(command, OPERATOR)
            except YiwangError:
                service.execute(
                    Command(name="cancel", case_id=case_id, actor_id="bench", data={"reason": "已处置"}), OPERATOR
                )


def _labels(day: Day) -> dict[str, str]:
    if not hasattr(day, "_labels"):
        labels = {}
        for signal in day.signals:
            record = signal.record
            name = record.reading_id if isinstance(record, Reading) else record.observation_id
            labels[name] = signal.incident_id
        day._labels = labels  # type: ignore[attr-defined]
    found: dict[str, str] = day._labels  # type: ignore[attr-defined]
    return found


def count(engine: Engine, day: Day, seconds: float) -> Merging:
    """Compare the cases with the truth."""
    labels = _labels(day)
    sources = {}
    for signal in day.signals:
        record = signal.record
        if isinstance(record, Reading):
            sources[record.reading_id] = (record.device_id, "")
        else:
            sources[record.observation_id] = (record.source_id, str(record.attributes.get("channel", "")))
    with read_scope(engine) as session:
        links: list[Any] = list(session.execute(select(CaseObservation.case_id, CaseObservation.observation_id)))
        cases = {c.case_id for c in session.scalars(select(Case)) if not (c.happening_key or "").startswith("area-")}
    per_case: dict[str, Counter[str]] = defaultdict(Counter)
    reporters: dict[str, dict[tuple[str, str], set[str]]] = defaultdict(lambda: defaultdict(set))
    for case_id, observation_id in links:
        incident = labels.get(observation_id, "")
        per_case[case_id][incident] += 1
        if incident and observation_id in sources:
            reporters[incident][sources[observation_id]].add(case_id)
    owner = {case_id: votes.most_common(1)[0][0] for case_id, votes in per_case.items()}
    duplicates = merged = wrong = 0
    for incident, by_source in reporters.items():
        tally: Counter[str] = Counter(case_id for found in by_source.values() for case_id in found)
        main = max(tally, key=lambda case_id: (owner[case_id] == incident, tally[case_id]))
        duplicates += len(by_source) - 1
        merged += sum(main in found for found in by_source.values()) - 1
        wrong += sum(all(owner[c] != incident for c in found) for found in by_source.values())
    owned = set(owner.values())
    return Merging(
        incidents=len(day.incidents),
        signals=len(day.signals),
        duplicates=duplicates,
        merged=merged,
        lost=sum(i.incident_id not in owned for i in day.incidents),
        wrongly_joined=wrong,
        spurious_cases=sum(name == "" for name in owner.values()),
        cases=len(cases),
        seconds=round(seconds, 2),
    )


__all__ = ["SYSTEM", "Merging", "count", "play", "settle_city"]
