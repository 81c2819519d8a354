"""The ingest process: one task per source, each restarted with back-off; its loss and recovery are said once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from core import plugins
from core.bus import Bus, connect
from core.clock import Clock, SystemClock
from core.media import MediaStore
from core.settings import Settings
from ingest import configured
from ingest.broker_auth import AuthService, BrokerGate
from ingest.commands import CommandDesk
from ingest.configured import tcp_ports
from ingest.connections.running import Connections
from ingest.counters import Counters, Refusal
from ingest.drones.live.desk import GatewayDesk
from ingest.health import HealthMonitor
from ingest.live import LiveStates
from ingest.outlet import Outlet
from ingest.pipeline import Pipeline
from ingest.registry import DeviceRegistry
from ingest.router import MappingsFolder, Router, follow
from ingest.source_folder import SourceFolder, SourceTasks
from ingest.transports import http
from ingest.transports.http import PushApp
from ingest.transports.limits import AllowList, Limits
from ingest.transports.mqtt_sessions import MqttSessions
from ingest.transports.tcp import TcpListener

log = logging.getLogger("yiwang.ingest")
Start = Callable[[str, Callable[[], Awaitable[None]]], None]

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
_HEALTHY_S = 10.0  # a task that ran so long is considered recovered
_REGISTRY_WAIT_S = 10.0


async def keep_running(
    name: str,
    run: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
    first_pause_s: float = FIRST_PAUSE_S,
    longest_pause_s: float = LONGEST_PAUSE_S,
) -> None:
    """Run ``run`` until ``stop``; on failure again after a growing pause.  Loss and recovery are logged once each."""
    loop = asyncio.get_running_loop()
    pause, lost = first_pause_s, False
    while not stop.is_set():
        started = loop.time()
        task = asyncio.ensure_future(run())
        if lost:
            await asyncio.wait({task}, timeout=_HEALTHY_S)
            if not task.done():
                log.warning("%s: back", name)
                lost, pause = False, first_pause_s
        try:
            await task
            if not stop.is_set():
                log.warning("%s: ended by itself, starting again", name)
        except Exception as error:  # noqa: BLE001 - the supervisor outlives any source; said once, retried for ever
            if not lost:
                log.warning("%s: lost (%s: %s), retrying", name, type(error).__name__, error)
            lost = True
        if loop.time() - started > _HEALTHY_S:
            pause = first_pause_s
        try:
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            pause = min(pause * 2, longest_pause_s)


class Ingest:
    """Everything of one ingest process, wired."""

    def __init__(self, settings: Settings, bus: Bus, clock: Clock, limits: Limits | None = None) -> None:
        self.settings, self.bus, self.clock, self.limits = settings, bus, clock, limits
        self.counters = Counters()
        self.registry = DeviceRegistry()
        self.outlet = Outlet(bus)
        self.live = LiveStates(self.counters)
        media = MediaStore(settings.media_url)
        self.pipeline = Pipeline(self.registry, self.outlet, self.live, self.counters, clock, media=media)
        self.health = HealthMonitor(self.registry, self.live, self.pipeline.announce, clock)
        self.pipeline.health = self.health

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop``."""
        await self.outlet.open()
        async with asyncio.TaskGroup() as group:

            def start(name: str, run: Callable[[], Awaitable[None]]) -> None:
                group.create_task(keep_running(name, run, stop), name=name)

            await self.live.load(self.bus)
            for state in self.live.all():
                self.pipeline.standing.hint(state["device_id"], state.get("states", {}))
            start("registry", lambda: self.registry.follow(self.bus, stop))
            await self._wait_for_registry(stop)
            mappings = MappingsFolder(self.settings.data_dir / "mappings")
            router = Router(mappings.look() or [])
            auth = self._auth(router)
            await auth.open(self.bus)
            start("broker rights", lambda: auth.run(stop))
            listeners: dict[str, TcpListener] = {}
            sources = await self._follow_sources(listeners, start, stop)
            for kind, port in tcp_ports(self.settings).items():
                start(kind, lambda kind=kind, port=port: self._listen(kind, port, listeners, sources, stop))  # type: ignore[misc]
            subscribers = MqttSessions(self.settings, self.pipeline, router, self.clock, keep_running)
            start("mqtt sessions", lambda: subscribers.run(stop))
            start("mappings", lambda: follow(mappings, router, stop))
            connections = Connections(self.settings, self.pipeline, self.clock)
            start("connections", lambda: connections.run(self.bus, stop))
            gateways = GatewayDesk(self.registry, self.pipeline, self.clock, self.settings)
            start("dji", lambda: gateways.run(self.bus, stop))
            push = PushApp(self.settings, self.pipeline, self.clock, router, connections)
            port = self.settings.ingest_http_port
            start("http", lambda: http.serve(push, self.settings.panel_host, port, stop))
            start("health", lambda: self.health.run(stop))
            start("live states", lambda: self.live.run(self.bus, self.outlet, stop))
        await self.outlet.close()

    async def _listen(
        self, kind: str, port: int, listeners: dict[str, TcpListener], sources: SourceTasks, stop: asyncio.Event
    ) -> None:
        """Serve one protocol; a plug-in that cannot be built is tried again, and mended while the others go on."""
        if kind not in listeners:
            protocol = plugins.build("source", kind, sources.given.get(kind, {}))
            allow = AllowList(self.settings.allow.get(kind, ()))
            listener = TcpListener(protocol, self.pipeline, self.clock, self.limits, allow)
            await CommandDesk(listener, self.pipeline, self.clock).open(self.bus)
            listeners[kind] = listener
        await listeners[kind].serve(self.settings.panel_host, port, stop)

    async def _follow_sources(
        self, listeners: dict[str, TcpListener], start: Start, stop: asyncio.Event
    ) -> SourceTasks:
        """Take up what ``<data_dir>/sources`` says, now (before any listener listens) and whenever it changes."""
        cursors = self.settings.data_dir / "cursors"

        def serve(source: configured.Configured, end: asyncio.Event) -> Awaitable[None]:
            return configured.serve(source, cursors, self.pipeline, self.clock, end)

        folder = SourceFolder(self.settings.data_dir / "sources")
        tasks = SourceTasks(folder, serve, listeners, keep_running)
        await tasks.apply(folder.look() or {})
        start("sources", lambda: tasks.run(stop))
        return tasks

    def _auth(self, router: Router) -> AuthService:
        gate = BrokerGate(self.settings, self.registry, lambda: router.mappings)

        def note(refusal: Refusal, device_id: str) -> None:
            self.pipeline.note_refused("mqtt", refusal, device_id)

        return AuthService(self.settings, gate, self.counters.of("mqtt"), note, self.clock)

    async def _wait_for_registry(self, stop: asyncio.Event) -> None:
        """Devices that connect before the registry is known would all count as unknown."""
        waits = [asyncio.ensure_future(self.registry.loaded.wait()), asyncio.ensure_future(stop.wait())]
        done, rest = await asyncio.wait(waits, timeout=_REGISTRY_WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        if not done:
            log.warning("the device registry is not loaded yet; devices count as unknown until it is")


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """The ingest process: connects to the bus, serves all sources until ``stop``."""
    bus = await connect(settings, "ingest")
    await bus.ensure()
    try:
        await Ingest(settings, bus, SystemClock()).run(stop)
    finally:
        await bus.close()
