"""Where a finding meets the cases: open one, add to one, or record that its condition ended.

Works inside the caller's transaction.  Opening and every change of a case's course go through the case
service; what belongs to a case (observations, evidence, standing conditions, last sign) is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from core.clock import BEIJING, Clock
from core.records import SYSTEM, Actor, Observation, Severity
from events.cases.drafts import CaseDraft, Route
from events.cases.transition import add_evidence
from events.correlation.area_events import AREA_PREFIX, gather
from events.correlation.open_cases import is_standing, open_case
from events.correlation.places import Place, PlaceRegistry
from events.correlation.rule_memory import dialect_insert
from events.correlation.scoring import (
    Decision,
    IncomingReport,
    OpenCase,
    candidate_keys,
    decide,
    happening_key,
)
from events.dispatching.duty_roster import to_person
from events.dispatching.routing import RoutingFacts, RoutingTable, route
from events.evidence import audit_log, row_seal
from events.rules.findings import RuleFinding, speaks
from events.rules.rulebook import Happening, Rulebook
from storage.tables.cases import Case, CaseEvidence, CaseObservation

MAX_CANDIDATES = 60


class CaseOpener(Protocol):
    """The part of the case service that the desk needs, inside a transaction."""

    def open_in(self, session: Session, draft: CaseDraft, actor: Actor) -> Case: ...

    def escalate_in(self, session: Session, case: Case, severity: Severity, reason: dict[str, Any]) -> None: ...

    def note(self, session: Session, case: Case, actor: Actor, command: str, data: dict[str, Any]) -> None: ...

    def relapse_in(self, session: Session, case: Case, reason: str, path: Route | None) -> bool: ...


@dataclass(frozen=True)
class Placement:
    """Which case a finding went to, and whether it was opened for it."""

    case_id: str
    opened: bool
    decision: Decision | None = None


class Desk:
    """Places findings and reports."""

    def __init__(
        self,
        service: CaseOpener,
        clock: Clock,
        registry: PlaceRegistry,
        routing: RoutingTable | Callable[[], RoutingTable],
    ) -> None:
        self._service = service
        self._clock = clock
        self._registry = registry
        self._routing: Callable[[], RoutingTable] = (lambda: routing) if isinstance(routing, RoutingTable) else routing

    def take(
        self, session: Session, finding: RuleFinding, place: Place, book: Rulebook, *, known_case: str | None
    ) -> Placement | None:
        """Place ``finding``; None when there is nothing to do (the end of something nobody has a case for)."""
        case = self._open_case(session, known_case)
        if case is not None:
            self._attach(session, case, finding, {"verdict": "same_condition"}, 1.0)
            return Placement(case_id=case.case_id, opened=False)
        if finding.state == "clear":
            return None
        happening = book.happening(finding.rule.draft.happening)
        report = report_of(finding, place)
        decision = decide(report, self._candidates(session, report, happening), happening)
        if decision.verdict == "attach" and decision.best is not None:
            case = session.get(Case, decision.best.case_id)
            if case is not None:
                self._attach(session, case, finding, decision.reason(), decision.best.total)
                return Placement(case_id=case.case_id, opened=False, decision=decision)
        again = self._relapsed(session, finding, place, known_case)
        if again is not None:
            self._attach(session, again, finding, {"verdict": "relapse"}, 1.0)
            return Placement(case_id=again.case_id, opened=False, decision=decision)
        opened = self._open(session, finding, place, report, happening, decision)
        return Placement(case_id=opened.case_id, opened=True, decision=decision)

    def _relapsed(self, session: Session, finding: RuleFinding, place: Place, known_case: str | None) -> Case | None:
        """The same condition's case that was closed a moment ago, opened again where its definition says so."""
        case = session.get(Case, known_case) if known_case else None
        if case is None or case.open or case.merged_into_id is not None:
            return None
        path = to_person(session, self.route_of(session, finding, place), self._clock.now())
        reason = f"复发 / it came back: {finding.observation.source_id}"
        return case if self._service.relapse_in(session, case, reason, path) else None

    # find ----------------------------------------------------------------
    def _open_case(self, session: Session, case_id: str | None) -> Case | None:
        """The open case ``case_id``, or the open one it was merged into."""
        for _ in range(8):
            case = session.get(Case, case_id) if case_id else None
            if case is None or not case.merged_into_id:
                return case if case is not None and case.open else None
            case_id = case.merged_into_id
        return None

    def _candidates(self, session: Session, report: IncomingReport, happening: Happening) -> list[OpenCase]:
        # Each way to a candidate has an index of its own; an OR of them may walk through all that are open.
        open_ones = select(Case.case_id).where(Case.open.is_(True))
        ways = [open_ones.where(Case.happening_key.in_(candidate_keys(report, happening)))]
        if happening.same_site and report.site_id and not happening.same_source:
            same_name = Case.happening_key.like(f"{report.happening}@%")
            ways.append(open_ones.where(Case.site_id == report.site_id, same_name))
        rows = session.scalars(
            select(Case)
            .where(Case.case_id.in_(union_all(*ways)), Case.merged_into_id.is_(None))
            .order_by(Case.opened_at.desc())
            .limit(MAX_CANDIDATES)
        )
        return [open_case(row) for row in rows]

    # open ----------------------------------------------------------------
    def _open(
        self,
        session: Session,
        finding: RuleFinding,
        place: Place,
        report: IncomingReport,
        happening: Happening,
        decision: Decision,
    ) -> Case:
        spec, observation = finding.rule, finding.observation
        auto = spec.draft.auto_register
        path = self.route_of(session, finding, place) if auto else None
        draft = CaseDraft(
            title=title_of(finding, place),
            definition_id=spec.draft.definition,
            kind=observation.kind,
            class_code=spec.draft.class_code,
            class_version=spec.draft.class_version,
            severity=finding.severity,
            description=str(observation.attributes.get("text") or f"{spec.name}: {observation.source_id}")[:4000],
            site_id=place.site_id,
            location=place.location,
            division_code=place.division_code,
            grid_code=place.grid_code if place.division_code else None,
            source_type=observation.source_type,
            source_id=observation.source_id,
            confidence=finding.confidence,
            happening_key=happening_key(report, happening),
            observation_ids=(observation.observation_id,),
            evidence=observation.evidence,
            limit=spec.draft.limit,
            auto_register=auto,
            route=path,
            why=explain(finding, decision),
        )
        case = self._service.open_in(session, draft, SYSTEM)
        case.last_seen_at = observation.observed_at
        self._link(session, case, finding, decision.reason(), 1.0)
        self._set_standing(case, finding)
        if happening.area_radius_m:
            area = RoutingFacts(
                happening=f"{AREA_PREFIX}{spec.draft.happening}", class_code=spec.draft.class_code, severity=3
            )
            path = route(area, self._routing(), self._registry.departments(session))
            gather(session, self._service, case, happening, path, self._clock.now())
        return case

    def open_apart(
        self,
        session: Session,
        old: Case,
        links: Sequence[CaseObservation],
        first: Observation,
        place: Place,
        actor: Actor,
    ) -> Case:
        """A case of its own for observations that were joined to ``old`` wrongly; it is registered, not dispatched."""
        severity = max(int((link.reason or {}).get("severity", 1)) for link in links)
        draft = CaseDraft(
            title=f"{place.name} {old.title.split(' ', 1)[-1]}"[:200],
            definition_id=old.definition_id,
            kind=first.kind,
            class_code=old.class_code,
            class_version=old.class_version,
            severity=Severity(severity),
            site_id=place.site_id,
            location=place.location,
            division_code=place.division_code,
            source_type=first.source_type,
            source_id=first.source_id,
            confidence=first.confidence,
            happening_key=old.happening_key,
            evidence=first.evidence,
            auto_register=True,
            why={"detached_from": {"case_id": old.case_id, "number": old.number, "by": actor.user_id}},
        )
        case = self._service.open_in(session, draft, SYSTEM)
        for link in links:
            session.add(
                CaseObservation(
                    case_id=case.case_id,
                    observation_id=link.observation_id,
                    linked_at=self._clock.now(),
                    score=link.score,
                    reason=dict(link.reason or {}) | {"detached_from": old.case_id},
                )
            )
        case.last_seen_at = first.observed_at
        return case

    def now(self) -> datetime:
        return self._clock.now()

    def route_of(self, session: Session, finding: RuleFinding, place: Place) -> Route:
        """Where a case of ``finding`` goes."""
        local = self._clock.now().astimezone(BEIJING)
        facts = RoutingFacts(
            happening=finding.rule.draft.happening,
            class_code=finding.rule.draft.class_code,
            kind=finding.observation.kind,
            severity=int(finding.severity),
            division_code=place.division_code,
            site_department=place.department_id,
            local_time=local.strftime("%H:%M"),
        )
        path = route(facts, self._routing(), self._registry.departments(session))
        return to_person(session, path, self._clock.now())

    # add -----------------------------------------------------------------
    def _attach(self, session: Session, case: Case, finding: RuleFinding, reason: dict[str, Any], score: float) -> None:
        observation = finding.observation
        self._link(session, case, finding, reason, score)
        self._set_standing(case, finding)
        if case.last_seen_at is None or observation.observed_at > case.last_seen_at:
            case.last_seen_at = observation.observed_at
        if case.site_id is None and observation.site_id and self._registry.site(session, observation.site_id):
            case.site_id = observation.site_id
        self._add_evidence(session, case, observation)
        if finding.state != "clear" and finding.severity > case.severity:
            self._service.escalate_in(session, case, finding.severity, {"steps": list(finding.why)})
        if finding.state == "clear" and not is_standing(case):
            self._cleared(session, case, finding)

    def _cleared(self, session: Session, case: Case, finding: RuleFinding) -> None:
        """Say that nothing stands any longer: one line of the history, counted when it clears again and again."""
        before = (case.why or {}).get("cleared", {})
        if before.get("version") == case.version:
            count = int(before["count"]) + 1
        else:
            data = {"observation_id": finding.observation.observation_id, "steps": list(finding.why)}
            self._service.note(session, case, SYSTEM, "clear", data)
            count = 1
        last = finding.observation.observed_at.isoformat()
        case.why = {**(case.why or {}), "cleared": {"version": case.version, "count": count, "last_at": last}}

    def _link(self, session: Session, case: Case, finding: RuleFinding, reason: dict[str, Any], score: float) -> None:
        observation = finding.observation
        body = {
            "state": finding.state,
            "standing_key": finding.standing_key,
            "rule_id": finding.rule.rule_id,
            "rule_version": finding.rule.version,
            "level": finding.level,
            "severity": int(finding.severity),
            "merge": reason,
            "steps": list(finding.why),
        }
        row = {
            "case_id": case.case_id,
            "observation_id": observation.observation_id,
            "linked_at": self._clock.now(),
            "score": score,
            "reason": body,
        }
        session.connection().execute(link_statement(session.get_bind().dialect.name), row)

    def _add_evidence(self, session: Session, case: Case, observation: Observation) -> None:
        """The finding's evidence that the case does not have yet, and its hashes as a link of the case's chain."""
        if not observation.evidence:
            return
        # A command may be adding to the chain at this moment: one after the other.
        session.execute(select(Case.case_id).where(Case.case_id == case.case_id).with_for_update())
        known = set(session.scalars(select(CaseEvidence.sha256).where(CaseEvidence.case_id == case.case_id)))
        new = {ref.sha256: ref for ref in observation.evidence if ref.sha256 not in known}
        if not new:
            return
        now = self._clock.now()
        for ref in new.values():
            add_evidence(session, case.case_id, ref, "finding", SYSTEM.user_id, now)
        body: dict[str, Any] = {"observation_id": observation.observation_id, "sha256": sorted(new)}
        body["added"] = row_seal.take_added(session, case.case_id)
        audit_log.append(session, case.case_id, now, SYSTEM.user_id, "evidence", body)

    def _set_standing(self, case: Case, finding: RuleFinding) -> None:
        why = dict(case.why or {})
        standing = dict(why.get("standing", {}))
        # Who speaks of a thing once will not say when it is over: it must not keep the case young for ever.
        standing[finding.standing_key] = finding.state != "clear" and not speaks(finding.observation)
        case.why = why | {"standing": standing}


