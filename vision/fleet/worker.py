"""A vision worker: leases cameras, analyses them, publishes what it sees.

``main(settings, stop)`` runs until ``stop`` is set.  Any number of workers may run; JetStream shares the cameras out.
Its rooms: :mod:`vision.fleet.leases` who owns a camera, :mod:`vision.fleet.engine` the analysing thread,
:mod:`vision.fleet.publisher` outcomes on their way to the bus, :mod:`vision.fleet.live_state` what pages read,
:mod:`vision.fleet.look_requests` "look again", :mod:`vision.fleet.balance` sharing the work,
:mod:`vision.fleet.models_watch` models replaced while they run.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket

import nats.js.errors
from nats.js.kv import KeyValue

from core.bus import Bus, connect
from core.camera_secrets import CameraSeal
from core.clock import Clock, SystemClock
from core.errors import YiwangError
from core.media import MediaStore
from core.records import CameraConfig, decode
from core.settings import Settings
from vision.fleet import load_shedding
from vision.fleet.balance import Balance
from vision.fleet.blur import Blur
from vision.fleet.engine import Engine, Station
from vision.fleet.field_sets import FieldSets
from vision.fleet.leases import BEAT_S, LeaseBook, bucket_key, ensure_leases
from vision.fleet.live_state import WorkerStates
from vision.fleet.look_requests import Looker
from vision.fleet.models_watch import ModelsWatch
from vision.fleet.publisher import Publisher
from vision.fleet.supervision import BUS_TROUBLE, supervised
from vision.judging.analyzer import Analyzer
from vision.judging.detector_pool import DetectorPool

log = logging.getLogger("yiwang.vision")

ENSURE_S = 5.0


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Run one worker until ``stop``."""
    bus = await connect(settings, "vision")
    try:
        await bus.ensure()
        await VisionWorker(settings, bus).run(stop)
    finally:
        await bus.close()


