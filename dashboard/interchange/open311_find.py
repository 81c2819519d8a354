"""Which cases an Open311 client asks for, and how each is shown: by the service that it was reported with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.records import Actor
from dashboard.api.params import moment, text, whole
from events.cases.access import visible_cases
from events.correlation.scoring import happening_of_key
from events.interchange import open311
from storage.tables.cases import Case, CaseObservation
from storage.tables.observations import ObservationRow
from storage.tables.registry import Department

MAX_ROWS = 1000
LONGEST = timedelta(days=90)
_STATUS = ("open", "closed")


@dataclass(frozen=True)
class RequestsFound:
    """A page of requests; ``more``: there is another page."""

    rows: list[dict[str, Any]]
    more: bool


def find(session: Session, query: Mapping[str, str], actor: Actor, now: datetime) -> RequestsFound:
    """Requests by id, service, status, place and time of request or of change; the newest first.

    ``start_date``/``end_date`` (when requested) span at most 90 days, which is the span when nothing is named;
    ``updated_after``/``updated_before`` (when changed) too.  ``page`` counts from 1, ``page_size`` up to 1,000.
    """
    size, page = whole(query, "page_size", MAX_ROWS, 1, MAX_ROWS), whole(query, "page", 1, 1, 100_000)
    codes = _list(query, "service_code")
    wanted = select(Case).where(Case.confidential.is_(False), visible_cases(actor))
    ids = _list(query, "service_request_id", 2000)
    wanted = wanted.where(Case.number.in_(ids[:MAX_ROWS]) if ids else _in_time(query, now))
    if codes:
        wanted = wanted.where(or_(*[_of_service(open311.service_of(code)) for code in codes]))
    around = _around(query)
    if around is not None:
        west, south, east, north = around
        wanted = wanted.where(Case.lon.between(west, east), Case.lat.between(south, north))
    states = _list(query, "status")
    if unknown := [s for s in states if s not in _STATUS]:
        raise InputInvalid(field="status", detail=f"{unknown[0][:40]!r}", how="use open, closed or open,closed")
    if len(set(states)) == 1:
        wanted = wanted.where(Case.open.is_(states[0] == "open"))
    changed = "updated_after" in query or "updated_before" in query
    order = (Case.updated_at.desc() if changed else Case.opened_at.desc(), Case.case_id.desc())
    cases = session.scalars(wanted.order_by(*order).offset((page - 1) * size).limit(size + 1)).all()
    return RequestsFound(shown(session, cases[:size], codes), len(cases) > size)


def _list(query: Mapping[str, str], name: str, length: int = 400) -> list[str]:
    return [part.strip() for part in (text(query, name, length) or "").split(",") if part.strip()]


def _in_time(query: Mapping[str, str], now: datetime) -> ColumnElement[bool]:
    after, before = moment(query, "updated_after"), moment(query, "updated_before")
    conditions: list[ColumnElement[bool]] = []
    if after is not None or before is not None:
        end = before or max(now, after or now)  # a client whose clock is ahead is no error
        start = after or end - LONGEST
        _check_span(start, end, "updated_after")
        conditions = [Case.updated_at >= start, Case.updated_at <= end]
    if not conditions or "start_date" in query or "end_date" in query:
        until = moment(query, "end_date") or now
        since = moment(query, "start_date") or until - LONGEST
        _check_span(since, until, "start_date")
        conditions += [Case.opened_at >= since, Case.opened_at <= until]
    return and_(*conditions)


def _check_span(since: datetime, until: datetime, field: str) -> None:
    if until - since > LONGEST or until < since:
        raise InputInvalid(field=field, detail="the period is over 90 days or negative", how="shorten it")


def _reported(kind: str | None = None) -> ColumnElement[bool]:
    """Whether a citizen's or partner's report (of ``kind``) belongs to the case."""
    return exists().where(
        CaseObservation.case_id == Case.case_id,
        CaseObservation.observation_id == ObservationRow.observation_id,
        ObservationRow.source_type == "citizen",
        ObservationRow.kind.in_([kind] if kind else _kinds()),
    )


def _kinds() -> list[str]:
    return [s.kind for s in open311.services().values()]


def _by_itself(service: open311.ReportService) -> ColumnElement[bool]:
    kinds: list[ColumnElement[bool]] = [Case.kind == service.kind]
    if service.happening:
        kinds += [Case.happening_key == service.happening, Case.happening_key.startswith(f"{service.happening}@")]
    return or_(*kinds)


def _of_service(service: open311.ReportService) -> ColumnElement[bool]:
    """Cases reported under ``service``, and unreported ones that are of its kind (other: of no service's kind)."""
    mine = _by_itself(service)
    if service.service_code == open311.OTHER:
        rest = [_by_itself(s) for s in open311.services().values() if s.service_code != open311.OTHER]
        mine = or_(mine, not_(or_(*rest)), Case.happening_key.is_(None) & not_(Case.kind.in_(_kinds())))
    return or_(_reported(service.kind), and_(not_(_reported()), mine))


def shown(session: Session, cases: Sequence[Case], asked: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The cases with the standard's names, each under the service that it was reported with."""
    reports = _reports(session, [c.case_id for c in cases])
    found = session.execute(select(Department.department_id, Department.name)).all()
    names = {row.department_id: row.name for row in found}
    return [
        open311.request_dict(
            open311.ServiceRequest(
                number=case.number, state=case.state, title=case.title, description=case.description,
                agency=names.get(case.department_id or "", ""), opened_at=case.opened_at, updated_at=case.updated_at,
                expected_at=case.deadline_at, lon=case.lon, lat=case.lat,
                service=open311.service_of_case(
                    [open311.reported_code(body) for body in reports.get(case.case_id, ())],
                    case.kind, happening_of_key(case.happening_key), asked,
                ),
                address=_attribute(reports.get(case.case_id, ()), "address"),
                media_url=_attribute(reports.get(case.case_id, ()), "media_url"),
            )
        )
        for case in cases
    ]  # fmt: skip


def _reports(session: Session, case_ids: list[str]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for first in range(0, len(case_ids), 500):
        rows = session.execute(
            select(CaseObservation.case_id, ObservationRow.body)
            .join(ObservationRow, ObservationRow.observation_id == CaseObservation.observation_id)
            .where(CaseObservation.case_id.in_(case_ids[first : first + 500]), ObservationRow.source_type == "citizen")
            .order_by(ObservationRow.observed_at)
        )
        for case_id, body in rows:
            found.setdefault(case_id, []).append(body)
    return found


def _attribute(bodies: Sequence[Mapping[str, Any]], name: str) -> str:
    values = (str((body.get("attributes") or {}).get(name) or "") for body in bodies if open311.reported_code(body))
    return next((value for value in values if value), "")


def _around(query: Mapping[str, str]) -> tuple[float, float, float, float] | None:
    """``lat``, ``long`` and ``radius`` (metres, 500 when left out) as a box; our addition to the standard."""
    given = {name: text(query, name, 40) for name in ("lat", "long", "radius")}
    if not any(given.values()):
        return None
    limits = {"lat": (-85.0, 85.0), "long": (-180.0, 180.0), "radius": (1.0, 50_000.0)}
    found: dict[str, float] = {"radius": 500.0}
    for name, (low, high) in limits.items():
        try:
            found[name] = float(given[name] or found.get(name, math.nan))
        except ValueError:
            found[name] = math.nan
        if not low <= found[name] <= high:
            detail = f"{given[name]!r} is no number from {low:g} to {high:g}"
            raise InputInvalid(field=name, detail=detail, how="send lat, long and, if wanted, radius in metres")
    north = found["radius"] / 111_320
    east = north / max(0.05, math.cos(math.radians(found["lat"])))
    return found["long"] - east, found["lat"] - north, found["long"] + east, found["lat"] + north
