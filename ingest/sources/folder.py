"""Drop folder: CSV and XLSX files that somebody or something puts into a folder; each row is an item of a mapping.

A file is taken when it has not changed for ``settle_s``, and moved to ``done/`` after its rows became durable.  Rows
that are refused are listed in ``failed/<file>.errors.csv`` (row, error) and lose nothing good beside them; a file that
cannot be read at all is moved to ``failed/``.
"""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from core.clock import Clock
from core.errors import YiwangError
from core.late import Late
from core.plugins import About, Words
from core.tables.damage import DAMAGED
from ingest.mapping import MAX_ITEMS, Mapping, check_mapping, map_items, read_mapping
from ingest.polling import Polled, Publish, SourceUnreachable, publish_mapped

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")

ABOUT = About(
    zh="文件夹导入",
    en="Drop folder",
    transport="poll",
    params={
        "folder": Words("文件夹", "Folder"),
        "mapping": Words("字段对应", "Mapping"),
        "sheet": Words("工作表", "Sheet"),
        "interval_s": Words("读取间隔（秒）", "Read every (s)"),
        "settle_s": Words("静置多久才读（秒）", "Untouched for (s) before reading"),
        "most_bytes": Words("文件最大字节数", "Bytes at most"),
        "most_rows": Words("最多行数", "Rows at most"),
    },
)


class FileUnreadable(YiwangError):
    code = "file_unreadable"
    message = "{file}: {detail}"
    remedy = "save it as CSV (UTF-8 or GB18030) or XLSX with one row of headings"
    zh = "{file}：{detail}"
    zh_remedy = "请存为 CSV（UTF-8 或 GB18030）或 XLSX，只有一行表头"


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``mapping``: as in :mod:`ingest.mapping`, its paths being headings.  ``sheet``: of an XLSX, else the first."""

    folder: str
    mapping: dict[str, Any]
    sheet: str = ""
    interval_s: float = 10.0
    settle_s: float = 2.0
    most_bytes: int = 50 << 20
    most_rows: int = 500_000

    def __post_init__(self) -> None:
        check_mapping(self.mapping)
        if self.interval_s < 0.1:
            raise ValueError("interval_s: at least 0.1")


def build(params: Params, *, name: str = "folder", state_dir: Path | None = None) -> Folder:
    """The source."""
    return Folder(params, name)


class Folder:
    """One folder."""

    kind: ClassVar[str] = "folder"

    def __init__(self, params: Params, name: str) -> None:
        self.params, self.name, self.interval_s = params, name, params.interval_s
        self.mapping: Mapping = read_mapping({"name": name, "source": "folder", **params.mapping})
        self._path = Path(params.folder)

    async def close(self) -> None:
        """Nothing is held open."""

    async def poll(self, publish: Publish, clock: Clock) -> Polled:
        """Take every settled file, oldest first."""
        total = Polled()
        for file in await asyncio.to_thread(self._settled, clock.now()):
            polled = await self._take(file, publish, clock)
            total.readings += polled.readings
            total.observations += polled.observations
            total.refused += polled.refused
        return total

    def _settled(self, now: datetime) -> list[Path]:
        try:
            files = [f for f in self._path.iterdir() if f.is_file() and f.suffix.lower() in (".csv", ".xlsx")]
        except OSError as error:
            raise SourceUnreachable(source=self.name, url=self._path, detail=str(error)) from error
        found = []
        for file in files:
            if file.name.startswith((".", "~$")):
                continue  # half-written by editors and copiers
            changed = file.stat().st_mtime
            if now.timestamp() - changed >= self.params.settle_s:
                found.append((changed, file))
        return [file for _, file in sorted(found)]

    async def _take(self, file: Path, publish: Publish, clock: Clock) -> Polled:
        total, bad = Polled(), list[tuple[int, str]]()
        try:
            rows = await asyncio.to_thread(read_rows, file, self.params)
        except FileUnreadable as error:
            await asyncio.to_thread(self._move, file, "failed", [(0, str(error))], clock.now())
            return Polled(refused=[error])
        for first in range(0, len(rows), MAX_ITEMS):
            mapped = map_items(self.mapping, rows[first : first + MAX_ITEMS], clock.now())
            polled = await publish_mapped(self.name, mapped, publish)
            total.readings += polled.readings
            total.observations += polled.observations
            total.refused += polled.refused
            bad += [(first + index + 2, str(error)) for index, error in mapped.refused]  # row 1 are the headings
        await asyncio.to_thread(self._move, file, "done", bad, clock.now())
        return total

    def _move(self, file: Path, where: str, bad: list[tuple[int, str]], now: datetime) -> None:
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S")
        for folder in {where, "failed"} if bad else {where}:
            (self._path / folder).mkdir(exist_ok=True)
        if bad:
            with (self._path / "failed" / f"{stamp}-{file.name}.errors.csv").open("w", encoding="utf-8-sig") as out:
                csv.writer(out).writerows([("row", "error"), *bad])
        file.replace(self._path / where / f"{stamp}-{file.name}")


def read_rows(file: Path, params: Params) -> list[dict[str, Any]]:
    """Rows as dictionaries by heading; :class:`FileUnreadable` says why not."""
    size = file.stat().st_size
    if size > params.most_bytes:
        raise FileUnreadable(file=file.name, detail=f"{size} bytes, at most {params.most_bytes}")
    reader = _xlsx_rows(file, params) if file.suffix.lower() == ".xlsx" else _csv_rows(file)
    try:
        headings = [str(h).strip() if h is not None else "" for h in next(reader, ())]
        if not any(headings):
            raise FileUnreadable(file=file.name, detail="the first row holds no headings")
        rows = []
        for cells in itertools.islice(reader, params.most_rows + 1):
            if any(c not in (None, "") for c in cells):
                rows.append({h: c for h, c in zip(headings, cells, strict=False) if h and c is not None})
    except DAMAGED as error:
        raise FileUnreadable(file=file.name, detail=str(error)) from error
    if len(rows) > params.most_rows:
        raise FileUnreadable(file=file.name, detail=f"more than {params.most_rows} rows")
    return rows


def _csv_rows(file: Path) -> Iterator[tuple[Any, ...]]:
    raw = file.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030")  # what Excel writes on Chinese Windows
    head = text[:4096].partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
        yield tuple(cell.strip() for cell in row)


def _xlsx_rows(file: Path, params: Params) -> Iterator[tuple[Any, ...]]:
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > params.most_bytes * 10:
                raise FileUnreadable(file=file.name, detail="it unpacks to more than we take")
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (openpyxl.utils.exceptions.InvalidFileException, *DAMAGED) as error:
        raise FileUnreadable(file=file.name, detail=f"is no XLSX: {error}") from error
    try:
        if params.sheet and params.sheet not in book.sheetnames:
            raise FileUnreadable(file=file.name, detail=f"has no sheet {params.sheet!r}")
        sheet = book[params.sheet] if params.sheet else book.worksheets[0]
        yield from sheet.iter_rows(values_only=True)
    finally:
        book.close()
