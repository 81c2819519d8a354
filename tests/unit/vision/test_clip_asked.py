"""A clip that was asked for: who asked may have gone before it is ready."""

from __future__ import annotations

from vision.capture.preroll import PacketRing


def test_a_clip_that_nobody_waits_for_any_more_ends_no_camera() -> None:
    ring = PacketRing()
    gone, waits = ring.ask(2.0), ring.ask(2.0)
    assert gone.cancel()
    ring.flush(None)
    assert gone.cancelled() and waits.result(timeout=1) is None
