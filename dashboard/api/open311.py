"""Open311 GeoReport v2 (``/open311/v2/…``, JSON and XML, key of its own) and CAP 1.2 of a case.

Discovery and services are public.  Reporting and reading requests need an ``api_key`` (``python -m app api-key``) with
the scope ``open311``; a key may send 60 requests a minute.  It shows
the cases that the account behind it may see; confidential ones never.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Forbidden, InputInvalid, NotFound, YiwangError
from core.records import Actor
from dashboard.api.deps import Use, Who, respond
from dashboard.api.params import moment, text
from dashboard.errors import status_of
from dashboard.services import Services
from events.cases.access import may_see, visible_cases
from events.correlation.scoring import happening_of_key
from events.interchange import cap, open311
from storage.session import read_scope
from storage.tables.cases import Case, CaseObservation, CaseTransition
from storage.tables.people import ApiKey, User, UserRole
from storage.tables.registry import Department

router = APIRouter(tags=["open311"])

PER_MINUTE = 60
MAX_ROWS = 1000
LONGEST = timedelta(days=90)
FORMATS = ("json", "xml")


def _answer(form: str, root: str, item: str, rows: list[dict[str, Any]], status: int = 200) -> Response:
    if form == "xml":
        return Response(open311.to_xml(root, item, rows), status, media_type="text/xml; charset=utf-8")
    return respond(rows, status)


def _failed(form: str, error: YiwangError) -> Response:
    status = 400 if status_of(error) == 422 else status_of(error)  # the standard knows 400, 401, 403 and 404
    rows = [{"code": status, "description": str(error)}]
    return _answer(form, "errors", "error", rows, status)


def _form(form: str) -> str:
    if form not in FORMATS:
        raise NotFound(what="format", key=form)
    return form


def _account(use: Services, request: Request, given: str | None) -> tuple[str, Actor]:
    """The name behind the key, within its rate, and whose rights it carries; :class:`Forbidden` otherwise."""
    key = given or request.query_params.get("api_key") or request.headers.get("x-api-key") or ""
    digest = hashlib.sha256(key.encode()).hexdigest()
    with read_scope(use.engine) as session:
        row = session.get(ApiKey, digest) if key else None
        if row is None or row.revoked_at is not None or row.scope != "open311":
            raise Forbidden(action="use Open311 without a valid api_key")
        name, user = row.name, session.get(User, row.user_id)
        if user is None or not user.active:
            raise Forbidden(action="use the key of a closed account")
        roles = session.scalars(select(UserRole.role).where(UserRole.user_id == user.user_id))
        actor = Actor(
            user_id=user.user_id, name=user.name, roles=tuple(sorted(roles)), department_id=user.department_id,
            division_code=user.division_code,
        )  # fmt: skip
    now = use.clock.monotonic()
    rates: dict[str, list[float]] = use.counters.setdefault("open311_rates", {})
    recent = [t for t in rates.get(digest, []) if t > now - 60]
    if len(recent) >= PER_MINUTE:
        raise Forbidden(action=f"send more than {PER_MINUTE} requests a minute")
    rates[digest] = [*recent, now]
    return name, actor


@router.get("/open311/v2/discovery.{form}")
def discovery(form: str, use: Use) -> Response:
    """Where and how this server speaks."""
    base = f"{use.settings.public_url}/open311/v2"
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": base,
        "changeset": "2026-07-01T00:00:00+08:00",
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    how = "python -m app api-key"
    body = {"changeset": endpoint["changeset"], "contact": use.settings.public_url, "key_service": how}
    if _form(form) == "xml":
        return _answer(form, "discovery", "endpoint", [{k: str(v) for k, v in endpoint.items()}])
    return respond(body | {"endpoints": [endpoint]})


@router.get("/open311/v2/services.{form}")
def services(form: str) -> Response:
    """What can be reported."""
    return _answer(_form(form), "services", "service", open311.service_list())


@router.get("/open311/v2/services/{code}.{form}")
def service(code: str, form: str) -> Response:
    """A service's own attributes: how far the place may be off."""
    try:
        open311.service_of(code)
    except NotFound as error:
        return _failed(_form(form), error)
    attribute = {
        "variable": True, "code": "accuracy_m", "datatype": "number", "required": False, "order": 1,
        "description": "accuracy of the place in metres", "datatype_description": "", "values": [],
    }  # fmt: skip
    if form == "xml":
        return _answer(form, "attributes", "attribute", [{k: v for k, v in attribute.items() if k != "values"}])
    return respond({"service_code": code, "attributes": [attribute]})


@router.post("/open311/v2/requests.{form}")
async def report(form: str, request: Request, use: Use) -> Response:
    """Take a report: stored on the bus before the answer, placed by the worker within seconds."""
    try:
        _form(form)
        sent = {k: v for k, v in (await request.form(max_fields=40, max_files=0)).items() if isinstance(v, str)}
        account, _ = await asyncio.to_thread(_account, use, request, sent.get("api_key"))
        observation = open311.read_report(sent, account, use.clock.now())
        bus = use.hub.bus
        if bus is None:
            raise InputInvalid(field="bus", detail="reports cannot be taken just now", how="send it again in a minute")
        await bus.observe(observation)
    except YiwangError as error:
        return _failed(form if form in FORMATS else "json", error)
    return _answer(form, "service_requests", "request", [{"token": observation.observation_id, "account_id": ""}])


