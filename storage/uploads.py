"""Keeps resumable uploads: rows in the database, bytes as parts in the media store until the file is whole.

Several web processes may serve one upload.  Nobody holds a lock: a part is written under a name of its own and counts
only when the row's ``received`` is still where the part begins (compare and set); the loser's part is dropped.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import IO, Any, Literal

from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import Clock
from core.errors import InputInvalid, NotFound, YiwangError
from core.filekind import FileKind, FileRefused, recognise, refused
from core.media import MediaStore
from core.pictures import rewrite
from core.records import EvidenceRef, Record
from storage.session import read_scope, session_scope
from storage.tables.uploads import Upload

UNFINISHED = timedelta(days=3)  # since the last byte
UNCLAIMED = timedelta(days=14)  # whole, but nobody took it
MAX_PICTURE_BYTES = 40 << 20  # a picture that a case takes; survey pictures are no case's
MAX_OPEN = 500  # unfinished uploads of one owner
SWEEP_AT_ONCE = 20
Accept = Callable[[FileKind, int], None]  # raises FileRefused


class OffsetWrong(YiwangError):
    code = "upload_offset"
    message = "the upload stands at byte {expected}, not {given}"
    remedy = "ask with HEAD where it stands and go on from there"
    zh = "上传已到第 {expected} 字节，不是第 {given} 字节"
    zh_remedy = "用 HEAD 询问位置，从那里继续"


class UploadGone(YiwangError):
    code = "upload_gone"
    message = "this upload was refused, or has expired"
    remedy = "begin a new one"
    zh = "这个上传已被拒绝或已过期"
    zh_remedy = "请重新开始上传"


class ChecksumWrong(YiwangError):
    code = "upload_checksum"
    message = "what arrived does not have the checksum {given}"
    remedy = "send it again"
    zh = "收到的内容与校验值 {given} 不符"
    zh_remedy = "请再发一次"


class UploadView(Record, frozen=True, omit_defaults=False):
    """An upload as its owner may know it; ``size`` and ``received`` in bytes."""

    upload_id: str
    target: str
    name: str
    size: int
    received: int
    state: Literal["receiving", "ready", "refused"]
    sha256: str
    media_type: str
    kind: str
    problem: dict[str, Any]
    facts: dict[str, Any]
    claimed_by: str
    expires_at: datetime


class PartWriter:
    """Bytes of one request on their way into the media store; ``keep`` hands them over, else they are dropped."""

    def __init__(self, media: MediaStore, path: str, checksum: tuple[str, str] | None) -> None:
        self._media, self.path = media, path
        self._file: IO[bytes] = media.files.open(media.path(path), "wb")
        self._checksum = checksum
        self._sum = hashlib.new(checksum[0], usedforsecurity=False) if checksum else None
        self.size = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)
        if self._sum is not None:
            self._sum.update(data)

    def close(self) -> None:
        """On disk when this returns; :class:`ChecksumWrong` when the sender promised other bytes."""
        with contextlib.suppress(OSError, AttributeError, ValueError):  # object stores have no descriptor
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        if self._sum is not None and self._checksum is not None and self._sum.hexdigest() != self._checksum[1]:
            raise ChecksumWrong(given=self._checksum[1])

    def drop(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._media.files.rm(self._media.path(self.path))


class UploadStore:
    """Uploads of one database and media store; share it between threads."""

    def __init__(self, engine: Engine, media: MediaStore, clock: Clock) -> None:
        self.engine, self.media, self.clock = engine, media, clock

    def create(
        self, owner: str, target: str, size: int, *, key: str = "", name: str = "", sha256: str = "",
        facts: Mapping[str, Any] | None = None,
    ) -> UploadView:  # fmt: skip
        """Begin an upload of ``size`` bytes; the same ``owner`` and ``key`` find the one that was begun before."""
        self.sweep()
        key = key or secrets.token_urlsafe(18)
        try:
            with session_scope(self.engine) as session:
                earlier = self._by_key(session, owner, key)
                if earlier is not None:
                    return _same(earlier, size)
                self._not_too_many(session, owner)
                now = self.clock.now()
                row = Upload(
                    upload_id=secrets.token_urlsafe(24), owner=owner, idem_key=key, target=target, name=name[:200],
                    size=size, received=0, parts=[], expected_sha256=sha256, facts=dict(facts or {}),
                    state="receiving", problem={}, created_at=now, expires_at=now + UNFINISHED,
                )  # fmt: skip
                session.add(row)
                session.flush()
                return _view(row)
        except IntegrityError:  # its twin was begun in between
            with read_scope(self.engine) as session:
                twin = self._by_key(session, owner, key)
                if twin is None:
                    raise
                return _same(twin, size)

    def _by_key(self, session: Session, owner: str, key: str) -> Upload | None:
        return session.scalar(select(Upload).where(Upload.owner == owner, Upload.idem_key == key))

    def _not_too_many(self, session: Session, owner: str) -> None:
        query = select(func.count()).select_from(Upload).where(Upload.owner == owner, Upload.state == "receiving")
        if (session.scalar(query) or 0) >= MAX_OPEN:
            raise InputInvalid(field="upload", detail=f"{MAX_OPEN} are unfinished", how="finish or delete some first")

    def find(self, upload_id: str, owner: str) -> UploadView:
        """The upload; ``NotFound`` also when it is somebody else's."""
        with read_scope(self.engine) as session:
            return _view(self._row(session, upload_id, owner))

    def _row(self, session: Session, upload_id: str, owner: str) -> Upload:
        row = session.get(Upload, upload_id)
        if row is None or row.owner != owner:
            raise NotFound(what="upload", key=upload_id)
        return row

    def begin_part(self, view: UploadView, offset: int, checksum: tuple[str, str] | None = None) -> PartWriter:
        """A writer for bytes from ``offset`` on; ``checksum`` is (algorithm, hex digest) of what will come."""
        if view.state == "refused":
            raise UploadGone()
        if offset != view.received:
            raise OffsetWrong(expected=view.received, given=offset)
        folder = f"uploads/{view.upload_id}"
        self.media.files.makedirs(self.media.path(folder), exist_ok=True)
        return PartWriter(self.media, f"{folder}/{offset:015d}-{secrets.token_hex(4)}.part", checksum)

    def add_part(self, view: UploadView, offset: int, part: PartWriter) -> UploadView:
        """Count a closed part; :class:`OffsetWrong` when another request was faster."""
        now = self.clock.now()
        with session_scope(self.engine) as session:
            parts = [*self._row_parts(session, view.upload_id), [part.path, part.size]]
            changed = session.execute(
                update(Upload)
                .where(Upload.upload_id == view.upload_id, Upload.received == offset, Upload.state == "receiving")
                .values(received=offset + part.size, parts=parts, expires_at=now + UNFINISHED)
                .returning(Upload.upload_id)
            ).first()
            row = session.get(Upload, view.upload_id)
            if changed is None or row is None:
                raise OffsetWrong(expected=row.received if row else 0, given=offset)
            return _view(row)

    def _row_parts(self, session: Session, upload_id: str) -> list[Any]:
        return list(session.scalar(select(Upload.parts).where(Upload.upload_id == upload_id)) or [])

    def finish(self, upload_id: str, accept: Accept) -> UploadView:
        """Put a whole upload together: hash, kind by content, ``accept``; a second call finds it done.

        :class:`FileRefused` when it is not taken (the row then says so) or does not have the promised hash.
        """
        with read_scope(self.engine) as session:
            row = session.get(Upload, upload_id)
            if row is None:
                raise UploadGone()
            if row.state == "ready":
                return _view(row)
            if row.state == "refused":
                raise UploadGone()
            expected, parts, size = row.expected_sha256, list(row.parts), row.size
        path = self.media.path(f"uploads/{upload_id}/whole-{secrets.token_hex(4)}")
        try:
            digest = self._join(path, parts, size, upload_id)
            if expected and digest != expected:
                raise refused("", "hash", f"arrived with the hash {digest}, not {expected}", "send it again")
            with self.media.files.open(path, "rb") as file:
                kind = recognise(file)
            accept(kind, size)
        except FileRefused as problem:
            self._settle(upload_id, state="refused", problem=problem.as_dict())
            self._remove(upload_id)
            raise
        uri = self.media.adopt(path, digest, kind.media_type)
        known = {"sha256": digest, "uri": uri, "media_type": kind.media_type, "kind": kind.kind}
        view = self._settle(upload_id, state="ready", **known)
        self._remove(upload_id)
        return view

    def _join(self, path: str, parts: list[Any], size: int, upload_id: str) -> str:
        digest, written = hashlib.sha256(), 0
        with self.media.files.open(path, "wb") as whole:
            for name, _ in parts:
                for block in self._blocks(name):
                    digest.update(block)
                    written += len(block)
                    whole.write(block)
        if written != size:  # the disk lost what it had promised
            with session_scope(self.engine) as session:
                session.execute(update(Upload).where(Upload.upload_id == upload_id).values(received=0, parts=[]))
            raise OffsetWrong(expected=0, given=size)
        return digest.hexdigest()

    def _blocks(self, name: str) -> Iterator[bytes]:
        try:
            with self.media.files.open(self.media.path(name), "rb") as file:
                while block := file.read(1 << 20):
                    yield block
        except FileNotFoundError:
            return

    def _settle(self, upload_id: str, **changes: Any) -> UploadView:
        now = self.clock.now()
        with session_scope(self.engine) as session:
            session.execute(
                update(Upload)
                .where(Upload.upload_id == upload_id, Upload.state == "receiving")
                .values(parts=[], finished_at=now, expires_at=now + UNCLAIMED, **changes)
            )
            row = session.get(Upload, upload_id)
            if row is None:
                raise UploadGone()
            return _view(row)

    def cancel(self, upload_id: str, owner: str) -> None:
        """Forget an upload that nobody has claimed."""
        with session_scope(self.engine) as session:
            row = self._row(session, upload_id, owner)
            if row.claimed_by:
                raise InputInvalid(field="upload", detail="has been used already", how="leave it where it is")
            session.delete(row)
        self._remove(upload_id)

    def sweep(self) -> None:
        """Drop a few that have expired: unfinished ones, and whole ones that nobody claimed."""
        over = (Upload.expires_at < self.clock.now(), Upload.claimed_by == "")
        with read_scope(self.engine) as session:
            ids = session.scalars(select(Upload.upload_id).where(*over).limit(SWEEP_AT_ONCE)).all()
        if not ids:
            return
        with session_scope(self.engine) as session:
            for row in session.scalars(select(Upload).where(Upload.upload_id.in_(ids), Upload.claimed_by == "")):
                session.delete(row)
        for upload_id in ids:
            self._remove(upload_id)

    def _remove(self, upload_id: str) -> None:
        with contextlib.suppress(OSError):
            self.media.files.rm(self.media.path(f"uploads/{upload_id}"), recursive=True)


