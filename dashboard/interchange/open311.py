"""Open311 GeoReport v2 (``/open311/v2/…``, JSON and XML, key of its own).

Discovery and services are public.  Reporting and reading requests need an ``api_key`` (``python -m app api-key``) with
the scope ``open311``; a key may send 60 requests a minute.  It shows
the cases that the account behind it may see; confidential ones never.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from starlette.datastructures import URL

from core.errors import Forbidden, InputInvalid, NotFound, YiwangError
from core.pictures import rewrite
from core.records import Actor, EvidenceRef
from dashboard.answers.standards import (
    Open311Definition,
    Open311Discovery,
    Open311Request,
    Open311Service,
    Open311Token,
)
from dashboard.api.deps import Use, answers, respond
from dashboard.errors import TooManyRequests, Unavailable, retry_headers, status_of
from dashboard.interchange.open311_find import find, shown
from dashboard.services import Services
from events.cases.access import visible_cases
from events.interchange import open311
from storage.session import read_scope
from storage.tables.cases import Case, CaseObservation
from storage.tables.people import ApiKey, User, UserRole

router = APIRouter(tags=["open311"])

PER_MINUTE = 60
MAX_PHOTOS = 5
FORMATS = ("json", "xml")
XML = "text/xml; charset=utf-8"


def _answer(form: str, root: str, item: str, rows: list[dict[str, Any]], status: int = 200) -> Response:
    if form == "xml":
        return Response(open311.to_xml(root, item, rows), status, media_type=XML)
    return respond(rows, status)


def _failed(form: str, error: YiwangError) -> Response:
    status = 400 if status_of(error) == 422 else status_of(error)  # the standard knows 400, 401, 403 and 404
    rows = [{"code": status, "description": str(error)}]
    answer = _answer("xml" if form == "xml" else "json", "errors", "error", rows, status)
    answer.headers.update(retry_headers(error) or {})
    return answer


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
        raise TooManyRequests(limit=PER_MINUTE, retry_after_s=max(1, math.ceil(recent[0] + 60 - now)))
    rates[digest] = [*recent, now]
    return name, actor


@router.get("/open311/v2/discovery.{form}", **answers(Open311Discovery))
def discovery(form: str, use: Use) -> Response:
    """Where and how this server speaks."""
    if form not in FORMATS:
        return _failed(form, NotFound(what="format", key=form))
    base = f"{use.settings.public_url}/open311/v2"
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": base,
        "changeset": "2026-07-01T00:00:00+08:00",
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    how = "python -m app api-key"
    body: dict[str, Any] = {"changeset": endpoint["changeset"], "contact": use.settings.public_url, "key_service": how}
    body["endpoints"] = [endpoint]
    return Response(open311.document("discovery", body), media_type=XML) if form == "xml" else respond(body)


@router.get("/open311/v2/services.{form}", **answers(Open311Service, shape="rows"))
def services(form: str) -> Response:
    """What can be reported."""
    if form not in FORMATS:
        return _failed(form, NotFound(what="format", key=form))
    return _answer(form, "services", "service", open311.service_list())


@router.get("/open311/v2/services/{code}.{form}", **answers(Open311Definition))
def service(code: str, form: str) -> Response:
    """A service's own attributes: how far the place may be off."""
    try:
        _form(form)
        open311.service_of(code)
    except NotFound as error:
        return _failed(form, error)
    attribute = {
        "variable": True, "code": "accuracy_m", "datatype": "number", "required": False, "order": 1,
        "description": "accuracy of the place in metres", "datatype_description": "", "values": [],
    }  # fmt: skip
    body = {"service_code": code, "attributes": [attribute]}
    return Response(open311.document("service_definition", body), media_type=XML) if form == "xml" else respond(body)


@router.post("/open311/v2/requests.{form}", **answers(Open311Token, shape="rows"))
async def report(form: str, request: Request, use: Use) -> Response:
    """Take a report, with up to five photographs as ``multipart/form-data`` (``media``): stored before the answer.

    The worker places it within seconds; the token leads to the request's id then.
    """
    try:
        _form(form)
        sent, files = await _sent(request)
        account, _ = await asyncio.to_thread(_account, use, request, sent.get("api_key"))
        observation = open311.read_report(sent, account, use.clock.now())
        bus = use.hub.bus
        if bus is None:
            raise Unavailable(what="the bus", detail="reports cannot be taken just now")
        photos = [await asyncio.to_thread(_kept, use, file) for file in files]
        await bus.observe(msgspec.structs.replace(observation, evidence=tuple(photos)))
    except YiwangError as error:
        return _failed(form if form in FORMATS else "json", error)
    return _answer(form, "service_requests", "request", [{"token": observation.observation_id, "account_id": ""}])


