"""Each device's latest state for the screens: KV ``live``, key ``device.<id>``, written at a bounded rate."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime
from typing import Any

import nats.errors

from core.bus import Bus
from core.ids import subject_token
from core.records import Reading
from ingest.counters import Counters, Refusal
from ingest.outlet import NotDurable, Outlet

log = logging.getLogger("yiwang.ingest")

_PER_DEVICE_S = 2.0
_PER_FLUSH = 200
_FLUSH_S = 0.5
_MAX_VALUES = 100  # per device: a hostile topic tree must not grow the entry for ever
_KEPT_REFUSALS = 5
_COUNTERS_S = 5.0
_LOAD_S = 10.0


class LiveStates:
    """Latest values in memory, flushed to KV: at most every 2 s per device and 400 devices a second.

    An entry: ``{"device_id", "source", "heard_at", "values": {"<quantity>[/<channel>]": {"value", "unit", "at",
    "quality"}}, "standing": [kinds], "states": {"<kind>[:<channel>]": [state, at]}, "health": {"state", "reason",
    "since"}, "location": {"lon", "lat"}, "refused": {"count", "last": [newest first]}}``; without ``heard_at`` the
    device was never heard.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._states: dict[str, dict[str, Any]] = {}
        self._dirty: dict[str, None] = {}
        self._written: dict[str, float] = {}
        self._counted: dict[str, bytes] = {}

    def heard(self, device_id: str, source: str, at: datetime) -> None:
        """The device gave a sign of life."""
        state = self._states.get(device_id)
        if state is None:
            state = self._entry(device_id, source)
        state["heard_at"] = at
        self._dirty[device_id] = None

    def reading(self, reading: Reading) -> None:
        """The device's newest value; a late one does not overwrite a newer one."""
        state = self._states.get(reading.device_id)
        if state is None:
            return
        values = state["values"]
        name = f"{reading.quantity}/{reading.channel}" if reading.channel else reading.quantity
        known = values.get(name)
        if known is None and len(values) >= _MAX_VALUES:
            return
        if known is not None and known["at"] > reading.observed_at:
            return
        values[name] = {
            "value": reading.value,
            "unit": reading.unit,
            "at": reading.observed_at,
            "quality": reading.quality.value,
        }
        if reading.location is not None:
            state["location"] = {"lon": reading.location.lon, "lat": reading.location.lat}

    def standing(self, device_id: str, kinds: list[str], states: dict[str, tuple[str, datetime]]) -> None:
        """Which alarms stand at the device now, and every known state with its time."""
        if device_id in self._states:
            self._states[device_id]["standing"] = kinds
            self._states[device_id]["states"] = dict(list(states.items())[-_MAX_VALUES:])
            self._dirty[device_id] = None

    def refused(self, device_id: str, source: str, refusal: Refusal) -> None:
        """Something that the device sent was refused: counted, and the last ones kept."""
        entry = self._entry(device_id, source)
        known = entry.get("refused", {"count": 0, "last": []})
        last = [refusal.as_json(), *known["last"]][:_KEPT_REFUSALS]
        entry["refused"] = {"count": known["count"] + 1, "last": last}
        self._dirty[device_id] = None

    def _entry(self, device_id: str, source: str) -> dict[str, Any]:
        fresh = {"device_id": device_id, "source": source, "values": {}, "standing": []}
        return self._states.setdefault(device_id, fresh)

    def health(self, device_id: str, source: str, state: str, reason: str, since: datetime) -> None:
        """The device's health changed."""
        entry = self._entry(device_id, source)
        entry["health"] = {"state": state, "reason": reason, "since": since}
        self._dirty[device_id] = None

    def all(self) -> list[dict[str, Any]]:
        """Every state in memory."""
        return list(self._states.values())

    def get(self, device_id: str) -> dict[str, Any] | None:
        """The state in memory."""
        return self._states.get(device_id)

    async def load(self, bus: Bus) -> None:
        """Take over what an earlier process wrote, so that a restart forgets neither values nor health.

        Bounded in time: a server that is still recovering must not keep the sockets shut.
        """
        try:
            async with asyncio.timeout(_LOAD_S):
                await self._load(bus)
        except TimeoutError:
            log.warning("the live states of before could not all be read within %g s", _LOAD_S)

    async def _load(self, bus: Bus) -> None:
        bucket = await bus.bucket("live")
        watcher = await bucket.watch("device.*", ignore_deletes=True)
        async for entry in watcher:
            if entry is None:
                break
            try:
                state = json.loads(entry.value or b"")
                for value in [state, *state["values"].values(), state.get("health", {})]:
                    for name in ("heard_at", "at", "since"):
                        if name in value:
                            value[name] = datetime.fromisoformat(value[name])
                for name, (said, at) in list(state.get("states", {}).items()):
                    state["states"][name] = (said, datetime.fromisoformat(at))
                self._states.setdefault(state["device_id"], state)
            except (ValueError, KeyError, TypeError) as error:
                log.warning("live state %s ignored: %s", entry.key, error)
        await watcher.stop()

    async def run(self, bus: Bus, outlet: Outlet, stop: asyncio.Event) -> None:
        """Flush until ``stop``; a lost bus only delays the entries."""
        prefix = f"$KV.{bus.stream('live')}."
        next_counters = 0.0
        while not stop.is_set():
            await asyncio.sleep(_FLUSH_S)
            if not bus.client.is_connected:
                continue
            now = asyncio.get_running_loop().time()
            try:
                await self._flush(outlet, prefix, now)
                if now >= next_counters:
                    next_counters = now + _COUNTERS_S
                    await self._flush_counters(outlet, prefix)
            except (nats.errors.Error, NotDurable) as error:
                log.debug("live state delayed: %s", error)

    async def _flush(self, outlet: Outlet, prefix: str, now: float) -> None:
        due = [d for d in self._dirty if now - self._written.get(d, -1e9) >= _PER_DEVICE_S][:_PER_FLUSH]
        for device_id in due:
            del self._dirty[device_id]
            self._written[device_id] = now
            payload = json.dumps(self._states[device_id], default=_plain).encode()
            await outlet.publish(f"{prefix}device.{subject_token(device_id).replace(':', '=')}", payload, None)

    async def _flush_counters(self, outlet: Outlet, prefix: str) -> None:
        for counters in self._counters.all():
            payload = counters.snapshot()
            if self._counted.get(counters.source) != payload:
                self._counted[counters.source] = payload
                await outlet.publish(f"{prefix}source.{subject_token(counters.source)}", payload, None)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
