"""Streams that refuse, hang, lie and break, beside streams that work."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from core.records import CameraConfig
from tests.conftest import free_port
from tests.footage import film, street, with_ball, write_film
from vision.capture.camera_thread import CameraCapture
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.fleet.engine import Engine, Station
from vision.fleet.leases import Lease
from vision.judging.analyzer import Analyzer
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Need, Sight, VisionFinding

Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def server(serve: Serve) -> Iterator[int]:
    """A TCP server that treats every connection with ``serve``."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def accept() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    def handle(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            serve(connection)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        listener.close()


def hang(connection: socket.socket) -> None:
    time.sleep(30)


def html(connection: socket.socket) -> None:
    connection.recv(4096)
    body = b"<html><body>Please log in</body></html>"
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def missing(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def noise(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n")
    rng = np.random.default_rng(3)
    while True:
        connection.sendall(rng.bytes(65536))


def drip(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")
    while True:
        connection.sendall(b"\x47")
        time.sleep(0.5)


def broken_ts(path: Path) -> Serve:
    """An endless transport stream at full speed whose H.264 payload is damaged."""
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(5)
    for at in rng.integers(600, len(data), len(data) // 40):
        if at % 188 > 12:  # spare the packet headers: the demuxer shall be content
            data[at] = int(rng.integers(0, 256))

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")
        while True:
            connection.sendall(bytes(data))

    return serve


def camera(camera_id: str, url: str, fps: float = 5.0) -> CameraConfig:
    return CameraConfig(camera_id=camera_id, name=camera_id, url=url, analysis_fps=fps)


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


class Suspicious:
    """An algorithm that always asks for six pictures a second and never finds anything."""

    kind = "flame_smoke"
    needs: tuple[Need, ...] = ()
    pace = 6.0

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        return []

    def update(self, seen: Detections, frame: Frame, now: float) -> list[VisionFinding]:
        return []

    def restore(self, zone: str | None) -> None:
        return

    def refresh(self) -> None:
        return


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return film(tmp_path / "street.mp4")


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(Analyzer(DetectorPool()), lambda station, outcome: outcomes.append((station, outcome)))
    outcomes: list[object] = []
    engine.outcomes = outcomes  # type: ignore[attr-defined]
    engine.start()
    yield engine
    for station in engine.held():
        engine.remove(station.camera.camera_id)
    engine.halt()
    engine.join(5)


def add(engine: Engine, config: CameraConfig) -> Station:
    station = Station(config, Lease(config.camera_id, 1, None), engine.analyzer.pool, engine.wake)  # type: ignore[arg-type]
    engine.add(station)
    return station


def test_a_file_plays_at_its_own_speed_and_loops(clip: Path) -> None:
    capture = CameraCapture(camera("a", f"file://{clip}?loop=1", fps=5), lambda: None)
    capture.start()
    try:
        assert wait_for(lambda: capture.status.frames > 0, 3)
        start, frames, last = time.monotonic(), capture.status.frames, capture.take()
        while time.monotonic() - start < 5.0:  # the film lasts 4 s: it has to begin again
            last = capture.take() or last
            time.sleep(0.05)
        rate = (capture.status.frames - frames) / (time.monotonic() - start)
        assert 4.0 <= rate <= 6.0
        assert capture.status.connects == 1
        assert last is not None
        assert last.image.shape == (240, 320, 3)
    finally:
        capture.halt()
        capture.join(5)
    assert not capture.is_alive()


def test_nothing_is_decoded_in_vain_while_analysing_is_behind(clip: Path) -> None:
    capture = CameraCapture(camera("a", f"file://{clip}?loop=1", fps=5), lambda: None)
    capture.start()
    try:
        assert wait_for(lambda: capture.status.frames > 0, 3)
        time.sleep(2.5)
        decoded, start = capture.status.decoded, time.monotonic()
        time.sleep(4.0)
        rate = (capture.status.decoded - decoded) / (time.monotonic() - start)
        assert rate <= 1.5, "ten pictures a second, a key frame every second: only those"
        assert capture.take() is not None
        decoded = capture.status.decoded
        assert wait_for(lambda: capture.status.decoded >= decoded + 8, 3), "somebody takes pictures again"
    finally:
        capture.halt()


def test_a_quiet_camera_wakes_up_between_its_key_frames(tmp_path: Path) -> None:
    """Nothing moves for 12 s, then something does, right after a key frame: seen before the next one."""

    def late(scene: Any, t: float) -> Any:
        return with_ball(scene, t) if t >= 12.2 else scene

    quiet = write_film(tmp_path / "quiet.mp4", (late(street(), i / 10) for i in range(150)), fps=10, gop=20)
    seen: list[tuple[float, Frame]] = []
    capture = CameraCapture(camera("a", f"file://{quiet}", fps=2), lambda: None)
    capture.start()
    try:
        start = time.monotonic()
        while time.monotonic() - start < 14.0 and (not seen or seen[-1][0] < 13.6):
            frame = capture.take()
            if frame is not None:
                seen.append((time.monotonic() - start, frame))
            if time.monotonic() - start > 2 and capture.status.woken == 0:
                capture.economy = True
            time.sleep(0.02)
        assert capture.status.glances >= 10 and capture.status.woken == 1
        rested = [at for at, _ in seen if 5 < at < 12]
        assert 3 <= len(rested) <= 4, "a key frame every two seconds"
        still = next(f for at, f in seen if at > 5).thumb
        moved = [at for at, f in seen if np.count_nonzero(cv2.absdiff(f.thumb, still) > 30) > 50]
        assert moved and 12.1 < moved[0] < 13.4, moved
    finally:
        capture.halt()


def test_a_suspicion_hurries_a_camera_unless_others_would_go_short(clip: Path, engine: Engine) -> None:
    station = add(engine, camera("a", f"file://{clip}?loop=1", fps=2))
    station.analysis.algorithms.append(Suspicious())

    def rate() -> float:
        frames, start = station.capture.status.frames, time.monotonic()
        time.sleep(2.0)
        return (station.capture.status.frames - frames) / (time.monotonic() - start)

    assert wait_for(lambda: station.capture.pace == 6.0, 5)
    assert rate() > 4.0
    station.capture.fps = 1.0  # slowed down for want of processor time
    assert wait_for(lambda: station.capture.pace == 0.0, 5)
    assert rate() < 2.0


def test_the_newest_picture_wins(clip: Path) -> None:
    capture = CameraCapture(camera("a", f"file://{clip}?loop=1", fps=10), lambda: None)
    capture.start()
    try:
        assert wait_for(lambda: capture.status.frames >= 8, 5)
        frame = capture.take()
        assert frame is not None and frame.sequence >= 8
        assert capture.status.dropped >= 7
        assert capture.take() is None
    finally:
        capture.halt()


def test_ten_good_cameras_are_not_slowed_by_ten_bad_ones(tmp_path: Path, clip: Path, engine: Engine) -> None:
    ts = film(tmp_path / "street.ts", 3)
    half = tmp_path / "half.mp4"
    half.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])  # the index at the end is missing
    text = tmp_path / "notes.mp4"
    text.write_text("this is not a film\n" * 1000)
    with contextlib.ExitStack() as stack:
        ports = {f.__name__: stack.enter_context(server(f)) for f in (hang, html, missing, noise, drip)}
        ports["broken"] = stack.enter_context(server(broken_ts(ts)))
        bad = [
            f"rtsp://127.0.0.1:{free_port()}/refused",
            f"rtsp://127.0.0.1:{ports['hang']}/hangs",
            f"rtsp://127.0.0.1:{ports['html']}/is-a-web-page",
            f"http://127.0.0.1:{ports['html']}/live",
            f"http://127.0.0.1:{ports['missing']}/live",
            f"http://127.0.0.1:{ports['noise']}/live",
            f"http://127.0.0.1:{ports['drip']}/live",
            f"http://127.0.0.1:{ports['broken']}/flood.ts",
            f"file://{half}",
            f"file://{text}",
        ]
        poor = [add(engine, camera(f"bad{i}", url)) for i, url in enumerate(bad)]
        good = [add(engine, camera(f"good{i}", f"file://{clip}?loop=1", fps=4)) for i in range(10)]
        wide = write_film(tmp_path / "wide.ts", (street(640, 480) for _ in range(20)), fps=10)
        both = tmp_path / "both.ts"
        both.write_bytes(ts.read_bytes() + wide.read_bytes())  # the resolution changes in mid-stream
        changing = add(engine, camera("changing", f"file://{both}?loop=1", fps=4))
        widths: set[int] = set()
        assert wait_for(lambda: all(s.capture.status.frames for s in good), 5)
        before, start = [s.capture.status.frames - s.capture.status.dropped for s in good], time.monotonic()
        while time.monotonic() - start < 16:
            widths.add(changing.capture.status.width)
            time.sleep(0.1)
        seconds = time.monotonic() - start
        after = [s.capture.status.frames - s.capture.status.dropped for s in good]
        rates = [(a - b) / seconds for a, b in zip(after, before, strict=True)]
        assert min(rates) > 3.4, rates
        states = {s.camera.url: (s.capture.status.state, s.capture.status.reason) for s in poor}
        flood = poor[7].capture.status
        assert flood.decoded <= 300 * (seconds + 5), "a flood is read at a bounded rate"
        outcomes = engine.outcomes  # type: ignore[attr-defined]
        told = {s.camera.camera_id for s, o in outcomes if o.finding.attributes["state"] == "offline"}
        # the damaged flood may or may not give a picture now and then; all the others give none
        assert told | {"bad7"} == {s.camera.camera_id for s in poor}, states
        assert all(s.capture.status.state == "online" for s in good)
        assert changing.capture.status.state == "online" and {320, 640} <= widths


def test_a_stream_that_returns_is_seen_within_ten_seconds(tmp_path: Path, engine: Engine) -> None:
    late = tmp_path / "late.mp4"
    station = add(engine, camera("late", f"file://{late}?loop=1"))
    assert wait_for(lambda: station.capture.status.connects >= 3, 10)
    assert station.capture.status.reason == "the file does not exist"
    film(late)
    assert wait_for(lambda: station.capture.status.frames > 0, 10)
