"""Carries the connections of the registry: each enabled one is a task that asks by its schedule.

A change of version, secret or switch is in force when the registry tells it (within about three seconds), without a
restart.  A connection that fails is tried again with growing pauses and holds up nobody.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import nats.errors
import nats.js.errors
from nats.js.kv import KeyValue

from core import plugins
from core.bounds import Bounds
from core.bus import Bus
from core.clock import Clock
from core.errors import RecordError, YiwangError
from core.exchange import ConnectionConfig
from core.ids import new_id
from core.records import decode
from core.settings import Settings
from ingest.connections import mapped as mapping_parts
from ingest.connections.contract import Connector, Receiver, Wiring
from ingest.connections.record import Record
from ingest.mapping import Mapped, Mapping
from ingest.pipeline import Pipeline, durable
from ingest.polling import Cursor, NotConfirmed

log = logging.getLogger("yiwang.ingest")

MOST_PAGES = 200
LEAST_INTERVAL_S, LONGEST_PAUSE_S = 1.0, 300.0
_SHOW_S, _POLL_S = 1.0, 0.5


@dataclass
class Held:
    """A connection in force."""

    config: ConnectionConfig
    record: Record
    task: asyncio.Task[None] | None = None
    receiver: Receiver | None = None
    mapping: Mapping | None = None
    problem: YiwangError | None = None


def wiring_of(config: ConnectionConfig, settings: Settings) -> Wiring:
    """What the connector of ``config`` may use."""
    return Wiring(
        bounds=Bounds.parse(settings.connection_networks),
        secrets=config.secrets(settings.records_key),
        folder=settings.data_dir / "exchange",
        name=config.connection_id,
    )


@dataclass
class Connections:
    """All connections of this process."""

    settings: Settings
    pipeline: Pipeline
    clock: Clock
    held: dict[str, Held] = field(default_factory=dict)
    _kept: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def run(self, bus: Bus, stop: asyncio.Event) -> None:
        """Follow the registry until ``stop``."""
        await self._load(bus)
        shower = asyncio.create_task(self._show(bus, stop))
        try:
            await self._follow(bus, stop)
        finally:
            shower.cancel()
            tasks = [held.task for held in self.held.values() if held.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, shower, return_exceptions=True)
            self.held.clear()

    async def _load(self, bus: Bus) -> None:
        """What earlier runs left for the page."""
        bucket = await bus.bucket("live")
        with suppress(nats.js.errors.NoKeysError):
            for key in await bucket.keys():
                if key.startswith("connection."):
                    with suppress(nats.js.errors.KeyNotFoundError, msgspec.DecodeError):
                        entry = await bucket.get(key)
                        self._kept[key] = msgspec.json.decode(entry.value or b"{}")

    async def _follow(self, bus: Bus, stop: asyncio.Event) -> None:
        bucket = await bus.bucket("registry")
        while not stop.is_set():
            reconnects = bus.client.stats["reconnects"]
            watcher = await bucket.watch("connection.*")
            try:
                while not stop.is_set() and bus.client.stats["reconnects"] == reconnects:
                    try:
                        entry = await watcher.updates(timeout=_POLL_S)
                    except nats.errors.TimeoutError:
                        continue
                    if isinstance(entry, KeyValue.Entry):
                        await self.apply(entry.key, None if entry.operation is not None else entry.value)
            finally:
                if bus.client.is_connected:
                    await watcher.stop()

    async def apply(self, key: str, value: bytes | None) -> None:
        """Take one registry entry in: start, change or stop a connection."""
        before = self.held.pop(key, None)
        if before is not None and before.task is not None:
            before.task.cancel()
            await asyncio.gather(before.task, return_exceptions=True)
        if not value:
            return
        try:
            config = decode(ConnectionConfig, value)
        except RecordError as error:
            log.warning("registry entry %s ignored: %s", key, error)
            return
        if config.direction != "in":
            return
        held = Held(config, before.record if before else Record(config.connection_id, self._kept.get(key)))
        held.record.changed = True
        self.held[key] = held
        if config.enabled:
            self._start(held)

    def _start(self, held: Held) -> None:
        config = held.config
        try:
            held.mapping = mapping_parts.mapping_of(config)
            made = plugins.build("connection", config.kind, config.params, wiring=wiring_of(config, self.settings))
        except YiwangError as error:
            held.problem = error
            held.record.error, held.record.changed = str(error)[:500], True
            log.warning("connection %s cannot start: %s", config.connection_id, error)
            return
        if plugins.about("connection", config.kind).transport == "push":
            held.receiver = made
            held.record.error = ""
        else:
            held.task = asyncio.create_task(self._carry(held, made), name=config.connection_id)

    async def _carry(self, held: Held, connector: Connector) -> None:
        """Ask by the schedule; a failure doubles the pause."""
        config, failures = held.config, 0
        cursor = Cursor(self.settings.data_dir / "cursors", f"connection-{config.connection_id}")
        interval = max(LEAST_INTERVAL_S, config.interval_s)
        try:
            while True:
                ok = await self._run_once(held, connector, cursor)
                failures = 0 if ok else min(failures + 1, 10)
                await asyncio.sleep(min(max(interval, LONGEST_PAUSE_S), interval * 2**failures))
        finally:
            await connector.close()

    async def _run_once(self, held: Held, connector: Connector, cursor: Cursor) -> bool:
        """One run over all pages that wait; False when it failed."""
        started, run_id, rows, taken, refused, wrong = self.clock.now(), new_id(), 0, 0, 0, ""
        assert held.mapping is not None
        try:
            at = cursor.load() or ""
            for _ in range(MOST_PAGES):
                fetched = await connector.fetch(at)
                items, found = mapping_parts.take(held.mapping, fetched.body, self.clock.now())
                await self.publish(held, items, found)
                await connector.confirm()
                rows, refused = rows + len(items), refused + len(found.refused)
                taken += mapping_parts.said(found)
                if fetched.cursor != at:
                    at = fetched.cursor
                    cursor.save(at)
                if not fetched.more:
                    break
        except YiwangError as error:
            wrong = str(error)
        except Exception as error:  # noqa: BLE001 - supervisor: a sender's surprise is told on the page, the others run
            log.warning("connection %s: %s", held.config.connection_id, error, exc_info=error)
            wrong = f"{type(error).__name__}: {error}"
        held.record.run(run_id, started, self.clock.now(), rows=rows, taken=taken, refused=refused, error=wrong,
                        version=held.config.version)  # fmt: skip
        return not wrong

    async def publish(self, held: Held, items: list[Any], found: Mapped) -> None:
        """Put what was said onto the bus; :class:`NotConfirmed` unless all of it became durable."""
        source, waiting = held.config.kind, []
        for device_id in found.devices:
            readings, events = found.readings.get(device_id, ()), found.observations.get(device_id, ())
            waiting += await self.pipeline.take(source, device_id, readings, events)
        for order in found.orders:
            waiting.append(await self.pipeline.announce(order))
        self.pipeline.counters.of(source).count("messages")
        if not await durable(waiting):
            raise NotConfirmed(source=held.config.connection_id)
        for index, error in found.refused:
            item = items[index] if 0 <= index < len(items) else None
            held.record.refuse(error, self.clock.now(), item, held.config.version)

    def pushed_to(self, name: str) -> Held | None:
        """The connection whose sender calls ``/push/<name>``; None when there is no such enabled one."""
        held = self.held.get(f"connection.{name}")
        return held if held is not None and held.receiver is not None else None

    async def _show(self, bus: Bus, stop: asyncio.Event) -> None:
        bucket = await bus.bucket("live")
        while not stop.is_set():
            for key, held in list(self.held.items()):
                if held.record.changed:
                    with suppress(nats.errors.Error):
                        await bucket.put(key, held.record.snapshot(enabled=held.config.enabled))
            await asyncio.sleep(_SHOW_S)
