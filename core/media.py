"""Evidence files over fsspec: content-addressed, sealed by their SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

import fsspec

from core.errors import MediaMissing, MediaTampered
from core.officefile import SUFFIXES
from core.records import EvidenceRef

_SUFFIX = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/tiff": ".tif",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/mp2t": ".ts",
    "application/x-klv": ".klv",
    "application/json": ".json",
    **SUFFIXES,
}


class MediaStore:
    """Files below ``url`` (a path or any fsspec URL); the name is the hash, so a file never changes."""

    def __init__(self, url: str) -> None:
        self._files, self._root = fsspec.core.url_to_fs(url, auto_mkdir=True)
        self.files = self._files

    def path(self, name: str) -> str:
        """Where ``name`` lies in the store's file system."""
        return f"{self._root}/{name}"

    def adopt(self, path: str, sha256: str, media_type: str) -> str:
        """Move a file that lies in the store's file system to its sealed place; returns its ``uri``."""
        uri = f"{sha256[:2]}/{sha256}{_SUFFIX.get(media_type, '.bin')}"
        target = self.path(uri)
        if self._files.exists(target):
            self._files.rm(path)
        else:
            self._files.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
            self._files.mv(path, target)
        return uri

    def walk(self) -> Iterator[tuple[str, datetime]]:
        """``(uri, when it was written)`` of every file in the store."""
        if not self._files.exists(self._root):
            return
        root = str(self._files.info(self._root)["name"]).rstrip("/")
        for _, _, files in self._files.walk(self._root, detail=True):
            for info in files.values():
                written = info.get("mtime") or info.get("LastModified") or info.get("created") or 0
                at = written if isinstance(written, datetime) else datetime.fromtimestamp(float(written), UTC)
                yield str(info["name"])[len(root) + 1 :], at

    def remove(self, uri: str) -> int:
        """Remove a file; 1, or 0 when it was not there."""
        if ".." in uri.split("/") or uri.startswith("/"):
            raise MediaMissing(uri=uri)
        try:
            self._files.rm_file(f"{self._root}/{uri}")
        except FileNotFoundError:
            return 0
        return 1

    def put(
        self,
        data: bytes,
        *,
        kind: Literal["snapshot", "annotated", "clip", "photo", "document"],
        media_type: str,
        taken_at: datetime,
    ) -> EvidenceRef:
        """Store ``data``; storing the same bytes twice is one file."""
        sha256 = hashlib.sha256(data).hexdigest()
        uri = f"{sha256[:2]}/{sha256}{_SUFFIX.get(media_type, '.bin')}"
        path = f"{self._root}/{uri}"
        if not self._files.exists(path):
            self._files.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
            partial = f"{path}.{hashlib.sha256(str(id(data)).encode()).hexdigest()[:8]}.part"
            with self._files.open(partial, "wb") as file:
                file.write(data)
            self._files.mv(partial, path)
        return EvidenceRef(
            kind=kind, uri=uri, sha256=sha256, media_type=media_type, taken_at=taken_at, size_bytes=len(data)
        )

    def get(self, ref: EvidenceRef) -> bytes:
        """The bytes, checked against the seal: :class:`MediaMissing` or :class:`MediaTampered` otherwise."""
        data = self.read(ref.uri)
        actual = hashlib.sha256(data).hexdigest()
        if actual != ref.sha256:
            raise MediaTampered(uri=ref.uri, expected=ref.sha256, actual=actual)
        return data

    def read(self, uri: str) -> bytes:
        """The bytes at ``uri``, unchecked."""
        if ".." in uri.split("/") or uri.startswith("/"):
            raise MediaMissing(uri=uri)
        try:
            with self._files.open(f"{self._root}/{uri}", "rb") as file:
                return bytes(file.read())
        except (FileNotFoundError, IsADirectoryError) as error:
            raise MediaMissing(uri=uri) from error
