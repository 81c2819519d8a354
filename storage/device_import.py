"""Import of devices from XLSX, CSV or GeoPackage: every row checked, every problem listed, all or nothing wanted.

A table has a header row.  Columns (Chinese names work too): ``device_id`` or ``source`` and ``address``; ``name``,
``device_type``, ``site_id``, ``department_id``, ``lon``, ``lat``, ``coord_sys``, ``expected_interval_s``, ``status``,
``calibration`` and ``ranges`` (JSON).  Coordinates are converted to WGS-84 here, once.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputInvalid
from core.geo.crs import System, to_wgs84
from core.tables.damage import DAMAGED
from storage.tables.registry import Department, Device, Site

COLUMNS = {
    "设备编号": "device_id", "协议": "source", "地址": "address", "名称": "name", "类型": "device_type",
    "场所": "site_id", "部门": "department_id", "经度": "lon", "纬度": "lat", "坐标系": "coord_sys",
    "上报间隔": "expected_interval_s", "状态": "status", "校准": "calibration", "量程": "ranges",
}  # fmt: skip
_KNOWN = set(COLUMNS.values())
_STATUS = {"": "quarantine", "quarantine": "quarantine", "accepted": "accepted", "disabled": "disabled"}
_MAX_ROWS = 100_000


@dataclass
class DeviceImportReport:
    """What an import did, or with ``dry_run`` would do; ``problems`` are (row number as in the file, column, what)."""

    dry_run: bool
    rows: int = 0
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: int = 0
    problems: list[tuple[int, str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json`` and the API."""
        return {
            "dry_run": self.dry_run,
            "rows": self.rows,
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "problems": [{"row": row, "column": column, "problem": what} for row, column, what in self.problems],
        }


def read_table(path: Path, data: bytes | None = None) -> list[dict[str, Any]]:
    """The rows of an XLSX, CSV (UTF-8 or GB18030) or GeoPackage file; :class:`InputInvalid`.

    A GeoPackage's points become ``lon`` and ``lat`` in WGS-84, converted from the layer's own system.
    """
    try:
        if path.suffix.lower() == ".xlsx":
            return _read_xlsx(io.BytesIO(data if data is not None else path.read_bytes()))
        if path.suffix.lower() == ".csv":
            return _read_csv(data if data is not None else path.read_bytes())
        if path.suffix.lower() == ".gpkg":
            return _read_gpkg(path)
    except (OSError, ValueError, KeyError) as error:
        raise InputInvalid(field=path.name, detail=str(error), how="give a readable XLSX, CSV or GeoPackage") from error
    raise InputInvalid(field=path.name, detail="unknown kind of file", how="give an XLSX, CSV or GeoPackage file")


def _read_xlsx(file: io.BytesIO) -> list[dict[str, Any]]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        rows = book.worksheets[0].iter_rows(values_only=True)
        header = [str(c or "").strip() for c in next(rows, ())]
        return [dict(zip(header, row, strict=False)) for row in rows if any(c is not None for c in row)]
    except DAMAGED as error:
        raise ValueError(f"is no XLSX file: {error}") from error


