"""A vision worker: leases cameras, analyses them, publishes what it sees.

``main(settings, stop)`` runs until ``stop`` is set.  Any number of workers may run; JetStream shares the cameras out.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.kv import KeyValue

from core.bus import Bus, connect
from core.clock import Clock, SystemClock
from core.errors import YiwangError
from core.ids import subject_token
from core.media import MediaStore
from core.records import CameraConfig, EvidenceRef, LookAnswer, LookRequest, Observation, decode, encode
from core.settings import Settings
from vision import evidence, shedding
from vision.analyzer import Analyzer, Outcome
from vision.blur import Blur
from vision.engine import Engine, Look, Station
from vision.frames import Frame
from vision.leases import BEAT_S, LeaseBook, bucket_key, ensure_leases
from vision.pool import DetectorPool

log = logging.getLogger("yiwang.vision")

BUS_TROUBLE = (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError)
QUEUE_LIMIT = 512  # outcomes waiting for the bus; full: analysis waits, and the newest pictures win
ENSURE_S = 5.0
LIVE_S = 5.0
LOOK_S = 6.0
CLIP_AFTER_S = 20.0


async def main(settings: Settings, stop: asyncio.Event) -> None:
    """Run one worker until ``stop``."""
    bus = await connect(settings, "vision")
    try:
        await bus.ensure()
        await VisionWorker(settings, bus).run(stop)
    finally:
        await bus.close()


@dataclass(frozen=True)
class _Item:
    station: Station
    outcome: Outcome
    clip: Future[bytes | None] | None = None


class VisionWorker:
    """See the module's text.  ``capacity`` cameras at most."""

    def __init__(self, settings: Settings, bus: Bus, clock: Clock | None = None, capacity: int = 0) -> None:
        self.settings = settings
        self.bus = bus
        self.clock = clock or SystemClock()
        self.capacity = capacity or settings.vision_capacity
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.book = LeaseBook(bus, self.name)
        self.media = MediaStore(settings.media_url)
        self.pool = DetectorPool()
        self.blur = Blur(settings.vision_blur, self.pool) if settings.vision_blur else None
        self.engine = Engine(Analyzer(self.pool), self._emit)
        self.cameras: dict[str, CameraConfig] = {}
        self.published = 0
        self._queue: deque[_Item] = deque()
        self._queued = asyncio.Event()
        self._news = asyncio.Event()  # the registry changed
        self._loop = asyncio.get_running_loop()
        self._looks: dict[str, Subscription] = {}
        self._stopping = False
        self._others = False  # whether other workers are alive
        self._clips: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop``, then give every camera back."""
        self.registry = await self.bus.bucket("registry")
        self.live = await self.bus.bucket("live")
        await self.book.open()
        self.engine.start()
        loops = (self._watch, self._ensure, self._pull, self._beat, self._publish, self._tell, self._balance)
        tasks = [asyncio.create_task(_supervised(loop, stop)) for loop in loops]
        try:
            await stop.wait()
        finally:
            self._stopping = True
            for task in [*tasks, *self._clips]:
                task.cancel()
            await asyncio.gather(*tasks, *self._clips, return_exceptions=True)
            self.engine.halt()
            for camera_id in list(self.book.held):
                await self._drop(camera_id, "release")
            with contextlib.suppress(*BUS_TROUBLE):
                await self.book.close()
            await asyncio.to_thread(self.engine.join, 5.0)

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
            camera = decode(CameraConfig, entry.value)
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
            busy = self.engine.load > shedding.HIGH and self._others and self.book.held
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

    async def _balance(self) -> None:
        """Slow cameras down when the processor cannot keep up, speed them up again, share with other workers."""
        told: dict[str, tuple[int, float]] = {}
        watcher = await self.live.watch("worker.*")
        try:
            while True:
                me = json.dumps({"worker": self.name, "held": len(self.book.held), "load": round(self.engine.load, 3)})
                await self.live.put(f"worker.{bucket_key(self.name)}", me.encode())
                await asyncio.sleep(LIVE_S)
                while (entry := await _next(watcher)) is not None:
                    state = json.loads(entry.value or b"{}")
                    if state and state["worker"] != self.name:
                        told[state["worker"]] = (int(state["held"]), time.monotonic())
                    elif not state:
                        told = {w: t for w, t in told.items() if f"worker.{bucket_key(w)}" != entry.key}
                others = {w: held for w, (held, at) in told.items() if time.monotonic() - at < 3 * LIVE_S}
                self._others = bool(others)
                await self._shed(others)
        finally:
            with contextlib.suppress(*BUS_TROUBLE):
                await watcher.stop()
                await self.live.delete(f"worker.{bucket_key(self.name)}")

    async def _shed(self, others: dict[str, int]) -> None:
        """One step of :mod:`vision.shedding`."""
        stations = {s.camera.camera_id: s for s in self.engine.held()}
        demand = {
            i: shedding.Demand(s.camera.analysis_fps, s.capture.fps, s.camera.priority) for i, s in stations.items()
        }
        for camera_id, fps in shedding.shed(self.engine.load, demand).items():
            station = stations[camera_id]
            log.warning(
                "camera %s: %.2f instead of %.2f pictures a second (load %.0f %%)",
                camera_id, fps, station.camera.analysis_fps, 100 * self.engine.load,
            )  # fmt: skip
            station.capture.fps = fps
            station.changed = True
        give = shedding.exhausted(self.engine.load, demand) if others else None
        spare = shedding.surplus(len(self.book.held), others)
        least = sorted(demand, key=lambda i: (-demand[i].priority, i))
        for camera_id in dict.fromkeys([*([give] if give else []), *least[: min(spare, 2)]]):
            log.info("camera %s is given back for others to take", camera_id)
            await self._drop(camera_id, "release")

    async def _start(self, camera: CameraConfig) -> None:
        """Analyse a camera whose lease is held, from its newest configuration."""
        before = self.engine.remove(camera.camera_id)
        lease = self.book.held[camera.camera_id]
        try:
            station = await asyncio.to_thread(Station, camera, lease, self.pool, self.engine.wake)
        except BaseException:
            await self._drop(camera.camera_id, "release")  # a lease held without analysing would blind the camera
            raise
        if before is not None:
            station.standing = dict(before.standing)
            faults: list[str] = list(before.analysis.health.open_states) if before.analysis.health else []
        else:
            station.standing, faults = await self._left_behind(camera.camera_id)
        station.analysis.restore(station.standing, faults)
        if self.book.held.get(camera.camera_id) is not lease:
            return  # lost while its models were loading
        self.engine.add(station)
        if camera.camera_id not in self._looks:
            subject = f"{self.bus.prefix}look.{subject_token(camera.camera_id)}"
            self._looks[camera.camera_id] = await self.bus.client.subscribe(subject, cb=self._on_look)

    async def _left_behind(self, camera_id: str) -> tuple[dict[tuple[str, str | None], float], list[str]]:
        """What stood when the last worker wrote the camera's live state."""
        try:
            entry = await self.live.get(f"camera.{bucket_key(camera_id)}")
            state = json.loads(entry.value or b"{}")
            standing = {(s["kind"], s.get("zone")): float(s["since"]) for s in state.get("standing", [])}
            return standing, list(state.get("faults", []))
        except (nats.js.errors.NotFoundError, ValueError, KeyError, TypeError):
            return {}, []

    async def _drop(self, camera_id: str, how: str) -> None:
        """Stop analysing; ``how``: release (others take it), finish (nobody needs it), lost (say nothing)."""
        self.engine.remove(camera_id)
        subscription = self._looks.pop(camera_id, None)
        if subscription is not None:
            with contextlib.suppress(*BUS_TROUBLE):
                await subscription.unsubscribe()
        with contextlib.suppress(*BUS_TROUBLE):
            if how == "release":
                await self.book.release(camera_id)
            elif how == "finish":
                await self.book.finish(camera_id)

    async def _read(self, camera_id: str) -> CameraConfig | None:
        try:
            entry = await self.registry.get(f"camera.{bucket_key(camera_id)}")
            return decode(CameraConfig, entry.value or b"")
        except (nats.js.errors.NotFoundError, YiwangError):
            return None

    # publishing ----------------------------------------------------------
    def _emit(self, station: Station, outcome: Outcome) -> None:
        """From the analysing thread: queue an outcome; waits while the queue is full."""
        while len(self._queue) >= QUEUE_LIMIT and not self._stopping:
            time.sleep(0.05)
        f = outcome.finding
        wants_clip = f.state == "open" and f.kind != "camera_health" and not self.settings.vision_blur
        self._queue.append(_Item(station, outcome, station.capture.ring.ask(CLIP_AFTER_S) if wants_clip else None))
        self._loop.call_soon_threadsafe(self._queued.set)

    async def _publish(self) -> None:
        while True:
            await self._queued.wait()
            self._queued.clear()
            while self._queue:
                await self._publish_one(self._queue[0])
                self._queue.popleft()

    async def _publish_one(self, item: _Item) -> None:
        """Publish durably, unless the camera is no longer ours; the bus being away only delays it."""
        station, wait = item.station, 0.2
        refs = await asyncio.to_thread(
            evidence.store_pictures, item.outcome, station.camera.zones, self.media, self.blur
        )
        seen = evidence.observation(item.outcome, station.camera, station.lease.epoch, self.clock.now(), refs)
        while True:
            try:
                if not await self.book.still_mine(station.lease):
                    log.info("%s of %s not published: the camera is another worker's", seen.kind, seen.source_id)
                    return
                await self.bus.observe(seen)
                self.published += 1
                await self._tell_one(station)
                break
            except BUS_TROUBLE:
                await asyncio.sleep(wait)
                wait = min(wait * 2, 2.0)
        if item.clip is not None:
            task = asyncio.create_task(self._publish_clip(item, seen))
            self._clips.add(task)
            task.add_done_callback(self._clips.discard)

    async def _publish_clip(self, item: _Item, first: Observation) -> None:
        """The clip around an opening, when it is complete: the same finding again, with more evidence.

        If the condition ended meanwhile it is published as ended, so that a late clip never opens anything.
        """
        assert item.clip is not None
        station = item.station
        try:
            data = await asyncio.wait_for(asyncio.wrap_future(item.clip), CLIP_AFTER_S + 30)
            if data is None:
                return
            ref = await asyncio.to_thread(
                self.media.put, data, kind="clip", media_type="video/mp4", taken_at=first.observed_at
            )
            stands = (first.kind, first.zone) in station.standing
            again = evidence.with_clip(first, ref, stands, self.clock.now())
            if await self.book.still_mine(station.lease):
                await self.bus.observe(again)
        except BUS_TROUBLE as error:
            log.warning("the clip of %s on %s was not published: %s", first.kind, first.source_id, error)

    # live state ----------------------------------------------------------
    async def _tell(self) -> None:
        """The live state of every camera, when it changed and every few seconds."""
        told: dict[str, tuple[float, str]] = {}
        while True:
            now = time.monotonic()
            for station in self.engine.held():
                camera_id = station.camera.camera_id
                at, state = told.get(camera_id, (0.0, ""))
                if station.changed or state != station.capture.status.state or now - at > LIVE_S:
                    station.changed = False
                    told[camera_id] = (now, station.capture.status.state)
                    await self._tell_one(station)
            await asyncio.sleep(0.5)

    async def _tell_one(self, station: Station) -> None:
        if self.book.held.get(station.camera.camera_id) is station.lease:
            state = json.dumps(live_state(station, self.name, self.clock.now()), ensure_ascii=False)
            await self.live.put(f"camera.{bucket_key(station.camera.camera_id)}", state.encode())

    # look again ----------------------------------------------------------
    async def _on_look(self, message: Msg) -> None:
        try:
            request = decode(LookRequest, message.data)
        except YiwangError as error:
            log.warning("a look request is not valid: %s", error)
            return
        station = self.engine.stations.get(request.camera_id)
        if station is None:
            return
        await message.respond(encode(await self._look(station, request)))

    async def _look(self, station: Station, request: LookRequest) -> LookAnswer:
        """Ask the algorithm on fresh pictures."""
        look = Look(request.kind, request.zone, self._loop.create_future())
        station.looks.append(look)
        station.capture.economy = False
        try:
            seen = await asyncio.wait_for(asyncio.shield(look.answer), LOOK_S)
        except TimeoutError:
            seen = list(look.seen)
            if look in station.looks:
                station.looks.remove(look)
        clear, detail = verdict(look, seen, station)
        refs: tuple[EvidenceRef, ...] = ()
        if seen:
            frame: Frame = seen[-1][1]
            refs = (await asyncio.to_thread(self._snapshot, frame),)
        at = seen[-1][1].at if seen else self.clock.now()
        return LookAnswer(
            camera_id=request.camera_id, kind=request.kind, clear=clear, detail=detail, seen_at=at, evidence=refs
        )

    def _snapshot(self, frame: Frame) -> EvidenceRef:
        return self.media.put(
            evidence.jpeg(frame.image), kind="snapshot", media_type="image/jpeg", taken_at=frame.at
        )


