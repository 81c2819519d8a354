"""Effects on a case's documents: ``file_documents`` takes uploads in, ``issue`` writes one from a template."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from core.clock import BEIJING
from core.errors import InputInvalid
from core.ids import new_id
from core.officefile import DOCX
from events.cases.definition_parts import Numbering
from events.cases.numbers import next_number
from events.cases.transition import Work
from events.cases.verbs.children import filled
from events.evidence.audit_log import canonical
from storage.tables.files import CaseDocument

_STORED = {"type", "name", "uri", "sha256", "media_type", "size_bytes"}


def issue(work: Work) -> None:
    """Issue a document of ``template``: its text with the case's data, an issued number, sealed by its hash."""
    name = str(work.params["template"])
    template = work.definition.templates[name]
    numbering = Numbering(prefix=str(template.get("prefix", "DOC")), series="year")
    number = next_number(work.session, "DOC", work.at, numbering)
    known = {
        **work.case.form, **work.data, "number": work.case.number, "title": work.case.title, "issued_number": number,
        "date": work.at.astimezone(BEIJING).date().isoformat(), "by": work.actor.name,
    }  # fmt: skip
    content = {
        "title": filled(template.get("title", name), known),
        "paragraphs": [filled(line, known) for line in template.get("text", [])],
        "number": number,
        "case": work.case.number,
        "date": known["date"],
        "seal": template.get("seal", ""),
    }
    sealed = canonical(content)
    row = _row(work, name, str(content["title"]))
    row.media_type, row.content, row.issued_number = DOCX, content, number
    row.sha256, row.size_bytes = hashlib.sha256(sealed).hexdigest(), len(sealed)
    work.session.add(row)
    work.session.flush()
    work.reason_data["issued"] = {"type": name, "number": number, "sha256": row.sha256}


def file_documents(work: Work) -> None:
    """Take the documents of the command's data in, each as the next version of its kind.

    They are stored ones by now (:mod:`events.evidence.document_claims`); what was filed with the report already is not
    filed again by the command that follows it.
    """
    for each in work.data.get("documents") or []:
        if not isinstance(each, Mapping) or not each.keys() >= _STORED:
            raise InputInvalid(field="documents", detail="is no stored document", how="send the id of an upload")
        kind = str(each["type"])
        filed = select(CaseDocument.document_id).where(
            CaseDocument.case_id == work.case.case_id, CaseDocument.type == kind, CaseDocument.sha256 == each["sha256"]
        )
        if work.session.scalars(filed).first() is not None:
            continue
        row = _row(work, kind, str(each["name"]))
        row.media_type, row.uri = str(each["media_type"]), str(each["uri"])
        row.sha256, row.size_bytes = str(each["sha256"]), int(each["size_bytes"])
        work.session.add(row)
        work.session.flush()


def _row(work: Work, kind: str, name: str) -> CaseDocument:
    newest = select(func.max(CaseDocument.version)).where(
        CaseDocument.case_id == work.case.case_id, CaseDocument.type == kind
    )
    return CaseDocument(
        document_id=new_id(),
        case_id=work.case.case_id,
        type=kind,
        version=(work.session.scalar(newest) or 0) + 1,
        name=name,
        media_type="",
        uri="",
        sha256="",
        size_bytes=0,
        content={},
        added_at=work.at,
        added_by=work.actor.user_id,
    )


def documents_of(work: Work) -> list[Any]:
    """All documents of the case, newest last."""
    query = select(CaseDocument).where(CaseDocument.case_id == work.case.case_id)
    return list(work.session.scalars(query.order_by(CaseDocument.added_at, CaseDocument.version)))
