"""Area-wide events: one rainstorm, many points.  Each place keeps its case; a parent case brackets them.

When ``area_min`` open cases of a happening stand within ``area_radius_m`` of a new one, a parent opens and they
become its children; later ones within the radius of the parent's place join it.  Nothing is merged: each child has
its own department, clock and close.  The parent can be finished when no child is open (see
:mod:`events.runtime.source_recheck`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import SYSTEM, Actor, GeoPoint, Severity
from events.cases.drafts import CaseDraft, Route
from events.correlation.scoring import METRES_PER_DEGREE, distance_m, happening_of_key
from events.rules.rulebook import Happening
from storage.tables.cases import Case

AREA_PREFIX = "area-"


class Opener(Protocol):
    """What gathering needs of the case service."""

    def open_in(self, session: Session, draft: CaseDraft, actor: Actor) -> Case: ...

    def note(self, session: Session, case: Case, actor: Actor, command: str, data: dict[str, object]) -> None: ...

    def escalate_in(self, session: Session, case: Case, severity: Severity, reason: dict[str, object]) -> None: ...


def gather(
    session: Session, service: Opener, case: Case, happening: Happening, route: Route | None, now: datetime
) -> str | None:
    """Put ``case`` under an area-wide parent when there is one, or enough reason to open one; the parent's id."""
    if happening.area_radius_m <= 0 or case.lon is None or case.lat is None or case.parent_case_id:
        return case.parent_case_id
    name = happening_of_key(case.happening_key)
    here = GeoPoint(lon=case.lon, lat=case.lat)
    parent = _nearest_parent(session, name, here, happening.area_radius_m)
    if parent is None:
        members = [m for m in _members(session, name, here, happening.area_radius_m) if _fresh(m, happening, now)]
        if len(members) < happening.area_min:
            return None
        parent = _open_parent(session, service, name, members, route)
        for member in members:
            member.parent_case_id = parent.case_id
        return parent.case_id
    case.parent_case_id = parent.case_id
    data: dict[str, object] = {"child": case.case_id, "number": case.number}
    service.note(session, parent, SYSTEM, "gather", data)
    service.escalate_in(session, parent, Severity(case.severity), {"steps": [{"step": "gather", "case": case.number}]})
    return parent.case_id


def _fresh(case: Case, happening: Happening, now: datetime) -> bool:
    return (now - (case.last_seen_at or case.opened_at)).total_seconds() <= happening.window_s


def _nearest_parent(session: Session, name: str, here: GeoPoint, radius_m: float) -> Case | None:
    rows = session.scalars(
        select(Case).where(Case.open.is_(True), Case.happening_key.like(f"{AREA_PREFIX}{name}@%")).limit(50)
    )
    near = [
        (distance_m(here, GeoPoint(lon=row.lon, lat=row.lat)), row)
        for row in rows
        if row.lon is not None and row.lat is not None
    ]
    near = [pair for pair in near if pair[0] <= radius_m]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def _members(session: Session, name: str, here: GeoPoint, radius_m: float) -> Sequence[Case]:
    """Open cases of the happening within the radius that have no parent and are not merged."""
    d_lat = radius_m / METRES_PER_DEGREE
    d_lon = d_lat / max(0.1, math.cos(math.radians(here.lat)))
    rows = session.scalars(
        select(Case)
        .where(
            Case.open.is_(True),
            Case.happening_key.like(f"{name}@%"),
            Case.parent_case_id.is_(None),
            Case.merged_into_id.is_(None),
            Case.lat.between(here.lat - d_lat, here.lat + d_lat),
            Case.lon.between(here.lon - d_lon, here.lon + d_lon),
        )
        .order_by(Case.opened_at.desc())
        .limit(200)
    )
    found = [row for row in rows if row.lon is not None and row.lat is not None]
    return [row for row in found if distance_m(here, GeoPoint(lon=row.lon or 0, lat=row.lat or 0)) <= radius_m]


def _open_parent(session: Session, service: Opener, name: str, members: Sequence[Case], route: Route | None) -> Case:
    lon = sum(m.lon or 0.0 for m in members) / len(members)
    lat = sum(m.lat or 0.0 for m in members) / len(members)
    newest = members[0]
    title = newest.title.split(" ", 1)[-1]
    draft = CaseDraft(
        title=f"片区事件：{title}（{len(members)}处起）"[:200],
        definition_id=newest.definition_id,
        kind=newest.kind,
        class_code=newest.class_code,
        class_version=newest.class_version,
        severity=Severity(max(m.severity for m in members)),
        description="\n".join(f"{m.number} {m.title}" for m in members),
        location=GeoPoint(lon=lon, lat=lat),
        division_code=newest.division_code,
        source_type="platform",
        source_id="area",
        happening_key=f"{AREA_PREFIX}{name}@{lon:.5f}:{lat:.5f}",
        auto_register=route is not None,
        route=route,
        why={
            "area": {
                "happening": name,
                "children": [{"case_id": m.case_id, "number": m.number} for m in members],
            }
        },
    )
    return service.open_in(session, draft, SYSTEM)
