"""What is around a case: cameras of its site and within 200 m, other cases near, alike and earlier."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.records import Actor
from dashboard import queries
from events.cases.access import visible_cases
from events.cases.queries import summary_of
from storage.tables.cases import Case
from storage.tables.registry import Camera

NEAR_CAMERA_M = 200.0
NEAR_CASE_M = 500.0
ALIKE_M = 2000.0
EARLIER = timedelta(days=90)
MAX_CAMERAS, MAX_CASES = 60, 20
_EARTH_M = 6_371_008.8


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of two (lon, lat) in metres, on a plane: good to 0.1 % within a district."""
    k = math.pi / 180
    x = (b[0] - a[0]) * k * math.cos((a[1] + b[1]) / 2 * k)
    return math.hypot(x, (b[1] - a[1]) * k) * _EARTH_M


def box(lon: float, lat: float, radius_m: float) -> tuple[float, float, float, float]:
    """West, south, east, north around a place."""
    up = math.degrees(radius_m / _EARTH_M)
    side = up / max(0.05, math.cos(math.radians(lat)))
    return lon - side, lat - up, lon + side, lat + up


def surroundings(
    session: Session, actor: Actor, case_id: str, states: Mapping[str, dict[str, Any]], now: datetime
) -> dict[str, Any]:
    """``{"cameras", "near", "alike", "earlier"}`` of a case that ``actor`` may see; distances in metres."""
    case = session.scalars(select(Case).where(Case.case_id == case_id, visible_cases(actor))).one_or_none()
    if case is None:
        raise NotFound(what="case", key=case_id)
    here = (case.lon, case.lat) if case.lon is not None and case.lat is not None else None
    return {
        "cameras": _cameras(session, actor, case, here, states),
        "near": _cases(session, actor, case, here, NEAR_CASE_M, Case.open.is_(True)) if here else [],
        "alike": _cases(session, actor, case, here, ALIKE_M, Case.open.is_(True), Case.kind == case.kind)
        if here
        else [],
        "earlier": _earlier(session, actor, case, here, now),
    }


def _cameras(
    session: Session, actor: Actor, case: Case, here: tuple[float, float] | None, states: Mapping[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    conditions: list[Any] = []
    if case.source_type == "camera":
        conditions.append(Camera.camera_id == case.source_id)
    if case.site_id:
        conditions.append(Camera.site_id == case.site_id)
    if here:
        west, south, east, north = box(*here, NEAR_CAMERA_M)
        conditions.append(Camera.lon.between(west, east) & Camera.lat.between(south, north))
    if not conditions:
        return []
    query = select(Camera).where(queries.visible_cameras(actor), or_(*conditions))
    found = []
    for camera in session.scalars(query):
        far = (
            metres(here, (camera.lon, camera.lat))
            if here and camera.lon is not None and camera.lat is not None
            else None
        )
        own = camera.camera_id == case.source_id
        at_site = bool(case.site_id) and camera.site_id == case.site_id
        if not (own or at_site or (far is not None and far <= NEAR_CAMERA_M)):
            continue
        live = queries.state_of(states, "camera", camera.camera_id)
        found.append(
            {
                "camera_id": camera.camera_id,
                "name": camera.name,
                "name_en": camera.name_en or "",
                "category": camera.category,
                "distance_m": None if far is None else round(far, 1),
                "bearing_deg": _bearing(here, camera),
                "own": own,
                "at_site": at_site,
                "has_video": bool(camera.url or camera.sub_url),
                "state": live.get("state") or ("unknown" if camera.enabled else "never"),
                "seen_at": live.get("at"),
                "lon": camera.lon,
                "lat": camera.lat,
            }
        )
    found.sort(key=lambda c: (not c["own"], not c["at_site"], c["distance_m"] if c["distance_m"] is not None else 1e9))
    return found[:MAX_CAMERAS]


def _bearing(here: tuple[float, float] | None, camera: Camera) -> int | None:
    """Degrees from north in which the case lies, seen from the camera."""
    if here is None or camera.lon is None or camera.lat is None:
        return None
    east = (here[0] - camera.lon) * math.cos(math.radians(camera.lat))
    return round(math.degrees(math.atan2(east, here[1] - camera.lat))) % 360


def _cases(
    session: Session, actor: Actor, case: Case, here: tuple[float, float] | None, radius_m: float, *conditions: Any
) -> list[dict[str, Any]]:
    if here is not None:
        west, south, east, north = box(*here, radius_m)
        conditions = (*conditions, Case.lon.between(west, east), Case.lat.between(south, north))
    query = (
        select(Case.case_id, Case.lon, Case.lat)
        .where(visible_cases(actor), Case.case_id != case.case_id, Case.merged_into_id.is_(None), *conditions)
        .order_by(Case.opened_at.desc())
        .limit(200)
    )
    found = []
    for case_id, lon, lat in session.execute(query):
        far = metres(here, (lon, lat)) if here and lon is not None and lat is not None else None
        if far is None or far <= radius_m:
            found.append((far, case_id))
    found.sort(key=lambda row: row[0] if row[0] is not None else 1e9)
    return [
        msgspec.to_builtins(summary_of(session, case_id)) | {"distance_m": None if far is None else round(far)}
        for far, case_id in found[:MAX_CASES]
    ]


def _earlier(
    session: Session, actor: Actor, case: Case, here: tuple[float, float] | None, now: datetime
) -> list[dict[str, Any]]:
    """Closed cases of the last 90 days at the same site, or of the same kind within 500 m."""
    past = (Case.open.is_(False), Case.opened_at >= now - EARLIER)
    if case.site_id:
        return _cases(session, actor, case, None, NEAR_CASE_M, *past, Case.site_id == case.site_id)
    return _cases(session, actor, case, here, NEAR_CASE_M, *past, Case.kind == case.kind) if here else []
