"""Are our own files those that were released?  A manifest of their hashes, signed, and the comparison with the disk.

``scripts.manifest`` writes ``manifest.json`` and ``manifest.sig`` (Ed25519 over the manifest's bytes) into the root of
the release.  Whoever checks names the release's public key himself: one that lies beside the files proves nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import YiwangError
from events.evidence.signatures import fingerprint, is_signed, read_public_key

ROOT = Path(__file__).resolve().parents[1]
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
PACKAGES = (
    "app", "core", "dashboard", "deploy", "events", "ingest", "layers", "measures", "records", "requirements",
    "scripts", "storage", "vision",
)  # fmt: skip
SINGLE = ("Dockerfile", "docker-compose.yml", "pyproject.toml", "requirements.txt", "Makefile")
_LEFT_OUT = {"__pycache__", "node_modules", "certs"}


class ManifestUntrusted(YiwangError):
    code = "manifest_untrusted"
    message = "the manifest of our own files cannot be trusted: {detail}"
    remedy = "make one with 'python -m scripts.manifest --key KEY.pem' at the release, and name its public key"


@dataclass
class OwnFiles:
    """What differs from the release; empty lists: nothing."""

    signer: str
    files: int
    changed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not (self.changed or self.missing or self.added)


def own_files(root: Path = ROOT) -> Iterator[Path]:
    """Every file that belongs to a release, relative to ``root``, in order."""
    for name in SINGLE:
        if (root / name).is_file():
            yield Path(name)
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            inside = path.relative_to(root)
            if not _LEFT_OUT & set(inside.parts) and (path.is_file() or path.is_symlink()):
                yield inside


def manifest_of(root: Path = ROOT) -> bytes:
    """The manifest: each file's SHA-256, the same bytes for the same files."""
    files = {path.as_posix(): _sha256(root / path) for path in own_files(root)}
    return json.dumps({"version": 1, "files": files}, sort_keys=True, indent=0).encode()


def compare(public_pem: bytes, root: Path = ROOT) -> OwnFiles:
    """Hold the disk against the signed manifest; :class:`ManifestUntrusted` when there is none, or another's."""
    try:
        raw, signature = (root / MANIFEST).read_bytes(), (root / SIGNATURE).read_bytes()
    except OSError as error:
        raise ManifestUntrusted(detail=f"{error.filename} cannot be read") from error
    key = read_public_key(public_pem)
    if not is_signed(key, signature, raw):
        raise ManifestUntrusted(detail="it is not signed with this key")
    released = _read(raw)
    there = {path.as_posix() for path in own_files(root)}
    found = OwnFiles(fingerprint(key), len(released))
    found.missing = sorted(released.keys() - there)
    found.added = sorted(there - released.keys())
    found.changed = sorted(name for name in there & released.keys() if _sha256(root / name) != released[name])
    return found


def _read(raw: bytes) -> dict[str, str]:
    known: Any = json.loads(raw)
    return {str(name): str(sha256) for name, sha256 in known["files"].items()}


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "unreadable"