def claim(
    session: Session, upload_id: str, owner: str, by: str, taken_at: datetime, *, document: bool = False
) -> EvidenceRef:
    """Take a whole upload for ``by`` (a case, a mission …) in the caller's transaction; again for the same ``by`` is
    harmless.  ``NotFound`` for somebody else's, ``InputInvalid`` while it is not whole or when another has it."""
    row = session.get(Upload, upload_id, with_for_update=True)
    if row is None or row.owner != owner:
        raise NotFound(what="upload", key=upload_id)
    if row.state != "ready":
        raise InputInvalid(field="upload_id", detail=f"is {row.state}", how="send the rest of it first")
    if row.target == "document" and by.startswith("case:") and not document:
        raise InputInvalid(field="upload_id", detail="was sent as a document", how="add it to the case's documents")
    if row.claimed_by not in ("", by):
        raise InputInvalid(field="upload_id", detail="has been used for something else", how="upload the file again")
    meant = str(row.facts.get("case_id") or "")
    if meant and by.startswith("case:") and by != f"case:{meant}":
        raise InputInvalid(field="upload_id", detail="was sent for another case", how="upload the file to this case")
    kept = row.facts.get("kept")
    if row.kind == "photo" and by.startswith("case:") and kept is None:
        raise InputInvalid(field="upload_id", detail="was not prepared as a picture", how="attach it to the case")
    row.claimed_by = by
    if kept is not None:
        return EvidenceRef(kind="photo", taken_at=taken_at, **kept)
    kind: Any = row.kind if row.kind in ("photo", "clip") else "document"
    return EvidenceRef(
        kind=kind, uri=row.uri, sha256=row.sha256, media_type=row.media_type, taken_at=taken_at, size_bytes=row.size
    )


