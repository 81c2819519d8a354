"""Event to page: one web process, many open pages (SSE), cases that move; latency of the push and what it costs.

In one run: a real nats-server, a real web process on SQLite, ``viewers`` connections in this process, ``rate``
case changes a second for ``seconds``.  Latency is from the publish on the bus to the line in the viewer's hands;
the browser's drawing (measured apart, docs/frontend.md) comes on top.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from core.bus import connect
from core.clock import SystemClock
from core.records import CaseChanged, Severity
from core.settings import Settings, load_settings

PASSWORD = secrets.token_urlsafe(18)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--rate", type=float, default=5.0, help="case changes a second")
    parser.add_argument("--seconds", type=float, default=20.0)


def run(args: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_in(Path(folder))
        cases = _prepare(settings)
        processes = start(settings)
        try:
            return asyncio.run(_measure(settings, args, cases, processes["web"]))
        finally:
            for process in processes.values():
                process.terminate()
            for process in processes.values():
                process.wait(10)


def settings_in(folder: Path) -> Settings:
    """Settings of a throw-away instance on free ports, in the environment, too."""
    import socket

    env = {"YIWANG_DATA_DIR": str(folder), "YIWANG_LOG_LEVEL": "WARNING"}
    for name in ("NATS", "MQTT", "WEB"):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            env[f"YIWANG_{name}_PORT"] = str(probe.getsockname()[1])
    os.environ.update(env)
    return load_settings(env)


def _prepare(settings: Settings) -> list[str]:
    """A hundred open cases and fifty people (a person may have a dozen pages)."""
    from dashboard.accounts.users import add_user, hash_password
    from events.cases.drafts import CaseDraft, Part, Route
    from events.cases.service import CaseService
    from storage.schema import create_all
    from storage.session import make_engine, session_scope
    from storage.tables.registry import Department, Site

    engine = make_engine(settings.database_url)
    create_all(engine)
    word = hash_password(PASSWORD)
    with session_scope(engine) as session:
        session.add_all([Department(department_id=f"d{n}", name=f"d{n}") for n in range(5)])
        session.flush()
        session.add(Site(site_id="s", name="s", kind="key_fire_site", lon=125.37, lat=43.88))
        for n in range(50):
            roles = ["operator"] if n % 2 else ["staff"]
            add_user(session, login=f"v{n}", name=f"v{n}", roles=roles, department_id=f"d{n % 5}").password_hash = word
    service, cases = CaseService(engine, SystemClock()), []
    with session_scope(engine) as session:
        for n in range(100):
            draft = CaseDraft(
                title=f"case {n}", kind="fire_alarm", site_id="s", source_type="device", source_id="d",
                auto_register=True, route=Route(lead=Part(department_id=f"d{n % 5}")),
            )  # fmt: skip
            cases.append(service.open_case(session, draft).case_id)
    engine.dispose()
    return cases


def start(settings: Settings) -> dict[str, subprocess.Popen[bytes]]:
    """A bus and a web process, once they answer."""
    from app.nats import nats_command, write_config

    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    bus = subprocess.Popen(nats_command(write_config(settings)), **quiet)  # type: ignore[call-overload]
    time.sleep(1)
    web = subprocess.Popen([sys.executable, "-m", "app", "serve", "web"], env=os.environ, **quiet)  # type: ignore[call-overload]
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            url = f"http://127.0.0.1:{settings.web_port}/healthz"
            if httpx.get(url, trust_env=False, timeout=2).json()["bus"]:
                break
        except (httpx.HTTPError, ValueError, KeyError):
            pass  # still starting
        time.sleep(0.3)
    return {"web": web, "bus": bus}


class _Tally:
    """When each change was published, and how late each viewer got it."""

    def __init__(self, viewers: int) -> None:
        self.sent: dict[str, float] = {}
        self.late_ms: list[float] = []
        self.all_ready = asyncio.Event()
        self._missing = viewers

    def hello(self) -> None:
        self._missing -= 1
        if self._missing == 0:
            self.all_ready.set()

    def got(self, case_id: str) -> None:
        at = self.sent.get(case_id)
        if at is not None:
            self.late_ms.append((time.perf_counter() - at) * 1000)


async def _view(client: httpx.AsyncClient, cookie: str, tally: _Tally) -> None:
    async with client.stream("GET", "/api/live", headers={"Cookie": cookie}, timeout=None) as response:
        kind = ""
        async for line in response.aiter_lines():
            if line.startswith("event:"):
                kind = line[7:]
                if kind == "hello":
                    tally.hello()
            elif kind == "case" and line.startswith("data:"):
                tally.got(json.loads(line[5:])["case_id"])


async def _measure(
    settings: Settings, args: argparse.Namespace, cases: list[str], web: subprocess.Popen[bytes]
) -> dict[str, object]:
    tally = _Tally(args.viewers)
    base = f"http://127.0.0.1:{settings.web_port}"
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=60, limits=limits) as client:
        cookies = []
        for n in range(50):
            answer = await client.post("/api/login", json={"login": f"v{n}", "password": PASSWORD})
            answer.raise_for_status()
            cookies.append(answer.headers["set-cookie"].split(";")[0])
            client.cookies.clear()
        views = [asyncio.create_task(_view(client, cookies[n % 50], tally)) for n in range(args.viewers)]
        await asyncio.wait_for(tally.all_ready.wait(), 120)
        spent = _cpu_s(web)
        started = time.perf_counter()
        await _publish(settings, args, cases, tally)
        for _ in range(75):  # stragglers get 15 s
            if len(tally.late_ms) >= _expected(args):
                break
            await asyncio.sleep(0.2)
        wall = time.perf_counter() - started
        spent = _cpu_s(web) - spent
        for view in views:
            view.cancel()
        await asyncio.gather(*views, return_exceptions=True)
    late = sorted(tally.late_ms)
    expected = _expected(args)
    return {
        "viewers": args.viewers,
        "changes_per_s": args.rate,
        "pushes": len(late),
        "pushes_expected": expected,
        "push_p50_ms": round(late[len(late) // 2], 1),
        "push_p95_ms": round(late[int(len(late) * 0.95)], 1),
        "push_max_ms": round(late[-1], 1),
        "web_cpu_share_of_a_core": round(spent / wall, 3),
        "web_memory_mb": round(psutil.Process(web.pid).memory_info().rss / 2**20, 1),
    }


def _expected(args: argparse.Namespace) -> int:
    """Operators see all cases, staff those of their department: one in five."""
    changes = int(args.rate * args.seconds)
    operators = sum(n % 50 % 2 for n in range(args.viewers))
    staff = [n % 50 for n in range(args.viewers) if not n % 50 % 2]
    by_staff = sum(sum(1 for c in range(changes) if c % 100 % 5 == person % 5) for person in staff)
    return operators * changes + by_staff


async def _publish(settings: Settings, args: argparse.Namespace, cases: list[str], tally: _Tally) -> None:
    bus = await connect(settings, "bench")
    await bus.ensure()
    clock, start = SystemClock(), time.perf_counter()
    for n in range(int(args.rate * args.seconds)):
        await asyncio.sleep(max(0.0, start + n / args.rate - time.perf_counter()))
        case_id = cases[n % len(cases)]
        change = CaseChanged(
            case_id=case_id, number=str(n), version=n + 100, stage="handle", state="handling", command="accept",
            severity=Severity.RED, class_code="x", title="x", changed_at=clock.now(),
        )  # fmt: skip
        tally.sent[case_id] = time.perf_counter()
        await bus.announce(change)
    await bus.close()


def _cpu_s(process: subprocess.Popen[bytes]) -> float:
    times: Any = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)
