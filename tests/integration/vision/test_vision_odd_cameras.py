"""Cameras as the field has them: smart codecs, odd log-ins, UDP only, snapshot addresses, slow motion JPEG."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from core.records import CameraConfig
from tests.footage import street, with_ball, write_film
from tests.integration.vision.test_vision_capture import add, camera, engine, server, wait_for
from tests.rtsp_camera import PASSWORD, USER, Habits, access_units, rtsp_camera
from vision.capture.camera_thread import CameraCapture
from vision.capture.clips import read_clip
from vision.capture.stills import grab
from vision.errors import ClipInvalid, StreamFailed

__all__ = ["engine"]

LONG = 25.0  # seconds to wait for what takes two here
BOUNDARIES = {
    "plain": ("boundary=b1", "--b1", True),
    "dashes declared": ("boundary=--b1", "--b1", True),
    "quoted": ('boundary="b1"', "--b1", True),
    "no lengths": ("boundary=b1", "--b1", False),
    "another than declared": ("boundary=b1", "--other", False),
}


@contextlib.contextmanager
def playing(url: str, fps: float = 4.0) -> Iterator[CameraCapture]:
    capture = CameraCapture(CameraConfig(camera_id="c", name="c", url=url, analysis_fps=fps), lambda: None)
    capture.start()
    try:
        yield capture
    finally:
        capture.halt()
        capture.join(10)


@pytest.fixture(scope="module")
def smart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 s of a smart codec: one key frame in 20 s."""
    scene = street()
    path = tmp_path_factory.mktemp("smart") / "smart.mp4"
    return write_film(path, (with_ball(scene, i / 10) for i in range(600)), fps=10, gop=200)


def jpeg(t: float) -> bytes:
    return bytes(cv2.imencode(".jpg", with_ball(street(), t))[1])


def test_a_smart_codec_is_seen_with_the_key_frame_it_begins_with(smart: Path) -> None:
    with rtsp_camera(smart) as one, playing(f"rtsp://127.0.0.1:{one.port}/live") as capture:
        assert wait_for(lambda: capture.status.frames > 3, LONG), capture.status
        assert capture.status.connects == 1


def test_a_stream_between_two_key_frames_is_waited_for_not_opened_again(smart: Path) -> None:
    with (
        rtsp_camera(smart, Habits(start=110)) as one,  # 9 s until the next key frame
        playing(f"rtsp://127.0.0.1:{one.port}/live") as capture,
    ):
        assert wait_for(lambda: capture.status.frames > 3, 2 * LONG), capture.status
        assert capture.status.connects == 1


@pytest.mark.parametrize("algorithms", [("SHA-256",), ("MD5", "SHA-256"), ("SHA-256", "MD5"), ("MD5",)])
def test_every_digest_is_answered(smart: Path, algorithms: tuple[str, ...]) -> None:
    with rtsp_camera(smart, Habits(algorithms=algorithms)) as one:
        with playing(f"rtsp://{USER}:{PASSWORD}@127.0.0.1:{one.port}/live") as capture:
            assert wait_for(lambda: capture.status.frames > 2, LONG), capture.status
        with playing(f"rtsp://{USER}:wrong@127.0.0.1:{one.port}/live") as capture:
            assert wait_for(lambda: capture.status.connects > 1, LONG), capture.status
            assert wait_for(lambda: capture.status.reason == "user or password is wrong", LONG), capture.status


def test_a_log_in_that_nobody_knows_is_told(smart: Path) -> None:
    with (
        rtsp_camera(smart, Habits(algorithms=("SHA-3",))) as one,
        playing(f"rtsp://{USER}:{PASSWORD}@127.0.0.1:{one.port}/live") as capture,
    ):
        assert wait_for(lambda: "Digest SHA-3" in capture.status.reason, LONG), capture.status


def test_a_camera_that_sends_over_udp_only_is_seen(smart: Path) -> None:
    with (
        rtsp_camera(smart, Habits(udp_only=True)) as one,
        playing(f"rtsp://127.0.0.1:{one.port}/live") as capture,
    ):
        assert wait_for(lambda: capture.status.frames > 2, LONG), capture.status
        assert capture.status.reason == "pictures arrive over UDP"


class Snapshots:
    """A snapshot address; ``number`` chooses the picture it shows."""

    def __init__(self) -> None:
        self.number, self.asked = 0, 0

    def serve(self, connection: object) -> None:
        connection.recv(4096)  # type: ignore[attr-defined]
        self.asked += 1
        data = jpeg(self.number)
        head = b"HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
        connection.sendall(head + data)  # type: ignore[attr-defined]


def test_a_snapshot_address_gives_every_new_picture_once_and_is_not_offline(engine: object) -> None:
    shots = Snapshots()
    with server(shots.serve) as port:
        station = add(engine, camera("still", f"http://127.0.0.1:{port}/snap.jpg"))  # type: ignore[arg-type]
        status = station.capture.status
        assert wait_for(lambda: status.frames == 1, LONG), status
        assert wait_for(lambda: shots.asked > 4, LONG), status
        assert status.frames == 1 and status.connects == 1 and status.state == "online"
        shots.number = 1
        assert wait_for(lambda: status.frames == 2, LONG), status
        asked = shots.asked
        assert wait_for(lambda: shots.asked > asked + 3, 2 * LONG), status
        assert station.analysis.health is not None and "offline" not in station.analysis.health.open_states