@router.get("/open311/v2/tokens/{token}.{form}")
def token(token: str, form: str, request: Request, use: Use) -> Response:
    """The request id behind a token; empty while the report is being placed."""
    try:
        _account(use, request, None)
        with read_scope(use.engine) as session:
            number = session.scalars(
                select(Case.number)
                .join(CaseObservation, CaseObservation.case_id == Case.case_id)
                .where(
                    CaseObservation.observation_id == token,
                    Case.merged_into_id.is_(None),
                    Case.confidential.is_(False),
                )
            ).first()
    except YiwangError as error:
        return _failed(_form(form), error)
    rows = [{"service_request_id": number, "token": token}]
    return _answer(_form(form), "service_requests", "request", rows)


@router.get("/open311/v2/requests.{form}")
def requests(form: str, request: Request, use: Use) -> Response:
    """Requests by id, service, time, status and place (lat, long, radius in m); at most 90 days and 1,000 rows."""
    try:
        _, actor = _account(use, request, None)
        with read_scope(use.engine) as session:
            rows = _find(session, use, request, actor)
    except YiwangError as error:
        return _failed(_form(form), error)
    return _answer(_form(form), "service_requests", "request", rows)


@router.get("/open311/v2/requests/{number}.{form}")
def one(number: str, form: str, request: Request, use: Use) -> Response:
    """One request."""
    try:
        _, actor = _account(use, request, None)
        with read_scope(use.engine) as session:
            case = session.scalars(
                select(Case).where(Case.number == number, Case.confidential.is_(False), visible_cases(actor))
            ).one_or_none()
            if case is None:
                raise NotFound(what="service_request_id", key=number)
            rows = [_shown(session, case)]
    except YiwangError as error:
        return _failed(_form(form), error)
    return _answer(_form(form), "service_requests", "request", rows)


def _find(session: Session, use: Services, request: Request, actor: Actor) -> list[dict[str, Any]]:
    query = request.query_params
    until = moment(query, "end_date") or use.clock.now()
    since = moment(query, "start_date") or until - LONGEST
    if until - since > LONGEST or until < since:
        raise InputInvalid(field="start_date", detail="the period is over 90 days or negative", how="shorten it")
    allowed = (Case.confidential.is_(False), visible_cases(actor))
    wanted = select(Case).where(*allowed, Case.opened_at >= since, Case.opened_at <= until)
    ids = text(query, "service_request_id", 2000)
    if ids:
        wanted = select(Case).where(*allowed, Case.number.in_(ids.split(",")[:MAX_ROWS]))
    codes = text(query, "service_code", 400)
    if codes:
        wanted = wanted.where(Case.kind.in_([open311.service_of(code).kind for code in codes.split(",")]))
    around = _around(query)
    if around is not None:
        west, south, east, north = around
        wanted = wanted.where(Case.lon.between(west, east), Case.lat.between(south, north))
    status = text(query, "status", 20)
    if status not in (None, "open", "closed"):
        raise InputInvalid(field="status", detail=f"{status!r}", how="use open or closed")
    if status:
        wanted = wanted.where(Case.open.is_(status == "open"))
    return [_shown(session, case) for case in session.scalars(wanted.order_by(Case.opened_at.desc()).limit(MAX_ROWS))]


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


def _shown(session: Session, case: Case) -> dict[str, Any]:
    department = session.get(Department, case.department_id) if case.department_id else None
    return open311.request_dict(
        open311.Request(
            number=case.number,
            state=case.state,
            title=case.title,
            description=case.description,
            class_code=case.class_code,
            agency=department.name if department else "",
            opened_at=case.opened_at,
            updated_at=case.updated_at,
            expected_at=case.deadline_at,
            lon=case.lon,
            lat=case.lat,
            kind=case.kind,
        )
    )


@router.get("/api/cases/{case_id}/cap.xml", tags=["cases"])
def as_cap(case_id: str, use: Use, who: Who) -> Response:
    """The case as an OASIS CAP 1.2 alert."""
    with read_scope(use.engine) as session:
        case = session.get(Case, case_id)
        if case is None or case.confidential or not may_see(session, who.actor, case_id):
            raise NotFound(what="case", key=case_id)
        document = cap.alert_xml(_alert(session, use, case))
    return Response(document, media_type=cap.MEDIA_TYPE)


def _alert(session: Session, use: Services, case: Case) -> cap.Alert:
    moves = session.scalars(
        select(CaseTransition).where(CaseTransition.case_id == case.case_id).order_by(CaseTransition.seq)
    ).all()
    told = [m for m in moves if m.command in ("dispatch", "escalate", "close", "force_close", "cancel", "reject")]
    earlier = [(cap.identifier(case.case_id, m.seq), m.at) for m in told[:-1]]
    if not earlier and case.state in ("cancelled", "rejected"):  # a Cancel must say what it takes back: the report
        earlier = [(cap.identifier(case.case_id, 1), case.opened_at)]
    department = session.get(Department, case.department_id) if case.department_id else None
    return cap.Alert(
        case_id=case.case_id,
        number=case.number,
        version=told[-1].seq if told else case.version,
        title=case.title,
        description=case.description,
        severity=case.severity,
        happening=happening_of_key(case.happening_key).removeprefix("area-"),
        class_code=case.class_code,
        class_version=case.class_version,
        state=case.state,
        sent=told[-1].at if told else case.updated_at,
        onset=case.opened_at,
        expires=case.deadline_at,
        lon=case.lon,
        lat=case.lat,
        area=case.title.split(" ", 1)[0],
        division_code=case.division_code,
        sender_name=department.name if department else "",
        confirmed=any(m.command in ("accept", "verify", "finish") for m in moves),
        confidence=case.confidence,
        web=f"{use.settings.public_url}/cases/{case.case_id}",
        exercise=bool(use.settings.subject_prefix),
        earlier=tuple(earlier),
    )
