"""Which files a command brings: never what the sender says of them, always what the server stored.

A command names its evidence by id: of one's own file that this case already has (``evidence_id``), or of one's own
finished upload that no other case has taken (``upload_id``).  The whole answer of an upload may be sent back: only the
ids and the hash in it are looked at.  Kind, size, hash, type and times come from the stored row.  ``system`` (rules,
cameras) brings sealed references of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.records import SYSTEM, Actor, Command, EvidenceRef, GeoPoint
from storage.tables.cases import CaseEvidence
from storage.uploads import claim

MAX_FILES = 50  # in one command
_IDS = ("evidence_id", "upload_id", "id")


class EvidenceUnknown(InputInvalid):
    code = "evidence_unknown"
    message = "evidence {key!r} is no upload of yours for this case"
    remedy = "upload the file to this case first, then send the id that the upload answered"
    zh = "证据 {key!r} 不是您为本案上传的"
    zh_remedy = "请先上传到本案，再提交上传时得到的编号"


def with_stored_evidence(session: Session, command: Command, actor: Actor, case_id: str, now: datetime) -> Command:
    """``command`` with its evidence replaced by what is stored; :class:`EvidenceUnknown` for anything else."""
    named = command.data.get("evidence")
    if actor.user_id == SYSTEM.user_id or (named is None and not command.files):
        return command
    items = [] if named is None else named
    if not isinstance(items, list) or len(items) > MAX_FILES:
        raise InputInvalid(field="evidence", detail=f"is no list of at most {MAX_FILES} ids", how="send upload ids")
    found = [*command.files, *(_stored(session, item, actor, case_id, now) for item in items)]
    refs = list({ref.sha256: msgspec.to_builtins(ref) for ref in found}.values())
    return msgspec.structs.replace(command, data={**command.data, "evidence": refs}, files=())


def _stored(session: Session, item: Any, actor: Actor, case_id: str, now: datetime) -> EvidenceRef:
    if isinstance(item, str):
        item = {"id": item}
    if not isinstance(item, Mapping):
        raise EvidenceUnknown(key=str(item)[:80])
    keys = [str(item[name])[:80] for name in _IDS if item.get(name)]
    own = select(CaseEvidence).where(CaseEvidence.case_id == case_id, CaseEvidence.added_by == actor.user_id)
    if keys:
        row = session.scalars(own.where(CaseEvidence.evidence_id.in_(keys))).first()
    else:
        row = session.scalars(own.where(CaseEvidence.sha256 == str(item.get("sha256", ""))[:64])).first()
    if row is None and keys:
        return _claimed(session, keys[0], actor, case_id, now)
    if row is None:
        raise EvidenceUnknown(key=str(item.get("sha256", ""))[:64])
    return EvidenceRef(
        kind=row.kind,  # type: ignore[arg-type]  # was checked when it was stored
        uri=row.uri,
        sha256=row.sha256,
        media_type=row.media_type,
        taken_at=row.taken_at,
        size_bytes=row.size_bytes,
        location=GeoPoint(lon=row.lon, lat=row.lat) if row.lon is not None and row.lat is not None else None,
        accuracy_m=row.accuracy_m,
    )


def _claimed(session: Session, upload_id: str, actor: Actor, case_id: str, now: datetime) -> EvidenceRef:
    """A finished upload of the actor's that was begun for this case, or for none in particular."""
    try:
        return claim(session, upload_id, f"user:{actor.user_id}", f"case:{case_id}", now)
    except NotFound as error:
        raise EvidenceUnknown(key=upload_id) from error