def motion(boundary: tuple[str, str, bool], every_s: float):  # type: ignore[no-untyped-def]
    declared, line, lengths = boundary

    def serve(connection) -> None:  # type: ignore[no-untyped-def]
        connection.recv(4096)
        connection.sendall(f"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;{declared}\r\n\r\n".encode())
        for i in range(10_000):
            data = jpeg(i / 3)
            size = f"Content-Length: {len(data)}\r\n" if lengths else ""
            connection.sendall(f"{line}\r\nContent-Type: image/jpeg\r\n{size}\r\n".encode() + data + b"\r\n")
            time.sleep(every_s)

    return serve


@pytest.mark.parametrize("boundary", BOUNDARIES.values(), ids=BOUNDARIES)
def test_motion_jpeg_whatever_its_boundaries(boundary: tuple[str, str, bool]) -> None:
    with server(motion(boundary, 0.1)) as port, playing(f"http://127.0.0.1:{port}/video") as capture:
        assert wait_for(lambda: capture.status.frames > 4, LONG), capture.status
        assert capture.status.bad_packets == 0 and capture.status.connects == 1
        clip = capture.ring.ask(0.5)
        made = clip.result(LONG)
        assert made is not None
        with av.open(io.BytesIO(made)) as film:
            assert sum(1 for _ in film.decode(video=0)) >= 3


def test_slow_motion_jpeg_is_online_at_its_own_rate(engine: object) -> None:
    with server(motion(BOUNDARIES["plain"], 5.5)) as port:  # slower than a stream is waited for at first
        station = add(engine, camera("road", f"http://127.0.0.1:{port}/video"))  # type: ignore[arg-type]
        status = station.capture.status
        assert wait_for(lambda: status.frames > 2, 2 * LONG), status
        assert status.connects == 1 and status.interval_s > 5
        assert station.analysis.health is not None and "offline" not in station.analysis.health.open_states


def test_patrol_looks_at_snapshot_addresses_and_logs_in_too(smart: Path) -> None:
    with server(Snapshots().serve) as port:
        frames = list(grab(camera("s", f"http://127.0.0.1:{port}/snap.jpg"), 1, 0.5))
        assert [f.image.shape for f in frames] == [(240, 320, 3)]
    with rtsp_camera(smart, Habits(algorithms=("SHA-256",))) as one:
        frames = list(grab(camera("r", f"rtsp://{USER}:{PASSWORD}@127.0.0.1:{one.port}/live"), 2, 0.3, LONG))
        assert len(frames) == 2
        with pytest.raises(StreamFailed, match="password"):
            list(grab(camera("r", f"rtsp://{USER}:wrong@127.0.0.1:{one.port}/live"), 2, 0.3, LONG))


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_recordings_with_pictures_out_of_order_make_clips_that_play(tmp_path: Path, container: str) -> None:
    path, scene = tmp_path / f"b.{container}", street()
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10, options={"g": "20", "bf": "3", "preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for i in range(80):
            frame = av.VideoFrame.from_ndarray(with_ball(scene, i / 10), format="bgr24")
            frame.pts, frame.time_base = i, Fraction(1, 10)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with playing(f"file://{path}?loop=1") as capture:
        assert wait_for(lambda: capture.status.frames > 8, LONG), capture.status
        made = capture.ring.ask(1.0).result(LONG)
        assert made is not None and capture.status.bad_packets == 0
    with av.open(io.BytesIO(made)) as film:
        times = [frame.time for frame in film.decode(video=0)]
    assert len(times) >= 20
    gaps = np.diff(times)
    assert gaps.min() > 0.05 and gaps.max() < 0.25
    assert (gaps > 0.15).sum() <= 1  # where the film begins anew, on a slow machine, a picture's time stands open


def test_a_raw_stream_asks_for_its_rate(smart: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw.h264"
    raw.write_bytes(b"".join(access_units(smart)[:60]))
    with pytest.raises(ClipInvalid, match="--rate"):
        list(read_clip(raw, 4.0))
    assert [t for t, _ in read_clip(raw, 4.0, 10.0)][-1] == pytest.approx(5.8, abs=0.25)
    with playing(f"file://{raw}") as capture:
        assert wait_for(lambda: "rate" in capture.status.reason, LONG), capture.status
    with playing(f"file://{raw}?rate=10&loop=1") as capture:
        assert wait_for(lambda: capture.status.frames > 3, LONG), capture.status


def test_threads_end_when_a_waiting_camera_is_dropped() -> None:
    before = threading.active_count()
    with server(motion(BOUNDARIES["plain"], 60.0)) as port, playing(f"http://127.0.0.1:{port}/video") as capture:
        assert wait_for(lambda: capture.status.frames == 1, LONG), capture.status
        begin = time.monotonic()
        capture.halt()
        capture.join(LONG)
        assert not capture.is_alive() and time.monotonic() - begin < 20
    assert threading.active_count() < before + 6
