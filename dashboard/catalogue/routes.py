"""``/api/catalogue`` (signed in) and ``/share/v1`` (with a key of a granted request)."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select

from dashboard.answers.sharing import (
    CatalogueDetail,
    CatalogueList,
    DcatCatalogue,
    LineageList,
    ResponsibilityList,
    SharedRows,
    ShareRequestList,
    ShareRequestRow,
)
from dashboard.api.deps import CENTRE, Use, Who, allow, answers, respond, takes
from dashboard.api.params import body
from dashboard.catalogue import desk, lineage
from dashboard.catalogue.desk import ShareDecision, Wish
from records.sharing import dcat
from storage.session import read_scope
from storage.tables.registry import Department

router = APIRouter(tags=["catalogue"])


@router.get("/api/catalogue", **answers(CatalogueList))
def catalogue(use: Use, who: Who) -> Response:
    """Every data set: who provides it, how it is shared, how fresh it is."""
    return respond({"items": desk.listed(use), "next": None})


@router.get("/api/catalogue/dcat.jsonld", **answers(DcatCatalogue, media="application/ld+json"))
def feed(use: Use, who: Who) -> Response:
    """The catalogue as DCAT-AP 3 in JSON-LD."""
    with read_scope(use.engine) as session:
        names = dict(session.execute(select(Department.department_id, Department.name)).all())
        listed = [(shared, desk.fresh_of(session, use, shared)[0]) for shared in desk.datasets(use).values()]
    found = dcat.catalogue(use.settings.public_url, "政务数据目录", listed, names, use.clock.now())
    answer = respond(found)
    answer.headers["Content-Type"] = "application/ld+json"
    return answer


@router.get("/api/catalogue/lineage", dependencies=[allow(*CENTRE)], **answers(LineageList))
def runs(use: Use, who: Who) -> Response:
    """Where data came from and went to: OpenLineage run events of connections, imports and fetches."""
    return respond({"items": lineage.events(use), "next": None})


@router.get("/api/catalogue/responsibilities", **answers(ResponsibilityList))
def responsibilities(use: Use, who: Who) -> Response:
    """The responsibility list: provider, data set, elements, cycle, due, late."""
    kept = ("provider", "provider_name", "dataset_id", "zh", "fields", "cycle", "changed_at", "due_at", "late")
    rows = [{name: row[name] for name in kept} for row in desk.listed(use)]
    return respond({"items": sorted(rows, key=lambda r: (r["provider"], r["dataset_id"])), "next": None})


@router.get("/api/catalogue/{dataset_id}", **answers(CatalogueDetail))
def one(dataset_id: str, use: Use, who: Who) -> Response:
    """One data set: elements, quality rules with results, the last fetches."""
    return respond(desk.detail(use, dataset_id))


@router.post("/api/catalogue/{dataset_id}/requests", openapi_extra=takes(Wish), **answers(ShareRequestRow, 201))
async def ask(dataset_id: str, request: Request, use: Use, who: Who) -> Response:
    """Ask for a data set: what for, which fields and rows, until when."""
    sent = await body(request, Wish)
    return respond(await asyncio.to_thread(desk.ask, use, who, dataset_id, sent), 201)


@router.get("/api/share-requests", **answers(ShareRequestList))
def requests(use: Use, who: Who) -> Response:
    """The requests that one may see."""
    return respond({"items": desk.requests(use, who), "next": None})


@router.post(
    "/api/share-requests/{request_id}/decide", dependencies=[allow(*desk.DECIDERS)], openapi_extra=takes(ShareDecision),
    **answers(ShareRequestRow),
)  # fmt: skip
async def decide(request_id: str, request: Request, use: Use, who: Who) -> Response:
    """Grant (the key stands in the answer, this once) or refuse with a reason."""
    sent = await body(request, ShareDecision)
    return respond(await asyncio.to_thread(desk.decide, use, who, request_id, sent))


@router.post("/api/share-requests/{request_id}/end", dependencies=[allow(*desk.DECIDERS)], **answers(ShareRequestRow))
def end(request_id: str, use: Use, who: Who) -> Response:
    """End a grant at once."""
    return respond(desk.end(use, who, request_id))


@router.get("/share/v1/{dataset_id}", **answers(SharedRows))
def rows(
    dataset_id: str, request: Request, use: Use,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:  # fmt: skip
    """Rows of a granted data set (header ``X-API-Key`` or ``Authorization: Bearer``): the granted fields alone."""
    bearer = request.headers.get("authorization", "").partition(" ")
    key = request.headers.get("x-api-key") or (bearer[2].strip() if bearer[0].lower() == "bearer" else "")
    address = request.client.host if request.client else ""
    return respond(desk.fetch(use, dataset_id, key, address, offset, limit))
