"""What people do with connected platforms: verify a licence (``/api/licences``), go to one (``/api/entries``)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from dashboard.answers.exchange import EntryList, LicenceChecked, LicenceCheckList
from dashboard.api.deps import Use, Who, allow, answers, respond, takes
from dashboard.api.params import body
from dashboard.connections import entries, licences
from dashboard.connections.licences import LicenceQuestion

router = APIRouter(tags=["connections"])
VERIFIERS = [allow(*licences.VERIFIERS)]


@router.post(
    "/api/licences/verify", dependencies=VERIFIERS, openapi_extra=takes(LicenceQuestion), **answers(LicenceChecked)
)
async def verify(request: Request, use: Use, who: Who) -> Response:
    """Verify an e-licence: its identifier (GB/T 36904), then the connected platform's answer; the verdict is kept."""
    return respond(await licences.verify(use, who, await body(request, LicenceQuestion)))


@router.get("/api/licences", dependencies=VERIFIERS, **answers(LicenceCheckList))
def checked(use: Use, who: Who, case_id: Annotated[str, Query(max_length=26)] = "") -> Response:
    """The last verifications: of a case, else one's own (all of them for managers)."""
    return respond({"items": licences.checks(use, who, case_id), "next": None})


@router.get("/api/entries", **answers(EntryList))
def listed(use: Use, who: Who) -> Response:
    """The entries to other platforms that the person finds."""
    return respond({"items": entries.entries(use, who), "next": None})


@router.get("/entries/{entry_id}/go", include_in_schema=False)
def go(entry_id: str, use: Use, who: Who) -> Response:
    """Go there, signed in by a ticket where the entry has one."""
    where = entries.address(use, who, entry_id)
    kept = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response(status_code=303, headers={"Location": where, **kept})
