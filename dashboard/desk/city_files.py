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
    advice: tuple[str, ...] = ()  # what might be better; it keeps nothing from running

    def line(self) -> str:
        """For people at a terminal."""
        said = self.message if self.name in self.message else f"{self.folder}/{self.name}: {self.message}"
        return f"{said} — {self.remedy}" if self.remedy else said


_Fault = tuple[str, str, YiwangError]  # folder, name, what is wrong
_FOLDERS = {
    "definitions": SUFFIXES, "sources": (".yaml",), "mappings": (".yaml",), "boards": (".yaml",),
    "calendars": (".json",), "forms": (".xlsx", ".xlsm", ".json"),
}  # fmt: skip


def city_files(settings: Settings, engine: Engine, language: str = "en") -> list[CityFile]:
    """Every file by folder and name, told in ``language``; changes nothing, and builds the city's plug-ins."""
    data = settings.data_dir
    wrong = _wrong(settings, engine, language)
    advice = KindFolder(data / "definitions").advice(language)
    names = {("", "routing.yaml")} if (data / "routing.yaml").exists() else set()
    for folder, suffixes in _FOLDERS.items():
        names |= {(folder, path.name) for path in _files(data / folder, suffixes)}
    for package in plugins.GROUPS.values():
        folder = f"plugins/{package.rsplit('.', 1)[-1]}"
        names |= {(folder, path.name) for path in _files(data / folder, (".py",)) if not path.name.startswith("_")}
    good = [
        CityFile(folder=folder, name=name, advice=tuple(advice.get(name, ())) if folder == "definitions" else ())
        for folder, name in names - set(wrong)
    ]
    return sorted([*wrong.values(), *good], key=lambda file: (file.folder, file.name))


def at_fault(settings: Settings, engine: Engine, *folders: str, language: str = "en") -> list[CityFile]:
    """What is wrong in these folders alone: for the page that shows what they hold."""
    data, found = settings.data_dir, list[_Fault]()
    if "definitions" in folders and (data / "definitions").is_dir():
        found += _definitions(data, engine)
    if "layers" in folders:
        found += [("layers", *pair) for pair in records_at_fault(settings)]
    for group, package in plugins.GROUPS.items():
        if f"plugins/{package.rsplit('.', 1)[-1]}" in folders:
            found += _plugins(group)
    return sorted((_told(*each, language) for each in found), key=lambda file: (file.folder, file.name))


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.suffix in suffixes and not path.name.startswith((".", "~"))]


def _wrong(settings: Settings, engine: Engine, language: str) -> dict[tuple[str, str], CityFile]:
    pairs: list[tuple[str, str, YiwangError]] = [
        *(fault for group in plugins.GROUPS for fault in _plugins(group)),
        *_definitions(settings.data_dir, engine),
        *_routing_and_boards(settings.data_dir, engine),
        *_sources(settings.data_dir),
        *_calendars(settings.data_dir),
        *(("layers", *pair) for pair in records_at_fault(settings)),
    ]
    found = [*(_told(*each, language) for each in pairs), *_forms(settings.data_dir, engine, language)]
    return {(file.folder, file.name): file for file in found}


def _told(folder: str, name: str, error: YiwangError, language: str) -> CityFile:
    said = error.as_dict(language)
    return CityFile(
        folder=folder, name=name, ok=False, error=error.code, message=said["message"], remedy=said["remedy"]
    )


def _plugins(group: str) -> Iterator[_Fault]:
    for problem in plugins.problems(group):
        path = Path(str(problem.data.get("path") or f"{problem.data.get('kind', '?')}.py"))
        yield f"plugins/{plugins.GROUPS[group].rsplit('.', 1)[-1]}", path.name, problem


def _definitions(data: Path, engine: Engine) -> Iterator[_Fault]:
    yield from (("definitions", *pair) for pair in KindFolder(data / "definitions").check(engine).items())


def _routing_and_boards(data: Path, engine: Engine) -> Iterator[_Fault]:
    with read_scope(engine) as session:
        departments = frozenset(session.scalars(select(Department.department_id)))
        boards = files_at_fault(session, data / "boards", SystemClock())
    try:
        RoutingFile(data).read(departments)
    except YiwangError as error:
        yield "", "routing.yaml", error
    for name, problem in boards:
        yield "boards", name, problem


def _sources(data: Path) -> Iterator[_Fault]:
    for path in _files(data / "sources", (".yaml",)):
        found = read_sources(data / "sources", path.name)
        yield from (("sources", path.name, p) for p in found.problems)
        for source in (*found.pollers, *(Configured(path.stem, *pair) for pair in found.listeners.items())):
            try:
                try_build(source)
            except YiwangError as error:
                yield "sources", path.name, error
    mappings = MappingsFolder(data / "mappings")
    mappings.look()
    for problem in mappings.problems:
        yield "mappings", Path(str(problem.data.get("path", "?"))).name, problem


def _calendars(data: Path) -> Iterator[_Fault]:
    folder = CalendarFolder(data / "calendars")
    folder.look()
    yield from (("calendars", name, problem) for name, problem in folder.problems.items())


def _forms(data: Path, engine: Engine, language: str) -> Iterator[CityFile]:
    for name, problem in FormFolder(data / "forms", engine).check().items():
        yield CityFile(
            folder="forms", name=name, ok=False, error="form_invalid", message=problem.detail,
            remedy="请改正工作簿（docs/forms.md）" if language == "zh" else "mend the workbook (docs/forms.md)",
        )  # fmt: skip
