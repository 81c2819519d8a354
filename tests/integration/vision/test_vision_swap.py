"""An administrator replaces a model while a real worker process analyses real frames."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import onnx

from bench.parts.sight.films import pictures
from core.bus import Bus
from core.records import AlgorithmConfig, CameraConfig, Observation, decode, encode
from core.settings import Settings
from tests.footage import write_film
from tests.integration.vision.test_vision_leases import joined, start_worker
from vision import weights

PARAMS = {"window_s": 1.0, "min_hits": 2, "clear_after_s": 1.0, "detector_params": {"file": "own.onnx"}}


def resaved(source: Path, target: Path, version: str) -> str:
    """The same network as another file that calls itself ``version``; its SHA-256."""
    model = onnx.load(str(source))
    for entry in model.metadata_props:
        if entry.key == "version":
            entry.value = version
    onnx.save(model, str(target))
    return weights.reference(target).sha256


async def until(found: Any, seconds: float, what: str) -> Any:
    """The first true answer of the coroutine function ``found``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = await found()
        if answer:
            return answer
        await asyncio.sleep(0.2)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


async def live(bus: Bus, key: str) -> dict[str, Any]:
    bucket = await bus.bucket("live")
    keys = [k for k in await bucket.keys() if k.startswith(key)]
    return json.loads((await bucket.get(keys[0])).value or b"{}") if keys else {}


def test_a_model_is_swapped_under_a_running_worker(nats_server: Settings, tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    first = resaved(weights.MODELS / "flame_smoke.onnx", models / "own.onnx", "1.0")
    clip = write_film(tmp_path / "fire.mp4", pictures(6.0, [(0.0, 3.0)], seed=1), fps=12, gop=12)
    wish = (AlgorithmConfig(kind="flame_smoke", params=PARAMS),)
    camera = CameraConfig(camera_id="c", name="c", url=f"file://{clip}?loop=1", analysis_fps=4.0, algorithms=wish)

    async def story() -> None:
        async with joined(nats_server) as bus:
            await (await bus.bucket("registry")).put("camera.c", encode(camera))
            seen: list[Observation] = []

            async def listen(message: Any) -> None:
                observation = decode(Observation, message.data)
                if observation.kind == "flame_smoke" and "clip_of" not in observation.attributes:
                    seen.append(observation)

            await bus.js.subscribe(bus.subject("obs.>"), cb=listen)
            os.environ["YIWANG_MODELS_DIR"] = str(models)
            worker = start_worker(nats_server, tmp_path / "worker.log")
            try:
                await until(lambda: _bool(len(seen) >= 1), 40, "the first fire")
                assert {o.model.sha256 for o in seen if o.model} == {first}
                # a half-written file: the old model goes on, and the operator is told
                (models / "own.onnx").write_bytes(b"\x08\x07" + b"not a network" * 100)
                told = await until(lambda: _problem(bus), 15, "the problem on the camera's live state")
                assert "ModelInvalid" in told and "own.onnx" in told
                count = len(seen)
                await until(lambda: _bool(len(seen) >= count + 2), 20, "fire and its end with the old model")
                assert seen[-1].model is not None and seen[-1].model.sha256 == first
                state = await live(bus, "worker.")
                assert state["model_errors"] == 1 and state["model_swaps"] == 0
                assert any("ModelInvalid" in m["problem"] for m in state["models"])
                # a good one
                second = resaved(weights.MODELS / "flame_smoke.onnx", models / "next.onnx", "2.0")
                (models / "next.onnx").replace(models / "own.onnx")
                await until(
                    lambda: _bool(any(o.model and o.model.sha256 == second for o in seen)), 30, "the new model's sight"
                )
                newest = next(o.model for o in seen if o.model and o.model.sha256 == second)
                assert newest.version == "2.0"
                await asyncio.sleep(6)
                camera_state, state = await live(bus, "camera."), await live(bus, "worker.")
                assert camera_state["problems"] == [] and state["model_swaps"] == 1
                assert camera_state["connects"] == 1, "the stream was never opened again"
                assert camera_state["dropped"] <= 0.1 * camera_state["frames"]
                hashes = [o.model.sha256 for o in seen if o.model]
                assert hashes == sorted(hashes, key=lambda h: h == second), "first all by the old, then all by the new"
            finally:
                del os.environ["YIWANG_MODELS_DIR"]
                worker.send_signal(signal.SIGTERM)
                try:
                    worker.wait(10)
                except subprocess.TimeoutExpired:
                    worker.kill()

    async def _bool(value: bool) -> bool:
        return value

    async def _problem(bus: Bus) -> str:
        return " ".join((await live(bus, "camera.")).get("problems", []))

    asyncio.run(story())
