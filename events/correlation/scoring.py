"""One happening, one case: does a report belong to an open case?  Pure; every score says how it came about.

A report and a case are compared in space (site, distance), time (since the case's last sign) and class
(``happening``, shared by cameras, sensors, drones, citizens and platforms).  score = space × time, each 0 … 1.
From ``auto`` on the report joins the case; from ``propose`` on a dispatcher is asked; below, it is a new case.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from core.records import JSON, GeoPoint, Record
from events.rules.rulebook import Happening

METRES_PER_DEGREE = 111_320.0
PHONE_M = 100.0  # two phones among buildings may differ by this much
NEAR_M = 30.0  # reports from two sites this near to one another may still be one happening
UNNAMED = frozenset({"", "general"})  # a report whose class nobody has said yet: it may be anything near it
UNNAMED_SCORE = 0.59  # … which can be proposed, and never joins by itself
WATCHING = ("camera", "device")  # sources that stay where they are; people, drones and platforms speak of many places


class IncomingReport(Record, frozen=True):
    """What is to be placed: a finding of a rule, a citizen's report, a drone's photograph, a platform's event."""

    happening: str
    at: datetime
    source_type: str
    source_id: str
    kind: str = ""
    site_id: str | None = None
    location: GeoPoint | None = None
    zone: str | None = None
    accuracy_m: float = 0.0  # 68 % radius of the location (phone, address match); twice that widens the search


class OpenCase(Record, frozen=True):
    """What correlation needs to know of an open case.

    ``standing``: some of its conditions still stand, so that time since the last sign does not count.
    """

    case_id: str
    number: str
    happening: str
    opened_at: datetime
    last_seen_at: datetime
    source_id: str = ""
    kind: str = ""
    site_id: str | None = None
    location: GeoPoint | None = None
    zone: str | None = None
    accuracy_m: float = 0.0
    standing: bool = False


class Score(Record, frozen=True):
    """How well a report fits a case: ``total`` 0 … 1 and the steps that led there."""

    case_id: str
    number: str
    total: float
    steps: tuple[dict[str, JSON], ...]


class Decision(Record, frozen=True):
    """``attach`` to ``best``, ``propose`` that it is the same as ``best``, or ``new``; ``others`` were considered."""

    verdict: Literal["attach", "propose", "new"]
    best: Score | None = None
    others: tuple[Score, ...] = ()

    def reason(self) -> dict[str, JSON]:
        """The decision as stored in ``case_observation.reason`` and ``case_file.why``."""
        reason: dict[str, JSON] = {"verdict": self.verdict}
        if self.best is not None:
            reason |= {"case_id": self.best.case_id, "number": self.best.number, "score": self.best.total}
            reason["steps"] = list(self.best.steps)
        if self.others:
            reason["others"] = [{"case_id": s.case_id, "number": s.number, "score": s.total} for s in self.others]
        return reason


def decide(report: IncomingReport, cases: Iterable[OpenCase], happening: Happening) -> Decision:
    """Where ``report`` belongs among ``cases`` (open ones of its happening, near it)."""
    scores = [s for s in (score(report, case, happening) for case in cases) if s.total > 0]
    scores.sort(key=rank)
    if not scores or scores[0].total < happening.propose:
        return Decision(verdict="new", others=tuple(scores[:3]))
    verdict: Literal["attach", "propose"] = "attach" if scores[0].total >= happening.auto else "propose"
    return Decision(verdict=verdict, best=scores[0], others=tuple(scores[1:4]))


def score(report: IncomingReport, case: OpenCase, happening: Happening) -> Score:
    """How well ``report`` fits ``case``."""
    steps: list[dict[str, JSON]] = []
    known = 1.0
    if report.happening != case.happening:
        known = UNNAMED_SCORE if {report.happening, case.happening} & UNNAMED else 0.0
        steps.append({"step": "class", "report": report.happening, "case": case.happening, "score": known})
        if not known:
            return Score(case_id=case.case_id, number=case.number, total=0.0, steps=tuple(steps))
    else:
        steps.append({"step": "class", "happening": report.happening, "score": 1.0})
    space = _space(report, case, happening, steps)
    time = _time(report, case, happening, steps)
    return Score(case_id=case.case_id, number=case.number, total=round(known * space * time, 4), steps=tuple(steps))


def rank(found: Score) -> tuple[float, str]:
    """Sorts the best first, equal ones by number."""
    return -found.total, found.number


