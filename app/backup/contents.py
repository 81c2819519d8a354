"""What belongs to a backup, as pieces of a tar stream: the database as of one moment, then every file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import fsspec
from psycopg.errors import UndefinedTable
from sqlalchemy.engine import make_url

from app.backup import postgres
from core.settings import Settings
from storage.migrate import current

FORMAT = "yiwang-backup/1"
HEAD, END = "backup.json", "manifest.jsonl"
DATABASE = "yiwang.db"
ANCHORS = "audit/heads.jsonl"
BLOCK = 1 << 20
# The bus holds what is minutes old, logs tell of this machine, the lock is a running process's.
_LEFT_OUT = ("nats", "logs", "lock", "server.pid")
_SECRETS = ("nats_token", "mqtt_password", "mqtt_device_password", "session_secret")


@dataclass(frozen=True)
class BackupItem:
    """A file of the backup: its name, its size in bytes, how to read it, when it was written."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    mtime: float


class Packer:
    """Makes the tar stream; ``read`` gives it out in pieces, whatever lies behind."""

    def __init__(self, settings: Settings, env: dict[str, str], scratch: Path) -> None:
        self._settings, self._env, self._scratch = settings, env, scratch
        self._pieces = self._stream()
        self._left = b""
        self.files = self.bytes = 0
        self.absent: list[str] = []

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes of the stream; b"" at its end."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._left = piece
        size = len(self._left) if size < 0 else size
        found, self._left = self._left[:size], self._left[size:]
        return found

    def _stream(self) -> Iterator[bytes]:
        sums = []
        for item in self._items():
            digest = hashlib.sha256()
            try:
                source = item.open()
            except OSError:
                self.absent.append(item.name)  # it went away while the backup was made
                continue
            with source:
                yield _head(item)
                left = item.size
                while left and (block := source.read(min(BLOCK, left))):
                    digest.update(block)
                    left -= len(block)
                    yield block
                if left:
                    raise OSError(f"{item.name} became shorter while it was read")
            yield bytes(-item.size % tarfile.BLOCKSIZE)
            self.files, self.bytes = self.files + 1, self.bytes + item.size
            sums.append({"name": item.name, "size": item.size, "sha256": digest.hexdigest()})
        text = b"".join(
            json.dumps(line).encode() + b"\n" for line in [*sums, {"absent": self.absent, "files": len(sums)}]
        )
        yield _head(_of_bytes(END, text)) + text + bytes(-len(text) % tarfile.BLOCKSIZE) + bytes(2 * tarfile.BLOCKSIZE)

    def _items(self) -> Iterator[BackupItem]:
        url = self._settings.database_url
        about = {
            "format": FORMAT, "made_at": datetime.now(UTC).isoformat(timespec="seconds"), "schema": current(url),
            "database": make_url(url).get_backend_name(), "district": self._settings.district,
        }  # fmt: skip
        yield _of_bytes(HEAD, json.dumps(about, ensure_ascii=False).encode())
        if about["database"] == "sqlite":
            yield from self._sqlite(Path(make_url(url).database or ""))
        else:
            yield from self._postgres(url)
        yield from self._configuration()
        yield from self._folder()
        yield from self._media()

    def _sqlite(self, path: Path) -> Iterator[BackupItem]:
        """A consistent copy of a database that may be written to meanwhile, and the anchors as of then."""
        copy = self._scratch / DATABASE
        copy_sqlite(path, copy)
        with closing(sqlite3.connect(copy)) as database:
            anchors = list(self._anchors(lambda query: database.execute(query).fetchone()))
        yield from anchors
        yield _of_file(DATABASE, copy)
        copy.unlink()

    def _postgres(self, url: str) -> Iterator[BackupItem]:
        with postgres.snapshot(url) as connection:
            yield from self._anchors(lambda query: connection.execute(query).fetchone())
            for table in postgres.tables(connection):
                copy = self._scratch / "table.copy"
                postgres.copy_out(connection, table, copy)
                yield _of_file(f"postgres/{table}.copy", copy)
                copy.unlink()

    def _anchors(self, ask: Callable[[str], Any]) -> Iterator[BackupItem]:
        """The anchor file as far as the database's copy knows of it: later lines tell of what is not in it."""
        path = self._settings.data_dir / ANCHORS
        if not path.exists():
            return
        lines = path.read_bytes()
        known = None
        with contextlib.suppress(sqlite3.OperationalError, UndefinedTable):  # a database older than this table
            known = ask("SELECT max(n) FROM audit_anchor")
        if known is not None:
            newest = known[0]
            kept = [
                line for line in lines.splitlines(keepends=True)
                if (_covered(line, ask) if newest is None else _number(line) <= int(newest))
            ]  # fmt: skip
            lines = b"".join(kept)
        yield _of_bytes(ANCHORS, lines)

    def _configuration(self) -> Iterator[BackupItem]:
        """Secrets that came from the environment join the kept ones; the other settings are written down."""
        path = self._settings.data_dir / "secrets.json"
        kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        kept |= {name: getattr(self._settings, name) for name in _SECRETS}
        yield _of_bytes("secrets.json", json.dumps(kept, indent=1).encode())
        hidden = ("PASSWORD", "TOKEN", "SECRET", "DATABASE_URL", "DATA_DIR", "MEDIA_URL")
        shown = {k: v for k, v in sorted(self._env.items()) if k.startswith("YIWANG_") and not k.endswith(hidden)}
        yield _of_bytes("settings.env", "".join(f"{k}={v}\n" for k, v in shown.items()).encode())

    def _folder(self) -> Iterator[BackupItem]:
        """Everything in the data folder that no other step brings."""
        root = self._settings.data_dir
        media = Path(self._settings.media_url).resolve() if "://" not in self._settings.media_url else None
        done = {HEAD, END, DATABASE, ANCHORS, "secrets.json", "settings.env"}
        for folder, names, files in os.walk(root):
            here = Path(folder)
            names[:] = sorted(n for n in names if self._is_ours(root, here / n, media))
            for name in sorted(files):
                path = here / name
                relative = path.relative_to(root).as_posix()
                passing = name.endswith(("-wal", "-shm", "-journal", ".part", ".partial")) or relative in _LEFT_OUT
                if relative in done or passing or path.is_symlink() or not path.is_file():
                    continue
                if name.endswith(".db") and _is_sqlite(path):
                    copy = self._scratch / "other.db"
                    copy_sqlite(path, copy)
                    yield _of_file(relative, copy)
                    copy.unlink()
                    continue
                with contextlib.suppress(FileNotFoundError):
                    yield _of_file(relative, path)

    @staticmethod
    def _is_ours(root: Path, folder: Path, media: Path | None) -> bool:
        """Does the folder belong to the backup, and does no other step bring it?"""
        left_out = folder.parent == root and folder.name in _LEFT_OUT
        return not left_out and not folder.is_symlink() and folder.resolve() != media

    def _media(self) -> Iterator[BackupItem]:
        files, root = fsspec.core.url_to_fs(self._settings.media_url)
        if not files.exists(root):
            return
        base = str(files.info(root)["name"]).rstrip("/")
        for _, _, found in files.walk(base, detail=True):
            for info in found.values():
                name = str(info["name"])
                if not name.endswith(".part") or "/uploads/" in name:
                    reader = lambda name=name: files.open(name, "rb")  # noqa: E731
                    yield BackupItem(f"media/{name[len(base) + 1 :]}", int(info["size"]), reader, _written(info))


