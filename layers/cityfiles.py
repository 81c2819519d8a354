"""Reads a city folder: every file of it is read or named as unread, every row checked, none lost for another's fault.

A table may come in several files: ``cameras.csv``, ``cameras-patrol.XLSX``, ``cameras.shp`` all hold cameras.
The columns are listed in ``layers/columns.py`` and explained in ``docs/layers.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from core.tables.problem import FileUnreadable, Problems
from layers.cityconfig import NAME as CONFIG
from layers.cityconfig import CityConfig, read_config
from layers.cityrows import PLACE, Row, TableFile, is_readable, read_rows
from layers.columns import TABLES
from layers.territory import Territory, of_city, of_code
from layers.vector.reading import SIDECARS
from layers.vector.reading import SUFFIXES as VECTOR_SUFFIXES

MAP_LAYERS = ("roads", "buildings")  # outlines for the map only
_SYSTEM_FILES = {"thumbs.db", "desktop.ini"}
_MAX_FILES = 20_000


@dataclass
class CityFolder:
    """A folder as read: good rows per table, the problems of the others, files that were not read."""

    path: Path
    config: CityConfig
    territory: Territory
    tables: dict[str, list[Row]] = field(default_factory=dict)
    map_files: dict[str, list[TableFile]] = field(default_factory=dict)
    outlines: dict[str, int] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    unread: list[str] = field(default_factory=list)


def read_city(path: Path, engine: Engine | None = None) -> CityFolder:
    """Read all tables of the folder ``path``; :class:`InputInvalid` when it is no city folder at all.

    ``engine``: where the district's outline is looked for when the folder brings none.
    """
    config = read_config(path)
    city = CityFolder(path, config, of_code(config.code))
    files, rest = _sorted_files(path, config)
    city.tables.update({table: [] for table in TABLES})
    for tables in (("divisions",), tuple(t for t in TABLES if t != "divisions")):
        for geodata in (False, True):  # what stands in degrees in tables shows where geodata without a system lie
            for file in (f for table in tables for f in files.get(table, ()) if f.geodata is geodata):
                _read_file(city, file)
            if geodata:
                for table in tables:
                    _join_doubles(city, table)
            if not city.territory.exact:
                city.territory = _territory(city, engine)
    city.map_files = {name: files.get(name, []) for name in MAP_LAYERS}
    _tell_unread(city, rest)
    return city


def _territory(city: CityFolder, engine: Engine | None) -> Territory:
    """Where the district lies, by what was read of the folder until now."""
    config = city.config
    places = [config.centre] if config.centre else []
    if not places:
        rows = (row for table in ("sites", "cameras", "devices") for row in city.tables[table][:1000])
        places = [(r["lon"], r["lat"]) for r in rows if r.get("lon") is not None and r.get("lat") is not None]
    return of_city(city.tables["divisions"], config.code, config.name, engine, places)


def leave_out(city: CityFolder, file: TableFile, error: FileUnreadable) -> None:
    """Name ``file`` as unread, with the reason."""
    values = dict(error.values)
    city.problems.tell(file.name, error.code, field=str(values.pop("field", "")), **values)
    city.unread.append(file.name)


def _read_file(city: CityFolder, file: TableFile) -> None:
    try:
        for row in read_rows(file, TABLES[file.table], city.config, city.territory, city.problems):
            if file.table == "devices":
                row["device_id"] = row.get("device_id") or f"{row['source']}:{row['address']}"
            city.tables[file.table].append(row)
    except FileUnreadable as error:
        leave_out(city, file, error)
    except OSError as error:
        leave_out(city, file, FileUnreadable("not_a_workbook", detail=error.strerror or str(error)))


def _sorted_files(path: Path, config: CityConfig) -> tuple[dict[str, list[TableFile]], list[Path]]:
    """Files by table (tables first, then geodata: names stand before areas), and those that belong to none."""
    found: dict[str, list[TableFile]] = {}
    rest: list[Path] = []
    every = [f for f in sorted(path.rglob("*"))[:_MAX_FILES] if f.is_file() and not _is_system(f.relative_to(path))]
    for file in every:
        table = _table_of(file, path, config)
        if table:
            found.setdefault(table, []).append(TableFile(file, file.relative_to(path).as_posix(), table))
        elif file.name != CONFIG:
            rest.append(file)
    for files in found.values():
        files.sort(key=lambda f: (f.geodata, f.name))
    read = {f.path for files in found.values() for f in files}
    return found, [f for f in rest if not _is_sidecar(f, read)]


def _table_of(file: Path, folder: Path, config: CityConfig) -> str:
    """The table whose name the file's begins with; empty for none and for forms that are not read."""
    if file.parent != folder or not is_readable(file) or file.name.startswith("~$"):
        return ""
    named = config.files.get(file.name, "")
    for table in (*TABLES, *MAP_LAYERS):
        stem = file.stem.casefold()
        if named == table or (not named and (stem == table or stem.startswith((f"{table}-", f"{table}_")))):
            return table if table not in MAP_LAYERS or file.suffix.lower() in VECTOR_SUFFIXES else ""
    return ""


def _is_system(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts) or relative.name.casefold() in _SYSTEM_FILES


def _is_sidecar(file: Path, read: set[Path]) -> bool:
    """Whether ``file`` is a part of a geodata file that is read (``grid.DBF`` of ``grid.shp``)."""
    name = file.name.casefold()
    side = next((s for s in sorted(SIDECARS, key=len, reverse=True) if name.endswith(s)), "")
    if not side:
        return False
    stem = name[: -len(side)]
    return any(
        f.parent == file.parent and f.stem.casefold() == stem for f in read if f.suffix.lower() in VECTOR_SUFFIXES
    )


def _tell_unread(city: CityFolder, rest: Iterable[Path]) -> None:
    """Name what was looked at by nobody; clips that a camera plays are used."""
    used = {str((city.path / str(row.get(name, "")).partition("?")[0]).resolve())
            for row in city.tables["cameras"] for name in ("url", "sub_url")
            if row.get(name) and "://" not in str(row[name])}  # fmt: skip
    for file in rest:
        if str(file.resolve()) in used:
            continue
        name = file.relative_to(city.path).as_posix()
        city.unread.append(name)
        code, values = _reason(file, city.path)
        city.problems.tell(name, code, **values)


def _reason(file: Path, folder: Path) -> tuple[str, dict[str, Any]]:
    if file.name.startswith("~$"):
        return "unread_open", {}
    if file.parent != folder:
        return "unread_below", {}
    if not is_readable(file):
        return "unread_form", {"form": file.suffix or file.name}
    return "unread_name", {"known": ", ".join((*TABLES, *MAP_LAYERS))}


def _join_doubles(city: CityFolder, table: str) -> None:
    """One row a key: the first; a division's name and area may come from two files."""
    key = TABLES[table][0].name
    seen: dict[str, Row] = {}
    for row in city.tables[table]:
        name = str(row[key])
        first = seen.setdefault(name, row)
        if first is row:
            continue
        here, there = row[PLACE], first[PLACE]
        if table == "divisions" and here.file != there.file:
            first.update({k: v for k, v in row.items() if v not in (None, "") and k != PLACE})
            continue
        where = f"{there.file}, row {there.row}"
        city.problems.tell(here.file, "key_twice", sheet=here.sheet, row=here.row, field=key, value=name, first=where)
    city.tables[table] = list(seen.values())