def _space(report: IncomingReport, case: OpenCase, happening: Happening, steps: list[dict[str, JSON]]) -> float:
    if report.source_id == case.source_id and report.source_id and report.source_type in WATCHING:
        other_zone = happening.by_zone and bool(report.zone) and bool(case.zone) and report.zone != case.zone
        value = 0.5 if other_zone else 1.0
        steps.append({"step": "source", "source_id": report.source_id, "zone": report.zone, "score": value})
        return value
    if happening.same_source:
        steps.append({"step": "source", "same": False, "score": 0.0})
        return 0.0
    same_site = bool(report.site_id) and report.site_id == case.site_id
    if happening.same_site and same_site:
        steps.append({"step": "site", "site_id": report.site_id, "score": 1.0})
        return 1.0
    if report.location is None or case.location is None:
        steps.append({"step": "distance", "metres": None, "score": 0.0})
        return 0.0
    metres = distance_m(report.location, case.location)
    radius = happening.radius_m + min(2 * math.hypot(report.accuracy_m, case.accuracy_m), _slack(happening))
    value = _falling(metres, radius)
    step: dict[str, JSON] = {"step": "distance", "metres": round(metres, 1), "radius_m": round(radius, 1)}
    if report.site_id and case.site_id and not same_site and metres > NEAR_M:
        value *= 0.6  # two watched places are two happenings until somebody says otherwise
        step["other_site"] = case.site_id
    steps.append(step | {"score": round(value, 4)})
    return value


def _slack(happening: Happening) -> float:
    """How much the inaccuracy of both places may widen the radius."""
    return max(happening.radius_m, PHONE_M)


def _falling(metres: float, radius: float) -> float:
    """1 on the spot, 0.5 at ``radius``, 0 from twice ``radius`` on."""
    if radius <= 0:
        return 1.0 if metres < 1 else 0.0
    return max(0.0, 1 - metres / (2 * radius))


def _time(report: IncomingReport, case: OpenCase, happening: Happening, steps: list[dict[str, JSON]]) -> float:
    if case.standing and report.at >= case.opened_at:
        steps.append({"step": "time", "standing": True, "score": 1.0})
        return 1.0
    if report.at < case.opened_at:
        gap = (case.opened_at - report.at).total_seconds()
    else:
        gap = max(0.0, (report.at - case.last_seen_at).total_seconds())
    value = max(0.0, 1 - 0.3 * gap / happening.window_s) if gap <= happening.window_s else 0.0
    steps.append({"step": "time", "gap_s": round(gap, 1), "window_s": happening.window_s, "score": round(value, 4)})
    return value


def distance_m(a: GeoPoint, b: GeoPoint) -> float:
    """Metres between two points of one city (equirectangular; error below 0.1 % within 50 km)."""
    x = math.radians(b.lon - a.lon) * math.cos(math.radians((a.lat + b.lat) / 2))
    y = math.radians(b.lat - a.lat)
    return math.hypot(x, y) * 6_371_008.8


def happening_key(report: IncomingReport, happening: Happening) -> str:
    """The key a new case gets: by source, by cell of the happening's size, else by site."""
    if happening.same_source:
        return f"{report.happening}@src:{report.source_id}"[:160]
    if report.location is not None:
        column, row = _cell(report.location, happening)
        return f"{report.happening}@{column}:{row}"
    return f"{report.happening}@site:{report.site_id or report.source_id}"[:160]


def candidate_keys(report: IncomingReport, happening: Happening) -> list[str]:
    """Keys under which a case of the same happening may stand: its own and those of the cells around it."""
    own = happening_key(report, happening)
    if happening.same_source or report.location is None:
        return [own]
    column, row = _cell(report.location, happening)
    return [f"{report.happening}@{c}:{r}" for c in (column - 1, column, column + 1) for r in (row - 1, row, row + 1)]


def happening_of_key(key: str | None) -> str:
    """The happening that a key names; empty when there is none."""
    return (key or "").partition("@")[0]


def _cell(point: GeoPoint, happening: Happening) -> tuple[int, int]:
    """Cell of twice the largest radius, so that the 3×3 cells around a point hold all that can score.

    One step of longitude is taken at 60° (half as long as at the equator): wide enough anywhere south of it.
    """
    metres = 2 * (happening.radius_m + _slack(happening))
    return math.floor(point.lon / (metres / (METRES_PER_DEGREE * 0.5))), math.floor(
        point.lat / (metres / METRES_PER_DEGREE)
    )
