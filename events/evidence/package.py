"""The sealed evidence package: one zip that stands up without us.

    manifest.json   format, case, who sealed it when and why, SHA-256 of every other file, head of the audit chain
    manifest.sig    Ed25519 signature of manifest.json (64 bytes)
    public_key.pem  the key to check it with; compare its fingerprint with the one the district has published
    case.json       the whole file: transitions, parts, clocks with derivation, why
    audit_log.jsonl     the hash chain
    evidence/…      the sealed files, named by their hash
    README.txt      how to check it without this software

The archive is written in one canonical way (stored, fixed times, fixed order), so that the checker can write it again
and compare: a flipped bit anywhere, in the zip's own headers too, is found.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec
from sqlalchemy import Engine, select

from core.clock import Clock
from core.errors import InputInvalid, MediaMissing, MediaTampered, NotFound
from core.media import MediaStore
from core.records import Actor, EvidenceRef, Record
from events.cases.access import visible_cases
from events.cases.queries import case_detail
from events.cases.read_models import CaseDetail, EvidenceView
from events.evidence import audit_log
from events.evidence.audit_log import Flaw
from events.evidence.signatures import Seal, fingerprint, is_signed, read_public_key
from storage.session import session_scope
from storage.tables.cases import Case

FORMAT = "yiwang-evidence/1"
_FIRST = ("manifest.json", "manifest.sig", "public_key.pem")
_README = """This package was sealed by Yiwang. To check it without Yiwang:
1. public_key.pem: compare the SHA-256 of its raw 32 bytes with the fingerprint the district has published.
2. manifest.sig is the Ed25519 signature of the bytes of manifest.json.
3. manifest.json lists the SHA-256 of every other file.
4. audit_log.jsonl: each line's hash is sha256(prev_hash + canonical JSON of the line without prev_hash and hash);
   canonical: keys sorted, separators "," and ":", UTF-8. The last hash is "audit_head" of the manifest.
With Yiwang: python -m app verify FILE --key public_key.pem
"""


# Whatever a changed byte can make of a zip, of JSON or of a key; each means: not as it was sealed.
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError, NotImplementedError, RuntimeError,
    ValueError, LookupError, TypeError, AttributeError, OverflowError, InputInvalid,
)  # fmt: skip


class Checked(Record, frozen=True):
    """What a check found; ``flaws`` empty: the package is as it was sealed."""

    case_number: str
    sealed_at: str
    key: str  # fingerprint
    key_trusted: bool
    files: int
    links: int
    flaws: tuple[Flaw, ...]
    absent: tuple[str, ...] = ()  # evidence that was missing when the package was sealed


def seal_case(
    engine: Engine,
    clock: Clock,
    media: MediaStore,
    seal: Seal,
    actor: Actor,
    case_id: str,
    reason: str,
    target: IO[bytes],
) -> str:
    """Write the package of a case to ``target`` (seekable), the export noted in its chain.  Returns the case number."""
    with session_scope(engine) as session:
        row = session.scalars(
            select(Case).where(Case.case_id == case_id, visible_cases(actor)).with_for_update(of=Case)
        ).one_or_none()
        if row is None:
            raise NotFound(what="case", key=case_id)
        now = clock.now()
        audit_log.append(session, case_id, now, actor.user_id, "export", {"reason": reason, "key": seal.fingerprint})
        detail = case_detail(session, actor, case_id, now)
        links = [audit_log.as_dict(entry) for entry in audit_log.chain(session, case_id)]
        number = row.number
    with tempfile.TemporaryDirectory() as folder:
        files = _collect(detail, links, media, Path(folder))
        absent = files.pop("absent")
        manifest = {
            "format": FORMAT,
            "case_id": case_id,
            "number": number,
            "sealed_at": audit_log.stamp(now),
            "sealed_by": actor.user_id,
            "reason": reason,
            "audit_head": links[-1]["hash"],
            "files": [
                {"name": name, "size": path.stat().st_size, "sha256": _hash(path)}
                for name, path in sorted(files.items())
            ],
            "absent": absent,
        }
        raw = audit_log.canonical(manifest)
        head = {"manifest.json": raw, "manifest.sig": seal.sign(raw), "public_key.pem": seal.public_pem}
        _write_zip(target, head, files)
    return number


def _collect(detail: CaseDetail, links: list[dict[str, Any]], media: MediaStore, folder: Path) -> dict[str, Any]:
    texts = {
        "case.json": json.dumps(msgspec.to_builtins(detail), ensure_ascii=False, indent=1, sort_keys=True).encode(),
        "audit.jsonl": b"".join(audit_log.canonical(link) + b"\n" for link in links),
        "README.txt": _README.encode(),
    }
    files: dict[str, Any] = {}
    for name, data in texts.items():
        files[name] = folder / name
        files[name].write_bytes(data)
    absent = []
    for item in detail.evidence:
        try:
            data = media.get(_ref(item))
        except (MediaMissing, MediaTampered) as error:
            absent.append({"uri": item.uri, "sha256": item.sha256, "detail": str(error)})
            continue
        name = f"evidence/{item.uri.rsplit('/', 1)[-1]}"
        files[name] = folder / item.sha256
        files[name].write_bytes(data)
    files["absent"] = absent
    return files


def _ref(item: EvidenceView) -> EvidenceRef:
    return EvidenceRef(
        kind="document", uri=item.uri, sha256=item.sha256, media_type=item.media_type, taken_at=item.taken_at
    )


def _write_zip(target: IO[bytes], head: Mapping[str, bytes], files: Mapping[str, Path]) -> None:
    """The canonical archive: the three first files, then the others by name; stored, 1980, mode 600."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in _FIRST:
            archive.writestr(_info(name), head[name])
        for name, path in sorted(files.items()):
            info = _info(name)
            info.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(info, "w") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o600 << 16
    info.create_system = 3
    return info


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_package(path: Path, trusted_pem: bytes | None = None) -> Checked:
    """Check a package offline.  With ``trusted_pem`` it must also be signed by that key."""
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            return _check(path, archive, Path(folder), trusted_pem)
    except UNREADABLE as error:
        flaw = Flaw(chain_id=path.name, seq=0, detail=f"cannot be read as a package: {error}")
        return Checked(case_number="?", sealed_at="?", key="?", key_trusted=False, files=0, links=0, flaws=(flaw,))


