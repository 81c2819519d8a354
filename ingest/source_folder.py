"""The configured sources of ``<data_dir>/sources``, taken up within seconds: added, changed and removed files.

A poller whose file changed is stopped and started again with the new parameters; a listener gets its protocol built
anew and its connections are closed, so that devices come back under the new parameters.  A file that becomes unusable
is named, and what it said before stays in force, so that a slip while editing stops no source.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path

from core import plugins
from core.errors import YiwangError
from ingest.configured import Configured, read_sources
from ingest.transports.tcp import TcpListener

log = logging.getLogger("yiwang.ingest")

EVERY_S = 1.0
Keep = Callable[[str, Callable[[], Awaitable[None]], asyncio.Event], Awaitable[None]]


class SourceFolder:
    """The usable files of the folder, read again when one changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[int, int]] | None = None
        self._good: dict[str, Configured] = {}
        self.problems: dict[str, YiwangError] = {}

    def look(self) -> dict[str, Configured] | None:
        """The sources by file name, None when nothing changed since the last look."""
        seen: dict[str, tuple[int, int]] = {}
        for path in sorted(self._folder.glob("*.yaml")) if self._folder.is_dir() else []:
            with suppress(OSError):  # gone between the two
                there = path.stat()
                seen[path.name] = (there.st_mtime_ns, there.st_size)
        if seen == self._seen:
            return None
        before, self._seen = self._seen or {}, seen
        self._good = {name: known for name, known in self._good.items() if name in seen}
        self.problems = {name: error for name, error in self.problems.items() if name in seen}
        for name, state in seen.items():
            if before.get(name) != state:
                self._read(name)
        return dict(self._good)

    def _read(self, name: str) -> None:
        found = read_sources(self._folder, name)
        self.problems.pop(name, None)
        for problem in found.problems:
            kept = "; what it said before stays in force" if name in self._good else ""
            log.warning("configured source %s is left out: %s%s", name, problem, kept)
            self.problems[name] = problem
        for poller in found.pollers:
            self._good[name] = poller
        for kind, params in found.listeners.items():
            self._good[name] = Configured(name.removesuffix(".yaml"), kind, params)


class SourceTasks:
    """Carries the sources of a folder: a task each poller; listeners get their protocol replaced."""

    def __init__(
        self,
        folder: SourceFolder,
        serve: Callable[[Configured, asyncio.Event], Awaitable[None]],
        listeners: Mapping[str, TcpListener],
        keep_running: Keep,
    ) -> None:
        self._folder, self._serve, self._listeners, self._keep = folder, serve, listeners, keep_running
        self._running: dict[str, tuple[Configured, asyncio.Task[None], asyncio.Event]] = {}
        self.given: dict[str, dict[str, object]] = {}  # parameters in force by protocol whose devices connect to us

    def _listeners_of(self, found: Mapping[str, Configured]) -> dict[str, dict[str, object]]:
        """Parameters by protocol of those among ``found`` whose devices connect to us."""
        return {s.kind: s.params for s in found.values() if _listens(s.kind)}

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the folder until ``stop``."""
        try:
            while not stop.is_set():
                found = await asyncio.to_thread(self._folder.look)
                if found is not None:
                    await self.apply(found)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), EVERY_S)
        finally:
            await self.apply({})

    async def apply(self, found: Mapping[str, Configured]) -> None:
        """Make what runs agree with ``found``: what is the same goes on undisturbed."""
        wanted = {s.name: s for s in found.values() if not _listens(s.kind)}
        gone = [name for name, (source, _, _) in self._running.items() if wanted.get(name) != source]
        ending = [self._running.pop(name) for name in gone]
        for _, task, end in ending:
            end.set()
            task.cancel()
        await asyncio.gather(*(task for _, task, _ in ending), return_exceptions=True)
        for name, source in wanted.items():
            if name not in self._running:
                self._start(name, source)
        if found or self.given:
            self._replace_protocols(self._listeners_of(found))

    def _start(self, name: str, source: Configured) -> None:
        end = asyncio.Event()
        carried = self._keep(name, lambda: self._serve(source, end), end)
        self._running[name] = (source, asyncio.ensure_future(carried), end)

    def _replace_protocols(self, given: dict[str, dict[str, object]]) -> None:
        before, self.given = self.given, given
        for kind in given.keys() | before.keys():
            listener = self._listeners.get(kind)
            if listener is None or given.get(kind) == before.get(kind):
                continue
            try:
                listener.source = plugins.build("source", kind, given.get(kind, {}))
            except YiwangError as error:  # the protocol that stood goes on, and so does every other source
                log.warning("%s keeps its parameters: %s", kind, error)
                continue
            for connection in list(listener.connections):
                connection.close("configured anew")


def _listens(kind: str) -> bool:
    """Do the devices of ``kind`` connect to us?  A plug-in that is gone or broken is told when it is built."""
    try:
        return plugins.about("source", kind).transport == "tcp"
    except YiwangError:
        return False