def _read_csv(data: bytes) -> list[dict[str, Any]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030")
    try:
        return list(csv.DictReader(io.StringIO(text, newline=None)))  # a lone CR ends a line too
    except csv.Error as error:
        raise ValueError(f"is no CSV file: {error}") from error


def _read_gpkg(path: Path) -> list[dict[str, Any]]:
    import pyogrio

    try:
        frame = pyogrio.read_dataframe(path)
    except RuntimeError as error:  # pyogrio's own errors, which are of this kind
        raise ValueError(str(error)) from error
    if frame.crs is None:
        raise ValueError("the layer names no coordinate system")
    frame = frame.to_crs(4326)
    rows = []
    for record, shape in zip(frame.drop(columns="geometry").to_dict("records"), frame.geometry, strict=True):
        point = shape.representative_point() if shape is not None and not shape.is_empty else None
        place = {"lon": point.x, "lat": point.y, "coord_sys": "wgs84"} if point is not None else {}
        rows.append({k: (None if v != v else v) for k, v in record.items()} | place)  # NaN is "no value"
    return rows


def import_devices(
    session: Session,
    rows: list[dict[str, Any]],
    *,
    actor_id: str,
    now: datetime,
    coord_sys: System = "wgs84",
    dry_run: bool = True,
) -> DeviceImportReport:
    """Insert or update devices from ``rows``; rows with problems are left out and listed, the others go in.

    ``coord_sys`` is for rows that name none.  A row without ``status`` leaves a known device's status alone and
    puts a new one into quarantine.
    """
    report = DeviceImportReport(dry_run=dry_run, rows=len(rows))
    if len(rows) > _MAX_ROWS:
        report.problems.append((0, "", f"{len(rows)} rows, at most {_MAX_ROWS}"))
        return report
    if rows:
        unknown = {_column(c) for c in rows[0]} - _KNOWN - {""}
        report.problems += [(1, column, "unknown column, ignored") for column in sorted(unknown)]
    sites = set(session.scalars(select(Site.site_id)))
    departments = set(session.scalars(select(Department.department_id)))
    seen: set[str] = set()
    trial = session.begin_nested()
    for number, raw in enumerate(rows, start=2):
        values, problems = _check(raw, coord_sys, sites, departments)
        device_id = values.get("device_id", "")
        if device_id in seen:
            problems.append(("device_id", f"{device_id} stands in the file twice"))
        seen.add(device_id)
        report.problems += [(number, column, what) for column, what in problems]
        if not problems:
            _apply(session, values, report, actor_id, now)
    session.flush()
    if dry_run:
        trial.rollback()
    else:
        trial.commit()
    return report


def _column(name: Any) -> str:
    text = str(name or "").strip()
    return COLUMNS.get(text, text.lower())


def _check(
    raw: dict[str, Any], coord_sys: System, sites: set[str], departments: set[str]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The row's typed values and its problems."""
    row = {_column(k): v.strip() if isinstance(v, str) else v for k, v in raw.items() if k}
    given = {k: v for k, v in row.items() if k in _KNOWN and v not in (None, "")}
    problems: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    _identity(given, values, problems)
    for name, length in (("name", 120), ("device_type", 40)):
        if name in given:
            values[name] = str(given[name])[:length]
    for name, known in (("site_id", sites), ("department_id", departments)):
        if name in given:
            values[name] = str(given[name])
            if values[name] not in known:
                problems.append((name, f"there is no {values[name]!r}"))
    if "status" in given:
        values["status"] = _STATUS.get(str(given["status"]).lower())
        if values["status"] is None:
            problems.append(("status", f"{given['status']!r} is none of accepted, quarantine, disabled"))
    _place(given, values, problems, coord_sys)
    if "expected_interval_s" in given:
        values["expected_interval_s"] = _number(given, "expected_interval_s", problems, 1, 7 * 86400)
    for name in ("calibration", "ranges"):
        if name in given:
            values[name] = _json(given[name], name, problems)
    return values, problems


def _identity(given: dict[str, Any], values: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    device_id = str(given.get("device_id", ""))
    source, address = str(given.get("source", "")), _plain(given.get("address", ""))
    if device_id and ":" in device_id:
        its_source, _, its_address = device_id.partition(":")
        if (source and source != its_source) or (address and address != its_address):
            problems.append(("device_id", f"{device_id} disagrees with source {source!r} and address {address!r}"))
        source, address = its_source, its_address
    if not source or not address:
        problems.append(("device_id", "is missing: give device_id as source:address, or source and address"))
        return
    values |= {"device_id": f"{source}:{address}", "source": source[:24], "address": address[:80]}
    if len(values["device_id"]) > 120:
        problems.append(("device_id", "is longer than 120 characters"))


def _plain(value: Any) -> str:
    """A spreadsheet turns 889 into 889.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value or "")


def _place(given: dict[str, Any], values: dict[str, Any], problems: list[tuple[str, str]], coord_sys: System) -> None:
    system = str(given.get("coord_sys", coord_sys)).lower()
    if system not in get_args(System):
        problems.append(("coord_sys", f"{system!r} is none of {', '.join(get_args(System))}"))
        return
    if ("lon" in given) != ("lat" in given):
        problems.append(("lon", "longitude and latitude go together"))
    if "lon" not in given or "lat" not in given:
        return
    lon, lat = _number(given, "lon", problems, -180, 180), _number(given, "lat", problems, -90, 90)
    if lon is None or lat is None:
        return
    if 73 <= lat <= 90 and lon < 60:
        problems.append(("lat", "longitude and latitude look swapped"))
        return
    values["lon"], values["lat"] = to_wgs84(lon, lat, system)  # type: ignore[arg-type]  # checked above
    values["coord_sys"] = system


def _number(given: dict[str, Any], name: str, problems: list[tuple[str, str]], low: float, high: float) -> float | None:
    try:
        value = float(given[name])
    except (TypeError, ValueError):
        problems.append((name, f"{given[name]!r} is no number"))
        return None
    if not low <= value <= high:
        problems.append((name, f"{value:g} is not between {low:g} and {high:g}"))
        return None
    return value


def _json(value: Any, name: str, problems: list[tuple[str, str]]) -> dict[str, Any] | None:
    try:
        body = json.loads(str(value))
        if not isinstance(body, dict):
            raise ValueError("is no JSON object")
        for quantity, entry in body.items():
            if name == "ranges" and not (len(entry) == 2 and float(entry[0]) <= float(entry[1])):
                raise ValueError(f"{quantity}: give [lowest, highest]")
            if name == "calibration" and not set(entry) <= {"scale", "offset"}:
                raise ValueError(f"{quantity}: knows scale and offset only")
    except (ValueError, TypeError) as error:
        problems.append((name, str(error)))
        return None
    return body


def _apply(session: Session, values: dict[str, Any], report: DeviceImportReport, actor_id: str, now: datetime) -> None:
    row = session.get(Device, values["device_id"])
    if row is None:
        row = Device(**values)
        row.status = values.get("status", "quarantine")
        session.add(row)
        report.new.append(row.device_id)
        changes = {"status"}
    else:
        changes = {name for name, value in values.items() if getattr(row, name) != value}
        if not changes:
            report.unchanged += 1
            return
        for name in changes:
            setattr(row, name, values[name])
        row.revision += 1
        report.changed.append(row.device_id)
    if "status" in changes and row.status == "accepted":
        row.accepted_by, row.accepted_at = actor_id, now
