"""The load of the kills: alarms on the bus, cases reported through the proxy, pages that stay open, cameras."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import nats.errors
from sqlalchemy import select

from bench.parts.cluster import Cluster
from core.bus import Bus, connect
from core.clock import SystemClock
from core.ids import derived_id
from core.records import Observation
from storage.session import read_scope, session_scope
from storage.tables.observations import ObservationRow

SITES = 24


def people_and_places(cluster: Cluster, pages: int, cameras: int) -> list[tuple[str, str]]:
    """Sites 800 m apart with a panel each, a camera or none, and operators: their session and CSRF token."""
    from dashboard.accounts.users import add_user
    from dashboard.auth import Accounts
    from storage.tables.registry import Camera, Department, Device, Site

    accounts, secrets = Accounts(cluster.engine, SystemClock()), []
    film = str(_film(cluster.settings.data_dir)) if cameras else ""
    with session_scope(cluster.engine) as session:
        session.add_all(
            Department(department_id=d, name=d) for d in ("dept-fire", "dept-command", "dept-emergency", "dept-it")
        )
        session.flush()
        for n in range(SITES):
            lon, lat = 125.2 + 0.01 * (n % 8), 43.8 + 0.01 * (n // 8)
            site = {"lon": lon, "lat": lat, "department_id": "dept-fire", "attributes": {}}
            session.add(Site(site_id=f"s{n}", name=f"点位{n}", kind="key_fire_site", **site))
        session.flush()
        session.add_all(
            Device(device_id=f"x:{n}", source="x", address=str(n), status="accepted", site_id=f"s{n}")
            for n in range(SITES)
        )
        session.add_all(
            Camera(
                camera_id=f"cam-{n}", name=f"cam-{n}", category="fire_control_room", site_id=f"s{n}",
                url=f"{film}?loop=1", algorithms=[{"kind": "camera_health"}],
            )
            for n in range(cameras)
        )  # fmt: skip
        for n in range(max(1, pages)):
            user = add_user(session, login=f"o{n}", name=f"o{n}", roles=["operator"], department_id="dept-command")
            secrets.append(accounts.open_in(session, user.user_id, user.login, "127.0.0.1", "bench"))
    found = []
    for secret in secrets:
        who = accounts.principal(secret)
        assert who is not None
        found.append((secret, who.csrf_token))
    return found


def _film(folder: Path) -> Path:
    import numpy as np

    from layers.demo.clips import HEIGHT, WIDTH, write_clip

    random = np.random.default_rng(7)
    pictures = (random.integers(40, 200, (HEIGHT, WIDTH, 3), dtype=np.uint8) for _ in range(60))
    path = folder / "kills.mp4"
    write_clip(path, pictures, fps=5)
    return path


class Load:
    """What is sent, and what was promised."""

    def __init__(self, cluster: Cluster, base: str, people: list[tuple[str, str]]) -> None:
        self._cluster, self.base, self._people = cluster, base, people
        self.published = 0
        self.turns: dict[int, int] = {}  # site: how many were confirmed
        self.reported: list[str] = []  # titles of the cases that were confirmed
        self._marks = 0
        self.rounds: list[tuple[float, list[str]]] = []  # when and who was killed
        self._bus: Bus | None = None

    async def ready(self, cameras: int) -> None:
        """Wait until the streams stand, a page is served and the cameras have their holders."""
        self._bus = await connect(self._cluster.settings, "kills")
        deadline = time.monotonic() + 180
        while True:
            with contextlib.suppress(Exception):
                await self._bus.js.stream_info(self._bus.stream("LEASE"))
                async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                    (await client.get(f"{self.base}/healthz")).raise_for_status()
                if len(await self.holders()) >= cameras:
                    break
            if time.monotonic() > deadline:
                raise TimeoutError("the set does not come up: see its logs")
            await asyncio.sleep(0.5)
        await self.marked(60)

    async def close(self) -> None:
        """Close the connection to the bus."""
        if self._bus is not None:
            await self._bus.close()

    def publishers(self, stop: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
        """Alarm and clear in turn, for each site, every one until it is confirmed."""
        return [self._publish(range(part, SITES, 3), stop) for part in range(3)]

    async def _publish(self, sites: range, stop: asyncio.Event) -> None:
        turn = 0
        while not stop.is_set():
            for site in sites:
                await self._surely(said(site, turn))
                self.turns[site] = turn + 1
                self.published += 1
                await asyncio.sleep(0.12)
            turn += 1

    async def _surely(self, observation: Observation) -> None:
        assert self._bus is not None
        while True:
            try:
                await self._bus.observe(observation)
                return
            except (nats.errors.Error, TimeoutError):
                await asyncio.sleep(0.1)  # the point of the run: the bus is away now and then

    async def reporter(self, stop: asyncio.Event) -> None:
        """A person who reports a case every second, again with the same key until it is answered."""
        secret, csrf = self._people[0]
        head = {"Cookie": f"yiwang_session={secret}", "X-CSRF-Token": csrf}
        while not stop.is_set():
            title = f"report {len(self.reported)}"
            body = {"title": title, "idempotency_key": title, "location": {"lon": 125.9, "lat": 44.2}}
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                        answer = await client.post(f"{self.base}/api/cases", json=body, headers=head)
                    if answer.status_code in {200, 201}:
                        break
                    if answer.status_code < 500:
                        raise AssertionError(answer.text)
                await asyncio.sleep(0.2)
            self.reported.append(title)
            await asyncio.sleep(1)

    async def marked(self, seconds: float) -> float:
        """Publish a mark and wait until a worker has stored it: everything is at work again.

        When (monotonic) the bus confirmed it.
        """
        self._marks += 1
        mark = said(0, -self._marks, kind="mark")
        await self._surely(mark)
        confirmed = time.monotonic()
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(self._is_stored, mark.observation_id):
            if time.monotonic() > deadline:
                raise TimeoutError(f"a confirmed message was not stored within {seconds:.0f} s")
            await asyncio.sleep(0.05)
        return confirmed

    def _is_stored(self, observation_id: str) -> bool:
        try:
            with read_scope(self._cluster.engine) as session:
                wanted = ObservationRow.observation_id == observation_id
                return session.scalar(select(ObservationRow.observation_id).where(wanted)) is not None
        except Exception:  # noqa: BLE001 - the database is away: it was killed
            return False

    def only_a_web_died(self, lost: float) -> bool:
        """Whether a page that lost its stream then lost one web while the other and the database went on."""
        before = [victims for at, victims in self.rounds if at - 0.5 <= lost < at + 1.5]
        return bool(before) and not {"web-1", "web-2"} <= set(before[-1]) and "primary" not in before[-1]

    async def holders(self) -> dict[str, str]:
        """Camera entry and the vision process that holds it."""
        assert self._bus is not None
        bucket = await self._bus.bucket("owner")
        found = {}
        for n in range(64):
            try:
                entry = await bucket.get(f"cam-{n}")
            except nats.errors.Error:
                break
            found[f"cam-{n}"] = str(json.loads(entry.value or b"{}").get("worker", ""))
        return found

    async def taken_over(self, before: dict[str, str], gone: set[int], at: float, wait_s: float = 15) -> list[float]:
        """Seconds until each camera of the killed processes is held by another one."""
        orphans = {camera for camera, worker in before.items() if any(f"-{pid}-" in worker for pid in gone)}
        took = []
        while orphans and time.monotonic() - at < wait_s:
            with contextlib.suppress(nats.errors.Error, TimeoutError):
                now = await self.holders()
                for camera in [c for c in orphans if now.get(c, before[c]) != before[c]]:
                    orphans.discard(camera)
                    took.append(time.monotonic() - at)
            await asyncio.sleep(0.05)
        return took + [wait_s] * len(orphans)


def said(site: int, turn: int, kind: str = "fire_alarm") -> Observation:
    """Alarm (even turns) or clear (odd ones) of a site."""
    now = datetime.now(UTC)
    return Observation(
        observation_id=derived_id("kills", kind, site, turn),
        kind=kind,
        state="open" if turn % 2 == 0 else "clear",
        source_type="device",
        source_id=f"x:{site}",
        observed_at=now,
        received_at=now,
        site_id=f"s{site}",
    )


async def page(base: str, secret: str, back: list[tuple[float, float]]) -> None:
    """An open page: follows the live stream and comes back as the page's own code does (after 1 s, 2 s, 3 s, 3 s …)."""
    lost, wait = 0.0, 1.0
    while True:
        with contextlib.suppress(httpx.HTTPError):
            async with httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(5, read=60)) as client:
                cookie = {"Cookie": f"yiwang_session={secret}"}
                async with client.stream("GET", f"{base}/api/live", headers=cookie) as answer:
                    async for line in answer.aiter_lines():
                        if line.startswith("event: hello"):
                            if lost:
                                back.append((lost, time.monotonic() - lost))
                            lost, wait = 0.0, 1.0
        lost = lost or time.monotonic()
        await asyncio.sleep(wait)
        wait = min(wait * 2, 3)