def copy_sqlite(path: Path, copy: Path) -> None:
    """A copy of a SQLite database as of one moment; writers are never held up for long."""
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as source:
        source.execute("BEGIN")  # in WAL mode this moment's state stays readable while others write
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(copy)) as target:
            target.execute("PRAGMA synchronous=OFF")
            source.backup(target, pages=4096)
            target.execute("PRAGMA journal_mode=DELETE")


def free_room(path: Path, needed: int) -> bool:
    """Is there room for ``needed`` bytes where ``path`` will lie?"""
    return shutil.disk_usage(path.resolve().parent).free > needed


def scratch_beside(path: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder for the database's copy, on the disk that the backup goes to."""
    return tempfile.TemporaryDirectory(prefix=".backup-", dir=path.resolve().parent)


def _head(item: BackupItem) -> bytes:
    info = tarfile.TarInfo(item.name)
    info.size, info.mode, info.mtime = item.size, 0o600, int(item.mtime)
    return info.tobuf(tarfile.PAX_FORMAT)


def _of_bytes(name: str, data: bytes) -> BackupItem:
    import io

    return BackupItem(name, len(data), lambda: io.BytesIO(data), time.time())


def _of_file(name: str, path: Path) -> BackupItem:
    stat = path.stat()
    return BackupItem(name, stat.st_size, lambda: path.open("rb"), stat.st_mtime)


def _covered(line: bytes, ask: Callable[[str], Any]) -> bool:
    """Whether the database's copy holds every head that ``line`` anchors: asked before the table knows of an anchor."""
    try:
        heads = json.loads(line)["heads"]
        named = [(str(chain), int(seq)) for chain, seq, _ in heads]
    except (ValueError, KeyError, TypeError):
        return True  # a torn line says nothing; the check of the log names it
    for chain, seq in named:
        if not re.fullmatch(r"[\w.:-]+", chain):
            return False
        found = ask(f"SELECT max(seq) FROM audit_entry WHERE chain_id = '{chain}'")
        if found is None or found[0] is None or int(found[0]) < seq:
            return False
    return True


def _number(line: bytes) -> int:
    try:
        return int(json.loads(line)["n"])
    except (ValueError, KeyError, TypeError):
        return 0


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\x00"


def _written(info: dict[str, Any]) -> float:
    at = info.get("mtime") or info.get("LastModified") or 0
    return at.timestamp() if isinstance(at, datetime) else float(at)
