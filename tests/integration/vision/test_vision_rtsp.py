"""A real RTSP server: pictures arrive, the server dies, it returns, the camera is back."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.records import CameraConfig
from tests.conftest import free_port
from tests.footage import film
from tests.integration.vision.test_vision_capture import wait_for
from vision.capture.camera_thread import CameraCapture

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).parents[2] / "rtsp_server.py"
PROBE = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"


def start(port: int, clip: Path, skew: int = 0) -> subprocess.Popen[str]:
    command = [SYSTEM_PYTHON, str(SERVER), str(port), str(clip), *([str(skew)] if skew else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"
    return process


@pytest.fixture
def clip(tmp_path: Path) -> Iterator[Path]:
    try:
        subprocess.run([SYSTEM_PYTHON, "-c", PROBE], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("the system packages python3-gi and gir1.2-gst-rtsp-server-1.0 are not installed")
    yield film(tmp_path / "street.mp4", seconds=60, fps=10)


def test_rtsp_arrives_and_recovers(clip: Path) -> None:
    port = free_port()
    server = start(port, clip)
    camera = CameraConfig(camera_id="r", name="r", url=f"rtsp://127.0.0.1:{port}/live", analysis_fps=4)
    capture = CameraCapture(camera, lambda: None)
    capture.start()
    try:
        assert wait_for(lambda: capture.status.frames > 4, 15), capture.status
        frame = capture.take()
        assert frame is not None and frame.image.shape == (240, 320, 3)
        server.kill()
        server.wait(5)
        assert wait_for(lambda: capture.status.state == "offline", 12), capture.status
        server = start(port, clip)
        returned, frames = time.monotonic(), capture.status.frames
        assert wait_for(lambda: capture.status.frames > frames + 2, 12), capture.status
        assert time.monotonic() - returned < 10
    finally:
        capture.halt()
        server.kill()
        server.wait(5)
