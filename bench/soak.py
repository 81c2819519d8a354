"""The demo district at its own rate for hours: memory slope of each process with its 95 % interval, CPU, restarts.

The slope (MB an hour) is a line through the samples after the first quarter of the run, half an hour at most, of the
anonymous memory that a process holds: pages of files are the system's cache, given back when somebody wants them, and a
share of them moves to the others when a process ends.  ``--samples FILE`` keeps every sample for whoever asks further.
Neighbouring samples resemble each other; the interval is widened by their correlation (effective sample size).
``--idle`` leaves out viewers and simulated devices; ``--beside FOLDER`` counts what a district in which nothing moves
costs in this build and in another one, in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from scipy import stats

from app.run import children, prepare, until_ready
from app.supervise import ChildSpec, Family
from app.throwaway import environment, settings_of
from bench.parts.districts.idle import compare
from core.settings import Settings

EVERY_S = 5.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the run."""
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--idle", action="store_true", help="no viewers, no simulated devices")
    parser.add_argument("--beside", type=Path, help="another build's folder: CPU of both, idle, for --minutes")
    parser.add_argument("--samples", type=Path, help="write every sample into this file (JSON lines)")
    parser.add_argument("--without", nargs="*", default=[], help="processes to leave out, e.g. vision")


def run(args: argparse.Namespace) -> dict[str, object]:
    """Figures by process."""
    if args.beside:
        return compare(args.beside, args.minutes * 60)
    with tempfile.TemporaryDirectory(prefix="yiwang-soak-") as folder:
        return asyncio.run(_soak(Path(folder), args))


