"""The SSE hub: every change is serialised once, every tick is sent once, each viewer gets what he may see.

Sources: the CASE stream (core subscription: a page that was away reads the list again on ``hello``), KV ``live``
for cameras and devices, ``notice.>`` for notices.  A viewer who does not keep up is cut off and reconnects.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import nats.errors
from nats.aio.msg import Msg
from sqlalchemy import Engine, select

from core.bus import Bus, connect
from core.clock import Clock
from core.errors import BusUnavailable, RecordError
from core.ids import new_id
from core.records import Actor, CaseChanged, decode
from core.settings import Settings
from dashboard.auth import Principal
from dashboard.live_rights import rights_of
from dashboard.viewer import Viewer, event, is_for, may_see_state, shown, summaries
from ingest.drones.live.orders import POSES
from storage.session import read_scope
from storage.tables.registry import Camera, Device

log = logging.getLogger("yiwang.live")

TICK_S = 0.1
BEAT_S = 15.0
MAX_VIEWERS = 3000  # the centre's pages and every phone of a district's staff
MAX_VIEWERS_PER_USER = 12
APART_S, SPREAD = 0.05, 0.6  # beats go out page by page over this part of their span: a few, so far apart
RECHECK_S = 30.0  # how long a viewer's rights are believed before the session is looked at again


@dataclass(frozen=True)
class Tick:
    """What one tick carries: serialised once, filtered per viewer."""

    cases: dict[str, tuple[bool, bytes]]  # case_id → confidential, payload
    states: list[tuple[str | None, bytes]]  # department that owns the camera or device, payload
    notices: list[tuple[str, str, bytes]]  # user | department | role, id, payload


class LiveHub:
    """Viewers, the newest states, and the loop that feeds them."""

    def __init__(self, settings: Settings, engine: Engine, clock: Clock) -> None:
        self._settings = settings
        self._engine = engine
        self._clock = clock
        self._viewers: set[Viewer] = set()
        self._changed: dict[str, CaseChanged] = {}
        self._moved: dict[str, dict[str, Any]] = {}
        self._notices: list[tuple[str, str, bytes]] = []
        self._news = asyncio.Event()  # something waits for the next tick
        self._owners: dict[str, str | None] = {}
        self._owners_at = -1e9
        self.states: dict[str, dict[str, Any]] = {}
        self.aircraft: dict[str, dict[str, Any]] = {}  # the newest pose of each, by serial number
        self.instance = new_id()
        self.bus: Bus | None = None
        self.sent = 0
        self.cut = 0
        self.watch: Callable[[str], Any] | None = None

    @property
    def _drill(self) -> str | None:
        """The name of the drill that these pages show; None in the live city."""
        kind, _, name = self._settings.subject_prefix.rstrip(".").partition(".")
        return name if kind == "drill" else None

    @property
    def viewers(self) -> int:
        """How many pages are open."""
        return len(self._viewers)

    # feeding -------------------------------------------------------------
    async def run(self) -> None:
        """Feed the viewers for ever; the bus may come and go."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._tick_for_ever())
            group.create_task(self._beat_for_ever())

    async def _listen(self) -> None:
        """Listen for ever; whatever the bus does, the pages get news again when it is back."""
        troubled = False
        while True:
            try:
                bus = await connect(self._settings, "web", wait_s=30)
                self.bus = bus
                try:
                    await bus.client.subscribe(bus.subject("case", ">"), cb=self._on_case)
                    await bus.client.subscribe(bus.subject("notice", ">"), cb=self._on_notice)
                    await bus.client.subscribe(bus.subject("alarm", "acknowledged"), cb=self._on_alarm)
                    await bus.client.subscribe(bus.subject(POSES), cb=self._on_aircraft)
                    troubled = False
                    await self._follow_states(bus)
                finally:
                    self.bus = None
                    await bus.close()
            except (BusUnavailable, nats.errors.Error, OSError) as error:
                if not troubled:
                    log.warning("%s; the pages are not live until the bus answers", error)
                troubled = True
                await asyncio.sleep(1)

    async def _follow_states(self, bus: Bus) -> None:
        troubled = False
        while not bus.client.is_closed:
            try:
                bucket = await bus.bucket("live")
                reconnects = bus.client.stats["reconnects"]
                watcher = await bucket.watch("*.*")
                troubled = False
                # A server that was killed takes the watch with it, so the watch is made anew after every reconnection.
                while bus.client.stats["reconnects"] == reconnects:
                    try:
                        entry = await watcher.updates(timeout=2)
                    except nats.errors.TimeoutError:
                        continue
                    if entry is not None and entry.value:
                        self._on_state(entry.key, entry.value)
                await watcher.stop()
            except (nats.errors.Error, OSError) as error:
                if not troubled:
                    log.warning("live states: %s; trying again", error)
                troubled = True
                await asyncio.sleep(1)

    async def _on_case(self, message: Msg) -> None:
        try:
            change = decode(CaseChanged, message.data)
        except RecordError as error:
            log.warning("a case change could not be read: %s", error)
            return
        self._changed[change.case_id] = change
        self._news.set()

    async def _on_notice(self, message: Msg) -> None:
        try:
            body = json.loads(message.data)
        except ValueError:
            return
        kind = "user" if body.get("user_id") else "department" if body.get("department_id") else "role"
        to = body.get(f"{kind}_id") or body.get("role") or "operator"
        self._notices.append((kind, str(to), event("notice", body)))
        self._news.set()
        del self._notices[:-1000]

    async def _on_aircraft(self, message: Msg) -> None:
        """Poses of aircraft, as ingest bundles them a few times a second."""
        try:
            said = json.loads(message.data)
            moved, gone = said["moved"], [str(sn) for sn in said["gone"]]
            self.aircraft |= {str(pose["sn"]): pose for pose in moved}
        except (ValueError, KeyError, TypeError):
            return
        for sn in gone:
            self.aircraft.pop(sn, None)
        self._notices.append(("aircraft", "", event("aircraft", said)))
        self._news.set()
        del self._notices[:-1000]

    async def _on_alarm(self, message: Msg) -> None:
        self._ring(message.data.decode(errors="replace")[:40])

    def _ring(self, case_id: str) -> None:
        """Pages of the centre look at the alarms again; the event says no more than that."""
        self._notices.append(("centre", "", event("alarm", {"case_id": case_id})))
        self._news.set()
        del self._notices[:-1000]

    async def tell_alarm(self, case_id: str) -> None:
        """Somebody acknowledged an alarm: tell every page, over the bus those of other web processes too."""
        if self.bus is None:
            return self._ring(case_id)
        try:
            await self.bus.client.publish(self.bus.subject("alarm", "acknowledged"), case_id.encode())
        except (nats.errors.Error, OSError):
            self._ring(case_id)

    def _on_state(self, key: str, value: bytes) -> None:
        try:
            state = json.loads(value)
        except ValueError:
            return
        if not isinstance(state, dict):
            return
        before = self.states.get(key)
        self.states[key] = state
        if before is None or shown(before) != shown(state):
            self._moved[key] = state
            self._news.set()

    # ticking -------------------------------------------------------------
    async def _tick_for_ever(self) -> None:
        troubled = False
        while True:
            await self._news.wait()
            await asyncio.sleep(TICK_S)
            self._news.clear()
            if not self._viewers:
                self._changed, self._moved, self._notices = {}, {}, []
                continue
            changed, self._changed = self._changed, {}
            moved, self._moved = self._moved, {}
            notices, self._notices = self._notices, []
            try:
                await self._send(changed, moved, notices)
                troubled = False
            except Exception:  # noqa: BLE001 - supervisor: one bad tick must not end the pushes of all pages
                if not troubled:
                    log.exception("a tick could not be sent")
                troubled = True

    async def _send(
        self, changed: dict[str, CaseChanged], moved: dict[str, dict[str, Any]], notices: list[tuple[str, str, bytes]]
    ) -> None:
        actors = {v.principal.actor.user_id: v.principal.actor for v in self._viewers}
        tick, allowed = await asyncio.to_thread(self._prepare, list(changed), moved, notices, list(actors.values()))
        bundles: dict[tuple[Any, ...], bytes] = {}
        for viewer in list(self._viewers):
            actor = viewer.principal.actor
            parts = [p for c, (_, p) in tick.cases.items() if c in allowed.get(actor.user_id, frozenset())]
            if viewer.states:
                parts += [p for owner, p in tick.states if may_see_state(actor, owner)]
            parts += [p for kind, to, p in tick.notices if is_for(actor, kind, to)]
            if parts:
                key = tuple(map(id, parts))  # viewers with the same parts share one joined payload
                payload = bundles.setdefault(key, b"".join(parts))
                viewer.offer(payload)
                self.sent += 1

    def _prepare(
        self,
        case_ids: Sequence[str],
        moved: dict[str, dict[str, Any]],
        notices: list[tuple[str, str, bytes]],
        actors: Sequence[Actor],
    ) -> tuple[Tick, dict[str, frozenset[str]]]:
        """Serialise the tick, and which cases each person may see (one query a person outside the centre)."""
        allowed: dict[str, frozenset[str]] = {}
        cases: dict[str, tuple[bool, bytes]] = {}
        with read_scope(self._engine) as session:
            if case_ids:
                found = summaries(session, case_ids)
                cases = {c.case_id: (c.confidential, event("case", c)) for c in found}
                plain = frozenset(c.case_id for c in found if not c.confidential)
                secret = [c.case_id for c in found if c.confidential]
                allowed = rights_of(session, actors, plain, secret)
            if moved:
                self._refresh_owners(session)
        states = [(self._owners.get(k), event(k.split(".", 1)[0], shown(s))) for k, s in moved.items()
                  if k.startswith(("camera.", "device."))]  # fmt: skip
        return Tick(cases, states, notices), allowed

    def _refresh_owners(self, session: Any) -> None:
        if time.monotonic() - self._owners_at < RECHECK_S:
            return
        from storage.registry import registry_key

        owners: dict[str, str | None] = {}
        for camera_id, department in session.execute(select(Camera.camera_id, Camera.department_id)):
            owners[registry_key("camera", camera_id)] = department
        for device_id, department in session.execute(select(Device.device_id, Device.department_id)):
            owners[registry_key("device", device_id)] = department
        self._owners, self._owners_at = owners, time.monotonic()

    async def _beat_for_ever(self) -> None:
        steps = int(BEAT_S * SPREAD / APART_S)
        while True:
            await asyncio.sleep(BEAT_S * (1 - SPREAD) if len(self._viewers) > steps else BEAT_S)
            payload = event("beat", {"server_time": self._clock.now()})
            abreast = 1 + len(self._viewers) // steps
            for n, viewer in enumerate(list(self._viewers)):
                viewer.offer(payload)
                if n % abreast == abreast - 1:
                    await asyncio.sleep(APART_S)  # a thousand pages woken at once would hold up every request

    # viewers -------------------------------------------------------------
    def crowded(self, principal: Principal) -> bool:
        """Is there no room for another page of this person?"""
        mine = sum(v.principal.actor.user_id == principal.actor.user_id for v in self._viewers)
        return len(self._viewers) >= MAX_VIEWERS or mine >= MAX_VIEWERS_PER_USER

    async def stream(
        self, principal: Principal, still_valid: Callable[[], Any], *, states: bool = True
    ) -> AsyncIterator[bytes]:
        """The events of one page, until it leaves, falls behind, or its session ends; ``states`` False: a phone, which
        hears of cases and notices and not of every camera's and device's state."""
        viewer = Viewer(principal, states=states)
        self._viewers.add(viewer)
        # A thousand phones that came at once must not be looked at again at once: each begins somewhere in the span.
        checked = time.monotonic() - random.random() * RECHECK_S  # noqa: S311 - no secret
        try:
            hello = {"server_time": self._clock.now(), "instance": self.instance, "drill": self._drill}
            yield event("hello", hello)
            while True:
                payload = await viewer.queue.get()
                if payload is None:
                    self.cut += 1
                    return
                if time.monotonic() - checked > RECHECK_S:
                    checked = time.monotonic()
                    now = await still_valid()
                    if now is None:
                        return
                    viewer.principal = now
                yield payload
        finally:
            self._viewers.discard(viewer)
