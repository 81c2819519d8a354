"""Live video from bad and good sources: RTSP, a dead host, HTML, another codec, a truncated file, too many viewers."""

from __future__ import annotations

import asyncio
import http.server
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import YiwangError
from dashboard.errors import TooManyViewers, Unavailable
from dashboard.videowall import rooms as video_rooms
from dashboard.videowall.rooms import VideoRooms
from dashboard.videowall.streams import Fragment, VideoUnplayable, fragments, mime_of, still
from tests.conftest import free_port
from tests.footage import film
from tests.integration.vision.test_vision_rtsp import PROBE, SYSTEM_PYTHON, start


def first(url: str, count: int, seconds: float = 20.0) -> list[Fragment]:
    stop, found = threading.Event(), []
    timer = threading.Timer(seconds, stop.set)
    timer.start()
    for fragment in fragments(url, stop):
        found.append(fragment)
        if len(found) >= count:
            stop.set()
    timer.cancel()
    return found


def test_rtsp_is_remuxed_and_starts_with_a_key_frame(tmp_path: Path) -> None:
    try:
        subprocess.run([SYSTEM_PYTHON, "-c", PROBE], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("the system packages python3-gi and gir1.2-gst-rtsp-server-1.0 are not installed")
    port = free_port()
    server = start(port, film(tmp_path / "street.mp4", seconds=30, fps=10))
    try:
        url = f"rtsp://127.0.0.1:{port}/live"
        found = first(url, 20)
        assert mime_of(found[0].data).startswith('video/mp4; codecs="avc1.')
        assert any(f.key for f in found[1:]) and len(found) == 20
        assert still(url)[:2] == b"\xff\xd8"
    finally:
        server.kill()
        server.wait(5)


@pytest.fixture
def html() -> Iterator[str]:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>log in first</html>")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/cam"
    server.shutdown()


def test_what_is_no_video_says_so(html: str, tmp_path: Path) -> None:
    garbage = tmp_path / "x.mp4"
    garbage.write_bytes(b"\0garbage" * 100)
    for url in (html, f"rtsp://127.0.0.1:{free_port()}/x", str(garbage), str(tmp_path / "missing.mp4"), "nonsense://x"):
        started = time.monotonic()
        with pytest.raises(YiwangError):
            first(url, 5)
        with pytest.raises(Unavailable):
            still(url)
        assert time.monotonic() - started < 25


def test_another_codec_is_named(tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("the system package ffmpeg is not installed")
    clip = tmp_path / "mpeg4.mp4"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=1:s=160x120:r=5", "-c:v", "mpeg4", str(clip)]
    subprocess.run(command, check=True)
    with pytest.raises(VideoUnplayable, match="mpeg4"):
        first(str(clip), 5)
    assert still(str(clip))[:2] == b"\xff\xd8"  # stills still work


def test_a_truncated_recording_ends_without_harm(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mp4", seconds=4, fps=10)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    try:
        found = first(f"{cut}?loop=0", 100)
    except Unavailable:
        return  # its index stood at the end: it cannot be opened at all
    assert found


def test_rooms_are_shared_bounded_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_rooms, "MAX_VIEWERS_PER_ROOM", 3)
    monkeypatch.setattr(video_rooms, "MAX_ROOMS", 2)
    clips = [str(film(tmp_path / f"{n}.mp4", seconds=3, fps=10)) for n in range(3)]

    async def scene() -> None:
        rooms = VideoRooms(past_s=0)
        streams = [rooms.room(clips[0]).watch() for _ in range(3)]
        for stream in streams:
            assert (await asyncio.wait_for(anext(stream), 10)).init
        assert len(rooms) == 1
        with pytest.raises(TooManyViewers):
            rooms.room(clips[0])
        other = rooms.room(clips[1]).watch()
        await asyncio.wait_for(anext(other), 10)
        with pytest.raises(TooManyViewers):
            rooms.room(clips[2])
        late = [await asyncio.wait_for(anext(streams[0]), 10) for _ in range(3)]
        assert late[0].key  # a viewer's first frame is a key frame
        for stream in [*streams, other]:
            await stream.aclose()
        assert len(rooms) == 0

    asyncio.run(scene())
