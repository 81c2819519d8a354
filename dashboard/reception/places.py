"""Streets and communities for the door's forms, and which of them an address lies in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.records import JSON, GeoPoint
from dashboard.outside.asked import point_of
from events.cases.grid import locate
from storage.tables.registry import Division


def public_places(session: Session) -> dict[str, JSON]:
    """The streets and communities as choice lists."""
    rows = session.execute(select(Division.code, Division.name, Division.name_en, Division.level, Division.parent_code))
    streets: list[JSON] = []
    communities: list[JSON] = []
    for row in sorted(rows, key=lambda row: row.code):
        if row.level == "street":
            streets.append({"name": row.code, "label": _both(row)})
        elif row.level == "community" and row.parent_code:
            communities.append({"name": row.code, "label": _both(row), "street": row.parent_code})
    return {"streets": streets, "communities": communities}


def _both(row: Any) -> JSON:
    return {"zh": row.name, **({"en": row.name_en} if row.name_en else {})}


def place_of(session: Session, answers: Mapping[str, Any]) -> tuple[str | None, GeoPoint | None]:
    """``(division code, point)``: the community or street that was chosen, else where the point lies, else the
    community or street whose name stands in the address."""
    raw = point_of(answers.get("place"))
    point = GeoPoint(lon=raw["lon"], lat=raw["lat"]) if raw is not None else None
    if chosen := answers.get("community") or answers.get("street"):
        return str(chosen), point
    if point is not None:
        found, _ = locate(session, point)
        if found is not None:
            return found, point
    return named_in(session, str(answers.get("address") or "")), point


def named_in(session: Session, address: str) -> str | None:
    """The smallest division whose name stands in ``address``, when there is only one such."""
    levels = {"community": 2, "street": 1}
    rows = session.execute(select(Division.code, Division.name, Division.level).where(Division.level.in_(levels)))
    hits = [(levels[row.level], len(row.name), row.code) for row in rows if len(row.name) > 2 and row.name in address]
    if not hits:
        return None
    best = max(hits)[:2]
    codes = [code for level, length, code in hits if (level, length) == best]
    return codes[0] if len(codes) == 1 else None
