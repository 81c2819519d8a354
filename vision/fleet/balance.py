"""Sharing the work: what a worker tells of itself, slowing cameras down, giving cameras back to others.

Every worker writes ``worker.<name>`` into the bucket ``live`` (cameras held, load, cameras slowed down, models and
what went wrong with them) and reads the others' entries.  The decisions are :mod:`vision.fleet.load_shedding`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any

import nats.errors
from nats.js.kv import KeyValue

from core.clock import Clock
from vision.fleet import load_shedding
from vision.fleet.engine import Engine
from vision.fleet.leases import LeaseBook, bucket_key
from vision.fleet.models_watch import ModelsWatch
from vision.fleet.supervision import BUS_TROUBLE

log = logging.getLogger("yiwang.vision")

# Between two steps: a worker tells of itself at each, one that is alone at every second and when a model changed.
SHARE_S = 5.0
ALONE_EVERY = 2
GONE_S = 3.5 * SHARE_S  # a worker that wrote nothing for so long is not there
FORGET_S = 12 * SHARE_S  # its entry is removed


class Balance:
    """One worker's share; ``others`` says whether other workers are alive."""

    def __init__(
        self, live: KeyValue, engine: Engine, book: LeaseBook, models: ModelsWatch, clock: Clock,
        give_back: Callable[[str], Awaitable[None]],
    ) -> None:  # fmt: skip
        self.others = False
        self._shedder = load_shedding.Shedder()
        self._live = live
        self._engine = engine
        self._book = book
        self._models = models
        self._clock = clock
        self._give_back = give_back

    async def balance(self) -> None:
        """For ever: tell, listen, slow down or speed up, share."""
        told: dict[str, tuple[str, int, float]] = {}  # key → worker, cameras held, when heard
        watcher = await self._live.watch("worker.*")
        mine = f"worker.{bucket_key(self._book.worker)}"
        untold, models = ALONE_EVERY, ""
        try:
            while True:
                untold += 1
                state = self._state()
                now_models = f"{state['model_swaps']} {state['model_errors']}"
                if self.others or untold >= ALONE_EVERY or now_models != models:
                    await self._live.put(mine, json.dumps(state, ensure_ascii=False).encode())
                    untold, models = 0, now_models
                await asyncio.sleep(SHARE_S)
                while (entry := await _next(watcher)) is not None:
                    _hear(told, entry)
                now = time.monotonic()
                for key in [k for k, (_, _, at) in told.items() if now - at > FORGET_S]:
                    del told[key]
                    await self._live.delete(key)  # killed: it could not do so itself
                alive = {w: n for k, (w, n, at) in told.items() if now - at < GONE_S and k != mine}
                self.others = bool(alive)
                await self._share(alive)
        finally:
            with contextlib.suppress(*BUS_TROUBLE):
                await watcher.stop()
                await self._live.delete(mine)

    def _state(self) -> dict[str, Any]:
        stations = self._engine.held()
        return {
            "worker": self._book.worker,
            "at": self._clock.now().astimezone(UTC).isoformat(),
            "held": len(self._book.held),
            "load": round(self._engine.load, 3),
            "resting": self._shedder.resting,  # quiet cameras are looked at less often
            "slowed": sum(1 for s in stations if s.capture.fps < s.camera.analysis_fps),
            **self._models.state(),
        }

    async def _share(self, others: dict[str, int]) -> None:
        """One step of :mod:`vision.fleet.load_shedding`."""
        stations = {s.camera.camera_id: s for s in self._engine.held()}
        demand = {
            i: load_shedding.Demand(s.camera.analysis_fps, s.capture.fps, s.camera.priority, s.capture.economy)
            for i, s in stations.items()
        }
        changes = self._shedder.step(self._engine.load, demand)
        for station in stations.values():
            station.capture.rest_s = load_shedding.REST_S if self._shedder.resting else 0.0
        for camera_id, fps in changes.items():
            station = stations[camera_id]
            log.warning(
                "camera %s: %.2f instead of %.2f pictures a second (load %.0f %%)",
                camera_id, fps, station.camera.analysis_fps, 100 * self._engine.load,
            )  # fmt: skip
            station.capture.fps = fps
            station.changed = True
        give = load_shedding.exhausted(self._engine.load, demand) if others else None
        spare = load_shedding.surplus(len(self._book.held), others)
        least = sorted(demand, key=lambda i: (-demand[i].priority, i))
        for camera_id in dict.fromkeys([*([give] if give else []), *least[: min(spare, 2)]]):
            log.info("camera %s is given back for others to take", camera_id)
            await self._give_back(camera_id)


def _hear(told: dict[str, tuple[str, int, float]], entry: KeyValue.Entry) -> None:
    """Note what another worker wrote; its going removes it."""
    try:
        state = json.loads(entry.value or b"{}")
        told[entry.key] = (str(state["worker"]), int(state["held"]), time.monotonic())
    except (ValueError, KeyError, TypeError):
        told.pop(entry.key, None)


async def _next(watcher: KeyValue.KeyWatcher) -> KeyValue.Entry | None:
    """The next entry that is already there; None when there is none."""
    while True:
        try:
            entry = await watcher.updates(timeout=0.05)
        except (TimeoutError, nats.errors.TimeoutError):
            return None
        if entry is not None:
            return entry
