"""Cameras are shared out over a real nats-server, survive a killed worker, and answer when asked again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from core.bus import Bus, connect
from core.records import (
    AlgorithmConfig,
    CameraConfig,
    LookAnswer,
    LookRequest,
    Observation,
    decode,
    encode,
)
from core.settings import Settings
from tests.footage import film
from vision.fleet.leases import LeaseBook, Owner, bucket_key, ensure_leases
from vision.fleet.worker import VisionWorker

HEALTH = (AlgorithmConfig(kind="camera_health"),)


def camera(camera_id: str, url: str = "file:///nowhere.mp4", **more: object) -> CameraConfig:
    return CameraConfig(camera_id=camera_id, name=camera_id, url=url, algorithms=HEALTH, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def joined(settings: Settings) -> AsyncIterator[Bus]:
    bus = await connect(settings, "test")
    await bus.ensure()
    try:
        yield bus
    finally:
        await bus.close()


async def owners(bus: Bus, cameras: list[CameraConfig]) -> dict[str, Owner]:
    bucket, found = await bus.bucket("owner"), {}
    for c in cameras:
        try:
            entry = await bucket.get(bucket_key(c.camera_id))
            found[c.camera_id] = msgspec.json.decode(entry.value or b"", type=Owner)
        except Exception:  # noqa: BLE001, S112 — not owned yet
            continue
    return found


def test_a_lease_exists_once_however_often_it_is_ensured(nats_server: Settings) -> None:
    async def story() -> None:
        async with joined(nats_server) as bus:
            cameras = [camera(f"cam:{i}") for i in range(5)] + [camera("off", enabled=False)]
            assert await ensure_leases(bus, cameras) == 5
            assert await ensure_leases(bus, cameras) == 0
            info = await bus.js.stream_info(bus.stream("LEASE"))
            assert info.state.messages == 5

    asyncio.run(story())


def test_two_workers_never_hold_the_same_camera_and_a_disabled_one_is_finished(nats_server: Settings) -> None:
    async def story() -> None:
        async with joined(nats_server) as bus:
            cameras = [camera(f"c{i}") for i in range(6)]
            await ensure_leases(bus, cameras)
            one, two = LeaseBook(bus, "one"), LeaseBook(bus, "two")
            await one.open()
            await two.open()
            await one.take(3)
            await two.take(10)
            assert set(one.held) | set(two.held) == {c.camera_id for c in cameras}
            assert not set(one.held) & set(two.held)
            gone = next(iter(one.held))
            await one.finish(gone)
            assert gone not in one.held
            await asyncio.sleep(0.2)
            info = await bus.js.stream_info(bus.stream("LEASE"))
            assert info.state.messages == 5
            # given back: the other takes it at once, under a higher epoch
            back = next(iter(one.held))
            epoch = one.held[back].epoch
            await one.release(back)
            taken = await two.take(1, 2.0)
            assert [t.camera_id for t in taken] == [back]
            assert taken[0].epoch > epoch

    asyncio.run(story())


def test_a_paused_worker_that_wakes_up_lets_go(nats_server: Settings) -> None:
    async def story() -> None:
        async with joined(nats_server) as bus:
            await ensure_leases(bus, [camera("c")])
            sleeper, other = LeaseBook(bus, "sleeper"), LeaseBook(bus, "other")
            await sleeper.open()
            await other.open()
            (old,) = await sleeper.take(1)
            start = time.monotonic()
            taken = []
            while not taken and time.monotonic() - start < 8:
                taken = await other.take(1, 1.0)  # the sleeper says nothing meanwhile
            assert taken and taken[0].epoch > old.epoch
            assert time.monotonic() - start < 5
            assert not await sleeper.still_mine(old)
            assert await sleeper.beat() == [old]
            assert sleeper.held == {}
            assert await other.still_mine(taken[0])

    asyncio.run(story())


WORKER = """
import asyncio, os, sys
from core.settings import load_settings
from vision.fleet.worker import main
asyncio.run(main(load_settings(), asyncio.Event()))
"""


def start_worker(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    env = {
        **os.environ,
        "YIWANG_DATA_DIR": str(settings.data_dir),
        "YIWANG_NATS_URL": settings.nats_url,
        "YIWANG_NATS_TOKEN": settings.nats_token,
    }
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-c", textwrap.dedent(WORKER)], env=env, stdout=out, stderr=out)


def test_cameras_of_a_killed_worker_run_elsewhere_within_five_seconds(nats_server: Settings, tmp_path: Path) -> None:
    clip = film(tmp_path / "street.mp4")
    cameras = [camera(f"cam-{i}", f"file://{clip}?loop=1", analysis_fps=2.0) for i in range(6)]

    async def story() -> None:
        async with joined(nats_server) as bus:
            registry = await bus.bucket("registry")
            for c in cameras:
                await registry.put(f"camera.{c.camera_id}", encode(c))
            victim = start_worker(nats_server, tmp_path / "victim.log")
            survivor: asyncio.Task[None] | None = None
            try:
                deadline = time.monotonic() + 30
                while len(await owners(bus, cameras)) < 6 and time.monotonic() < deadline:
                    await asyncio.sleep(0.1)
                before = await owners(bus, cameras)
                assert len(before) == 6, (tmp_path / "victim.log").read_text()
                worker = VisionWorker(nats_server, bus)
                stop = asyncio.Event()
                survivor = asyncio.create_task(worker.run(stop))
                await asyncio.sleep(2.0)
                victim.send_signal(signal.SIGKILL)
                killed = time.monotonic()
                while time.monotonic() - killed < 15:
                    running = [s for s in worker.engine.held() if s.capture.status.frames > 0]
                    if len(running) == 6:
                        break
                    await asyncio.sleep(0.05)
                seconds = time.monotonic() - killed
                assert len(running) == 6
                assert seconds < 5.0, f"taken over after {seconds:.1f} s"
                after = await owners(bus, cameras)
                assert all(after[i].worker == worker.name for i in after)
                assert all(after[i].epoch > before[i].epoch or before[i].worker == worker.name for i in after)
                stop.set()
                await survivor
            finally:
                victim.kill()
                victim.wait(10)
                if survivor is not None and not survivor.done():
                    survivor.cancel()

    asyncio.run(story())


def test_a_camera_goes_away_comes_back_and_is_asked(nats_server: Settings, tmp_path: Path) -> None:
    """Health opens when the stream is missing and clears when it is there; looking again tells the same."""
    clip = tmp_path / "later.mp4"
    quick = (AlgorithmConfig(kind="camera_health", params={"offline_s": 1.0}),)

    async def story() -> None:
        async with joined(nats_server) as bus:
            config = CameraConfig(camera_id="c", name="c", url=f"file://{clip}?loop=1", algorithms=quick, site_id="s")
            await (await bus.bucket("registry")).put("camera.c", encode(config))
            seen = await bus.js.subscribe(bus.subject("obs.>"))
            stop = asyncio.Event()
            task = asyncio.create_task(VisionWorker(nats_server, bus).run(stop))
            try:
                opened = decode(Observation, (await seen.next_msg(15)).data)
                assert (opened.kind, opened.state, opened.epoch) == ("camera_health", "open", 1)
                assert opened.attributes["state"] == "offline"
                ask = LookRequest(camera_id="c", kind="camera_health")
                answer = decode(LookAnswer, await bus.request("look.c", ask, 10))
                assert answer.clear is False and "does not exist" in answer.detail
                film(clip)
                cleared = decode(Observation, (await seen.next_msg(15)).data)
                assert (cleared.kind, cleared.state) == ("camera_health", "clear")
                assert [e.kind for e in cleared.evidence] == ["snapshot", "annotated"]
                answer = decode(LookAnswer, await bus.request("look.c", ask, 10))
                assert answer.clear is True
                assert answer.evidence
                unknown = LookRequest(camera_id="c", kind="absence")
                assert decode(LookAnswer, await bus.request("look.c", unknown, 10)).clear is None
            finally:
                stop.set()
                await task

    asyncio.run(story())
