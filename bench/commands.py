"""Case commands per core-second beside another build, with a district's years in the tables; first pages of lists.

``python -m bench commands --before FOLDER [--keep FOLDER] [--history 1000000] [--rounds 5]``: the history (a tenth as
many open cases, lean: without observations and derivations of clocks) is written once into ``--keep``.  Both builds
work on that one database by turns: each opens cases of its own (not measured) and accepts, finishes, checks and closes
them, one command after the other, in a process and an environment of its own.  CPU seconds are that process's: SQLite
runs inside it, PostgreSQL apart.  Lists are this build's, one after the other.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench.events import STAFF, database_of, settle
from bench.house import HERE, python_of
from bench.parts.cpu import quantiles
from bench.parts.history import grow, grown
from bench.parts.rig import PeerMissing
from core.records import Actor
from events.cases.kinds_in_force import definitions_in_force
from events.cases.queries import CaseFilter, list_cases
from events.cases.worklists.lists import work_page
from storage.schema import create_all
from storage.session import make_engine, read_scope

BOSS = Actor(user_id="bench-boss", name="bench", roles=("dispatcher",))
CLERK = Actor(user_id="staff-dept-fire", name="bench", roles=("staff",), department_id="dept-fire")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="a worktree of another build, measured as well")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--history", type=int, default=1_000_000, help="closed cases; a tenth as many open ones")
    parser.add_argument("--keep", type=Path, help="folder for databases that stay: history is written into them once")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", type=int, default=150, help="cases of a build in a round, four commands each")
    parser.add_argument("--lists", type=int, default=60, help="pages of each list; 0 leaves them out")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """``{database: {"now": figures, "before": figures, "ratio", "lists"}, "postgresql_to_sqlite": ratios}``."""
    figures: dict[str, Any] = {"closed_cases": args.history, "open_cases": args.history // 10}
    names = ("sqlite", "postgresql") if args.database == "both" else (args.database,)
    for name in names:
        try:
            with database_of(name, args.keep) as url:
                figures[name] = _measured(url, args)
        except PeerMissing as error:
            figures[name] = {"left_out": str(error)}
    if all("now" in figures.get(name, {}) for name in ("sqlite", "postgresql")):
        figures["postgresql_to_sqlite"] = _ratios(figures["postgresql"], figures["sqlite"])
    return figures


def _measured(url: str, args: argparse.Namespace) -> dict[str, Any]:
    engine = make_engine(url)
    create_all(engine)
    settle(engine)
    if grown(engine) < args.history + args.history // 10:
        grow(engine, args.history, lean=True)
    found: dict[str, Any] = {}
    builds = {"before": args.before.resolve(), "now": HERE} if args.before else {"now": HERE}
    found |= _turns(url, builds, args.rounds, args.cases)
    if "before" in found:
        found["ratio"] = round(found["now"]["per_core_second"] / found["before"]["per_core_second"], 2)
    if args.lists:
        found["lists"] = _lists(engine, args.lists)
    engine.dispose()
    return found


def _turns(url: str, builds: dict[str, Path], rounds: int, cases: int) -> dict[str, Any]:
    """Rounds of every build by turns, the first of each turn another one each time."""
    played: dict[str, list[dict[str, Any]]] = {name: [] for name in builds}
    with ExitStack() as stack:
        at_work = {name: stack.enter_context(_process(build, url)) for name, build in builds.items()}
        for play in at_work.values():
            play(25)  # imports, plans and caches
        for n in range(rounds):
            for name in sorted(at_work, reverse=bool(n % 2)):
                played[name].append(at_work[name](cases))
    return {name: _told(rows) for name, rows in played.items()}


@contextmanager
def _process(build: Path, url: str) -> Iterator[Callable[[int], dict[str, Any]]]:
    command = [python_of(build), str(HERE / "bench" / "parts" / "command_rounds.py"), url]
    process = subprocess.Popen(command, cwd=build, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    asked, answered = process.stdin, process.stdout
    if asked is None or answered is None:
        raise RuntimeError("a process without pipes")

    def play(cases: int) -> dict[str, Any]:
        asked.write(f"{cases}\n")
        asked.flush()
        found: dict[str, Any] = json.loads(answered.readline())
        return found

    try:
        yield play
    finally:
        asked.close()
        process.wait(60)


def _told(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    count, cpu = sum(r["count"] for r in rounds), sum(r["cpu_s"] for r in rounds)
    return {
        "commands": count,
        "per_core_second": round(count / cpu, 1),
        "rounds": [round(r["count"] / r["cpu_s"]) for r in rounds],
        "ms": quantiles([ms for r in rounds for ms in r["ms"]]),
    }


def _lists(engine: Engine, times: int) -> dict[str, Any]:
    """First pages, in milliseconds of the wall clock."""
    kinds, now = definitions_in_force(), datetime.now(UTC)
    asked: dict[str, Callable[[Session], Any]] = {
        "my_turn": lambda s: work_page(s, CLERK, "turn", kinds),
        "started_by_me": lambda s: work_page(s, CLERK, "started", kinds),
        "copied_to_me": lambda s: work_page(s, CLERK, "copied", kinds),
        "all_of_my_department": lambda s: work_page(s, CLERK, "all", kinds),
        "all_of_the_district": lambda s: work_page(s, BOSS, "all", kinds),
        "open_cases": lambda s: list_cases(s, BOSS, CaseFilter(open=True)),
        "own_work": lambda s: list_cases(s, STAFF, CaseFilter(open=True, mine=True)),
        "overdue": lambda s: list_cases(s, BOSS, CaseFilter(open=True, overdue_at=now - timedelta(days=1))),
    }
    figures = {}
    for name, ask in asked.items():
        took = []
        for _ in range(times):
            began = time.perf_counter()
            with read_scope(engine) as session:
                found = ask(session)
            took.append((time.perf_counter() - began) * 1000)
        figures[name] = {"lines": len(found.items), **quantiles(took)}
    return figures


def _ratios(ours: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """Middle times of the one to those of the other."""
    found = {"commands": round(ours["now"]["ms"]["p50"] / other["now"]["ms"]["p50"], 2)}
    for name, row in ours.get("lists", {}).items():
        found[name] = round(row["p50"] / other["lists"][name]["p50"], 2)
    return found
