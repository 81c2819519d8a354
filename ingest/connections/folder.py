"""Folder: CSV, XLSX and JSON files that a sender puts below ``<data>/exchange``; they stay where they are."""

from __future__ import annotations

import asyncio
import time
from fnmatch import fnmatch

import msgspec

from core.plugins import About, Words
from ingest.connections.contract import ConnectionFailed, Fetched, Wiring
from ingest.connections.files import SUFFIXES, items_of_file, mark_of, within

ABOUT = About(
    zh="文件夹",
    en="Folder",
    transport="poll",
    direction="in",
    interval_s=60.0,
    help=Words(
        "文件放在数据目录的 exchange/ 下；这里填子目录名。支持 CSV、XLSX、JSON，第一行是列名。",
        "Files lie below exchange/ of the data folder; type the subfolder here. CSV, XLSX and JSON; the first row "
        "holds the headings.",
    ),
    params={"folder": Words("子目录", "Subfolder"), "pattern": Words("文件名", "File names")},
)
_SETTLED_S = 2.0


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``pattern``: as in ``orders-*.csv``."""

    folder: str
    pattern: str = "*"


def build(params: Params, *, wiring: Wiring) -> Folder:
    """The connector."""
    return Folder(params, wiring)


class Folder:
    """One folder; the cursor is the newest file that was read."""

    def __init__(self, params: Params, wiring: Wiring) -> None:
        self.params, self.wiring = params, wiring

    async def close(self) -> None:
        """Nothing is held open."""

    async def confirm(self) -> None:
        """The files stay where they are."""

    async def fetch(self, cursor: str) -> Fetched:
        """The items of the next file."""
        return await asyncio.to_thread(self._next, cursor)

    def _next(self, cursor: str) -> Fetched:
        folder = within(self.wiring.folder, self.params.folder)
        try:
            found = [(mark_of(f.stat().st_mtime, f.name), f) for f in folder.iterdir() if f.is_file()]
        except OSError as error:
            raise ConnectionFailed(where=self.params.folder, detail=str(error.strerror)) from error
        latest = mark_of(time.time() - _SETTLED_S, "")
        waiting = sorted(
            (mark, file)
            for mark, file in found
            if cursor < mark < latest and file.suffix.lower() in SUFFIXES and fnmatch(file.name, self.params.pattern)
            and not file.name.startswith((".", "~$"))
        )  # fmt: skip
        if not waiting:
            return Fetched([], cursor)
        mark, file = waiting[0]
        return Fetched(items_of_file(file), mark, len(waiting) > 1)