@cache
def link_statement(dialect: str) -> Any:
    """Put an observation to a case; said again, the newest reason stands."""
    statement = dialect_insert(dialect, CaseObservation.__table__)
    return statement.on_conflict_do_update(
        index_elements=["case_id", "observation_id"], set_={"reason": statement.excluded.reason}
    )


def explain(finding: RuleFinding, decision: Decision) -> dict[str, Any]:
    """The reasons of a new case: what was observed, which rule said so, what was compared with it."""
    observation = finding.observation
    seen: dict[str, Any] = {
        "observation_id": observation.observation_id,
        "kind": observation.kind,
        "source_type": observation.source_type,
        "source_id": observation.source_id,
        "observed_at": observation.observed_at.isoformat(),
        "received_at": observation.received_at.isoformat(),
        "value": observation.value,
        "unit": observation.unit,
        "confidence": observation.confidence,
        "zone": observation.zone,
        "box": list(observation.box) if observation.box else None,
        "epoch": observation.epoch,
        "accuracy_m": _accuracy(observation) or None,
    }
    if observation.model is not None:
        seen["model"] = {"name": observation.model.name, "sha256": observation.model.sha256}
    rule = finding.rule
    return {
        "observation": {k: v for k, v in seen.items() if v not in (None, "")},
        "rule": {
            "rule_id": rule.rule_id,
            "kind": rule.kind,
            "name": rule.name,
            "version": rule.version,
            "params": dict(rule.params),
            "steps": list(finding.why),
        },
        "merge": decision.reason(),
    }


def report_of(finding: RuleFinding, place: Place) -> IncomingReport:
    """The finding as correlation compares it."""
    observation = finding.observation
    return IncomingReport(
        happening=finding.rule.draft.happening,
        at=observation.observed_at,
        source_type=observation.source_type,
        source_id=observation.source_id,
        kind=observation.kind,
        site_id=place.site_id,
        location=place.location,
        zone=observation.zone,
        accuracy_m=_accuracy(observation),
    )


def _accuracy(observation: Observation) -> float:
    value = observation.attributes.get("accuracy_m", 0.0)
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


def title_of(finding: RuleFinding, place: Place) -> str:
    """The title of the case that ``finding`` opens.

    A measured value moves while the case is open, so that one frozen in a title would be wrong a minute later:
    ``{value}`` and ``{unit}`` of rules that a city wrote earlier stand for nothing; pages show the live value.
    """
    text = finding.rule.draft.title.format(place=place.name, value="", unit="", level=finding.level)
    return " ".join(text.split())[:200]