async def _sent(request: Request) -> tuple[dict[str, str], list[bytes]]:
    """Fields and pictures of the form; :class:`InputInvalid` for what is no form."""
    try:
        form = await request.form(max_fields=60, max_files=MAX_PHOTOS)
    except (HTTPException, ValueError) as error:
        detail = getattr(error, "detail", "") or str(error)
        raise InputInvalid(
            field="body", detail=str(detail)[:200], how="send a form, with at most five files"
        ) from error
    fields = {k: v for k, v in form.items() if isinstance(v, str)}
    files = [await v.read() for _, v in form.multi_items() if not isinstance(v, str)]
    return fields, [f for f in files if f]


def _kept(use: Services, data: bytes) -> EvidenceRef:
    """A picture written anew (without what a phone hides in it) and sealed."""
    picture = rewrite(data)
    return use.media.put(picture.data, kind="photo", media_type=picture.media_type, taken_at=use.clock.now())


@router.get("/open311/v2/tokens/{token}.{form}", **answers(Open311Token, shape="rows"))
def token(token: str, form: str, request: Request, use: Use) -> Response:
    """The request id behind a token; empty while the report is being placed."""
    try:
        _form(form)
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
        return _failed(form, error)
    rows = [{"service_request_id": number, "token": token}]
    return _answer(form, "service_requests", "request", rows)


class RequestFilters(BaseModel):
    """GeoReport v2's filters; each is judged by :func:`find`, whose errors have the standard's form."""

    service_request_id: str | None = Field(None, description="several with commas")
    service_code: str | None = Field(None, description="several with commas")
    status: str | None = Field(None, description="open, closed or open,closed")
    start_date: str | None = None
    end_date: str | None = None
    updated_after: str | None = None
    updated_before: str | None = None
    lat: str | None = None
    long: str | None = None
    radius: str | None = Field(None, description="metres")
    page: str | None = None
    page_size: str | None = Field(None, description="up to 1,000")
    api_key: str | None = None
    jurisdiction_id: str | None = None

    def given(self) -> dict[str, str]:
        """As sent."""
        return {k: v for k, v in self.model_dump(exclude_unset=True).items() if v is not None}


@router.get("/open311/v2/requests.{form}", **answers(Open311Request, shape="rows"))
def requests(form: str, request: Request, asked: Annotated[RequestFilters, Query()], use: Use) -> Response:
    """Requests by id, service, status, place and time (at most 90 days).

    A header ``Link`` with rel="next" says that there is another page.
    """
    try:
        _form(form)
        _, actor = _account(use, request, None)
        with read_scope(use.engine) as session:
            found = find(session, asked.given(), actor, use.clock.now())
    except YiwangError as error:
        return _failed(form, error)
    answer = _answer(form, "service_requests", "request", found.rows)
    if found.more:
        following = request.url.include_query_params(page=int(asked.page or 1) + 1)
        answer.headers["Link"] = f'<{use.settings.public_url}{following.path}?{_without_key(following)}>; rel="next"'
    return answer


def _without_key(address: URL) -> str:
    """The query without the key, which belongs into no log of links."""
    return address.remove_query_params("api_key").query


@router.get("/open311/v2/requests/{number}.{form}", **answers(Open311Request, shape="rows"))
def one(number: str, form: str, request: Request, use: Use) -> Response:
    """One request."""
    try:
        _form(form)
        _, actor = _account(use, request, None)
        with read_scope(use.engine) as session:
            case = session.scalars(
                select(Case).where(Case.number == number, Case.confidential.is_(False), visible_cases(actor))
            ).one_or_none()
            if case is None:
                raise NotFound(what="service_request_id", key=number)
            rows = shown(session, [case])
    except YiwangError as error:
        return _failed(form, error)
    return _answer(form, "service_requests", "request", rows)


@router.api_route("/open311/{path:path}", methods=["GET", "POST", "PUT", "DELETE"], include_in_schema=False)
def nowhere(path: str) -> Response:
    """Every other address, in the standard's own form."""
    return _failed(path.rpartition(".")[2], NotFound(what="address", key=f"/open311/{path}"[:120]))
