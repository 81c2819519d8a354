"""A case's documents to take home: never shown inside a page."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from fastapi import APIRouter, Response
from sqlalchemy import select

from core.errors import MediaTampered, NotFound
from core.officefile import SUFFIXES
from dashboard.api.deps import Use, Who, sends
from dashboard.work.paper import docx_of
from events.cases.access import visible_cases
from events.evidence.audit_log import append
from storage.session import read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.files import CaseDocument

router = APIRouter(tags=["work"])


@router.get("/api/cases/{case_id}/documents/{document_id}", **sends(*SUFFIXES, what="the document, to be saved"))
def document(case_id: str, document_id: str, use: Use, who: Who) -> Response:
    """One version of a document, for whoever may see its case; noted in the case's chain.

    An uploaded one comes as it was sent, checked against its hash; an issued one is written as docx from what was
    sealed.
    """
    with read_scope(use.engine) as session:
        row = session.scalars(
            select(CaseDocument)
            .join(Case, Case.case_id == CaseDocument.case_id)
            .where(
                CaseDocument.document_id == document_id, CaseDocument.case_id == case_id,
                visible_cases(who.actor, use.cases.definitions),
            )
        ).one_or_none()  # fmt: skip
        if row is None or row.media_type not in SUFFIXES or not (row.uri or row.content):
            # The same answer for "not there" and "not yours".
            raise NotFound(what="document", key=document_id)
        uri, sha256, media_type, name, content = row.uri, row.sha256, row.media_type, row.name, dict(row.content)
    data = use.media.read(uri) if uri else docx_of(content)
    if uri and (actual := hashlib.sha256(data).hexdigest()) != sha256:
        raise MediaTampered(uri=uri, expected=sha256, actual=actual)
    with session_scope(use.engine) as session:
        session.execute(select(Case.case_id).where(Case.case_id == case_id).with_for_update())
        note = {"document_id": document_id, "sha256": sha256}
        append(session, case_id, use.clock.now(), who.actor.user_id, "view_document", note)
    suffix = SUFFIXES[media_type]
    named = name if name.lower().endswith(suffix) else f"{name}{suffix}"
    headers = {
        "Content-Disposition": f"attachment; filename=\"document{suffix}\"; filename*=UTF-8''{quote(named, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
    return Response(data, media_type=media_type, headers=headers)
