"""From a backup file to a data folder: everything is checked before anything stands in its place."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

from sqlalchemy.engine import make_url

from app.backup import postgres
from app.backup.contents import BLOCK, END, FORMAT, HEAD
from app.backup.errors import RestoreRefused, damaged
from app.backup.sealing import opened
from storage.migrate import migrate

_TABLES = "postgres"


def restore(
    path: Path, into: Path, *, identity: Path | None = None, passphrase: Path | None = None, database_url: str = ""
) -> dict[str, Any]:
    """Restore ``path`` into the folder ``into``, which must be empty or not there.

    A backup of a PostgreSQL installation also needs ``database_url``, an empty database.  Answers what the backup
    says of itself, with ``files`` and ``bytes``.  :class:`RestoreRefused` leaves nothing behind.
    """
    if not path.is_file():
        raise RestoreRefused(path=path, detail="it is not a file", how="give the file that backup wrote")
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise RestoreRefused(path=path, detail=f"{into} is not empty", how="name an empty or new folder")
    work = into.resolve().with_name(f".{into.resolve().name}.restoring-{os.getpid()}")
    try:
        work.mkdir(mode=0o700, parents=True)
        with opened(path, identity, passphrase) as stream:
            about = _unpack(path, stream, work)
        if about["database"] == "postgresql":
            _load(path, work, about, database_url)
        _put(work, into)
    except OSError as error:
        how = "make room, or choose a folder that you may write to"
        raise RestoreRefused(path=path, detail=error.strerror or str(error), how=how) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return about


def _put(work: Path, into: Path) -> None:
    if into.exists():
        into.rmdir()
    into.parent.mkdir(parents=True, exist_ok=True)
    work.replace(into)


def _unpack(path: Path, stream: IO[bytes], work: Path) -> dict[str, Any]:
    """Every file into ``work``, each held against the manifest at the end of the stream."""
    sums: dict[str, tuple[int, str]] = {}
    about: dict[str, Any] | None = None
    listed: list[dict[str, Any]] | None = None
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=BLOCK) as archive:
            for member in archive:
                source = archive.extractfile(member)
                if not member.isreg() or source is None or listed is not None:
                    raise damaged(path, f"{member.name!r} does not belong there")
                if member.name == END:
                    listed = [json.loads(line) for line in source.read().splitlines()]
                    continue
                sums[member.name] = _write(path, source, work, member.name)
                if about is None:
                    about = _about(path, work, member.name)
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise damaged(path, str(error) or type(error).__name__) from error
    if listed is None or about is None:
        raise damaged(path, "its end is missing")
    _compare(path, sums, listed)
    (work / HEAD).unlink()
    for folder, _, _ in os.walk(work):
        Path(folder).chmod(0o700)
    return about | {"files": len(sums), "bytes": sum(size for size, _ in sums.values())}


def _about(path: Path, work: Path, name: str) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((work / name).read_bytes()) if name == HEAD else {}
    if about.get("format") != FORMAT:
        raise RestoreRefused(path=path, detail="it is no backup of ours", how="give the file that backup wrote")
    return about


def _write(path: Path, source: IO[bytes], work: Path, name: str) -> tuple[int, str]:
    """One file, mode 600; its size and hash.  A name that leads out of the folder is refused."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise damaged(path, f"a file is named {name!r}")
    target = work.joinpath(*parts)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while block := source.read(BLOCK):
            digest.update(block)
            size += len(block)
            file.write(block)
    return size, digest.hexdigest()


def _compare(path: Path, sums: dict[str, tuple[int, str]], listed: list[dict[str, Any]]) -> None:
    expected = {str(line["name"]): (int(line["size"]), str(line["sha256"])) for line in listed if "name" in line}
    if sums.keys() != expected.keys():
        raise damaged(path, f"files are missing or too many: {sorted(sums.keys() ^ expected.keys())[:3]}")
    for name, found in sums.items():
        if found != expected[name]:
            raise damaged(path, f"{name} was changed")


def _load(path: Path, work: Path, about: dict[str, Any], url: str) -> None:
    """The rows into an empty PostgreSQL database, in one transaction; then the newest schema."""
    if not url or make_url(url).get_backend_name() != "postgresql":
        how = "set YIWANG_DATABASE_URL to an empty PostgreSQL database"
        raise RestoreRefused(path=path, detail="it holds a PostgreSQL database", how=how)
    if not postgres.is_empty(url):
        how = "set YIWANG_DATABASE_URL to an empty one"
        raise RestoreRefused(path=path, detail="the PostgreSQL database is not empty", how=how)
    migrate(url, str(about["schema"]))
    with postgres.connect(url) as connection:
        order = postgres.tables(connection)
        names = ", ".join(f'"{table}"' for table in order)
        connection.execute(f"TRUNCATE {names} CASCADE".encode())  # what migrations put in comes from the backup
        for table in order:
            copy = work / _TABLES / f"{table}.copy"
            if copy.exists():
                with copy.open("rb") as file:
                    postgres.copy_in(connection, table, file)
        postgres.counters(connection)
    migrate(url)
    shutil.rmtree(work / _TABLES)
