"""Files of a case: rights and quota before a byte is read, pictures written anew, the hash of what is kept."""

from __future__ import annotations

import asyncio
import contextlib
import io
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import select
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from core.deed import LONGEST, Deed, Told, judged
from core.errors import InputInvalid, NotFound
from core.filekind import recognise
from core.pictures import rewrite
from core.records import Actor, Command, EvidenceRef
from dashboard.answers.cases import StoredPicture
from dashboard.api.deps import Use, Who, answers, respond, takes_file
from dashboard.api.filters import Filters, Word
from dashboard.api.params import body
from dashboard.auth import Principal
from dashboard.services import Services
from dashboard.uploads.routes import owner_of
from dashboard.uploads.targets import TARGETS
from events.evidence.claims import MAX_FILES
from events.evidence.quota import check_quota
from storage.session import read_scope, session_scope
from storage.tables.cases import CaseEvidence
from storage.uploads import claim, keep_picture

router = APIRouter(tags=["cases"])

PURPOSES = ("finding", "before", "after", "check", "other")
MAX_FILE_BYTES = 20 << 20
_decoding = asyncio.Semaphore(2)  # a large picture takes 200 MB while it is decoded


class AttachBody(msgspec.Struct, forbid_unknown_fields=True):
    """A finished upload to be put into a case's file; ``told``: when and where it was taken."""

    upload_id: str
    told: Told = Told()


class AttachFilters(Filters):
    """What the file is for."""

    purpose: Word = Field("other", json_schema_extra={"enum": [*sorted(PURPOSES)]})


@router.post(
    "/api/cases/{case_id}/attachments",
    openapi_extra=takes_file("multipart/form-data", "application/json"),
    **answers(StoredPicture, 201),
)
async def attach(
    case_id: str, request: Request, asked: Annotated[AttachFilters, Query()], use: Use, who: Who
) -> Response:
    """Store a photograph (JPEG, PNG, WebP), a film (MP4, MOV, WebM) or a PDF with the case.

    Either multipart with a field ``file`` (up to 20 MB), or JSON ``{"upload_id", "told"}`` naming a
    finished upload (:mod:`dashboard.uploads`).  Rights and the day's quota are asked before
    the body is read; pictures are decoded and written anew.  Answers the stored file with its ``evidence_id``, which
    commands of the same person for this case may name.
    """
    purpose = asked.purpose
    if purpose not in PURPOSES:
        raise InputInvalid(field="purpose", detail=f"{purpose!r} is unknown", how=f"use: {', '.join(PURPOSES)}")
    length = request.headers.get("content-length", "0")
    key = request.headers.get("idempotency-key")
    await asyncio.to_thread(_may_attach, use, who.actor, case_id, int(length) if length.isdigit() else 0, key)
    if request.headers.get("content-type", "").startswith("application/json"):
        sent = await body(request, AttachBody)
        await prepare_uploads(use, who, [sent.upload_id])
        ref = await asyncio.to_thread(_attach_upload, use, who, case_id, purpose, sent, key)
    else:
        ref = await _attach_form(request, use, who, case_id, purpose, key)
    evidence_id = await asyncio.to_thread(_evidence_id, use, case_id, ref, purpose)
    answer = {"evidence_id": evidence_id, "purpose": purpose, "url": f"/media/{ref.uri}", "case_id": case_id}
    return respond(msgspec.to_builtins(ref) | answer, 201)


async def prepare_uploads(use: Services, who: Principal, upload_ids: list[str]) -> None:
    """Write the photographs among these uploads anew, before a case takes them."""
    for upload_id in upload_ids:
        async with _decoding:
            await asyncio.to_thread(keep_picture, use.engine, use.media, upload_id, owner_of(who), use.clock.now())


async def prepare_named(use: Services, who: Principal, evidence: Any) -> None:
    """:func:`prepare_uploads` for whatever a command names as evidence; what is no upload of theirs is left alone."""
    if not isinstance(evidence, list):
        return
    named = (item.get("upload_id") if isinstance(item, dict) else item for item in evidence[:MAX_FILES])
    for upload_id in named:
        if isinstance(upload_id, str) and len(upload_id) <= 40:
            with contextlib.suppress(NotFound):
                await prepare_uploads(use, who, [upload_id])


def _may_attach(use: Services, actor: Actor, case_id: str, coming_bytes: int, key: str | None) -> None:
    use.cases.check_allowed(case_id, "attach", actor, key)
    with read_scope(use.engine) as session:
        check_quota(session, actor.user_id, use.clock.now(), coming_bytes)


