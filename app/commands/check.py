"""Check the installation: every plug-in, built as the configuration names it; settings, database, models."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from sqlalchemy import select

from core import plugins
from core.errors import YiwangError
from core.settings import Settings, load_settings
from events.dispatching.routing import check_routing, default_routing
from ingest.configured import read_sources
from ingest.router import MappingsFolder
from storage.migrate import pending
from storage.session import make_engine, read_scope
from storage.tables.observations import Rule
from storage.tables.registry import Camera, Department

HELP = "check settings, plug-ins, models and database; lists every problem"


def configure(parser: argparse.ArgumentParser) -> None:
    del parser


def run(args: argparse.Namespace) -> int:
    problems = check(load_settings())
    for problem in problems:
        print(f"✗ {problem}")
    print(f"{len(problems)} problem(s)" if problems else "all is well")
    return 1 if problems else 0


def check(settings: Settings) -> list[str]:
    """Every problem as one line."""
    problems: list[str] = []

    def attempt(what: str, action: Callable[[], object]) -> None:
        try:
            action()
        except YiwangError as error:
            problems.append(f"{what}: {error}")

    for group in plugins.GROUPS:
        problems += [str(problem) for problem in plugins.problems(group)]
        for kind in plugins.kinds(group):
            attempt(f"{group} {kind}", lambda group=group, kind=kind: plugins.load(group, kind))  # type: ignore[misc]
    problems += [f"source: {problem}" for problem in read_sources(settings.data_dir / "sources").problems]
    mappings = MappingsFolder(settings.data_dir / "mappings")
    mappings.look()
    problems += [f"mapping: {problem}" for problem in mappings.problems]
    behind = pending(settings.database_url)
    if behind:
        problems.append(f"database: {behind} migration(s) not applied — run 'python -m app migrate'")
        return problems
    engine = make_engine(settings.database_url)
    with read_scope(engine) as session:
        departments = set(session.scalars(select(Department.department_id)))
        if departments:  # an empty city has none yet
            problems += [f"routing: {problem}" for problem in check_routing(default_routing(), departments)]
        for rule in session.scalars(select(Rule)):
            attempt(f"rule {rule.rule_id}", lambda rule=rule: plugins.parse_params("rule", rule.kind, rule.params))  # type: ignore[misc]
        for camera in session.scalars(select(Camera).where(Camera.enabled)):
            for wanted in camera.algorithms:
                attempt(
                    f"camera {camera.camera_id}",
                    lambda wanted=wanted: plugins.parse_params("algorithm", wanted["kind"], wanted.get("params", {})),  # type: ignore[misc]
                )
    engine.dispose()
    return problems