async def _soak(folder: Path, args: argparse.Namespace) -> dict[str, object]:
    env = environment(folder)
    settings = settings_of(env)
    await asyncio.to_thread(prepare, settings, _say)
    viewers = 0 if args.idle else args.viewers
    cookies = await asyncio.to_thread(_people, settings, viewers)
    family = Family(settings.data_dir / "logs", _say)
    views: list[asyncio.Task[None]] = []
    heard = [0]
    try:
        for spec in children(settings, demo=not args.idle):
            if spec.name not in args.without:
                family.start(ChildSpec(spec.name, spec.command, {**(spec.env or {}), **env}))
        await until_ready(settings, asyncio.Event())
        base = f"http://{settings.web_host}:{settings.web_port}"
        views = [asyncio.create_task(_view(base, cookies[n % len(cookies)], heard)) for n in range(viewers)]
        samples = await _watch(family, args.minutes * 60, args.samples)
        return _figures(family, samples, args.minutes, heard[0], viewers)
    finally:
        for view in views:
            view.cancel()
        await asyncio.gather(*views, return_exceptions=True)
        await family.stop()


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _people(settings: Settings, viewers: int) -> list[str]:
    """Session cookies: a person has at most a dozen pages."""
    from core.clock import SystemClock
    from dashboard.accounts.users import add_user
    from dashboard.auth import Accounts
    from storage.session import make_engine, session_scope

    engine = make_engine(settings.database_url)
    accounts = Accounts(engine, SystemClock())
    with session_scope(engine) as session:
        secrets = []
        for n in range(-(-viewers // 10)):
            user = add_user(session, login=f"soak{n}", name=f"soak{n}", roles=["operator"], department_id=None)
            secrets.append(accounts.open_in(session, user.user_id, user.login, "127.0.0.1", "bench"))
    engine.dispose()
    return [f"yiwang_session={secret}" for secret in secrets]


async def _view(base: str, cookie: str, heard: list[int]) -> None:
    while True:
        with contextlib.suppress(httpx.HTTPError):
            async with (
                httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(30, read=60)) as client,
                client.stream("GET", f"{base}/api/live", headers={"Cookie": cookie}) as answer,
            ):
                async for line in answer.aiter_lines():
                    heard[0] += line.startswith("event:")
        await asyncio.sleep(1)


@dataclass(frozen=True)
class Sample:
    """One look at a process: seconds since the beginning, MB, CPU seconds so far."""

    at_s: float
    anonymous_mb: float
    pss_mb: float
    cpu_s: float


Samples = dict[str, list[Sample]]  # by process


async def _watch(family: Family, seconds: float, kept: Path | None = None) -> Samples:
    began, found = time.monotonic(), Samples()
    with contextlib.ExitStack() as stack:
        lines = stack.enter_context(kept.open("w")) if kept else None
        while time.monotonic() - began < seconds:
            await asyncio.sleep(EVERY_S)
            for name, child in family.children.items():
                if child.pid is not None:
                    with contextlib.suppress(psutil.Error, OSError):
                        sample = await asyncio.to_thread(_sample, child.pid, time.monotonic() - began)
                        found.setdefault(name, []).append(sample)
                        if lines:
                            print(json.dumps({"process": name, **asdict(sample)}), file=lines, flush=True)
    return found


def _sample(pid: int, at_s: float) -> Sample:
    times = psutil.Process(pid).cpu_times()
    anonymous, pss = memory_of(Path(f"/proc/{pid}/smaps_rollup").read_text())
    return Sample(at_s, anonymous, pss, times.user + times.system)


def memory_of(rollup: str) -> tuple[float, float]:
    """MB of anonymous memory (what lies in swap too) and MB of PSS, from the text of ``smaps_rollup``."""
    found = {key: int(kb) * 1024 / 1e6 for key, kb in re.findall(r"^(\w+): +(\d+) kB$", rollup, re.MULTILINE)}
    return found["Anonymous"] + found.get("Swap", 0.0), found["Pss"]


def _figures(family: Family, samples: Samples, minutes: float, heard: int, viewers: int) -> dict[str, object]:
    settled = min(1800.0, minutes * 60 / 4)
    processes = {name: _process(rows, settled) for name, rows in samples.items() if len(rows) > 8}
    for name, child in family.children.items():
        processes.setdefault(name, {})["restarts"] = child.restarts
    return {
        "minutes": minutes, "viewers": viewers, "events_heard": heard, "cores": os.cpu_count(),
        "cpu_percent_of_a_core": round(sum(p.get("cpu_percent", 0.0) for p in processes.values()), 2),
        "processes": processes,
    }  # fmt: skip


def _process(rows: list[Sample], settled: float) -> dict[str, Any]:
    after = [row for row in rows if row.at_s >= settled]
    hours, memory = np.array([row.at_s for row in after]) / 3600, np.array([row.anonymous_mb for row in after])
    slope, low, high = slope_of(hours, memory)
    spent, span = after[-1].cpu_s - after[0].cpu_s, after[-1].at_s - after[0].at_s
    return {
        "anonymous_mb": round(float(memory[-1]), 1), "pss_mb": round(after[-1].pss_mb, 1),
        "slope_mb_h": round(slope, 2), "slope_95": [round(low, 2), round(high, 2)],
        "cpu_percent": round(float(100 * spent / span), 2),
    }  # fmt: skip


def slope_of(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    """Slope of a line through the samples, and its 95 % interval for samples that resemble their neighbours."""
    fit = stats.linregress(x, y)
    rest = y - (fit.slope * x + fit.intercept)
    spread = float(np.dot(rest, rest))
    alike = float(np.dot(rest[1:], rest[:-1]) / spread) if spread else 0.0
    alike = min(max(alike, 0.0), 0.99)
    independent = max(3.0, len(x) * (1 - alike) / (1 + alike))
    widened = float(np.nan_to_num(fit.stderr)) * float(np.sqrt((len(x) - 2) / max(1.0, independent - 2)))
    reach = float(stats.t.ppf(0.975, max(1.0, independent - 2))) * widened
    return float(fit.slope), float(fit.slope - reach), float(fit.slope + reach)
