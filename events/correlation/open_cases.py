"""A stored case as scoring wants to see it."""

from __future__ import annotations

from core.records import GeoPoint
from events.correlation.scoring import OpenCase, happening_of_key
from storage.tables.cases import Case


def is_standing(case: Case) -> bool:
    """Whether any condition of ``case`` still stands."""
    return any((case.why or {}).get("standing", {}).values())


def accuracy_of(case: Case) -> float:
    """How far off the case's place may be, in metres: of its first observation, or of the hand that pointed at it."""
    why = case.why or {}
    return float(why.get("observation", {}).get("accuracy_m") or why.get("place", {}).get("accuracy_m") or 0.0)


def open_case(row: Case) -> OpenCase:
    """A case row as correlation sees it."""
    return OpenCase(
        case_id=row.case_id,
        number=row.number,
        happening=happening_of_key(row.happening_key),
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at or row.opened_at,
        source_id=row.source_id,
        kind=row.kind,
        site_id=row.site_id,
        location=GeoPoint(lon=row.lon, lat=row.lat) if row.lon is not None and row.lat is not None else None,
        zone=(row.why or {}).get("observation", {}).get("zone"),
        accuracy_m=accuracy_of(row),
        standing=is_standing(row),
    )