def keep_picture(engine: Engine, media: MediaStore, upload_id: str, owner: str, now: datetime) -> None:
    """Write a photograph anew (:mod:`core.pictures`) before a case takes it; once, and nothing for other kinds.

    The row goes on telling the hash of what was sent; what the case gets is ``facts["kept"]``.
    """
    with read_scope(engine) as session:
        row = session.get(Upload, upload_id)
        if row is None or row.owner != owner:
            raise NotFound(what="upload", key=upload_id)
        if row.state != "ready" or row.kind != "photo" or "kept" in row.facts or row.claimed_by:
            return
        uri, largest = row.uri, row.size
    if largest > MAX_PICTURE_BYTES:
        raise InputInvalid(field="upload_id", detail=f"has {largest} bytes", how="send a smaller picture")
    picture = rewrite(media.read(uri))
    ref = media.put(picture.data, kind="photo", media_type=picture.media_type, taken_at=now)
    kept = {"uri": ref.uri, "sha256": ref.sha256, "media_type": ref.media_type, "size_bytes": ref.size_bytes}
    with session_scope(engine) as session:
        again = session.get(Upload, upload_id, with_for_update=True)
        if again is not None:
            again.facts = {**again.facts, "kept": kept}


def _same(row: Upload, size: int) -> UploadView:
    if row.size != size:
        raise InputInvalid(field="key", detail="was used for a file of another size", how="use a new key for each file")
    return _view(row)


def _view(row: Upload) -> UploadView:
    return UploadView(**{name: getattr(row, name) for name in UploadView.__struct_fields__})
