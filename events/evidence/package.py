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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import msgspec
from sqlalchemy import Engine, select

from core.clock import Clock
from core.errors import InputInvalid, MediaMissing, MediaTampered, NotFound
from core.media import MediaStore
from core.records import Actor, EvidenceRef, Record
from events.cases.access import visible_cases
from events.cases.detail import case_detail
from events.cases.read_models import CaseDetail, EvidenceView
from events.evidence import audit_log
from events.evidence.audit_log import ChainFlaw
from events.evidence.signatures import EvidenceSeal, fingerprint, is_signed, read_public_key
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


SIGNER = "public_key.pem"
MAX_MANIFEST_BYTES = 64 << 20
MAX_LINK_BYTES = 16 << 20
_PACKERS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", ".directory"})


@dataclass(frozen=True)
class PackageSource:
    """A file to be packed: its size in bytes, and how to read it."""

    size: int
    open: Callable[[], IO[bytes]]


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
    flaws: tuple[ChainFlaw, ...]
    absent: tuple[str, ...] = ()  # evidence that was missing when the package was sealed


def seal_case(
    engine: Engine,
    clock: Clock,
    media: MediaStore,
    seal: EvidenceSeal,
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
        _write_zip(target, head, {name: _on_disk(path) for name, path in files.items()})
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


def _write_zip(target: IO[bytes], head: Mapping[str, bytes], files: Mapping[str, PackageSource]) -> None:
    """The canonical archive: the three first files, then the others by name; stored, 1980, mode 600."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in _FIRST:
            archive.writestr(_info(name), head[name])
        for name, source in sorted(files.items()):
            info = _info(name)
            info.file_size = source.size
            with source.open() as reader, archive.open(info, "w") as sink:
                shutil.copyfileobj(reader, sink, 1 << 20)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o600 << 16
    info.create_system = 3
    return info


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _on_disk(path: Path) -> PackageSource:
    return PackageSource(path.stat().st_size, lambda: path.open("rb"))


def check_package(path: Path, trusted_pem: bytes | None = None) -> Checked:
    """Check a package offline, in bounded memory.  With ``trusted_pem`` it must also be signed by that key.

    A flaw's ``kind``: ``changed``; ``added`` (something lies in the archive that was not sealed, as packers and file
    managers do); ``repacked`` (every sealed file is as it was, the archive around them was written anew).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _check(path, archive, trusted_pem)
    except UNREADABLE as error:
        flaw = ChainFlaw(chain_id=path.name, seq=0, detail=f"cannot be read as a package: {error}"[:300])
        return Checked(case_number="?", sealed_at="?", key="?", key_trusted=False, files=0, links=0, flaws=(flaw,))


def _check(path: Path, archive: zipfile.ZipFile, trusted_pem: bytes | None) -> Checked:
    infos = {info.filename: info for info in archive.infolist()}
    flaws: list[ChainFlaw] = []
    if len(infos) != len(archive.infolist()):
        flaws.append(ChainFlaw(chain_id=path.name, seq=0, detail="two files in the archive have the same name"))
    head = {name: _read_small(archive, infos[name]) for name in _FIRST}
    key = read_public_key(head["public_key.pem"])
    trusted = trusted_pem is not None and fingerprint(read_public_key(trusted_pem)) == fingerprint(key)
    if trusted_pem is not None and not trusted:
        flaws.append(ChainFlaw(chain_id=SIGNER, seq=0, detail="is not the key you trust"))
    manifest: dict[str, Any] = json.loads(head["manifest.json"])
    listed: dict[str, dict[str, Any]] = {str(item["name"]): item for item in manifest["files"]}
    links = 0
    if not is_signed(key, head["manifest.sig"], head["manifest.json"]):
        # Sizes in a manifest that nobody signed are promises of nobody: nothing more is read.
        flaws.append(ChainFlaw(chain_id="manifest.json", seq=0, detail="its signature does not fit"))
    else:
        flaws += _added(infos, listed)
        flaws += _check_files(archive, infos, listed)
        if "audit.jsonl" in infos and not any(f.kind == "changed" for f in flaws if f.chain_id == "audit.jsonl"):
            chain = _Links(archive, infos["audit.jsonl"])
            flaws += audit_log.check_chain(chain)
            links = chain.count
            if chain.last != manifest["audit_head"]:
                flaws.append(ChainFlaw(chain_id="audit.jsonl", seq=links, detail="does not end at the sealed head"))
        if all(flaw.chain_id == SIGNER for flaw in flaws):
            flaws += _differences(path, archive, head, listed)
    return Checked(
        case_number=str(manifest["number"]),
        sealed_at=str(manifest["sealed_at"]),
        key=fingerprint(key),
        key_trusted=trusted,
        files=sum(1 for name in listed if name in infos),
        links=links,
        flaws=tuple(flaws),
        absent=tuple(str(item["uri"]) for item in manifest["absent"]),
    )


