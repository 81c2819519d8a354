"""Look again (再看一眼): somebody asks whether a condition is still there; five fresh pictures answer by majority."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from core.bus import Bus
from core.clock import Clock
from core.errors import YiwangError
from core.ids import subject_token
from core.media import MediaStore
from core.records import EvidenceRef, LookAnswer, LookRequest, decode, encode
from vision.capture.frames import Frame
from vision.fleet import evidence
from vision.fleet.engine import Engine, Look, Station
from vision.fleet.supervision import BUS_TROUBLE

log = logging.getLogger("yiwang.vision")

LOOK_S = 6.0


class Looker:
    """Answers ``look.<camera_id>`` for the cameras of one worker."""

    def __init__(self, bus: Bus, engine: Engine, media: MediaStore, clock: Clock) -> None:
        self._bus = bus
        self._engine = engine
        self._media = media
        self._clock = clock
        self._subscriptions: dict[str, Subscription] = {}

    async def watch(self, camera_id: str) -> None:
        """Answer for this camera from now on."""
        if camera_id not in self._subscriptions:
            subject = f"{self._bus.prefix}look.{subject_token(camera_id)}"
            self._subscriptions[camera_id] = await self._bus.client.subscribe(subject, cb=self._on_look)

    async def leave(self, camera_id: str) -> None:
        """Answer for it no more."""
        subscription = self._subscriptions.pop(camera_id, None)
        if subscription is not None:
            with contextlib.suppress(*BUS_TROUBLE):
                await subscription.unsubscribe()

    async def _on_look(self, message: Msg) -> None:
        try:
            request = decode(LookRequest, message.data)
        except YiwangError as error:
            log.warning("a look request is not valid: %s", error)
            return
        station = self._engine.stations.get(request.camera_id)
        if station is not None:
            await message.respond(encode(await self._look(station, request)))

    async def _look(self, station: Station, request: LookRequest) -> LookAnswer:
        """Ask the algorithm on fresh pictures."""
        look = Look(request.kind, request.zone, asyncio.get_running_loop().create_future())
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
            refs = (await asyncio.to_thread(self._snapshot, seen[-1][1]),)
        at = seen[-1][1].at if seen else self._clock.now()
        return LookAnswer(
            camera_id=request.camera_id, kind=request.kind, clear=clear, detail=detail, seen_at=at, evidence=refs
        )

    def _snapshot(self, frame: Frame) -> EvidenceRef:
        return self._media.put(evidence.jpeg(frame.image), kind="snapshot", media_type="image/jpeg", taken_at=frame.at)


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
