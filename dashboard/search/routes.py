"""``GET /api/search``: groups of what was found, best first, by right."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy import select

from dashboard import queries
from dashboard.answers.maps import SearchAnswer
from dashboard.api.deps import Use, Who, answers, respond
from dashboard.api.filters import Filters
from dashboard.search.indexing import catch_up
from dashboard.search.places import Places, SearchHit, find
from dashboard.search.registered import people, records
from dashboard.services import Services
from dashboard.wall.surroundings import metres
from events.cases.access import visible_cases
from events.cases.queries import summary_of
from storage import case_text
from storage.session import read_scope
from storage.tables.cases import Case
from storage.tables.registry import Camera

router = APIRouter(tags=["search"])

GROUPS = ("case", "camera", "site", "street", "division", "department", "person", "record")


class SearchFilters(Filters):
    """What is looked for; a place adds distances."""

    q: str = ""
    limit: int = Field(6, ge=1, le=50, description="per group")
    lon: float | None = Field(None, ge=-180, le=180)
    lat: float | None = Field(None, ge=-90, le=90)


@router.get("/api/search", **answers(SearchAnswer))
def search(asked: Annotated[SearchFilters, Query()], use: Use, who: Who) -> Response:
    """Cases open and closed, cameras, sites, streets, divisions, departments, people and records that ``q`` names.

    ``q`` is Chinese, pinyin (``jilindalu``), initials (``jldl``), English or a number.  ``indexing``: the index of
    cases is still being made, closed ones may be missing.
    """
    began = time.perf_counter()
    query, limit = asked.q.strip()[:100], asked.limit
    here = (asked.lon, asked.lat) if asked.lon is not None and asked.lat is not None else None
    indexing = not catch_up(use.engine)
    groups = {"case": _cases(use, who, query, limit, here)}
    rights = _cameras_seen(use, who)
    for hit in find(_places(use).entries(), query):
        if hit.entry.kind == "camera" and rights is not None and hit.entry.id not in rights:
            continue
        group = groups.setdefault(hit.entry.kind, {"total": 0, "items": []})
        group["total"] += 1
        if len(group["items"]) < limit:
            group["items"].append(_shown(use, hit, here))
    groups["person"] = people(use.engine, who.actor, query, limit)
    groups["record"] = records(use, who.actor, query, limit, here)
    found = [{"kind": kind, **groups[kind]} for kind in GROUPS if groups.get(kind, {}).get("items")]
    took = round(1000 * (time.perf_counter() - began), 1)
    return respond({"q": query, "groups": found, "indexing": indexing, "took_ms": took})


def _places(use: Services) -> Places:
    kept: Places = use.counters.setdefault("search_places", Places(use.engine, use.settings.data_dir))
    return kept


def _cameras_seen(use: Services, who: Any) -> frozenset[str] | None:
    """The cameras that a person outside the centre may see; None for those who see all."""
    if queries.sees_all(who.actor):
        return None
    with read_scope(use.engine) as session:
        return frozenset(session.scalars(select(Camera.camera_id).where(queries.visible_cameras(who.actor))))


def _cases(use: Services, who: Any, query: str, limit: int, here: tuple[float, float] | None) -> dict[str, Any]:
    with read_scope(use.engine) as session:
        ids = case_text.find(session, query, case_text.MOST)
        seen = set(session.scalars(select(Case.case_id).where(Case.case_id.in_(ids), visible_cases(who.actor))))
        mine = [case_id for case_id in ids if case_id in seen]
        holding = case_text.holding(session, query)
        if len(ids) == case_text.MOST and len(mine) < limit and holding is not None:
            # the newest of all that match are hardly his: look among all of his own
            own = select(Case.case_id).where(visible_cases(who.actor), Case.case_id.in_(holding))
            mine = list(session.scalars(own.order_by(Case.opened_at.desc()).limit(case_text.MOST)))
        shown = [summary_of(session, case_id) for case_id in mine]
    shown.sort(key=lambda c: (not c.open, -c.severity))  # what is open first; else as found, the newest first
    items = []
    for case in shown[:limit]:
        item = msgspec.to_builtins(case)
        items.append(item | {"id": case.case_id, "distance_m": _distance(here, case.lon, case.lat)})
    return {"total": len(shown), "items": items}


def _shown(use: Services, hit: SearchHit, here: tuple[float, float] | None) -> dict[str, Any]:
    entry = hit.entry
    item: dict[str, Any] = {
        "id": entry.id,
        "name": entry.name,
        "name_en": entry.name_en,
        "lon": entry.lon,
        "lat": entry.lat,
        "match": [hit.at.start, hit.at.end],
        "how": hit.at.how,
        "distance_m": _distance(here, entry.lon, entry.lat),
        **entry.more,
    }
    if entry.kind == "camera":
        live = queries.state_of(use.hub.states, "camera", entry.id)
        item |= {"state": live.get("state") or "never", "seen_at": live.get("at")}
    return item


def _distance(here: tuple[float, float] | None, lon: float | None, lat: float | None) -> float | None:
    return None if here is None or lon is None or lat is None else round(metres(here, (lon, lat)))