def _read_small(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """One of the first three files; a length that no honest one has is refused before it is unpacked."""
    with archive.open(info) as file:
        data = file.read(MAX_MANIFEST_BYTES + 1)
    if len(data) > MAX_MANIFEST_BYTES:
        raise ValueError(f"{info.filename} is larger than {MAX_MANIFEST_BYTES} bytes")
    return data


def _added(infos: Mapping[str, zipfile.ZipInfo], listed: Mapping[str, Any]) -> Iterator[ChainFlaw]:
    for name in sorted(set(infos) - set(listed) - set(_FIRST)):
        first, last = name.split("/", 1)[0], name.rstrip("/").rsplit("/", 1)[-1]
        habit = first == "__MACOSX" or last in _PACKERS or name.endswith("/")
        detail = "was added by a packer" if habit else "was added after sealing: it is not in the manifest"
        yield ChainFlaw(chain_id=name, seq=0, detail=f"{detail}; it is no part of what was sealed", kind="added")


def _check_files(
    archive: zipfile.ZipFile, infos: Mapping[str, zipfile.ZipInfo], listed: Mapping[str, dict[str, Any]]
) -> Iterator[ChainFlaw]:
    """Each sealed file against its hash; never more is unpacked than the manifest says."""
    for name, item in sorted(listed.items()):
        if name not in infos:
            yield ChainFlaw(chain_id=name, seq=0, detail="is missing")
            continue
        size, digest = 0, hashlib.sha256()
        try:
            with archive.open(infos[name]) as source:
                while size <= int(item["size"]) and (block := source.read(1 << 20)):
                    size += len(block)
                    digest.update(block)
        except UNREADABLE as error:
            yield ChainFlaw(chain_id=name, seq=0, detail=f"cannot be read: {error}"[:300])
            continue
        if size != item["size"] or digest.hexdigest() != item["sha256"]:
            yield ChainFlaw(chain_id=name, seq=0, detail="does not match the hash in the manifest")


class _Links:
    """The links of ``audit.jsonl``, one after the other; ``last`` and ``count`` when all were read."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._archive, self._info = archive, info
        self.last, self.count = "", 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self._archive.open(self._info) as file:
            while line := file.readline(MAX_LINK_BYTES + 1):
                if len(line) > MAX_LINK_BYTES:
                    raise ValueError(f"a line of audit.jsonl is longer than {MAX_LINK_BYTES} bytes")
                link = json.loads(line)
                self.last, self.count = str(link["hash"]), self.count + 1
                yield link


def _differences(
    path: Path, archive: zipfile.ZipFile, head: Mapping[str, bytes], listed: Mapping[str, dict[str, Any]]
) -> Iterator[ChainFlaw]:
    """Write the archive again (on the disk) and compare byte by byte."""
    files = {name: PackageSource(int(item["size"]), partial(archive.open, name)) for name, item in listed.items()}
    with tempfile.TemporaryFile() as again, path.open("rb") as one:
        _write_zip(again, head, files)
        again.seek(0)
        offset = 0
        while True:
            a, b = one.read(1 << 20), again.read(1 << 20)
            if a != b:
                at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
                detail = "the archive was changed at this byte or packed again; the sealed files are as they were"
                yield ChainFlaw(chain_id=path.name, seq=offset + at, detail=detail, kind="repacked")
                return
            if not a:
                return
            offset += len(a)


def seal_to_bytes(
    engine: Engine, clock: Clock, media: MediaStore, seal: EvidenceSeal, actor: Actor, case_id: str, reason: str
) -> bytes:
    """:func:`seal_case` in memory, for small packages."""
    target = io.BytesIO()
    seal_case(engine, clock, media, seal, actor, case_id, reason, target)
    return target.getvalue()
