"""A camera with a wrong clock: told from the NTP time of a real RTSP server's sender reports."""

from __future__ import annotations

from pathlib import Path

from core.records import AlgorithmConfig, CameraConfig
from tests.conftest import free_port
from tests.integration.vision.test_vision_capture import add, engine, wait_for
from tests.integration.vision.test_vision_rtsp import clip, start
from vision.fleet.engine import Engine

__all__ = ["clip", "engine"]

QUICK = (AlgorithmConfig(kind="camera_health", params={"wrong_clock_s": 2.0, "clear_after_s": 1.0}),)


def test_a_clock_ten_minutes_ahead_opens_and_clears(clip: Path, engine: Engine) -> None:
    port = free_port()
    server = start(port, clip, skew=600)
    config = CameraConfig(
        camera_id="r", name="r", url=f"rtsp://127.0.0.1:{port}/live", analysis_fps=4, algorithms=QUICK
    )
    try:
        station = add(engine, config)

        def told(state: str) -> bool:
            return any(
                o.finding.state == state and o.finding.attributes["state"] == "wrong_clock"
                for _, o in engine.outcomes  # type: ignore[attr-defined]
            )

        assert wait_for(lambda: told("open"), 15), station.capture.status
        assert station.capture.status.clock_offset_s is not None
        assert 590 < station.capture.status.clock_offset_s < 601
        outcomes = engine.outcomes  # type: ignore[attr-defined]
        finding = next(o.finding for _, o in outcomes if o.finding.attributes["state"] == "wrong_clock")
        assert "ahead" in finding.attributes["reason"] and 590 < finding.attributes["offset_s"] < 601
        server.kill()
        server.wait(5)
        server = start(port, clip)  # somebody set the clock
        assert wait_for(lambda: told("clear"), 20), station.capture.status
        assert abs(station.capture.status.clock_offset_s) < 5
    finally:
        server.kill()
        server.wait(5)


def test_a_recording_bears_no_time_and_raises_no_alarm(clip: Path, engine: Engine) -> None:
    station = add(engine, CameraConfig(camera_id="f", name="f", url=f"file://{clip}?loop=1", algorithms=QUICK))
    assert wait_for(lambda: station.capture.status.frames > 8, 10)
    assert station.capture.status.clock_offset_s is None
    outcomes = engine.outcomes  # type: ignore[attr-defined]
    assert not [o for _, o in outcomes if o.finding.attributes["state"] == "wrong_clock"]
