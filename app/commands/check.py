"""Check the installation: every plug-in, built as the configuration names it; settings, database, models."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from core import plugins
from core.errors import YiwangError
from core.settings import Settings, load_settings
from dashboard.desk.city_files import CityFile, city_files
from events.dispatching.routing import check_routing, default_routing
from storage.migrate import pending
from storage.schema import create_all
from storage.session import make_engine, read_scope
from storage.tables.registry import Department

HELP = "check settings, plug-ins, models and database; lists every problem"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--language", choices=("en", "zh"), default="en", help="in which the city's files are told")


def run(args: argparse.Namespace) -> int:
    advice: list[str] = []
    problems = check(load_settings(), args.language, advice)
    for problem in problems:
        print(f"✗ {problem}")
    for line in advice:
        print(f"· {line}")
    print(f"{len(problems)} problem(s)" if problems else "all is well")
    return 1 if problems else 0


def check(settings: Settings, language: str = "en", advice: list[str] | None = None) -> list[str]:
    """Every problem as one line; what might be better and keeps nothing from running is added to ``advice``."""
    from app import configured  # the rooms of every process

    problems: list[str] = []

    def attempt(what: str, action: Callable[[], object]) -> None:
        try:
            action()
        except YiwangError as error:
            problems.append(f"{what}: {error}")

    for group in plugins.GROUPS:
        broken = {str(problem.data.get("path")) for problem in plugins.problems(group)}
        for kind in plugins.kinds(group):
            if not any(Path(path).stem == kind for path in broken):
                attempt(f"{group} {kind}", lambda group=group, kind=kind: plugins.load(group, kind))  # type: ignore[misc]
    problems += configured.without_database(settings)
    behind = pending(settings.database_url)
    if behind:
        problems.append(f"database: {behind} migration(s) not applied — run 'python -m app migrate'")
        return _besides(problems, _without_database(settings, language, advice))
    engine = make_engine(settings.database_url)
    files = _told(city_files(settings, engine, language), advice)
    with read_scope(engine) as session:
        departments = set(session.scalars(select(Department.department_id)))
        if departments:  # an empty city has none yet
            problems += _routing(settings, departments)
        problems += configured.in_database(settings, session)
    engine.dispose()
    return _besides(problems, files)


def _besides(problems: list[str], files: list[str]) -> list[str]:
    """Both; what is wrong with a city's file is not told again wherever the configuration names it."""
    others = [line for line in problems if not any(line.partition(": ")[2] in told for told in files)]
    return [*files, *others]


def _routing(settings: Settings, departments: set[str]) -> list[str]:
    """Departments that the shipped table names and that are not there, unless the city has a table of its own."""
    if (settings.data_dir / "routing.yaml").exists():
        return []
    return [f"routing: {problem}" for problem in check_routing(default_routing(), departments)]


def _told(files: list[CityFile], advice: list[str] | None) -> list[str]:
    if advice is not None:
        advice += [f"{file.folder}/{file.name}: {line}" for file in files for line in file.advice]
    return [file.line() for file in files if not file.ok]


def _without_database(settings: Settings, language: str, advice: list[str] | None) -> list[str]:
    """The city's files as far as they can be judged before there is a schema."""
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{folder}/check.db")
        create_all(engine)
        try:
            return _told(city_files(settings, engine, language), advice)
        finally:
            engine.dispose()
