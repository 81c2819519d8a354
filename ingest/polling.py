"""Sources that ask rather than listen: the loop that carries them, and what it keeps between two runs.

A polling plug-in's ``build(params, *, name, state_dir) -> Poller``.  ``poll`` asks once, publishes, and returns what it
did; it raises a :class:`YiwangError` when the other side cannot be reached: whoever runs the loop tries again later.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from core.clock import Clock
from core.errors import SettingsError, YiwangError
from core.records import Observation, Reading
from ingest.mapping import Mapped

Publish = Callable[[str, Sequence[Reading], Sequence[Observation]], Awaitable[bool]]
"""(device id, readings, observations) → whether everything became durable."""


class SourceUnreachable(YiwangError):
    code = "source_unreachable"
    message = "{source} at {url} does not answer as it should: {detail}"
    remedy = "check address, account and the network; it is tried again"
    zh = "{source}（{url}）没有正常应答：{detail}"
    zh_remedy = "请检查地址、账号和网络；会再试"


class NotConfirmed(YiwangError):
    code = "not_confirmed"
    message = "{source}: the bus did not confirm what was read"
    remedy = "nothing: it is read again"
    zh = "{source}：总线没有确认读到的内容"
    zh_remedy = "不必处理：会再读一次"


@dataclass
class Polled:
    """What one poll did; ``refused`` are the errors of what it could not take."""

    readings: int = 0
    observations: int = 0
    refused: list[YiwangError] = field(default_factory=list)


class Poller(Protocol):
    """A source that asks."""

    kind: ClassVar[str]
    interval_s: float

    async def poll(self, publish: Publish, clock: Clock) -> Polled: ...

    async def close(self) -> None: ...


async def run(
    poller: Poller, publish: Publish, clock: Clock, stop: asyncio.Event, note: Callable[[Polled], None]
) -> None:
    """Poll every ``interval_s`` until ``stop``; errors of reaching the source are the caller's to handle."""
    try:
        while not stop.is_set():
            note(await poller.poll(publish, clock))
            try:
                await asyncio.wait_for(stop.wait(), poller.interval_s)
            except TimeoutError:
                continue
    finally:
        await poller.close()


async def publish_mapped(source: str, mapped: Mapped, publish: Publish) -> Polled:
    """Publish what a mapping found; :class:`NotConfirmed` when the bus did not take all of it."""
    polled = Polled(refused=[error for _, error in mapped.refused])
    for device_id in mapped.devices:
        readings, events = mapped.readings.get(device_id, []), mapped.observations.get(device_id, [])
        if not await publish(device_id, readings, events):
            raise NotConfirmed(source=source)
        polled.readings += len(readings)
        polled.observations += len(events)
    return polled


class Cursor:
    """A word that outlives the process: how far a source was read.  Written whole or not at all."""

    def __init__(self, folder: Path, name: str) -> None:
        safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in name) or "_"
        self._path = folder / f"{safe}.cursor.json"

    def load(self) -> str | None:
        """The word, None before the first."""
        try:
            kept = json.loads(self._path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            how = "delete it to read from the beginning"
            raise SettingsError(field=str(self._path), detail=str(error), how=how) from error
        return str(kept["cursor"])

    def save(self, word: str) -> None:
        """Keep ``word``."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps({"cursor": word}))
        partial.replace(self._path)
