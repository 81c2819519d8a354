"""A patrol's rounds: which cameras, how many at once, where results go."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import nats.js.errors
from nats.js.kv import KeyValue

from core.bus import Bus, connect
from core.camera_secrets import CameraSeal
from core.errors import InputInvalid, YiwangError
from core.media import MediaStore
from core.records import AlgorithmConfig, CameraConfig, decode
from core.settings import Settings, load_settings
from vision.fleet import evidence
from vision.fleet.blur import Blur
from vision.fleet.leases import bucket_key
from vision.fleet.patrol import PatrolMemory, PatrolVisit, order, visit
from vision.judging.detector_pool import DetectorPool

Show = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class PatrolPlan:
    """What the command asked for."""

    file: Path | None = None
    algorithms: tuple[str, ...] = ("flame_smoke",)
    categories: tuple[str, ...] = ()
    parallel: int = 8
    limit: int = 0
    every_s: float = 0.0
    timeout_s: float = 6.0
    everything: bool = False


async def walk(plan: PatrolPlan, show: Show, settings: Settings | None = None) -> None:
    """Walk the rounds; one line per visit and a summary per round go to ``show``."""
    bus: Bus | None = None
    if plan.file is None:
        settings = settings or load_settings()
        bus = await connect(settings, "patrol")
        await bus.ensure()
    try:
        memories: dict[str, PatrolMemory] = {}
        while True:
            began = time.monotonic()
            await _round(plan, bus, settings, memories, show)
            if plan.every_s <= 0:
                return
            await asyncio.sleep(max(1.0, plan.every_s - (time.monotonic() - began)))
    finally:
        if bus is not None:
            await bus.close()


async def _round(
    plan: PatrolPlan, bus: Bus | None, settings: Settings | None, memories: dict[str, PatrolMemory], show: Show
) -> None:
    pool = DetectorPool(named_only=True)
    live = await bus.bucket("live") if bus is not None else None
    cameras = await _cameras(plan, bus)
    if live is not None:
        memories.update(await _remembered(live, cameras))
    todo = order(cameras, memories, time.time())
    todo = todo[: plan.limit] if plan.limit else todo
    extra = tuple(AlgorithmConfig(kind=k) for k in plan.algorithms)
    media = MediaStore(settings.media_url) if settings is not None else None
    blur = Blur(settings.vision_blur, pool) if settings is not None and settings.vision_blur else None
    began, cpu = time.monotonic(), time.process_time()
    totals = {"cameras": len(todo), "reached": 0, "findings": 0}
    gate = asyncio.Semaphore(plan.parallel)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(plan.parallel, thread_name_prefix="patrol") as threads:

        async def one(camera: CameraConfig) -> None:
            async with gate:
                memory = memories.get(camera.camera_id, PatrolMemory())
                done = await loop.run_in_executor(
                    threads, lambda: visit(camera, memory, pool, extra, timeout_s=plan.timeout_s)
                )
                memories[camera.camera_id] = done.memory
                totals["reached"] += not done.problem
                totals["findings"] += len(done.outcomes)
                if bus is not None and media is not None and live is not None:
                    await _publish(bus, media, live, done, blur)
                show(_line(done))

        await asyncio.gather(*(one(c) for c in todo))
    summary = totals | {"seconds": round(time.monotonic() - began, 1), "cpu_s": round(time.process_time() - cpu, 1)}
    show({"summary": summary})


async def _cameras(plan: PatrolPlan, bus: Bus | None) -> list[CameraConfig]:
    if bus is None:
        assert plan.file is not None
        try:
            cameras = msgspec.json.decode(plan.file.read_bytes(), type=list[CameraConfig])
        except (OSError, msgspec.MsgspecError) as error:
            raise InputInvalid(field=str(plan.file), detail=str(error), how="give a JSON list of cameras") from error
    else:
        registry = await bus.bucket("registry")
        seal = CameraSeal(bus.settings.records_key)
        cameras = []
        try:
            keys = [k for k in await registry.keys() if k.startswith("camera.")]
        except nats.js.errors.NoKeysError:
            keys = []
        for key in keys:
            entry = await registry.get(key)
            try:
                cameras.append(seal.opened(decode(CameraConfig, entry.value or b"")))
            except YiwangError:
                continue  # the worker that published it has said so
        if not plan.everything:
            cameras = [c for c in cameras if not c.algorithms]
    return [c for c in cameras if not plan.categories or c.category in plan.categories]


async def _remembered(live: KeyValue, cameras: list[CameraConfig]) -> dict[str, PatrolMemory]:
    """What earlier patrols left in the live bucket."""
    try:
        keys = {k for k in await live.keys() if k.startswith("patrol.")}
    except nats.js.errors.NoKeysError:
        return {}
    found = {}
    for camera in cameras:
        key = f"patrol.{bucket_key(camera.camera_id)}"
        if key in keys:
            entry = await live.get(key)
            state = json.loads(entry.value or b"{}")
            found[camera.camera_id] = PatrolMemory(state["visited"], state["found"], tuple(state["standing"]))
    return found


async def _publish(bus: Bus, media: MediaStore, live: KeyValue, done: PatrolVisit, blur: Blur | None) -> None:
    for outcome in done.outcomes:
        refs = await asyncio.to_thread(evidence.store_pictures, outcome, done.camera.zones, media, blur)
        await bus.observe(evidence.observation(outcome, done.camera, None, datetime.now(UTC), refs))
    memory = done.memory
    state = {"visited": memory.visited, "found": memory.found, "standing": list(memory.standing)}
    await live.put(f"patrol.{bucket_key(done.camera.camera_id)}", json.dumps(state).encode())


def _line(done: PatrolVisit) -> dict[str, Any]:
    findings = [
        {
            "kind": o.finding.kind,
            "state": o.finding.state,
            "zone": o.finding.zone,
            "value": o.finding.value,
            "confidence": o.finding.confidence,
            "box": list(o.finding.box) if o.finding.box else None,
        }
        for o in done.outcomes
    ]
    return {
        "camera_id": done.camera.camera_id,
        "findings": findings,
        "problem": done.problem,
        "seconds": round(done.seconds, 3),
        "cpu_s": round(done.cpu_s, 4),
    }
