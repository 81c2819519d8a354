"""A patrol's pictures obey the district's blur policy, as those of the live path do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from core.bus import connect
from core.media import MediaStore
from core.records import CameraConfig, EvidenceRef, Observation, decode, encode
from core.settings import Settings
from tests.footage import write_film
from tests.unit.vision.test_vision_detectors import photo
from vision.fleet.blur import Blur
from vision.fleet.patrol_rounds import PatrolPlan, walk
from vision.judging.detector_pool import DetectorPool


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def patrolled(settings: Settings, camera: CameraConfig) -> tuple[EvidenceRef, ...]:
    """The evidence of the one finding that a round brings."""
    bus = await connect(settings, "vision")
    await bus.ensure()
    seen = await bus.client.subscribe("obs.>")
    await (await bus.bucket("registry")).put(f"camera.{camera.camera_id}", encode(camera))
    lines: list[dict[str, Any]] = []
    await walk(PatrolPlan(algorithms=("intrusion",)), lines.append, settings)
    assert lines[-1]["summary"]["findings"] == 1
    message = await seen.next_msg(timeout=5)
    await bus.close()
    return decode(Observation, message.data).evidence


@pytest.mark.anyio
@pytest.mark.parametrize("policy", ["", "faces"])
async def test_faces_on_patrol_pictures(nats_server: Settings, tmp_path: Path, policy: str) -> None:
    clip = write_film(tmp_path / "busy.mp4", [photo()] * 12)
    settings = nats_server.with_(vision_blur=policy)
    evidence = await patrolled(settings, CameraConfig(camera_id=f"c{policy}", name="c", url=str(clip)))
    store = MediaStore(settings.media_url)
    pictures = [cv2.imdecode(np.frombuffer(store.read(ref.uri), np.uint8), cv2.IMREAD_COLOR) for ref in evidence]
    assert [ref.kind for ref in evidence] == ["snapshot", "annotated"]
    original = photo()
    heads = cv2.absdiff(original, Blur("faces", DetectorPool()).apply(original)).max(axis=2) > 12
    detail = cv2.Laplacian(original, cv2.CV_64F)[heads].std()
    left = cv2.Laplacian(np.asarray(pictures[0], np.uint8), cv2.CV_64F)[heads].std() / detail
    assert bool(left < 0.6) is (policy == "faces"), left
