"""Files of senders: CSV, XLSX and JSON as items, and the one folder of this machine that they may lie in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.errors import InputInvalid
from ingest.connections.contract import ConnectionFailed
from ingest.jsontext import NotJson, read_json
from ingest.sources.folder import FileUnreadable, Params, read_rows

SUFFIXES = (".csv", ".xlsx", ".json")
MOST_BYTES = 50 << 20
_HEADINGS: dict[str, Any] = {"device": "x", "values": [{"path": "x", "quantity": "x"}]}


def within(folder: Path, name: str) -> Path:
    """The path of ``name`` in ``folder``; :class:`~core.errors.InputInvalid` when it leads out of it."""
    path = (folder / name).resolve()
    if not name or not path.is_relative_to(folder.resolve()):
        raise InputInvalid(field="name", detail=f"{name!r} lies outside", how=f"give a name below {folder.name}/")
    return path


def items_of_file(path: Path) -> list[Any]:
    """The rows of a file; :class:`ConnectionFailed` says why it cannot be read."""
    if path.stat().st_size > MOST_BYTES:
        raise ConnectionFailed(where=path.name, detail=f"larger than {MOST_BYTES >> 20} MiB")
    if path.suffix.lower() == ".json":
        try:
            found = read_json(path.read_bytes())
        except NotJson as error:
            raise ConnectionFailed(where=path.name, detail=str(error)) from error
        return found if isinstance(found, list) else [found]
    try:
        return list(read_rows(path, Params(folder=str(path.parent), mapping=_HEADINGS)))
    except FileUnreadable as error:
        raise ConnectionFailed(where=path.name, detail=str(error.data.get("detail"))) from error


def mark_of(changed: float, name: str) -> str:
    """The cursor behind a file: when it changed (ms), then its name."""
    return f"{int(changed * 1000):015d}:{name}"
