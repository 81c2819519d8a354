"""Child processes: started, watched, restarted with back-off (said once), stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

HEALTHY_AFTER_S = 10.0  # a child that has run this long is back; its back-off starts anew
MAX_BACKOFF_S = 30.0
LOG_LIMIT_BYTES = 20_000_000
LOG_KEEP = 3  # older parts of a log that are kept: X.log.1 is the newest
ROTATE_EVERY_S = 10.0
_PR_SET_PDEATHSIG = 1
# glibc keeps a heap of its own for every few threads: a process with a thread a camera holds twice what it uses.  Large
# blocks (a network's scratch memory, a whole picture) go back to the system at once and leave no gaps in the heaps;
# small ones stay (the trim limit), and ``core.memory.keep_small`` gives back now and then what they left.
ALLOCATOR = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    # nats-server keeps what it wrote last of each stream (up to 8 MB) in memory; Go would let as much garbage gather.
    "GOGC": "50",
}


@dataclass(frozen=True)
class ChildSpec:
    """What to run: ``name`` is used in messages and for ``logs/<name>.log``.

    ``env`` replaces every ``YIWANG_*`` variable of ours; None hands ours on.
    """

    name: str
    command: tuple[str, ...]
    env: dict[str, str] | None = None

    def environment(self) -> dict[str, str]:
        """What the child sees."""
        if self.env is None:
            return ALLOCATOR | os.environ
        return ALLOCATOR | {k: v for k, v in os.environ.items() if not k.startswith("YIWANG_")} | self.env


class ChildProcess:
    """One supervised process."""

    def __init__(self, spec: ChildSpec, logs: Path, say: Callable[[str], None]) -> None:
        self.spec = spec
        self.restarts = 0
        self._log = logs / f"{spec.name}.log"
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._told_lost = False

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def watch(self) -> None:
        """Run until :meth:`stop`; a death is said once, so is the recovery."""
        backoff_s = 0.5
        while True:
            started = time.monotonic()
            status = await self._run_once()
            if self._stopping:
                break
            if time.monotonic() - started > HEALTHY_AFTER_S:
                backoff_s = 0.5
            if not self._told_lost:
                self._say(f"{self.spec.name} ended ({_status(status)}); restarting it; its log: {self._log}")
                self._told_lost = True
            self.restarts += 1
            await asyncio.sleep(backoff_s)
            backoff_s = min(MAX_BACKOFF_S, backoff_s * 2)

    async def _run_once(self) -> int:
        with contextlib.suppress(OSError):
            self.rotate()
        with self._open_log() as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.spec.environment(),
                start_new_session=True,  # Ctrl-C is ours to hand on, in order
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        waiting = asyncio.create_task(self._process.wait())
        done, _ = await asyncio.wait({waiting}, timeout=HEALTHY_AFTER_S)
        if not done and self._told_lost:
            self._say(f"{self.spec.name} is back")
            self._told_lost = False
        return await waiting

    def _open_log(self) -> IO[bytes]:
        """The log to append to; on a disk that takes no writes the process runs without one."""
        try:
            return self._log.open("ab")
        except OSError:
            return Path(os.devnull).open("ab")

    def rotate(self, limit_bytes: int = LOG_LIMIT_BYTES) -> bool:
        """Put a log that grew too long aside, while the process goes on writing to it; whether it was.

        Copied and cut, not renamed: the process holds the file open (to append, so it goes on at the new end).  Where
        the copy finds no room, the log is cut all the same: a full disk must not be filled by its own complaints.
        """
        if not self._log.exists() or self._log.stat().st_size <= limit_bytes:
            return False
        for number in range(LOG_KEEP, 1, -1):
            older = self._log.with_suffix(f".log.{number - 1}")
            if older.exists():
                older.replace(self._log.with_suffix(f".log.{number}"))
        aside = self._log.with_suffix(".log.1")
        try:
            shutil.copyfile(self._log, aside)
        except OSError:
            aside.unlink(missing_ok=True)
        os.truncate(self._log, 0)
        return True

    async def restart(self, grace_s: float = 10.0) -> None:
        """Stop the process once; :meth:`watch` starts it again."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def leave(self) -> None:
        """Do not restart it any more."""
        self._stopping = True

    async def stop(self, grace_s: float = 10.0) -> None:
        """SIGTERM, then SIGKILL after ``grace_s`` seconds."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace_s)
        except TimeoutError:
            self._say(f"{self.spec.name} did not stop within {grace_s:.0f} s; killed")
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class Family:
    """All children of one instance."""

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._say = say
        self.children: dict[str, ChildProcess] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, spec: ChildSpec) -> ChildProcess:
        """Start a child and keep it running."""
        child = ChildProcess(spec, self._logs, self._say)
        self.children[spec.name] = child
        self._tasks.append(asyncio.create_task(child.watch(), name=spec.name))
        return child

    async def rotate_for_ever(self) -> None:
        """Keep every log short while its process runs."""
        while True:
            await asyncio.sleep(ROTATE_EVERY_S)
            for child in self.children.values():
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(child.rotate)

    async def stop(self) -> None:
        """Stop all, the last started first, nats-server (the first) at the end."""
        children = list(self.children.values())
        for child in reversed(children[1:]):
            child.leave()
        await asyncio.gather(*(child.stop() for child in children[1:]))
        for child in children[:1]:
            await child.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _status(status: int) -> str:
    if status < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