async def _attach_form(
    request: Request, use: Services, who: Principal, case_id: str, purpose: str, key: str | None
) -> EvidenceRef:
    data, told = await _file(request)
    found = recognise(io.BytesIO(data))
    TARGETS["case"].accept(found, len(data))
    media_type: str = found.media_type
    if found.evidence == "photo":
        async with _decoding:
            picture = await asyncio.to_thread(rewrite, data)
        data, media_type = picture.data, picture.media_type
    taken = _taken(use, told)
    ref = await asyncio.to_thread(
        use.media.put, data, kind=found.evidence, media_type=media_type, taken_at=taken.recorded_at
    )
    ref = msgspec.structs.replace(ref, location=taken.place, accuracy_m=taken.accuracy_m)
    await asyncio.to_thread(use.cases.execute, _attach_command(who, case_id, purpose, ref, key), who.actor)
    return ref


def _attach_upload(
    use: Services, who: Principal, case_id: str, purpose: str, sent: AttachBody, key: str | None
) -> EvidenceRef:
    with session_scope(use.engine) as session:
        told = placed(sent.told) or Told()
        taken = _taken(use, told)
        ref = claim(session, sent.upload_id, owner_of(who), f"case:{case_id}", taken.recorded_at)
        ref = msgspec.structs.replace(ref, location=taken.place, accuracy_m=taken.accuracy_m)
        use.cases.execute_in(session, _attach_command(who, case_id, purpose, ref, key), who.actor, told)
        return ref


def _attach_command(who: Principal, case_id: str, purpose: str, ref: EvidenceRef, key: str | None) -> Command:
    return Command(
        name="attach", case_id=case_id, actor_id=who.actor.user_id, idempotency_key=key, data={"purpose": purpose},
        files=(ref,),
    )  # fmt: skip


def _evidence_id(use: Services, case_id: str, ref: EvidenceRef, purpose: str) -> str | None:
    with read_scope(use.engine) as session:
        return session.scalar(
            select(CaseEvidence.evidence_id).where(
                CaseEvidence.case_id == case_id, CaseEvidence.sha256 == ref.sha256, CaseEvidence.purpose == purpose
            )
        )


def placed(told: Told | None) -> Told | None:
    """``told`` with a place on earth and a time with its zone."""
    if told is None:
        return None
    for name in ("at", "phone_now"):
        value = getattr(told, name)
        if value is not None and value.tzinfo is None:
            raise InputInvalid(field=f"told.{name}", detail="has no time zone", how="add Z or +08:00")
    if told.place is not None and not (abs(told.place.lon) <= 180 and abs(told.place.lat) <= 90):
        raise InputInvalid(field="told.place", detail="is no place", how="send lon and lat in degrees")
    return told


def _taken(use: Services, told: Told) -> Deed:
    now = use.clock.now()
    return judged(told, now, now - LONGEST)


def _told(form: FormData) -> Told:
    """``taken_at``, ``phone_now``, ``lon``, ``lat``, ``accuracy_m`` of a form, as far as they are there."""
    given = {k: str(v) for k, v in form.items() if isinstance(v, str) and v}
    facts: dict[str, Any] = {"at": given.get("taken_at"), "phone_now": given.get("phone_now")}
    facts["accuracy_m"] = given.get("accuracy_m")
    if "lon" in given and "lat" in given:
        facts["place"] = {"lon": given["lon"], "lat": given["lat"]}
    try:
        told = msgspec.convert({k: v for k, v in facts.items() if v is not None}, Told, strict=False)
    except msgspec.ValidationError as error:
        raise InputInvalid(field="taken_at", detail=str(error), how="send ISO 8601 and degrees") from error
    return placed(told) or Told()


async def _file(request: Request) -> tuple[bytes, Told]:
    try:
        form = await request.form(max_files=1, max_fields=8)
    except MultiPartException as error:
        raise InputInvalid(field="file", detail=error.message, how="send multipart/form-data") from error
    file: Any = form.get("file")
    if not isinstance(file, UploadFile):
        raise InputInvalid(field="file", detail="is missing", how="send multipart/form-data with a field named file")
    data = await file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise InputInvalid(field="file", detail=f"is larger than {MAX_FILE_BYTES} bytes", how="make it smaller")
    return data, _told(form)
