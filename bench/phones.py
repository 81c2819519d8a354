"""Logged-in phones: each with a live stream and an action a minute; p95, errors, memory of the server a phone.

In one run: a real nats-server, a real web process on SQLite, ``phones`` accounts signed in, one stream each, and one
remark on a case a minute each, spread evenly.  The peer is a plain FastAPI and SQLAlchemy handler (who is it, is the
case there, one row, commit) that gets the same calls: no rights, no lifecycle, no audit chain, no notices.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.parts.plain_handler import make_plain
from bench.viewers import settings_in, start
from core.clock import SystemClock
from core.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--phones", type=int, default=1270)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between two actions of a phone")


def run(args: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder))
        people = _prepare(settings, args.phones)
        processes = start(settings)
        plain = make_plain(settings, people)
        command = [sys.executable, "-m", "bench.parts.plain_handler", plain.database, str(plain.port)]
        processes["plain"] = subprocess.Popen(command, env=os.environ)
        try:
            web = psutil.Process(processes["web"].pid)
            ours = asyncio.run(_load(f"http://127.0.0.1:{settings.web_port}", people, args, web, live=True))
            peer = psutil.Process(processes["plain"].pid)
            theirs = asyncio.run(_load(f"http://127.0.0.1:{plain.port}", people, args, peer, live=False))
        finally:
            for process in processes.values():
                process.terminate()
            for process in processes.values():
                process.wait(20)
    ratio = round(float(str(ours["cpu_ms_an_action"])) / max(0.01, float(str(theirs["cpu_ms_an_action"]))), 1)
    return {"phones": args.phones, "ours": ours, "plain": theirs, "cpu_ratio": ratio}


def _prepare(settings: Settings, count: int) -> list[tuple[str, str, str]]:
    """``(cookie, csrf token, case id)`` of each phone."""
    from dashboard.accounts.users import add_user
    from dashboard.auth import Accounts
    from events.cases.drafts import CaseDraft, Part, Route
    from events.cases.service import CaseService
    from storage.schema import create_all
    from storage.session import make_engine, session_scope
    from storage.tables.registry import Department, Site

    engine = make_engine(settings.database_url)
    create_all(engine)
    accounts, service = Accounts(engine, SystemClock()), CaseService(engine, SystemClock())
    secrets: list[str] = []
    with session_scope(engine) as session:
        session.add_all([Department(department_id=f"d{n}", name=f"d{n}") for n in range(20)])
        session.flush()
        session.add(Site(site_id="s", name="s", kind="key_fire_site", lon=125.37, lat=43.88))
        for n in range(count):
            user = add_user(session, login=f"p{n}", name=f"p{n}", roles=["staff"], department_id=f"d{n % 20}")
            secrets.append(accounts.open_in(session, user.user_id, user.login, "127.0.0.1", "bench"))
    cases: list[str] = []
    with session_scope(engine) as session:
        for n in range(200):
            draft = CaseDraft(
                title=f"case {n}", kind="fire_alarm", site_id="s", source_type="device", source_id="d",
                auto_register=True, route=Route(lead=Part(department_id=f"d{n % 20}")),
            )  # fmt: skip
            cases.append(service.open_case(session, draft).case_id)
    made = []
    for n, secret in enumerate(secrets):
        who = accounts.principal(secret)
        assert who is not None
        made.append((secret, who.csrf_token, cases[n % 200]))
    engine.dispose()
    return made


async def _load(
    base: str, people: list[tuple[str, str, str]], args: argparse.Namespace, server: psutil.Process, *, live: bool
) -> dict[str, object]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    async with httpx.AsyncClient(base_url=base, trust_env=False, limits=limits, timeout=60) as client:
        await _ready(client)
        before = server.memory_info().rss
        streams = [asyncio.create_task(_stream(client, secret)) for secret, _, _ in people] if live else []
        connected = await asyncio.gather(*(_hello(task) for task in streams)) if streams else []
        held = server.memory_info().rss - before
        cpu = sum(server.cpu_times()[:2])
        late, failed = await _act(client, people, args)
        cpu = sum(server.cpu_times()[:2]) - cpu
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
    late.sort()
    return {
        "streams": sum(map(bool, connected)), "actions": len(late), "errors": failed,
        "p50_ms": round(statistics.median(late), 1) if late else None,
        "p95_ms": round(late[int(len(late) * 0.95)], 1) if late else None,
        "kb_a_phone": round(held / 1024 / max(1, len(streams)), 1),
        "cpu_ms_an_action": round(cpu * 1000 / max(1, len(late)), 2),
    }  # fmt: skip


async def _ready(client: httpx.AsyncClient) -> None:
    for _ in range(300):
        try:
            if (await client.get("/livez")).status_code == 200:
                return
        except httpx.HTTPError:
            pass  # still starting
        await asyncio.sleep(0.2)


_HELLO: dict[Any, asyncio.Event] = {}


async def _stream(client: httpx.AsyncClient, secret: str) -> None:
    mark = _HELLO.setdefault(asyncio.current_task(), asyncio.Event())
    cookie = {"Cookie": f"yiwang_session={secret}"}
    async with client.stream("GET", "/api/live?topics=case,notice", headers=cookie, timeout=None) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: hello"):
                mark.set()


async def _hello(task: asyncio.Task[None]) -> bool:
    mark = _HELLO.setdefault(task, asyncio.Event())
    try:
        await asyncio.wait_for(mark.wait(), 120)
    except TimeoutError:
        return False
    return True


async def _act(
    client: httpx.AsyncClient, people: list[tuple[str, str, str]], args: argparse.Namespace
) -> tuple[list[float], int]:
    late: list[float] = []
    failed = 0
    tasks: list[asyncio.Task[None]] = []

    async def one(secret: str, csrf: str, case_id: str) -> None:
        nonlocal failed
        begun = time.perf_counter()
        head = {"Cookie": f"yiwang_session={secret}", "X-CSRF-Token": csrf}
        body = {"name": "comment", "data": {"comment": "on my way"}}
        try:
            answer = await client.post(f"/api/cases/{case_id}/commands", json=body, headers=head)
            failed += answer.status_code != 200
        except httpx.HTTPError:
            failed += 1
        late.append((time.perf_counter() - begun) * 1000)

    gap = args.every / len(people)
    began = time.monotonic()
    for n in range(int(args.seconds / gap)):
        await asyncio.sleep(max(0.0, began + n * gap - time.monotonic()))
        tasks.append(asyncio.create_task(one(*people[n % len(people)])))
    await asyncio.gather(*tasks)
    return late, failed
