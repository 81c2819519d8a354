"""What pages and the next worker read of a camera: its entry ``camera.<id>`` in the bucket ``live``."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import nats.js.errors
from nats.js.kv import KeyValue

from core.clock import Clock
from vision.fleet.engine import Engine, Station
from vision.fleet.leases import LeaseBook, bucket_key

LIVE_S = 15.0  # an entry is hardly older while somebody holds the camera; what changes is told within TELL_S
TELL_S = 0.5


def live_state(station: Station, worker: str, now: datetime, problems: Sequence[str] = ()) -> dict[str, Any]:
    """The camera's live state as JSON; ``problems`` besides those of its configuration."""
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
        "connects": status.connects,
        "bad_packets": status.bad_packets,
        "size_changes": status.sizes,
        "interval_s": round(status.interval_s, 1),
        "clock_offset_s": None if status.clock_offset_s is None else round(status.clock_offset_s, 1),
        "faults": list(health.open_states) if health else [],
        "standing": [{"kind": k, "zone": z, "since": at} for (k, z), at in station.standing.items()],
        "problems": [*station.analysis.problems, *filter(None, [station.analysis.trouble]), *problems],
        "pictures_not_judged": station.analysis.failures,
    }


@dataclass(frozen=True)
class LeftBehind:
    """What stood when the last worker wrote: (kind, zone) → since (epoch seconds), and health faults."""

    standing: dict[tuple[str, str | None], float]
    faults: list[str]


class WorkerStates:
    """Writes the entries of one worker's cameras."""

    def __init__(
        self, live: KeyValue, engine: Engine, book: LeaseBook, clock: Clock,
        problems: Callable[[Station], Sequence[str]] = lambda _: (),
    ) -> None:  # fmt: skip
        self._problems = problems
        self._live = live
        self._engine = engine
        self._book = book
        self._clock = clock

    async def tell(self) -> None:
        """For ever: every camera's state when it changed and every few seconds."""
        told: dict[str, tuple[float, str]] = {}
        while True:
            now = time.monotonic()
            for station in self._engine.held():
                camera_id = station.camera.camera_id
                at, state = told.get(camera_id, (0.0, ""))
                if station.changed or state != station.capture.status.state or now - at > LIVE_S:
                    station.changed = False
                    told[camera_id] = (now, station.capture.status.state)
                    await self.tell_one(station)
            await asyncio.sleep(TELL_S)

    async def tell_one(self, station: Station) -> None:
        """This camera's state, if the camera is still ours."""
        if self._book.held.get(station.camera.camera_id) is station.lease:
            state = live_state(station, self._book.worker, self._clock.now(), self._problems(station))
            text = json.dumps(state, ensure_ascii=False)
            await self._live.put(f"camera.{bucket_key(station.camera.camera_id)}", text.encode())

    async def left_behind(self, camera_id: str) -> LeftBehind:
        """What the camera's last holder wrote; nothing when there was none or its entry is not readable."""
        try:
            entry = await self._live.get(f"camera.{bucket_key(camera_id)}")
            state = json.loads(entry.value or b"{}")
            standing = {(s["kind"], s.get("zone")): float(s["since"]) for s in state.get("standing", [])}
            return LeftBehind(standing, list(state.get("faults", [])))
        except (nats.js.errors.NotFoundError, ValueError, KeyError, TypeError):
            return LeftBehind({}, [])
