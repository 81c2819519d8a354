"""Classes and limits from a CSV or XLSX table: read, say what is wrong row by row, then write — or only say (dry run).

Columns (any order; Chinese or English heads): kind 类型 (部件/事件), big_code 大类代码, big_name 大类名称,
small_code 小类代码, small_name 小类名称, condition 立案情形, limit 时限 ("4 工作时"; or limit_value and limit_unit),
close_condition 结案条件, class_version 代码版本 (2007/2013), local_extension 本地扩展, source 来源, enabled 启用.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.late import Late
from core.legal_time.workclock import UNITS
from core.records import Record
from core.tables.damage import DAMAGED
from events.legal_time.requests import parse_words
from events.taxonomy.classes import Standard
from storage.tables.cases import CaseStandard

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = Late("openpyxl")

MAX_BYTES = 20_000_000
MAX_ROWS = 50_000
_CHINESE = {
    "kind": ("类型", "部件事件"),
    "big_code": ("大类代码", "大类编码"),
    "big_name": ("大类", "大类名称"),
    "small_code": ("小类代码", "小类编码"),
    "small_name": ("小类", "小类名称"),
    "condition": ("立案情形", "立案条件"),
    "limit": ("时限", "处置时限", "limit_raw"),
    "close_condition": ("结案条件", "结案标准"),
    "class_version": ("代码版本",),
    "local_extension": ("本地扩展",),
    "source": ("来源",),
    "enabled": ("启用",),
}
HEADS = {head: name for name, heads in _CHINESE.items() for head in heads}
KINDS = {"部件": "component", "component": "component", "事件": "event", "event": "event"}
_YES = {"1", "true", "yes", "y", "是", "✓"}
_NO = {"", "0", "false", "no", "n", "否"}


class TaxonomyProblem(Record, frozen=True):
    """What is wrong with a row (1 is the first row below the heads)."""

    row: int
    field: str
    detail: str


class TaxonomyImport(Record, frozen=True):
    """What an import did, or would do."""

    rows: int
    added: int
    changed: int
    same: int
    problems: tuple[TaxonomyProblem, ...]
    dry_run: bool


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV (UTF-8 or GB 18030) or XLSX file by column name; typed error when it cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputInvalid(field=str(path), detail="is larger than 20 MB", how="split the table")
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            rows = list(_xlsx(path))
        else:
            rows = list(csv.reader(io.StringIO(_text(path.read_bytes()), newline=None)))
    except (openpyxl.utils.exceptions.InvalidFileException, csv.Error, *DAMAGED) as error:
        raise InputInvalid(field=str(path), detail=str(error), how="give a CSV or XLSX table") from error
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise InputInvalid(field=str(path), detail="is empty", how="give a table with a row of heads")
    if len(rows) > MAX_ROWS:
        raise InputInvalid(field=str(path), detail=f"has {len(rows)} rows", how=f"give at most {MAX_ROWS}")
    heads = [HEADS.get(h.strip().replace(" ", ""), h.strip().lower()) for h in rows[0]]
    missing = {"kind", "big_code", "small_code", "small_name"} - set(heads)
    if missing:
        raise InputInvalid(
            field=str(path),
            detail=f"has no column {', '.join(sorted(missing))}",
            how="name the columns as the help says",
        )
    return [dict(zip(heads, row, strict=False)) for row in rows[1:]]


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputInvalid(field="file", detail="is neither UTF-8 nor GB 18030 text", how="save it as CSV UTF-8")


def _xlsx(path: Path) -> Iterator[list[str]]:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except DAMAGED as error:
        raise InputInvalid(field=str(path), detail=f"is no workbook: {error}", how="give a real XLSX file") from error
    try:
        sheet = book.worksheets[0]
        for row in sheet.iter_rows(values_only=True):
            yield [_cell(value) for value in row]
    finally:
        book.close()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def parse_rows(
    rows: list[dict[str, str]], default_version: str = "2013", source: str = ""
) -> tuple[list[Standard], list[TaxonomyProblem]]:
    """The good rows as standards, and the problems of the others; a bad row costs nobody else anything."""
    good: list[Standard] = []
    problems: list[TaxonomyProblem] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        try:
            standard = _parse(row, default_version, source)
        except InputInvalid as error:
            problems.append(TaxonomyProblem(row=number, field=error.data["field"], detail=error.data["detail"]))
            continue
        if standard.standard_id in seen:
            detail = f"is row {seen[standard.standard_id]} again (same class and condition)"
            problems.append(TaxonomyProblem(row=number, field="condition", detail=detail))
            continue
        seen[standard.standard_id] = number
        good.append(standard)
    return good, problems


def _parse(row: Mapping[str, str], default_version: str, source: str) -> Standard:
    def text(name: str, most: int = 2000) -> str:
        value = (row.get(name) or "").strip()
        if len(value) > most:
            raise InputInvalid(field=name, detail=f"is longer than {most} characters", how="shorten it")
        return value

    kind = KINDS.get(text("kind").lower())
    if kind is None:
        raise InputInvalid(field="kind", detail=f"{row.get('kind')!r} is neither 部件 nor 事件", how="give one of them")
    version = text("class_version") or default_version
    if version not in ("2007", "2013"):
        raise InputInvalid(field="class_version", detail=f"{version!r} is no code set", how="give 2007 or 2013")
    if not text("small_name"):
        raise InputInvalid(field="small_name", detail="is empty", how="name the class")
    value, unit = _limit(row)
    return Standard(
        class_version=version,
        kind=kind,
        big_code=_code(row, "big_code"),
        big_name=text("big_name", 60),
        small_code=_code(row, "small_code"),
        small_name=text("small_name", 80),
        condition=text("condition"),
        limit_value=value,
        limit_unit=unit,
        close_condition=text("close_condition"),
        local_extension=_flag(row, "local_extension"),
        source=(text("source") or source)[:120],
        enabled=_flag(row, "enabled", default=True),
    )


def _code(row: Mapping[str, str], name: str) -> str:
    text = (row.get(name) or "").strip()
    if not re.fullmatch(r"[0-9]{1,2}", text):
        raise InputInvalid(field=name, detail=f"{text!r} is not a two-digit code", how="give 01 … 99")
    return text.zfill(2)


def _flag(row: Mapping[str, str], name: str, default: bool = False) -> bool:
    text = (row.get(name) or "").strip().lower()
    if name not in row or (default and text == ""):
        return default
    if text in _YES or text in _NO:
        return text in _YES
    raise InputInvalid(field=name, detail=f"{text!r} is neither yes nor no", how="give 1 or 0")


def _limit(row: Mapping[str, str]) -> tuple[float | None, str]:
    value, unit = (row.get("limit_value") or "").strip(), (row.get("limit_unit") or "").strip()
    if value or unit:
        if unit not in UNITS:
            raise InputInvalid(field="limit_unit", detail=f"{unit!r} is not a unit", how=f"use {', '.join(UNITS)}")
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0 < number <= 1000:
            raise InputInvalid(
                field="limit_value", detail=f"{value!r} is not a number from 0 to 1000", how="give e.g. 4"
            )
        return number, unit
    words = (row.get("limit") or "").strip()
    if not words:
        return None, ""
    short = re.fullmatch(r"([0-9.]+)\s*(小时|天|日)", words)  # how city lists write working time
    limit = parse_words(f"{short.group(1)} {'工作时' if short.group(2) == '小时' else '工作日'}" if short else words)
    return limit.value, limit.unit


def import_standards(
    session: Session, standards: list[Standard], problems: list[TaxonomyProblem], now: datetime, *, dry_run: bool
) -> TaxonomyImport:
    """Write the good rows: new ones are added, known ones (same class and condition) updated, others left alone."""
    known = {row.standard_id: row for row in session.scalars(select(CaseStandard))}
    added = changed = same = 0
    for position, standard in enumerate(standards):
        values = {name: getattr(standard, name) for name in Standard.__struct_fields__}
        row = known.get(standard.standard_id)
        if row is not None and all(getattr(row, name) == value for name, value in values.items()):
            same += 1
            continue
        added, changed = added + (row is None), changed + (row is not None)
        if dry_run:
            continue
        if row is None:
            row = CaseStandard(standard_id=standard.standard_id, class_code=standard.class_code, position=position)
            session.add(row)
        for name, value in values.items():
            setattr(row, name, value)
        row.updated_at = now
    return TaxonomyImport(
        rows=len(standards) + len(problems),
        added=added,
        changed=changed,
        same=same,
        problems=tuple(problems),
        dry_run=dry_run,
    )
