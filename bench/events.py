"""Events: observations through rules and correlation, case commands, merging, growth; SQLite and PostgreSQL.

CPU seconds are of this process alone (rules, correlation, case engine, SQL client); wall time includes the database.
With SQLite the database runs inside this process and counts.  ``--full`` adds the rows of a large district's years:
10⁶ closed and 10⁵ open cases.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from bench.parts.cpu import quantiles
from bench.parts.history import grow
from bench.parts.merging import play, settle_city
from bench.parts.replay import Day, generate, make_sites
from bench.parts.rig import PeerMissing, Postgres
from core.clock import SystemClock
from core.ids import new_id
from core.records import SYSTEM, Actor, Command, Observation, Reading, decode, encode
from events.cases.detail import case_detail
from events.cases.queries import CaseFilter, list_cases
from events.cases.service import CaseService
from events.correlation.case_placement import Desk
from events.correlation.intake import Intake
from events.correlation.places import PlaceRegistry
from events.dispatching.routing import default_routing
from events.indicators import tally
from events.indicators.counting import IndicatorQuestion
from events.indicators.evaluation import evaluate, rulebook
from events.rules.rulebook import default_rulebook
from storage import case_text
from storage.schema import create_all
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.observations import RuleState
from storage.tables.registry import Site

SITES = 148
STAFF = Actor(user_id="bench-staff", name="bench", roles=("staff",), department_id="dept-fire")
READ_BATCH, OBS_BATCH = 1024, 256


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--readings", type=int, default=20_000)
    parser.add_argument("--observations", type=int, default=4_000)
    parser.add_argument("--cases", type=int, default=200, help="cases that are worked through all commands")
    parser.add_argument("--incidents", type=int, default=400, help="incidents of the labelled day; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--history", default="0,10000", help="closed cases in the tables; a tenth as many open ones")
    parser.add_argument("--keep", type=Path, help="folder for databases that stay: history is written into them once")
    parser.add_argument("--full", action="store_true", help="history up to 1,000,000 closed and 100,000 open cases")


def run(args: argparse.Namespace) -> dict[str, Any]:
    history = [0, 10_000, 100_000, 1_000_000] if args.full else [int(n) for n in args.history.split(",")]
    figures: dict[str, Any] = {"sites": SITES}
    wanted = ("sqlite", "postgresql") if args.database == "both" else (args.database,)
    for name in wanted:
        try:
            with database_of(name, args.keep) as url:
                figures[name] = _measure(url, args, history)
        except PeerMissing as error:
            figures[name] = {"left_out": str(error)}
    if args.incidents:
        with database_of("sqlite") as url:
            figures["merging"] = _merging(url, args)
    return figures


@contextmanager
def database_of(name: str, keep: Path | None = None) -> Iterator[str]:
    """A throw-away database; below ``keep`` it stays, and what it holds is found again."""
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as temporary:
        folder = Path(temporary) if keep is None else keep.absolute() / name
        folder.mkdir(parents=True, exist_ok=True)
        if name == "sqlite":
            yield f"sqlite:///{folder}/bench.db"
            return
        server = Postgres(folder)
        try:
            yield server.url
        finally:
            server.stop()


def _merging(url: str, args: argparse.Namespace) -> dict[str, Any]:
    engine = make_engine(url)
    create_all(engine)
    found = play(engine, generate(sites=SITES, incidents=args.incidents, seed=args.seed))
    engine.dispose()
    return {
        "seed": args.seed,
        "incidents": found.incidents,
        "signals": found.signals,
        "duplicates": found.duplicates,
        "merged": found.merged,
        "merged_share": round(found.merged_share, 4),
        "incidents_lost": found.lost,
        "wrongly_joined": found.wrongly_joined,
        "spurious_cases": found.spurious_cases,
        "cases": found.cases,
    }


class House:
    """Intake and service on one database."""

    def __init__(self, engine: Engine) -> None:
        clock = SystemClock()
        registry = PlaceRegistry(clock, ttl_s=3600)
        self.engine = engine
        self.service = CaseService(engine, clock)
        self.intake = Intake(
            clock, default_rulebook(), registry, Desk(self.service, clock, registry, default_routing())
        )


def _measure(url: str, args: argparse.Namespace, history: Sequence[int]) -> dict[str, Any]:
    engine = make_engine(url)
    create_all(engine)
    chance = random.Random(args.seed)
    if settle(engine, chance):
        _forget_earlier_runs(engine)
    house = House(engine)
    figures: dict[str, Any] = {}
    for round_, rows in enumerate(history):
        began = time.perf_counter()
        held = grow(engine, rows) if rows else {}
        grown_s = round(time.perf_counter() - began, 1)
        start = datetime.now(UTC) - timedelta(days=10 - round_)  # later each round: no observation is late
        name = f"with_{rows}_closed_cases"
        figures[name] = {
            "history_rows": sum(held.values()),
            "history_s": grown_s,
            "readings": _flow(house, _readings(args.readings, start, chance), Reading, READ_BATCH),
            "observations_repeating": _flow(house, _repeating(args.observations, start), Observation, OBS_BATCH),
            "observations_moving_cases": _flow(house, _moving(args.observations // 4, start), Observation, OBS_BATCH),
            "commands": _commands(house, args.cases),
            "reading_ms": _reads(engine),
        }
    engine.dispose()
    return figures


def settle(engine: Engine, chance: random.Random | None = None) -> bool:
    """The measured sites with their departments and people, when they are not there; were they?"""
    sites = make_sites(SITES, chance or random.Random(1))
    with read_scope(engine) as session:
        known = session.get(Site, sites[0].site_id) is not None
    if not known:
        settle_city(engine, Day(sites=sites))
    return known


def _forget_earlier_runs(engine: Engine) -> None:
    """A kept database: what an earlier run left open at the measured sites is over, its rules remember nothing."""
    over = {"open": False, "state": "closed", "stage": "evaluate", "closed_at": Case.updated_at, "deadline_at": None}
    with session_scope(engine) as session:
        session.execute(update(Case).where(Case.open.is_(True), Case.site_id.like("r%")).values(over))
        session.execute(delete(RuleState))


# workloads -------------------------------------------------------------
def _readings(count: int, now: datetime, chance: random.Random) -> list[bytes]:
    """Dry gauges that tremble: each is stored, rolled up and judged."""
    return [
        encode(
            Reading(
                reading_id=new_id(),
                source="mqtt",
                device_id=f"gauge:r{n % SITES:03d}",
                quantity="water_level_m",
                value=round(chance.uniform(0, 0.04), 4),
                unit="m",
                observed_at=now + timedelta(seconds=n // SITES * 60),
                received_at=now,
                site_id=f"r{n % SITES:03d}",
            )  # fmt: skip
        )
        for n in range(count)
    ]


def _said(n: int, state: str, kind: str, at: datetime) -> bytes:
    site = f"r{n % SITES:03d}"
    return encode(
        Observation(
            observation_id=new_id(),
            kind=kind,
            state=state,  # type: ignore[arg-type]
            source_type="camera",
            source_id=f"cam-{site}-a",
            observed_at=at,
            received_at=at,
            site_id=site,
            confidence=0.9,
        )  # fmt: skip
    )


def _repeating(count: int, now: datetime) -> list[bytes]:
    """Cameras that see the same thing again and again: each is stored and judged, the first alone opens a case."""
    return [_said(n, "open", "crowding", now + timedelta(seconds=n / SITES * 0.5)) for n in range(count)]


def _moving(count: int, now: datetime) -> list[bytes]:
    """Every observation opens, adds to or clears a condition of a case: the dearest there is."""
    return [
        _said(
            n,
            "open" if (n // SITES) % 2 == 0 else "clear",
            "flame_smoke" if n % 3 else "absence",
            now + timedelta(seconds=n // SITES * 90),
        )  # fmt: skip
        for n in range(count)
    ]


def _flow(house: House, payloads: list[bytes], kind: Any, batch: int) -> dict[str, Any]:
    """Decode, rules, correlation, commit: batch by batch, as the worker does it."""
    take: Callable[..., Any] = house.intake.take_readings if kind is Reading else house.intake.take_observations
    times: list[float] = []
    cpu, started, findings = time.process_time(), time.perf_counter(), 0
    for start in range(0, len(payloads), batch):
        began = time.perf_counter()
        records = [decode(kind, data) for data in payloads[start : start + batch]]
        with session_scope(house.engine) as session:
            findings += take(session, records).findings
        times.append((time.perf_counter() - began) * 1000)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    return {
        "count": len(payloads),
        "findings": findings,
        "per_second": round(len(payloads) / wall),
        "per_core_second": round(len(payloads) / max(cpu, 1e-9)),
        "cpu_us_each": round(cpu / len(payloads) * 1e6, 1),
        "batch_ms": quantiles(times),
    }


def _commands(house: House, count: int) -> dict[str, Any]:
    """Cases through accept, finish, check and close, one command after the other."""
    with read_scope(house.engine) as session:
        ids = session.scalars(
            select(Case.case_id)
            .where(Case.state == "dispatched", Case.department_id == "dept-fire")
            .order_by(Case.opened_at.desc())
            .limit(count)
        ).all()
    steps: tuple[tuple[str, Actor, dict[str, Any]], ...] = (
        ("accept", STAFF, {}),
        ("finish", STAFF, {"no_photo_reason": "bench", "result": "done"}),
        ("check_pass", SYSTEM, {}),
        ("close", SYSTEM, {}),
    )
    times: list[float] = []
    cpu, started = time.process_time(), time.perf_counter()
    for case_id in ids:
        for name, actor, data in steps:
            began = time.perf_counter()
            wish = Command(name=name, case_id=case_id, actor_id=actor.user_id, data=data)
            try:
                house.service.execute(wish, actor)
            except Exception as error:
                if type(error).__name__ != "GuardFailed":
                    raise  # an assisting department that has not finished: the case goes on without this command
                break
            times.append((time.perf_counter() - began) * 1000)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    if not times:
        return {"count": 0}
    return {
        "count": len(times),
        "per_second": round(len(times) / wall, 1),
        "per_core_second": round(len(times) / max(cpu, 1e-9), 1),
        "ms": quantiles(times),
    }


def _reads(engine: Engine, times: int = 20) -> dict[str, dict[str, float | int]]:
    """What the pages ask of these tables, in milliseconds: pages of lists, a file, a search, a month's indicators."""
    boss = Actor(user_id="bench-boss", name="bench", roles=("dispatcher",))
    now = datetime.now(UTC)
    month = IndicatorQuestion(opened_from=now - timedelta(days=60), opened_to=now - timedelta(days=30), by="department")
    for keep in (case_text.catch_up, partial(tally.catch_up, guards=rulebook().guards)):  # derived tables stand
        more = True
        while more:
            with session_scope(engine) as session:
                more = keep(session) > 0
    with read_scope(engine) as session:
        ids = session.scalars(select(Case.case_id).order_by(Case.number.desc()).limit(times)).all()
    asked: dict[str, tuple[Callable[[Session, int], Any], int]] = {
        "open_cases": (lambda s, n: list_cases(s, boss, CaseFilter(open=True)), times),
        "own_work": (lambda s, n: list_cases(s, STAFF, CaseFilter(open=True, mine=True)), times),
        "overdue": (lambda s, n: list_cases(s, boss, CaseFilter(open=True, overdue_at=now)), times),
        "one_file": (lambda s, n: case_detail(s, boss, ids[n % len(ids)], now), times),
        "search_text": (lambda s, n: list_cases(s, boss, CaseFilter(q=f"点位r{n:03d}")), times),
        "indicators_of_a_month": (lambda s, n: evaluate(s, boss, month, now), times),
    }
    figures = {}
    for name, (ask, count) in asked.items():
        took = []
        for n in range(count):
            began = time.perf_counter()
            with read_scope(engine) as session:
                ask(session, n)
            took.append((time.perf_counter() - began) * 1000)
        figures[name] = quantiles(took)
    return figures
