"""A case's records: its audit chain, probable duplicates, the sealed evidence package."""

from __future__ import annotations

import asyncio
import io
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from core.errors import InputInvalid
from dashboard.answers.cases import CaseChain, ProbableDuplicates, RoutingAdvice
from dashboard.answers.office import AuditPage
from dashboard.api.deps import CENTRE, EXPORT, Use, Who, allow, answers, respond, sends, takes
from dashboard.api.filters import Filters
from dashboard.api.params import body
from dashboard.desk.chain import entries
from dashboard.people import person_names
from dashboard.services import Services
from events.correlation.duplicates import proposals
from events.dispatching.explain import advise
from events.dispatching.routing_in_force import routing_in_force
from events.evidence import audit_log
from events.evidence.package import seal_case
from events.evidence.signatures import open_seal
from storage.session import read_scope

router = APIRouter(tags=["cases"])

_sealing = asyncio.Semaphore(2)


class Export(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /api/cases/{case_id}/package``: why the file leaves the house."""

    reason: str


@router.get("/api/cases/{case_id}/audit", **answers(CaseChain))
def chain(case_id: str, use: Use, who: Who) -> Response:
    """The case's hash chain: every move, view of evidence and export, and whether the links hold."""
    with read_scope(use.engine) as session:
        use.cases.other_case(session, case_id, who.actor)
        entries = audit_log.chain(session, case_id)
        items = [audit_log.as_dict(entry) for entry in entries]
        flaws = list(audit_log.check_chain(items))
        names = person_names(session, (item["actor_id"] for item in items))
    for item in items:
        item["actor_name"] = names.get(item["actor_id"], item["actor_id"])
    return respond({"items": items, "flaws": flaws, "holds": not flaws, "next": None})


class AuditFilters(Filters):
    """Filters of ``GET /api/audit``."""

    limit: int = Field(100, ge=1, le=500)
    before: int = Field(1 << 40, ge=1, le=1 << 40, description="only links with a lower number")


@router.get("/api/audit", tags=["office"], dependencies=[allow("auditor", "manager")], **answers(AuditPage))
def system_chain(asked: Annotated[AuditFilters, Query()], use: Use, who: Who) -> Response:
    """What people did that is not about a case (accounts, rules, plans, keys …), newest first."""
    items = entries(use, who, asked.limit, asked.before)
    return respond({"items": items, "next": items[-1]["seq"] if len(items) == asked.limit else None})


@router.get("/api/cases/{case_id}/duplicates", dependencies=[allow(*CENTRE)], **answers(ProbableDuplicates))
def duplicates(case_id: str, use: Use, who: Who) -> Response:
    """Open cases that may be the same happening, best first, each with its reasons (join them with ``merge``)."""
    with read_scope(use.engine) as session:
        case = use.cases.other_case(session, case_id, who.actor)
        found = proposals(session, case, use.cases.book(session))
    return respond({"items": found, "next": None})


@router.get("/api/cases/{case_id}/routing", **answers(RoutingAdvice))
def routing(case_id: str, use: Use, who: Who) -> Response:
    """ "Why me?": the routing steps the case keeps, the same facts computed again, and where it would go now."""
    with read_scope(use.engine) as session:
        case = use.cases.other_case(session, case_id, who.actor)
        found = advise(session, case, use.cases.book(session), routing_in_force(), use.clock.now())
    return respond(found)


@router.post(
    "/api/cases/{case_id}/package",
    dependencies=[allow("admin", "operator", "manager"), EXPORT],
    openapi_extra=takes(Export),
    **sends("application/zip"),
)
async def package(case_id: str, request: Request, use: Use, who: Who) -> Response:
    """The sealed evidence package (zip with manifest, signature, chain, files); the export is noted in the chain."""
    sent = await body(request, Export)
    if not 2 <= len(sent.reason.strip()) <= 500:
        raise InputInvalid(field="reason", detail="is missing or too long", how="say in a few words what it is for")
    async with _sealing:
        number, data = await asyncio.to_thread(_seal, use, who, case_id, sent.reason)
    headers = {"Content-Disposition": f'attachment; filename="case-{number}.zip"'}
    return Response(data, media_type="application/zip", headers=headers)


def _seal(use: Services, who: Any, case_id: str, reason: str) -> tuple[str, bytes]:
    target = io.BytesIO()
    seal = open_seal(use.settings.data_dir / "keys")
    number = seal_case(use.engine, use.clock, use.media, seal, who.actor, case_id, reason, target)
    return number, target.getvalue()
