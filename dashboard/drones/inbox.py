"""Files that come by themselves: a watched folder (``<data>/drone-inbox``) and a bucket (S3), each file taken once.

A file is taken when its size and time stood still between two looks.  A taken file of the folder moves to ``done``, one
that cannot be taken to ``refused`` with the reason beside it; objects of the bucket stay where they are.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from core.errors import YiwangError
from core.filekind import recognise
from core.settings import Settings
from dashboard.drones.intake import keep_file
from dashboard.services import Services
from dashboard.uploads.targets import TARGETS
from storage.drone_retention import expire
from storage.drones import DroneStore, FileView

log = logging.getLogger("yiwang.web")

OWNER = "system:inbox"
LOOK_S = 5.0
_BLOCK = 1 << 20
_MOST_SEEN = 200_000
_SKIP = (".part", ".tmp", ".crdownload", ".reason.txt")


@dataclass
class Inbox:
    """Looks for files; ``note``: where it remembers what of the bucket it took."""

    use: Services
    settings: Settings
    taken: int = 0
    refused: int = 0
    _still: dict[str, str] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)
    _loaded: bool = False
    _forgot: datetime | None = None

    @property
    def folder(self) -> Path:
        """The watched folder; it is watched when it is there."""
        return self.settings.data_dir / "drone-inbox"

    async def run(self) -> None:
        """Look for ever; a bucket that does not answer is said once."""
        troubled = False
        while True:
            try:
                await asyncio.to_thread(self.look)
                await asyncio.to_thread(self.forget)
                troubled = False
            except Exception as error:  # noqa: BLE001 - supervisor: a bucket or disk that is away must not end it
                if not troubled:
                    log.warning("drone inbox: %s: %s", type(error).__name__, error)
                troubled = True
            await asyncio.sleep(LOOK_S)

    def look(self) -> int:
        """One look at folder and bucket; how many files were taken."""
        before = self.taken
        if self.folder.is_dir():
            self._look_folder()
        if self.settings.drone_bucket:
            self._look_bucket()
        return self.taken - before

    def forget(self) -> int:
        """Once an hour: files that are kept no longer (``YIWANG_DRONE_KEEP_DAYS``); how many."""
        days, now = self.settings.drone_keep_days, self.use.clock.now()
        if not days or (self._forgot is not None and now - self._forgot < timedelta(hours=1)):
            return 0
        self._forgot = now
        return expire(self.use.engine, now - timedelta(days=days))

    # folder ---------------------------------------------------------------
    def _look_folder(self) -> None:
        for path in sorted(self.folder.rglob("*")):
            inside = path.relative_to(self.folder)
            if not path.is_file() or path.is_symlink() or inside.parts[0] in ("done", "refused"):
                continue
            if path.name.startswith(".") or path.name.endswith(_SKIP):
                continue
            facts = path.stat()
            if self._stands(str(path), f"{facts.st_size}:{facts.st_mtime_ns}"):
                self._take_path(path, inside)

    def _take_path(self, path: Path, inside: Path) -> None:
        try:
            take(self.use, OWNER, path, path.name, inside.parent.as_posix().strip("."))
            self.taken += 1
            target = self.folder / "done" / inside
        except YiwangError as error:
            self.refused += 1
            target = self.folder / "refused" / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            target.with_name(f"{target.name}.reason.txt").write_text(f"{error.code}: {error}\n", encoding="utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
        self._still.pop(str(path), None)

    def _stands(self, name: str, mark: str) -> bool:
        """Whether it looks as it did the last time."""
        same = self._still.get(name) == mark
        self._still[name] = mark
        if len(self._still) > _MOST_SEEN:
            self._still.clear()
        return same

    # bucket ---------------------------------------------------------------
    def _look_bucket(self) -> None:
        files, root = bucket(self.settings)
        self._load()
        changed = False
        for key, facts in files.find(root, detail=True).items():
            mark = f"{facts.get('size')}:{facts.get('ETag') or facts.get('mtime')}"
            if facts.get("type") != "file" or not facts.get("size") or self._seen.get(key) == mark:
                continue
            if self._stands(key, mark):
                self._take_object(files, key, root)
                self._seen[key] = mark
                changed = True
        if changed:
            self._save()

    def take_now(self, files: Any, key: str, root: str) -> None:
        """Take one object that somebody named, without waiting for it to stand still."""
        self._take_object(files, key, root)

    def _take_object(self, files: Any, key: str, root: str) -> None:
        inside = PurePosixPath(key[len(root) :].lstrip("/"))
        with tempfile.TemporaryDirectory(dir=self.settings.data_dir) as folder:
            scratch = Path(folder) / "object"
            try:
                with files.open(key, "rb") as source, scratch.open("wb") as copy:
                    shutil.copyfileobj(source, copy, _BLOCK)
                take(self.use, OWNER, scratch, inside.name, inside.parent.as_posix().strip("."))
                self.taken += 1
            except YiwangError as error:
                self.refused += 1
                log.info("drone bucket: %s is not taken: %s", key, error)

    @property
    def _note(self) -> Path:
        return self.settings.data_dir / "cursors" / "drone-bucket.json"

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        try:
            self._seen = {str(k): str(v) for k, v in json.loads(self._note.read_text(encoding="utf-8")).items()}
        except (OSError, ValueError, AttributeError):
            self._seen = {}  # everything is looked at again; the hash keeps each file once

    def _save(self) -> None:
        self._note.parent.mkdir(parents=True, exist_ok=True)
        partial = self._note.with_suffix(".part")
        partial.write_text(json.dumps(dict(list(self._seen.items())[-_MOST_SEEN:])), encoding="utf-8")
        partial.replace(self._note)


def bucket(settings: Settings) -> tuple[Any, str]:
    """(file system, root) of the bucket; path-style addresses, as MinIO and gateways want them."""
    if not settings.drone_bucket.startswith("s3://"):
        files, root = fsspec.core.url_to_fs(settings.drone_bucket)
        return files, str(root)
    import s3fs  # a second to load; most cities have no bucket

    bucket_files = s3fs.S3FileSystem(
        key=settings.drone_bucket_key or None, secret=settings.drone_bucket_secret or None,
        endpoint_url=settings.drone_bucket_endpoint or None, use_listings_cache=False,
        client_kwargs={"region_name": settings.drone_bucket_region},
        config_kwargs={"s3": {"addressing_style": "path"}},
    )  # fmt: skip
    bucket_files.invalidate_cache()
    return bucket_files, settings.drone_bucket.removeprefix("s3://").strip("/")


def take(use: Services, owner: str, path: Path, name: str, folder: str) -> FileView:
    """Keep a file of this machine's disk as a drone file: kind by content, once by hash.

    Raises:
        FileRefused: its kind or size is not taken.
    """
    with path.open("rb") as file:
        kind = recognise(file)
        file.seek(0)
        digest = hashlib.sha256()
        while block := file.read(_BLOCK):
            digest.update(block)
    sha256, size = digest.hexdigest(), path.stat().st_size
    TARGETS["aerial"].accept(kind, size)
    there = DroneStore(use.engine).by_hash(sha256)
    if there is not None:
        return there
    uri = _sealed(use, path, sha256, kind.media_type)
    return keep_file(
        use, owner, name=name, folder=folder, uri=uri, sha256=sha256, size=size, media_type=kind.media_type
    )


def _sealed(use: Services, path: Path, sha256: str, media_type: str) -> str:
    """A copy at its place in the media store."""
    partial = use.media.path(f"inbox/{sha256}.part")
    use.media.files.makedirs(partial.rsplit("/", 1)[0], exist_ok=True)
    with path.open("rb") as source, use.media.files.open(partial, "wb") as copy:
        shutil.copyfileobj(source, copy, _BLOCK)
    return use.media.adopt(partial, sha256, media_type)
