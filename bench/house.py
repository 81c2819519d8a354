"""What the house costs: CPU time of starts and commands, memory of a running demo, beside another build.

``python -m bench house [--before FOLDER] [--rounds 3] [--wait 120]``: FOLDER is a worktree of the other build.  A start
is the CPU time of the process until it serves (modules are nearly all of it; wall time would measure what else the
machine does); memory is the proportional set size (shared pages by share) after ``--wait`` seconds of the demo with its
simulated devices.  Ratios are now : before.  Each build runs in its own environment (``FOLDER/.venv``) if it has one;
nothing else may run from either, or the pages of its libraries are shared and count less.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench.parts.rig import Rig, free_port

HERE = Path(__file__).parents[1]
PORTS = ("NATS", "MQTT", "WEB", "INGEST_HTTP", "OUTSIDE", "PANEL", "GB26875", "SL651", "HJ212", "JT808")
PROCESSES = ("nats-server", "worker", "ingest", "vision", "web")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="a worktree of another build, measured as well")
    parser.add_argument("--rounds", type=int, default=3, help="starts of each process (default 3; the median counts)")
    parser.add_argument("--wait", type=float, default=120.0, help="seconds that the demo runs before memory is read")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """``{"now": figures, "before": figures, "ratio": {"start_web", "start_ingest", "memory"}}``."""
    builds = {"now": HERE} | ({"before": args.before.resolve()} if args.before else {})
    found: dict[str, Any] = {name: {} for name in builds}
    with tempfile.TemporaryDirectory() as folder, _demos(builds, Path(folder)) as demos:
        time.sleep(args.wait)
        for name, demo in demos.items():
            found[name]["pss_mb"] = memory(demo)
            found[name]["pss_mb_together"] = round(sum(found[name]["pss_mb"].values()), 1)
    for process in ("web", "ingest"):
        taken: dict[str, list[float]] = {name: [] for name in builds}
        for build in builds.values():
            start_cpu_s(build, process)  # writes the byte code that an installation has after its first start
        for _ in range(args.rounds):
            for name, build in builds.items():  # in turn, so that a busy moment meets both
                taken[name].append(start_cpu_s(build, process))
        for name, values in taken.items():
            found[name][f"start_{process}_cpu_s"] = round(statistics.median(values), 2)
    for name, build in builds.items():
        for command in ("--help", "check"):
            runs = [command_cost(build, command) for _ in range(args.rounds)]
            short = command.strip("-")
            found[name] |= {f"app_{short}_cpu_s": round(statistics.median(cpu for cpu, _ in runs), 2)}
            found[name] |= {f"app_{short}_rss_mb": round(statistics.median(rss for _, rss in runs), 1)}
    if args.before:
        keys = {"start_web": "start_web_cpu_s", "start_ingest": "start_ingest_cpu_s", "memory": "pss_mb_together"}
        keys |= {"app_help": "app_help_cpu_s", "app_check": "app_check_cpu_s"}
        found["ratio"] = {name: round(found["now"][k] / found["before"][k], 2) for name, k in keys.items()}
    return found


def python_of(build: Path) -> str:
    """The interpreter of a build's own environment; ours where it has none."""
    own = build / ".venv" / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def start_cpu_s(build: Path, process: str) -> float:
    """CPU seconds of ``serve process`` from its start until it serves; of the instance only the bus runs beside it."""
    with tempfile.TemporaryDirectory() as folder, Rig(Path(folder)) as rig:
        rig.start("nats")
        env = _plain(rig.environment) | {"YIWANG_DATABASE_URL": f"sqlite:///{folder}/own.db", "PYTHONPATH": ""}
        migrate = [python_of(build), "-m", "app", "migrate"]
        subprocess.run(migrate, cwd=build, env=env, check=True, capture_output=True)
        command = [python_of(build), "-m", "app", "serve", process]
        started = subprocess.Popen(command, cwd=build, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        watched = psutil.Process(started.pid)
        try:
            if process == "web":
                _until(lambda: _answers(rig.settings.web_port, "/login"), 300)
            else:
                _until(lambda: any(c.status == psutil.CONN_LISTEN for c in watched.net_connections()), 300)
            times = watched.cpu_times()
            return float(times.user + times.system)
        finally:
            started.send_signal(signal.SIGKILL)
            started.wait()


def command_cost(build: Path, command: str) -> tuple[float, float]:
    """CPU seconds and the most resident memory in MB of ``python -m app COMMAND`` on an empty data folder."""
    with tempfile.TemporaryDirectory() as folder:
        env = _environment(Path(folder))
        done = subprocess.Popen(
            [python_of(build), "-m", "app", command], cwd=build, env=env, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _, _, used = os.wait4(done.pid, 0)
        done.returncode = 0  # waited for
        return used.ru_utime + used.ru_stime, used.ru_maxrss / 1e3


@contextmanager
def _demos(builds: dict[str, Path], folder: Path) -> Iterator[dict[str, psutil.Process]]:
    """A running demo of each build, beside one another."""
    running: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
    try:
        for name, build in builds.items():
            env = _environment(folder / name)
            with (folder / f"{name}.log").open("wb") as log:
                command = [python_of(build), "-m", "app", "run"]
                started = subprocess.Popen(command, cwd=build, env=env, stdout=log, stderr=log)
            running[name] = started, int(env["YIWANG_WEB_PORT"])
            _until(lambda port=running[name][1]: _answers(port, "/healthz"), 900)  # type: ignore[misc]
        yield {name: psutil.Process(started.pid) for name, (started, _) in running.items()}
    finally:
        for started, _ in running.values():
            started.send_signal(signal.SIGINT)
        for started, _ in running.values():
            started.wait(60)


def memory(demo: psutil.Process) -> dict[str, float]:
    """Proportional set size in MB of each process of a running instance."""
    found: dict[str, float] = {}
    for child in demo.children(recursive=True):
        line = child.cmdline()
        names = [name for name in PROCESSES if name in line or any(part.endswith("nats-server") for part in line[:1])]
        if names and (names[0] == "nats-server" or "serve" in line):
            found[names[0]] = found.get(names[0], 0.0) + float(child.memory_full_info().pss) / 1e6
    return {name: round(found[name], 1) for name in PROCESSES if name in found}


def _environment(data: Path) -> dict[str, str]:
    kept = {k: v for k, v in _plain(os.environ).items() if not k.startswith("YIWANG_")}
    ports = {f"YIWANG_{name}_PORT": str(free_port()) for name in PORTS}
    return kept | ports | {"YIWANG_DATA_DIR": str(data), "YIWANG_LOG_LEVEL": "WARNING", "PYTHONPATH": ""}


def _plain(env: Mapping[str, str]) -> dict[str, str]:
    """Byte code is kept, as it is wherever nobody forbids it: else a start is mostly the compiler's work."""
    return {k: v for k, v in env.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=3):  # noqa: S310 - ourselves
            return True
    except urllib.error.HTTPError:
        return path != "/healthz"
    except OSError:
        return False


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it does not serve within {seconds:.0f} s")
        time.sleep(0.2)
