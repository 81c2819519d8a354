"""Which happening a case is, whoever opened it; and where a report made by hand belongs among the open cases.

A rule's finding names its happening.  A report typed at the desk or on a phone names a kind or a class instead; here
that becomes the same name, so that the caller, the panel and the camera meet in one case.  A class that no rule knows
is a happening of its own (``class:event-01-10``): the same class near by is proposed, never joined by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core.records import JSON, GeoPoint, Record
from events.correlation.open_cases import accuracy_of, open_case
from events.correlation.scoring import (
    METRES_PER_DEGREE,
    UNNAMED,
    Decision,
    IncomingReport,
    Score,
    candidate_keys,
    happening_key,
    happening_of_key,
    rank,
    score,
)
from events.rules.rulebook import CLASS_PREFIX, Rulebook, default_rulebook, read_rulebook, rulebook_mark
from events.taxonomy.codesets import CURRENT, as_current
from storage.tables.cases import Case

HAND_ACCURACY_M = 30.0  # of a place that somebody pointed at or a phone measured
NEAR_M = 300.0  # how far around a report without a class open cases are looked at
MAX_CANDIDATES = 200


def name_of(book: Rulebook, kind: str, class_code: str) -> str:
    """The happening that ``class_code`` or ``kind`` (an observation kind, or a happening's name) stands for.

    ``class_code`` is one of 2013.  A class that rules of several happenings open (event-05-95) says less than a kind.
    Empty: neither is known.
    """
    specs = book.specs.values()
    by_class = {s.draft.happening for s in specs if class_code and s.draft.class_code == class_code} - UNNAMED
    by_kind = {s.draft.happening for s in specs if kind and kind in s.applies_to} - UNNAMED
    for found in (by_class, by_kind, {kind} & set(book.happenings) - UNNAMED):
        if len(found) == 1:
            return found.pop()
    return f"{CLASS_PREFIX}{class_code}" if class_code else ""


def happening_of(case: Case, book: Rulebook) -> str:
    """The happening of ``case``: of its key, else of its kind and class; empty when none fits."""
    named = happening_of_key(case.happening_key)
    if named and not named.startswith("area-"):
        return named
    return "" if named else name_of(book, case.kind, as_current(case.class_code, case.class_version))


def class_of(book: Rulebook, kind: str, name: str) -> str:
    """The class that rules file ``kind`` under, else the happening ``name``; empty when there are several."""
    specs = book.specs.values()
    by_kind = {s.draft.class_code for s in specs if kind and kind in s.applies_to and s.draft.happening not in UNNAMED}
    by_name = {s.draft.class_code for s in specs if name and s.draft.happening == name}
    for found in (by_kind, by_name):
        if len(found) == 1:
            return found.pop()
    return ""


class CurrentBook:
    """The rulebook as the table has it now, the shipped one while the table is empty; read again when it changed."""

    def __init__(self) -> None:
        self._read: tuple[tuple[int, str], Rulebook] | None = None

    def __call__(self, session: Session) -> Rulebook:
        mark = rulebook_mark(session)
        if self._read is None or self._read[0] != mark:
            self._read = (mark, read_rulebook(session) if mark[0] else default_rulebook())
        return self._read[1]


class Candidate(Record, frozen=True):
    """An open case that may be the same happening, and how well it fits."""

    score: Score
    case: Any  # the row
    auto: bool  # from its happening's ``auto`` on
    probable: bool  # from ``propose`` on


def report_of_case(case: Case, book: Rulebook) -> IncomingReport:
    """``case`` as a report to be placed."""
    return IncomingReport(
        happening=happening_of(case, book),
        at=case.opened_at,
        source_type=case.source_type,
        source_id=case.source_id or case.case_id,
        kind=case.kind,
        site_id=case.site_id,
        location=GeoPoint(lon=case.lon, lat=case.lat) if case.lon is not None and case.lat is not None else None,
        zone=(case.why or {}).get("observation", {}).get("zone"),
        accuracy_m=accuracy_of(case),
    )


def candidates(session: Session, case: Case, book: Rulebook) -> list[Candidate]:
    """Open cases of the same kind of file that may be the same happening as ``case``, best first.

    Pairs that somebody declared to be two (``why.distinct``) are left out, and so are parents and confidential cases.
    """
    if case.confidential or (case.happening_key or "").startswith("area-"):
        return []
    report = report_of_case(case, book)
    apart = set((case.why or {}).get("distinct", {}))
    found = []
    for row in session.scalars(_near(case, report, book)):
        related = case.case_id == row.parent_case_id or row.case_id == case.parent_case_id
        if related or row.case_id in apart or (row.happening_key or "").startswith("area-"):
            continue
        candidate = _compare(report, row, book)
        if candidate.score.total > 0:
            found.append(candidate)
    return sorted(found, key=lambda c: rank(c.score))


def _compare(report: IncomingReport, row: Case, book: Rulebook) -> Candidate:
    other = happening_of(row, book)
    happening = book.happening(other if report.happening in UNNAMED else report.happening)
    result = score(report, msgspec.structs.replace(open_case(row), happening=other), happening)
    return Candidate(
        score=result, case=row, auto=result.total >= happening.auto, probable=result.total >= happening.propose
    )


def _near(case: Case, report: IncomingReport, book: Rulebook) -> Any:
    """Open cases around ``case``: under the keys of its happening, at its site, or without a class near by."""
    happening = book.happening(report.happening)
    where: list[Any] = []
    if report.happening:
        where.append(Case.happening_key.in_(candidate_keys(report, happening)))
    if case.site_id:
        where.append(Case.site_id == case.site_id)
    if report.location is not None:
        d_lat = NEAR_M / METRES_PER_DEGREE
        d_lon = d_lat / max(0.1, math.cos(math.radians(report.location.lat)))
        box: list[Any] = [
            Case.lat.between(report.location.lat - d_lat, report.location.lat + d_lat),
            Case.lon.between(report.location.lon - d_lon, report.location.lon + d_lon),
        ]
        if report.happening not in UNNAMED:
            box.append(or_(Case.happening_key.is_(None), *(Case.happening_key.like(f"{n}@%") for n in UNNAMED if n)))
        where.append(and_(*box))
    return (
        select(Case)
        .where(
            or_(*where) if where else Case.case_id.is_(None),
            Case.case_id != case.case_id,
            Case.open.is_(True),
            Case.merged_into_id.is_(None),
            Case.confidential.is_(False),
            Case.definition_id == case.definition_id,
        )
        .order_by(Case.opened_at.desc())
        .limit(MAX_CANDIDATES)
    )


def place(session: Session, case: Case, book: Rulebook, accuracy_m: float | None = None) -> Decision:
    """Give a case opened by hand its happening and compare it with the open ones; the decision is kept in its ``why``.

    A case without a class gets the one that its kind stands for.  The caller merges when the verdict is ``attach``.
    """
    name = name_of(book, case.kind, as_current(case.class_code, case.class_version))
    if not case.class_code:
        case.class_code, case.class_version = class_of(book, case.kind, name), CURRENT
    why = dict(case.why or {})
    if case.lon is not None and case.site_id is None and "observation" not in why:
        why["place"] = {"accuracy_m": accuracy_m if accuracy_m is not None else HAND_ACCURACY_M}
    case.why, case.last_seen_at = why, case.last_seen_at or case.opened_at
    report = report_of_case(case, book)
    if name:
        case.happening_key = happening_key(msgspec.structs.replace(report, happening=name), book.happening(name))
    decision = decided(candidates(session, case, book))
    case.why = {**case.why, "merge": decision.reason()}
    return decision


def decided(found: Iterable[Candidate]) -> Decision:
    """The decision on ``found``, best first."""
    ordered = list(found)
    others = tuple(c.score for c in ordered[1:4])
    if not ordered or not ordered[0].probable:
        return Decision(verdict="new", others=tuple(c.score for c in ordered[:3]))
    return Decision(verdict="attach" if ordered[0].auto else "propose", best=ordered[0].score, others=others)


def reason_text(decision: Decision) -> str:
    """The decision in a line, for the history of the case that is joined."""
    best = decision.best
    steps: list[dict[str, JSON]] = list(best.steps) if best else []
    metres = next((s.get("metres") for s in steps if s.get("step") == "distance"), None)
    place_text = "同一点位 / same site" if any(s.get("step") == "site" for s in steps) else f"{metres} m"
    total = f"{best.total:.2f}" if best else "-"
    return f"自动并案 / the same happening: {place_text}, {total}"