class VisionWorker:
    """See the module's text.  ``capacity`` cameras at most."""

    def __init__(self, settings: Settings, bus: Bus, clock: Clock | None = None, capacity: int = 0) -> None:
        self.settings = settings
        self.bus = bus
        self.clock = clock or SystemClock()
        self.capacity = capacity or settings.vision_capacity
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.book = LeaseBook(bus, self.name)
        self.pool = DetectorPool(named_only=True, memory=settings.data_dir / "vision-memory")
        self._seal = CameraSeal(settings.records_key)
        media = MediaStore(settings.media_url)
        blur = Blur(settings.vision_blur, self.pool) if settings.vision_blur else None
        self.publisher = Publisher(bus, self.book, media, blur, self.clock)
        self.engine = Engine(Analyzer(self.pool), self.publisher.emit)
        self.looker = Looker(bus, self.engine, media, self.clock)
        self.field_sets = FieldSets(media)
        self.models = ModelsWatch(self.pool, self.engine, self.clock, self._again, self.field_sets)
        self.cameras: dict[str, CameraConfig] = {}
        self._news = asyncio.Event()  # the registry changed

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop``, then give every camera back."""
        self.registry = await self.bus.bucket("registry")
        live = await self.bus.bucket("live")
        self.states = WorkerStates(live, self.engine, self.book, self.clock, self.models.problems_of)
        self.publisher.told = self.states.tell_one
        self.balance = Balance(
            live, self.engine, self.book, self.models, self.clock, lambda camera_id: self._drop(camera_id, "release")
        )
        await self.book.open()
        self.engine.start()
        loops = (
            self._watch, self._ensure, self._pull, self._beat,
            self.publisher.publish, self.states.tell, self.balance.balance, self.models.watch, self._learn,
        )  # fmt: skip
        tasks = [asyncio.create_task(supervised(loop, stop)) for loop in loops]
        try:
            await stop.wait()
        finally:
            for task in tasks:
                task.cancel()
            await self.publisher.close()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.engine.halt()
            for camera_id in list(self.book.held):
                await self._drop(camera_id, "release")
            with contextlib.suppress(*BUS_TROUBLE):
                await self.book.close()
            await asyncio.to_thread(self.engine.join, 5.0)

    async def _learn(self) -> None:
        """Follow what people said of alarms."""
        await self.field_sets.watch(self.registry)

    # registry ------------------------------------------------------------
    async def _watch(self) -> None:
        """Follow the registry's cameras."""
        watcher = await self.registry.watch("camera.>")
        try:
            async for entry in watcher:
                if entry is not None:  # None: all that stood at the start has been told
                    await self._entry(entry)
        finally:
            with contextlib.suppress(*BUS_TROUBLE):
                await watcher.stop()

    async def _entry(self, entry: KeyValue.Entry) -> None:
        if entry.operation in {"DEL", "PURGE"} or not entry.value:
            for camera_id in [i for i in self.cameras if f"camera.{bucket_key(i)}" == entry.key]:
                self.cameras.pop(camera_id)
                await self._drop(camera_id, "finish")
            return
        try:
            camera = self._seal.opened(decode(CameraConfig, entry.value))
        except YiwangError as error:
            log.warning("registry entry %s left out: %s", entry.key, error)
            return
        await self._configure(camera)

    async def _configure(self, camera: CameraConfig) -> None:
        known = self.cameras.get(camera.camera_id)
        self.cameras[camera.camera_id] = camera
        self._news.set()
        if known == camera or camera.camera_id not in self.book.held:
            return
        if not _wanted(camera):
            await self._drop(camera.camera_id, "finish")
        else:
            await self._start(camera)

    async def _ensure(self) -> None:
        """Every enabled camera has a lease."""
        while True:
            self._news.clear()
            await ensure_leases(self.bus, list(self.cameras.values()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), ENSURE_S)
            await asyncio.sleep(0.1)  # a whole registry arrives entry by entry

    # leases --------------------------------------------------------------
    async def _pull(self) -> None:
        """Take free cameras, a few at a time so that other workers get their share."""
        while True:
            room = self.capacity - len(self.book.held)
            busy = self.engine.load > load_shedding.HIGH and self.balance.others and self.book.held
            if room <= 0 or busy:
                await asyncio.sleep(BEAT_S)  # measured, not promised: a busy worker leaves the rest to the others
                continue
            for lease in await self.book.take(min(room, 4)):
                camera = self.cameras.get(lease.camera_id) or await self._read(lease.camera_id)
                if camera is None or not _wanted(camera):
                    await self.book.finish(lease.camera_id)
                else:
                    await self._start(camera)
            await asyncio.sleep(0.02 * len(self.book.held) if len(self.book.held) < 10 else 0.2)

    async def _beat(self) -> None:
        while True:
            for lease in await self.book.beat():
                log.info("camera %s went to another worker", lease.camera_id)
                await self._drop(lease.camera_id, "lost")
            await asyncio.sleep(BEAT_S)

    async def _start(self, camera: CameraConfig) -> None:
        """Analyse a camera whose lease is held, from its newest configuration.

        A camera that runs already goes on with its old configuration while models load, and keeps its stream.
        """
        lease = self.book.held[camera.camera_id]
        before = self.engine.stations.get(camera.camera_id)
        if before is not None and before.lease is not lease:
            before = self.engine.remove(camera.camera_id)
        try:
            station = await asyncio.to_thread(Station, camera, lease, self.pool, self.engine.wake, before)
        except BaseException:
            await self._drop(camera.camera_id, "release")  # a lease held without analysing would blind the camera
            raise
        if before is not None:
            station.standing = dict(before.standing)
            faults = list(before.analysis.health.open_states) if before.analysis.health else []
        else:
            left = await self.states.left_behind(camera.camera_id)
            station.standing, faults = left.standing, left.faults
        station.analysis.restore(station.standing, faults)
        if self.book.held.get(camera.camera_id) is not lease:
            return  # lost while its models were loading
        self.engine.add(station)
        await self.looker.watch(camera.camera_id)

    async def _again(self, station: Station) -> None:
        """Build a camera's analysis again: what it lacked may be there now."""
        if self.book.held.get(station.camera.camera_id) is station.lease:
            await self._start(station.camera)

    async def _drop(self, camera_id: str, how: str) -> None:
        """Stop analysing; ``how``: release (others take it), finish (nobody needs it), lost (say nothing)."""
        self.engine.remove(camera_id)
        await self.looker.leave(camera_id)
        with contextlib.suppress(*BUS_TROUBLE):
            if how == "release":
                await self.book.release(camera_id)
            elif how == "finish":
                await self.book.finish(camera_id)

    async def _read(self, camera_id: str) -> CameraConfig | None:
        try:
            entry = await self.registry.get(f"camera.{bucket_key(camera_id)}")
            return self._seal.opened(decode(CameraConfig, entry.value or b""))
        except (nats.js.errors.NotFoundError, YiwangError):
            return None


def _wanted(camera: CameraConfig) -> bool:
    return camera.enabled and bool(camera.algorithms)
