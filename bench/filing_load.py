"""Accounts that file in the same hour while the web process is killed: confirmed cells lost, answer times, errors.

A real nats-server and a real web process on SQLite; ``accounts`` people of the example's villages fill in the cells of
their own tables one by one, spread over ``seconds``; ``kill_every`` seconds after it answered the web process is killed
(SIGKILL) and started again.  A cell counts as confirmed when its answer came; in the end the database is compared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from bench.viewers import settings_in, start
from core.clock import SystemClock
from core.settings import Settings

PERIOD = "2026-11"
RETRY_S = 0.5


@dataclass(frozen=True)
class FilingPerson:
    """A signed-in account and the table that is its own."""

    secret: str
    csrf: str
    dataset: str
    unit: str
    questions: tuple[str, ...]


@dataclass
class FilingTally:
    """What was confirmed, and how the requests went."""

    confirmed: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    late_ms: list[float] = field(default_factory=list)
    cut: int = 0
    refused: int = 0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accounts", type=int, default=287)
    parser.add_argument("--seconds", type=float, default=120.0, help="over which each account fills in its table")
    parser.add_argument("--kill-every", type=float, default=20.0)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """The figures; milliseconds are wall time of an answer."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder))
        people = _prepare(settings, args.accounts)
        processes = start(settings)
        try:
            tally, kills = asyncio.run(_load(settings, people, processes, args))
        finally:
            for process in processes.values():
                process.terminate()
                process.wait(30)
        kept = _kept(settings)
    wrong = [key for key, value in tally.confirmed.items() if kept.get(key) != value]
    late = sorted(tally.late_ms)
    return {
        "accounts": len(people), "confirmed_cells": len(tally.confirmed), "lost_cells": len(wrong), "kills": kills,
        "requests_cut": tally.cut, "refused": tally.refused, "p50_ms": round(late[len(late) // 2], 1),
        "p95_ms": round(late[int(len(late) * 0.95)], 1),
    }  # fmt: skip


def _prepare(settings: Settings, count: int) -> list[FilingPerson]:
    from dashboard.accounts.users import add_user
    from dashboard.auth import Accounts
    from records.filing.example import example_datasets, write_units
    from records.filing.store import take_dataset
    from records.filing.tree import load_tree
    from storage.schema import create_all
    from storage.session import make_engine, session_scope
    from storage.tables.registry import Division

    engine = make_engine(settings.database_url)
    create_all(engine)
    accounts, now = Accounts(engine, SystemClock()), datetime.now(UTC)
    made: list[tuple[str, str, str, tuple[str, ...]]] = []
    with session_scope(engine) as session:
        write_units(session)
        leaves = load_tree(session).leaves
        session.add_all([Division(code=leaf, name=leaf, level="community") for leaf in leaves])
        session.flush()
        monthly = [d for d in example_datasets() if d.period == "month"]
        bodies = {body["id"]: body for body in _bodies()}
        for dataset in monthly:
            take_dataset(session, bodies[dataset.id], now, "bench")
        for n in range(min(count, len(leaves) * len(monthly))):
            leaf, dataset = leaves[n % len(leaves)], monthly[n // len(leaves)]
            user = add_user(session, login=f"f{n}", name=f"f{n}", roles=["grid_worker"], department_id=None)
            user.division_code = leaf
            secret = accounts.open_in(session, user.user_id, user.login, "127.0.0.1", "bench")
            types = {item.key: item.type for item in dataset.compiled.structure.items}
            numbers = tuple(q for q in dataset.questions if types[q] in ("integer", "decimal"))
            made.append((secret, dataset.id, leaf, numbers))
    people = []
    for secret, dataset_id, leaf, numbers in made:
        who = accounts.principal(secret)
        assert who is not None
        people.append(FilingPerson(secret, who.csrf_token, dataset_id, leaf, numbers))
    engine.dispose()
    return people


def _bodies() -> list[dict[str, Any]]:
    from records.filing.example import example_bodies

    return [dict(body) for body in example_bodies()]


async def _load(
    settings: Settings, people: list[FilingPerson], processes: dict[str, subprocess.Popen[bytes]],
    args: argparse.Namespace,
) -> tuple[FilingTally, int]:  # fmt: skip
    tally, done = FilingTally(), asyncio.Event()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    base = f"http://127.0.0.1:{settings.web_port}"
    async with httpx.AsyncClient(base_url=base, trust_env=False, limits=limits, timeout=60) as client:
        killer = asyncio.create_task(_kill(client, processes, args.kill_every, done))
        await asyncio.gather(*(_person(client, one, n, args.seconds, tally) for n, one in enumerate(people)))
        done.set()
        return tally, await killer


async def _person(client: httpx.AsyncClient, one: FilingPerson, n: int, seconds: float, tally: FilingTally) -> None:
    """Fill in each cell, twice; what was cut off is sent again until its answer comes."""
    head = {"Cookie": f"yiwang_session={one.secret}", "X-CSRF-Token": one.csrf}
    steps = [(question, value) for value in (n % 90 + 1, n % 90 + 5) for question in one.questions]
    gap = seconds / max(1, len(steps))
    await asyncio.sleep(gap * (n % 97) / 97)
    for question, value in steps:
        url = f"/api/filing/{one.dataset}/units/{one.unit}/{PERIOD}"
        while True:
            begun = time.perf_counter()
            try:
                answer = await client.put(url, json={"values": {question: value}}, headers=head)
            except httpx.HTTPError:
                tally.cut += 1
                await asyncio.sleep(RETRY_S)
                continue
            tally.late_ms.append((time.perf_counter() - begun) * 1000)
            if answer.status_code == 200:
                tally.confirmed[one.dataset, one.unit, question] = value
                break
            if answer.status_code in (429, 503):
                await asyncio.sleep(RETRY_S)
                continue
            tally.refused += 1
            break
        await asyncio.sleep(gap)


async def _answers(client: httpx.AsyncClient) -> None:
    """Until the web process answers again."""
    while True:
        try:
            if (await client.get("/livez", timeout=5)).status_code == 200:
                return
        except httpx.HTTPError:
            await asyncio.sleep(RETRY_S)


async def _kill(
    client: httpx.AsyncClient, processes: dict[str, subprocess.Popen[bytes]], every: float, done: asyncio.Event
) -> int:
    """Kill the web process ``every`` seconds after it answered; how often."""
    kills = 0
    while True:
        try:
            await asyncio.wait_for(done.wait(), every)
            return kills
        except TimeoutError:
            processes["web"].kill()
            processes["web"].wait()
            kills += 1
            command = [sys.executable, "-m", "app", "serve", "web"]
            nowhere = subprocess.DEVNULL
            processes["web"] = await asyncio.to_thread(
                subprocess.Popen, command, env=os.environ, stdout=nowhere, stderr=nowhere
            )
            await _answers(client)


def _kept(settings: Settings) -> dict[tuple[str, str, str], Any]:
    from storage.session import make_engine, read_scope
    from storage.tables.filing import Filing, FilingValue

    engine = make_engine(settings.database_url)
    with read_scope(engine) as session:
        sql = select(Filing.dataset_id, Filing.unit_id, FilingValue.question, FilingValue.value)
        rows = session.execute(sql.join(FilingValue, FilingValue.filing_id == Filing.filing_id)).all()
    engine.dispose()
    return {(d, u, q): json.loads(value) for d, u, q, value in rows if value is not None}