def _check(path: Path, archive: zipfile.ZipFile, folder: Path, trusted_pem: bytes | None) -> Checked:
    names = archive.namelist()
    flaws: list[Flaw] = []

    def wrong(name: str, detail: str) -> None:
        flaws.append(Flaw(chain_id=name, seq=0, detail=detail))

    head = {name: archive.read(name) for name in _FIRST}
    key = read_public_key(head["public_key.pem"])
    if not is_signed(key, head["manifest.sig"], head["manifest.json"]):
        wrong("manifest.json", "its signature does not fit")
    manifest = json.loads(head["manifest.json"])
    trusted = trusted_pem is not None and fingerprint(read_public_key(trusted_pem)) == fingerprint(key)
    if trusted_pem is not None and not trusted:
        wrong("public_key.pem", "is not the key you trust")
    listed = {item["name"]: item for item in manifest["files"]}
    for name in sorted(set(names) - set(listed) - set(_FIRST)):
        wrong(name, "is not in the manifest")
    files: dict[str, Path] = {}
    for index, (name, item) in enumerate(sorted(listed.items())):
        if name not in names:
            wrong(name, "is missing")
            continue
        files[name] = folder / str(index)
        with archive.open(name) as source, files[name].open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        if files[name].stat().st_size != item["size"] or _hash(files[name]) != item["sha256"]:
            wrong(name, "does not match the hash in the manifest")
    links = 0
    if "audit.jsonl" in files:
        entries = [json.loads(line) for line in files["audit.jsonl"].read_bytes().splitlines()]
        flaws += audit_log.check_chain(entries)
        links = len(entries)
        if not entries or entries[-1]["hash"] != manifest["audit_head"]:
            wrong("audit.jsonl", "does not end at the sealed head")
    if not flaws:
        flaws += _differences(path, head, files, folder)
    return Checked(
        case_number=str(manifest["number"]),
        sealed_at=str(manifest["sealed_at"]),
        key=fingerprint(key),
        key_trusted=trusted,
        files=len(files),
        links=links,
        flaws=tuple(flaws),
        absent=tuple(str(item["uri"]) for item in manifest["absent"]),
    )


def _differences(path: Path, head: Mapping[str, bytes], files: Mapping[str, Path], folder: Path) -> Iterator[Flaw]:
    """Write the archive again and compare byte by byte."""
    again = folder / "again.zip"
    with again.open("w+b") as file:
        _write_zip(file, head, files)
    with path.open("rb") as one, again.open("rb") as two:
        offset = 0
        while True:
            a, b = one.read(1 << 20), two.read(1 << 20)
            if a != b:
                at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
                yield Flaw(chain_id=path.name, seq=offset + at, detail="the archive itself was changed at this byte")
                return
            if not a:
                return
            offset += len(a)


def seal_to_bytes(
    engine: Engine, clock: Clock, media: MediaStore, seal: Seal, actor: Actor, case_id: str, reason: str
) -> bytes:
    """:func:`seal_case` in memory, for small packages."""
    target = io.BytesIO()
    seal_case(engine, clock, media, seal, actor, case_id, reason, target)
    return target.getvalue()
