"""CPU of a demo district in which nothing moves: this build, and another one beside it in the same run.

Both run as ``python -m app run`` does, simulated devices and all, with every film of the demo's cameras made still and
nobody looking.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import httpx
import psutil

from app.throwaway import environment
from layers.demo.clips import FPS, write_clip

HERE = Path(__file__).resolve().parents[3]
PREPARE = "from app.run import prepare; from core.settings import load_settings; prepare(load_settings())"
WAIT_S = 600.0
SETTLE_S = 120.0  # before counting: films are judged, caches fill


def compare(other: Path, seconds: float, kept: Path | None = None) -> dict[str, object]:
    """Per cent of a core by process and build, and this build's share of the other's (its folder, with ``.venv``).

    ``kept``: a folder in which the prepared districts stay for the next run.
    """
    with contextlib.ExitStack() as stack:
        folder = kept or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yiwang-idle-")))
        districts = [District("this", HERE, folder / "this"), District("other", other.resolve(), folder / "other")]
        for district in districts:
            district.prepare()
        for district in districts:
            stack.callback(district.stop)
            district.start()
        for district in districts:
            district.await_answer()
        time.sleep(SETTLE_S)
        before, began = {d.name: d.spent() for d in districts}, time.monotonic()
        time.sleep(seconds)
        after, took = {d.name: d.spent() for d in districts}, time.monotonic() - began
    figures: dict[str, object] = {"seconds": round(took, 1)}
    totals = {}
    for name, spent in after.items():
        percent = {p: round(100 * (s - before[name].get(p, 0.0)) / took, 2) for p, s in sorted(spent.items())}
        totals[name] = sum(percent.values())
        figures[name] = percent | {"all": round(totals[name], 2)}
    return figures | {"share_of_other": round(totals["this"] / totals["other"], 2)}


class District:
    """One build's instance."""

    def __init__(self, name: str, build: Path, folder: Path) -> None:
        self.name, self._build, self._folder = name, build, folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("YIWANG_", "PYTHON"))}
        self._own = environment(folder)
        self._env = kept | self._own
        self._python = str(build / ".venv/bin/python") if build != HERE else sys.executable
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Migrate, seed, and hold every film still; what stands in the folder already is used."""
        still = self._folder / "still"
        if not still.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            command = [self._python, "-c", PREPARE]
            subprocess.run(command, cwd=self._build, env=self._env, check=True, stdout=sys.stderr)
            for film in sorted(self._folder.glob("data/clips/*.mp4")):
                hold_still(film)
            still.touch()

    def start(self) -> None:
        """``app run``."""
        with (self._folder / "run.log").open("wb") as log:
            command = [self._python, "-m", "app", "run"]
            self._process = subprocess.Popen(command, cwd=self._build, env=self._env, stdout=log, stderr=log)

    def await_answer(self) -> None:
        """Return when ``/healthz`` says that all is well; ``TimeoutError``."""
        until = time.monotonic() + WAIT_S
        url = f"http://127.0.0.1:{self._own['YIWANG_WEB_PORT']}/healthz"
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(url, trust_env=False, timeout=5).status_code == 200:
                    return
            if time.monotonic() > until:
                raise TimeoutError(f"{self.name}: see {self._folder}/run.log")
            time.sleep(0.5)

    def spent(self) -> dict[str, float]:
        """CPU seconds so far by process; ``run`` is the supervisor itself."""
        assert self._process is not None
        above = psutil.Process(self._process.pid)
        found: dict[str, float] = {}
        for process in [above, *above.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                times, words = process.cpu_times(), process.cmdline()
                name = "nats-server" if "nats-server" in words[0] else words[-1]
                found[name] = found.get(name, 0.0) + times.user + times.system
        return found

    def stop(self) -> None:
        """End it as Ctrl-C would."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(60)


def hold_still(film: Path) -> None:
    """Put the film's first picture in place of all its pictures."""
    with av.open(str(film)) as container:
        first = next(container.decode(video=0)).to_ndarray(format="bgr24")
    write_clip(film, itertools.repeat(first, 30 * FPS))
