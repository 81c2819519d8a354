"""Brings a city folder into the database: idempotent, all good rows, a list of every bad one.

What operators set later in the browser (zones, algorithms, enabled, calibration, a device's status, a user's
roles) is written when a row is new and left alone afterwards, unless ``overwrite`` is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from core.settings import Settings
from core.tables.problem import Problems
from layers.cityfiles import CityFolder, read_city
from layers.cityrows import PLACE, Row
from layers.locate import Locator
from layers.outlines import keep_outlines
from layers.parents import parents_first, rooted
from layers.prepare import own_camera, prepare
from layers.romanised import english_of
from layers.upserting import key_of, upsert
from storage.session import read_scope, session_scope
from storage.tables.people import User
from storage.tables.registry import Camera, Department, Device, Division, GridCell, Site

Progress = Callable[[str], None]

_MODELS: dict[str, type[Any]] = {
    "divisions": Division,
    "departments": Department,
    "grid": GridCell,
    "sites": Site,
    "cameras": Camera,
    "devices": Device,
    "users": User,
}


@dataclass
class CityImportReport:
    """What an import did, or (``dry_run``) would do, per table, and every row it could not take."""

    dry_run: bool
    inserted: dict[str, int] = field(default_factory=dict)
    updated: dict[str, int] = field(default_factory=dict)
    unchanged: dict[str, int] = field(default_factory=dict)
    outlines: dict[str, int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    problems: Problems = field(default_factory=Problems)

    @property
    def tables(self) -> dict[str, int]:
        """Rows taken per table, changed or not; outlines kept for the map."""
        taken = {t: n + self.updated[t] + self.unchanged[t] for t, n in self.inserted.items()}
        return {**taken, **self.outlines}

    @property
    def exit_status(self) -> int:
        """0: all taken (warnings are none); 1: rows refused or files unread; 2: nothing could be taken."""
        if not sum(self.tables.values()):
            return 2
        return 1 if self.unread or self.problems.errors else 0

    def as_dict(self) -> dict[str, Any]:
        """``{"tables": {name: rows}, "unread": [files], "problems": [{"file", "sheet", "row", "field", …}]}``."""
        return {"tables": self.tables, "unread": self.unread, "problems": [p.as_dict() for p in self.problems]}


def import_city(
    engine: Engine,
    settings: Settings,
    folder: Path | None = None,
    *,
    dry_run: bool = False,
    overwrite: bool = False,
    progress: Progress = print,
) -> CityImportReport:
    """Import ``folder`` (None: the demo city, generated below ``data_dir/demo``).

    Every table is one transaction, in the order of their references.  Errors of single rows never stop the rest.
    """
    demo = folder is None
    if folder is None:
        from layers.demo.clips import render_clips
        from layers.demo.generate import generate

        folder = generate(settings.data_dir / "demo", progress)
        render_clips(settings.data_dir / "clips", progress)
    progress(f"reading {folder}")
    city = read_city(folder, engine)
    report = CityImportReport(dry_run, problems=city.problems, unread=city.unread, outlines=city.outlines)
    prepare(city, settings)
    _import_tables(engine, city, report, overwrite, progress)
    _keep_map_files(city, settings, progress, dry_run=dry_run)
    if demo and not dry_run:
        from layers.demo.ground_source import install

        install(settings, city.territory, progress)
    return report


def add_own_camera(engine: Engine, settings: Settings) -> CityImportReport | None:
    """Add or re-point the camera of ``YIWANG_CAMERA``; None where the setting is empty."""
    if not settings.camera:
        return None
    report = CityImportReport(dry_run=False)
    with session_scope(engine) as session:
        _count(report, "cameras", upsert(session, "cameras", Camera, [own_camera(settings.camera)]))
    return report


def _import_tables(
    engine: Engine, city: CityFolder, report: CityImportReport, overwrite: bool, progress: Progress
) -> None:
    known = _known_keys(engine)
    locator: Locator | None = None
    for table, model in _MODELS.items():
        rows = _checked(table, city.tables[table], known, report)
        if table == "divisions":
            _name_in_english(engine, rows)
        if table in {"sites", "cameras"}:
            locator = locator or Locator.of_rows(city.tables["divisions"], city.tables["grid"], engine)
            locator.fill(rows)
        if table == "users":
            rows = _without_taken_logins(engine, rows, report)
        known[table] = known.get(table, set()) | {r[key_of(model)] for r in rows}
        progress(f"{table}: {len(rows)} rows")
        scope = read_scope if report.dry_run else session_scope
        with scope(engine) as session:
            _count(report, table, upsert(session, table, model, rows, overwrite=overwrite, dry_run=report.dry_run))
        if table not in {"divisions", "grid"}:  # the two are looked into by those that follow
            city.tables[table] = []


def _name_in_english(engine: Engine, rows: list[Row]) -> None:
    """Divisions that bear no English name yet get the romanised one."""
    with read_scope(engine) as session:
        named = set(session.scalars(select(Division.code).where(Division.name_en.is_not(None))))
    for row in rows:
        if row.get("name") and not row.get("name_en") and row["code"] not in named:
            row["name_en"] = english_of(row["name"])


def _count(report: CityImportReport, table: str, counts: tuple[int, int, int]) -> None:
    report.inserted[table], report.updated[table], report.unchanged[table] = counts


def _known_keys(engine: Engine) -> dict[str, set[str]]:
    with read_scope(engine) as session:
        return {
            table: set(session.scalars(select(getattr(model, key_of(model)))))
            for table, model in _MODELS.items()
            if table != "grid"
        }


_TARGETS = {
    "parent_code": "divisions",
    "division_code": "divisions",
    "community_code": "divisions",
    "parent_id": "departments",
    "department_id": "departments",
    "site_id": "sites",
}


def _checked(table: str, rows: list[Row], known: dict[str, set[str]], report: CityImportReport) -> list[Row]:
    """Rows whose references exist; the others are reported (a parent may stand in the same file)."""
    key = key_of(_MODELS[table])
    here = {r[key] for r in rows}
    good = []
    for row in rows:
        right = True
        for name, target in _TARGETS.items():
            value = row.get(name)
            if name == key or not value:
                continue
            if value not in known.get(target, set()) and not (target == table and value in here):
                _tell(report, row, name, "reference", value=value, key=row[key], target=target)
                right = False
        if table == "divisions" and not row.get("name") and row["code"] not in known["divisions"]:
            _tell(report, row, "name", "missing")
            right = False
        if right:
            good.append(row)
    if table == "departments":
        return parents_first(_with_parents(good, "parent_id", table, known[table], report))
    if table == "divisions":
        return sorted(_with_parents(good, "parent_code", table, known[table], report), key=lambda r: len(r["code"]))
    return good


def _with_parents(rows: list[Row], field: str, table: str, known: set[str], report: CityImportReport) -> list[Row]:
    """The rows whose parents are taken too: what hangs below a refused row or in a circle is reported."""
    key = key_of(_MODELS[table])
    good, orphans = rooted(rows, key, field, known)
    for row, in_circle in orphans:
        code = "circle" if in_circle else "reference"
        _tell(report, row, field, code, value=row[field], key=row[key], target=table)
    return good


def _without_taken_logins(engine: Engine, rows: list[Row], report: CityImportReport) -> list[Row]:
    with read_scope(engine) as session:
        taken = {row.login: row.user_id for row in session.execute(select(User.login, User.user_id))}
    good = []
    for row in rows:
        if taken.setdefault(row["login"], row["user_id"]) != row["user_id"]:
            _tell(report, row, "login", "taken", value=row["login"])
        else:
            good.append(row)
    return good


def _tell(report: CityImportReport, row: Row, field: str, code: str, **values: Any) -> None:
    place = row[PLACE]
    report.problems.tell(place.file, code, sheet=place.sheet, row=place.row, field=field, **values)


def _keep_map_files(city: CityFolder, settings: Settings, progress: Progress, *, dry_run: bool) -> None:
    """Roads and buildings go to ``data_dir/city`` for the tiles; nothing else needs them."""
    target = settings.data_dir / "city"
    if not dry_run:
        target.mkdir(parents=True, exist_ok=True)
        (target / "city.json").write_text(json.dumps(_first_view(city), ensure_ascii=False), encoding="utf-8")
    for name, files in city.map_files.items():
        if files:
            count = keep_outlines(city, files, None if dry_run else target / f"{name}.fgb")
            city.outlines[name] = count
            progress(f"{name}: {count} kept for the map")


def _first_view(city: CityFolder) -> dict[str, Any]:
    config = city.config
    return {
        "code": config.code,
        "name": config.name,
        "name_en": config.name_en,
        "centre": list(config.centre) if config.centre else None,
        "zoom": config.zoom,
        "pitch": config.pitch,
        "bearing": config.bearing,
    }
