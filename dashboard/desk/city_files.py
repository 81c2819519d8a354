"""Every file that a city puts into its data folder, and what is wrong with it: for the page and ``app check``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, select

from core import plugins
from core.clock import SystemClock
from core.errors import YiwangError
from core.legal_time.calendar_folder import CalendarFolder
from core.records import Record
from core.settings import Settings
from events.cases.kinds_in_force import SUFFIXES, KindFolder
from events.dispatching.routing_in_force import RoutingFile
from ingest.configured import Configured, read_sources, try_build
from ingest.router import MappingsFolder
from layers.catalogue.record import records_at_fault
from measures.library import files_at_fault
from storage.form_files import FormFolder
from storage.session import read_scope
from storage.tables.registry import Department


class CityFile(Record, frozen=True, omit_defaults=False):
    """A file and, when it is not good, the error's code, what is wrong and what to do; the rest runs without it."""

    folder: str
    name: str
    ok: bool = True
    error: str = ""
    message: str = ""
    remedy: str = ""

    def line(self) -> str:
        """For people at a terminal."""
        said = self.message if self.name in self.message else f"{self.folder}/{self.name}: {self.message}"
        return f"{said} — {self.remedy}" if self.remedy else said


_FOLDERS = {
    "definitions": SUFFIXES, "sources": (".yaml",), "mappings": (".yaml",), "boards": (".yaml",),
    "calendars": (".json",), "forms": (".xlsx", ".xlsm", ".json"),
}  # fmt: skip


def city_files(settings: Settings, engine: Engine) -> list[CityFile]:
    """Every file by folder and name; changes nothing, and builds the city's plug-ins."""
    data = settings.data_dir
    wrong = _wrong(settings, engine)
    names = {("", "routing.yaml")} if (data / "routing.yaml").exists() else set()
    for folder, suffixes in _FOLDERS.items():
        names |= {(folder, path.name) for path in _files(data / folder, suffixes)}
    for package in plugins.GROUPS.values():
        folder = f"plugins/{package.rsplit('.', 1)[-1]}"
        names |= {(folder, path.name) for path in _files(data / folder, (".py",)) if not path.name.startswith("_")}
    good = [CityFile(folder=folder, name=name) for folder, name in names - set(wrong)]
    return sorted([*wrong.values(), *good], key=lambda file: (file.folder, file.name))


def at_fault(settings: Settings, engine: Engine, *folders: str) -> list[CityFile]:
    """What is wrong in these folders alone: for the page that shows what they hold."""
    data, found = settings.data_dir, list[CityFile]()
    if "definitions" in folders and (data / "definitions").is_dir():
        found += _definitions(data, engine)
    if "layers" in folders:
        found += [_told("layers", *pair) for pair in records_at_fault(settings)]
    for group, package in plugins.GROUPS.items():
        if f"plugins/{package.rsplit('.', 1)[-1]}" in folders:
            found += _plugins(group)
    return sorted(found, key=lambda file: (file.folder, file.name))


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.suffix in suffixes and not path.name.startswith((".", "~"))]


def _wrong(settings: Settings, engine: Engine) -> dict[tuple[str, str], CityFile]:
    found = [
        *(file for group in plugins.GROUPS for file in _plugins(group)),
        *_definitions(settings.data_dir, engine),
        *_routing_and_boards(settings.data_dir, engine),
        *_sources(settings.data_dir),
        *_calendars(settings.data_dir),
        *_forms(settings.data_dir, engine),
        *(_told("layers", *pair) for pair in records_at_fault(settings)),
    ]
    return {(file.folder, file.name): file for file in found}


def _told(folder: str, name: str, error: YiwangError) -> CityFile:
    said = error.as_dict()
    return CityFile(
        folder=folder, name=name, ok=False, error=error.code, message=said["message"], remedy=said["remedy"]
    )


def _plugins(group: str) -> Iterator[CityFile]:
    for problem in plugins.problems(group):
        path = Path(str(problem.data.get("path") or f"{problem.data.get('kind', '?')}.py"))
        yield _told(f"plugins/{plugins.GROUPS[group].rsplit('.', 1)[-1]}", path.name, problem)


def _definitions(data: Path, engine: Engine) -> Iterator[CityFile]:
    yield from (_told("definitions", *pair) for pair in KindFolder(data / "definitions").check(engine).items())


def _routing_and_boards(data: Path, engine: Engine) -> Iterator[CityFile]:
    with read_scope(engine) as session:
        departments = frozenset(session.scalars(select(Department.department_id)))
        boards = files_at_fault(session, data / "boards", SystemClock())
    try:
        RoutingFile(data).read(departments)
    except YiwangError as error:
        yield _told("", "routing.yaml", error)
    for name, problem in boards:
        yield _told("boards", name, problem)


def _sources(data: Path) -> Iterator[CityFile]:
    for path in _files(data / "sources", (".yaml",)):
        found = read_sources(data / "sources", path.name)
        yield from (_told("sources", path.name, p) for p in found.problems)
        for source in (*found.pollers, *(Configured(path.stem, *pair) for pair in found.listeners.items())):
            try:
                try_build(source)
            except YiwangError as error:
                yield _told("sources", path.name, error)
    mappings = MappingsFolder(data / "mappings")
    mappings.look()
    for problem in mappings.problems:
        yield _told("mappings", Path(str(problem.data.get("path", "?"))).name, problem)


def _calendars(data: Path) -> Iterator[CityFile]:
    folder = CalendarFolder(data / "calendars")
    folder.look()
    yield from (_told("calendars", name, problem) for name, problem in folder.problems.items())


def _forms(data: Path, engine: Engine) -> Iterator[CityFile]:
    for name, problem in FormFolder(data / "forms", engine).check().items():
        yield CityFile(
            folder="forms", name=name, ok=False, error="form_invalid", message=problem.detail,
            remedy="mend the workbook (docs/forms.md)",
        )  # fmt: skip
