"""A drill as a process of its own, started by the web process: one at a time, killed when its time is up."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from core.settings import Settings
from dashboard.services import Services

log = logging.getLogger("yiwang.training")
START_S, SETTLE_S = 60.0, 120.0  # beyond the period itself: databases and streams are made, what was sent is waited for
Ended = Callable[[str, dict[str, Any], str], None]  # state, report, what it said last


class DrillProcess:
    """The drill that this process has started; :meth:`start` returns at once, ``ended`` is called in a thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: tuple[str, subprocess.Popen[bytes]] | None = None
        self._stopped = False

    def runs(self, drill_id: str) -> bool:
        """Whether this very drill runs now."""
        with self._lock:
            return self._running is not None and self._running[0] == drill_id

    def start(self, drill_id: str, command: Sequence[str], env: dict[str, str], seconds: float, ended: Ended) -> None:
        """Run ``command`` for at most ``seconds`` and what starting and settling take."""
        child = subprocess.Popen(  # noqa: S603 - our own command, no shell
            list(command), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        with self._lock:
            self._running, self._stopped = (drill_id, child), False
        most = seconds + START_S + SETTLE_S
        threading.Thread(target=self._wait, args=(child, most, ended), name=f"drill-{drill_id}", daemon=True).start()

    def stop(self, drill_id: str) -> bool:
        """Ask it to end now; what it has done until then is reported.  False: it does not run here."""
        with self._lock:
            if self._running is None or self._running[0] != drill_id:
                return False
            self._stopped = True
            self._running[1].send_signal(signal.SIGTERM)
            return True

    def _wait(self, child: subprocess.Popen[bytes], most: float, ended: Ended) -> None:
        late = ""
        try:
            out, said = child.communicate(timeout=most)
        except subprocess.TimeoutExpired:
            child.kill()
            out, said = child.communicate()
            late = f"it took more than {most:.0f} s"
        with self._lock:
            self._running = None
            stopped = self._stopped
        report = _json(out)
        state = "stopped" if stopped else "done" if report and not late else "failed"
        told = late or said.decode(errors="replace").strip().rpartition("\n")[2]
        try:
            ended(state, report, "" if state == "done" else told[:300])
        except Exception:  # the thread has nobody above it
            log.exception("the end of a drill could not be written")


def _json(out: bytes) -> dict[str, Any]:
    try:
        found = json.loads(out.strip().rpartition(b"\n")[2] or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def drill_command(drill_id: str, since: str, until: str, speed: float) -> list[str]:
    """The command line of a drill, at low priority."""
    return ["nice", "-n", "10", sys.executable, "-m", "app", "drill", "--from", since, "--to", until, "--speed",
            f"{speed:g}", "--name", drill_id, "--json"]  # fmt: skip


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment with the places that it works with itself."""
    own = {"YIWANG_DATA_DIR": str(settings.data_dir), "YIWANG_DATABASE_URL": settings.database_url}
    return {**os.environ, **own, "PYTHONUNBUFFERED": "1"}


def process_of(services: Services) -> DrillProcess:
    """The one of this web process."""
    found: DrillProcess = services.counters.setdefault("drill_process", DrillProcess())
    return found
