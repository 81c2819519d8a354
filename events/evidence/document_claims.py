"""Which documents a command brings: only what its sender uploaded, told by content, claimed for this case.

A command names a document by kind and ``upload_id``.  Name, kind of file, size and hash come from the stored upload,
never from the sender.  ``system`` hands on what was stored already.  Everything happens in the command's transaction:
when the command is refused, no upload is claimed and no document is kept.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.filekind import FileRefused
from core.officefile import SUFFIXES
from core.records import SYSTEM, Actor, Command
from storage.tables.uploads import Upload
from storage.uploads import claim

MAX_DOCUMENTS = 50  # in one command
MAX_BYTES = 50 << 20  # of one document
_LONGEST_NAME = 180


class DocumentUnknown(NotFound):
    """Also for another person's upload and for one of another case: the same answer."""

    message = "{field}: {key!r} is no upload of yours for this case"
    remedy = "upload the file to this case again, then send the id that the upload answered"
    zh = "{field}：{key!r} 不是您为本案上传的"
    zh_remedy = "请重新上传到本案，再提交上传时得到的编号"


def with_stored_documents(
    session: Session, command: Command, actor: Actor, case_id: str, now: datetime, kinds: Mapping[str, Any]
) -> Command:
    """``command`` with its documents replaced by what is stored.

    ``kinds`` of the definition, empty where any is taken.  Raises :class:`DocumentUnknown`, ``FileRefused`` (kind,
    size, name) and ``InputInvalid``, each with the field as ``documents[2].upload_id``.
    """
    named = command.data.get("documents")
    if named is None or actor.user_id == SYSTEM.user_id:
        return command
    if not isinstance(named, list) or len(named) > MAX_DOCUMENTS:
        how = "send a list of {type, upload_id}"
        raise InputInvalid(field="documents", detail=f"is no list of at most {MAX_DOCUMENTS}", how=how)
    found = [_stored(session, f"documents[{n}]", each, actor, case_id, now, kinds) for n, each in enumerate(named)]
    return msgspec.structs.replace(command, data={**command.data, "documents": found})


def _stored(
    session: Session, field: str, each: Any, actor: Actor, case_id: str, now: datetime, kinds: Mapping[str, Any]
) -> dict[str, Any]:
    if not isinstance(each, Mapping):
        raise InputInvalid(field=field, detail="is no document", how="send {type, upload_id}")
    kind = each.get("type") or "other"
    if not isinstance(kind, str) or len(kind) > 40 or (kinds and kind not in kinds):
        how = f"use: {', '.join(kinds)}" if kinds else "send a name of at most 40 characters"
        raise InputInvalid(field=f"{field}.type", detail=f"{str(kind)[:40]!r} is no kind of document here", how=how)
    upload_id = _id(field, each.get("upload_id"))
    row = _own(session, f"{field}.upload_id", upload_id, actor, case_id)
    try:
        ref = claim(session, upload_id, row.owner, f"case:{case_id}", now, document=True)
    except InputInvalid as error:  # another command was faster, or the upload is not whole
        facts = error.as_dict()
        raise InputInvalid(field=f"{field}.upload_id", detail=facts["detail"], how=facts["how"]) from error
    return {
        "type": kind, "name": name_of(f"{field}.upload_id", row.name, ref.media_type, kind), "uri": ref.uri,
        "sha256": ref.sha256, "media_type": ref.media_type, "size_bytes": row.size,
    }  # fmt: skip


def _id(field: str, given: Any) -> str:
    if isinstance(given, list) and len(given) == 1:  # a form's file question answers a list
        given = given[0]
    if not isinstance(given, str) or not given:
        raise InputInvalid(field=f"{field}.upload_id", detail="is missing", how="upload one file and send its id")
    return given[:80]


def _own(session: Session, field: str, upload_id: str, actor: Actor, case_id: str) -> Upload:
    """The sender's own whole upload for this case, of a kind and size that a case takes as a document."""
    row = session.get(Upload, upload_id, with_for_update=True)
    meant = str(row.facts.get("case_id") or case_id) if row is not None else ""
    if row is None or row.owner != f"user:{actor.user_id}" or meant != case_id:
        raise DocumentUnknown(what="upload", key=upload_id, field=field)
    if row.claimed_by not in ("", f"case:{case_id}"):
        raise DocumentUnknown(what="upload", key=upload_id, field=field)
    if row.state != "ready":
        raise InputInvalid(field=field, detail=f"is {row.state}", how="send the rest of it first, or upload it again")
    if row.media_type not in SUFFIXES:
        known = ", ".join(suffix[1:] for suffix in SUFFIXES.values())
        raise _refused(field, row.media_type, "kind", f"is {row.media_type}, no document", f"send one of: {known}")
    if row.size > MAX_BYTES:
        how = f"send at most {MAX_BYTES >> 20} MB"
        raise _refused(field, row.media_type, "size", f"has {row.size} bytes", how)
    return row


def name_of(field: str, name: str, media_type: str, kind: str) -> str:
    """The upload's name as it is kept; ``FileRefused`` when its ending says another kind than the content."""
    plain = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] != "C")
    plain = plain.replace("\\", "/").rsplit("/", 1)[-1].strip(" .")
    stem, dot, ending = plain.rpartition(".")
    suffix = SUFFIXES[media_type]
    if dot and f".{ending.lower()}" != suffix:
        how = f"send it under its own name, ending with {suffix}"
        raise _refused(field, media_type, "name", f"is named {plain[-80:]!r} but is a {suffix[1:]} by content", how)
    return f"{((stem if dot else plain) or kind)[:_LONGEST_NAME]}{suffix}"


def _refused(field: str, media_type: str, reason: str, detail: str, how: str) -> FileRefused:
    return FileRefused(field=field, media_type=media_type, reason=reason, detail=detail, how=how)
