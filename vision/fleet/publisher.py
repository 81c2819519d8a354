"""Outcomes on their way to the bus: pictures sealed, ownership checked, clips added when they are complete."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass

from core.bus import Bus
from core.clock import Clock
from core.media import MediaStore
from core.records import Observation
from vision.fleet import evidence
from vision.fleet.blur import Blur
from vision.fleet.engine import Station
from vision.fleet.leases import LeaseBook
from vision.fleet.supervision import BUS_TROUBLE
from vision.judging.analyzer import FrameOutcome

log = logging.getLogger("yiwang.vision")

QUEUE_LIMIT = 512  # outcomes waiting for the bus; full: analysis waits, and the newest pictures win
CLIP_AFTER_S = 20.0


@dataclass(frozen=True)
class _Item:
    station: Station
    outcome: FrameOutcome
    clip: Future[bytes | None] | None = None


class Publisher:
    """``emit`` is called by the analysing thread, ``publish`` runs for ever on the event loop.

    ``told`` is awaited after every publish: what stands has to be in the live state for whoever takes over.
    """

    def __init__(self, bus: Bus, book: LeaseBook, media: MediaStore, blur: Blur | None, clock: Clock) -> None:
        self.published = 0
        self.told: Callable[[Station], Awaitable[None]] | None = None
        self._bus = bus
        self._book = book
        self._media = media
        self._blur = blur
        self._clock = clock
        self._queue: deque[_Item] = deque()
        self._queued = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._clips: set[asyncio.Task[None]] = set()

    def emit(self, station: Station, outcome: FrameOutcome) -> None:
        """From the analysing thread: queue an outcome; waits while the queue is full."""
        while len(self._queue) >= QUEUE_LIMIT and not self._stopping:
            time.sleep(0.05)
        f = outcome.finding
        wants_clip = f.state == "open" and f.kind != "camera_health" and self._blur is None
        self._queue.append(_Item(station, outcome, station.capture.ring.ask(CLIP_AFTER_S) if wants_clip else None))
        self._loop.call_soon_threadsafe(self._queued.set)

    async def publish(self) -> None:
        """For ever: what was queued, in order."""
        while True:
            await self._queued.wait()
            self._queued.clear()
            while self._queue:
                await self._publish_one(self._queue[0])
                self._queue.popleft()

    async def close(self) -> None:
        """Nobody waits for a full queue any more; clips that are not complete are given up."""
        self._stopping = True
        for task in self._clips:
            task.cancel()
        await asyncio.gather(*self._clips, return_exceptions=True)

    async def _publish_one(self, item: _Item) -> None:
        """Publish durably, unless the camera is no longer ours; the bus being away only delays it."""
        station, wait = item.station, 0.2
        refs = await asyncio.to_thread(
            evidence.store_pictures, item.outcome, station.camera.zones, self._media, self._blur
        )
        seen = evidence.observation(item.outcome, station.camera, station.lease.epoch, self._clock.now(), refs)
        while True:
            try:
                if not await self._book.still_mine(station.lease):
                    log.info("%s of %s not published: the camera is another worker's", seen.kind, seen.source_id)
                    return
                await self._bus.observe(seen)
                self.published += 1
                if self.told is not None:
                    await self.told(station)
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
                self._media.put, data, kind="clip", media_type="video/mp4", taken_at=first.observed_at
            )
            stands = (first.kind, first.zone) in station.standing
            again = evidence.with_clip(first, ref, stands, self._clock.now())
            if await self._book.still_mine(station.lease):
                await self._bus.observe(again)
        except BUS_TROUBLE as error:
            log.warning("the clip of %s on %s was not published: %s", first.kind, first.source_id, error)