def verdict(look: Look, seen: list[tuple[Any, Frame]], station: Station) -> tuple[bool | None, str]:
    """Clear, not clear or cannot tell, by majority of the frames; with the reason."""
    judged = [s for s, _ in seen if s.present is not None]
    status = station.capture.status
    if look.kind == "camera_health" and not seen:
        return False, f"no pictures: {status.reason}"
    if not seen:
        known = {a.kind for a in station.analysis.algorithms}
        if look.kind not in known:
            return None, f"this camera does not run {look.kind}"
        return None, f"no pictures: {status.reason}"
    if not judged:
        return None, seen[-1][0].detail or "the picture cannot be judged"
    present = sum(1 for s in judged if s.present)
    clear = present * 2 < len(judged)
    return clear, f"{judged[-1].detail} ({present} of {len(judged)} pictures show it)"


def live_state(station: Station, worker: str, now: datetime) -> dict[str, Any]:
    """The camera's live state as JSON."""
    status, health = station.capture.status, station.analysis.health
    return {
        "camera_id": station.camera.camera_id,
        "state": status.state,
        "reason": status.reason,
        "at": now.astimezone(UTC).isoformat(),
        "worker": worker,
        "epoch": station.lease.epoch,
        "width": status.width,
        "height": status.height,
        "fps": station.capture.fps,
        "wanted_fps": station.camera.analysis_fps,  # above fps: slowed down for lack of processor time
        "frames": status.frames,
        "dropped": status.dropped,
        "faults": list(health.open_states) if health else [],
        "standing": [{"kind": k, "zone": z, "since": at} for (k, z), at in station.standing.items()],
        "problems": station.analysis.problems,
    }


async def _next(watcher: KeyValue.KeyWatcher) -> KeyValue.Entry | None:
    """The next entry that is already there; None when there is none."""
    while True:
        try:
            entry = await watcher.updates(timeout=0.05)
        except (TimeoutError, nats.errors.TimeoutError):
            return None
        if entry is not None:
            return entry


def _wanted(camera: CameraConfig) -> bool:
    return camera.enabled and bool(camera.algorithms)


async def _supervised(loop: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run an endless loop again after trouble; say so once on loss and once on recovery."""
    wait, troubled = 0.5, False
    while not stop.is_set():
        started = time.monotonic()
        try:
            await loop()
        except BUS_TROUBLE as error:
            if not troubled:
                log.warning("%s: %s: %s; trying again", loop.__name__, type(error).__name__, error)
            troubled = True
        except Exception:  # noqa: BLE001 — supervisor: the other loops of this worker go on
            log.exception("%s failed; trying again", loop.__name__)
            troubled = True
        if time.monotonic() - started > 10:
            wait, troubled = 0.5, False
        await asyncio.sleep(wait)
        wait = min(wait * 2, 5.0)


