"""A few pictures of a camera that nobody watches: connect, look, leave."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from datetime import UTC, datetime

import av
import av.container
import av.error

from core.records import CameraConfig
from vision.capture.conversion import check_size, converted, decode_still
from vision.capture.frames import Frame, make_frame
from vision.capture.http_pictures import HttpCamera
from vision.capture.reaching import Reach
from vision.capture.sources import Source, analysis_source
from vision.detections import Image
from vision.errors import StreamFailed

ATTEMPTS = 3  # a camera may have to be asked over UDP, and by the relay that logs in


def grab(camera: CameraConfig, stills: int, gap_s: float, timeout_s: float = 6.0) -> Generator[Frame]:
    """``stills`` pictures ``gap_s`` of video apart, as they come; :class:`StreamFailed` when there is none in time.

    Fewer when the stream ends early.  The stream is open until the iterator is closed.
    """
    source, reach = analysis_source(camera), Reach()
    reach.patience_s = timeout_s
    deadline = time.monotonic() + timeout_s + stills * gap_s
    given = 0
    for _ in range(ATTEMPTS):
        try:
            for at, image in _images(reach, source, gap_s, deadline):
                yield make_frame(camera.camera_id, image, datetime.now(UTC), at, given)
                given += 1
                if given >= stills:
                    return
        except StreamFailed:
            if given or not reach.at_once:  # at once: something was learnt of how it wants to be asked
                if not given:
                    raise
                return
            reach.at_once = False
        else:
            break
    if not given:
        raise StreamFailed(url=source.shown, detail="no picture in time")


def _images(reach: Reach, source: Source, gap_s: float, deadline: float) -> Iterator[tuple[float, Image]]:
    """Pictures with their times in seconds, from whatever the address gives."""
    if source.scheme in {"http", "https"}:
        with reach.pictures(source) as http:
            if http.open():
                yield from _stills(http, source, gap_s, deadline)
                return
    with reach.container(source) as container:
        if not container.streams.video:
            raise StreamFailed(url=source.shown, detail="there is no video in what it sends")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        check_size(source, stream.codec_context.width, stream.codec_context.height)
        for at, picture in _pictures(container, stream, gap_s, deadline):
            yield at, converted(picture)


def _stills(http: HttpCamera, source: Source, gap_s: float, deadline: float) -> Iterator[tuple[float, Image]]:
    """A snapshot address or motion JPEG; the same picture again is none."""
    begin = due = time.monotonic()

    def wait(seconds: float) -> bool:
        time.sleep(max(0.0, min(seconds, deadline - time.monotonic())))
        return time.monotonic() >= deadline

    for data in http.pictures(lambda: 1.0, wait, lambda: None):
        now = time.monotonic()
        if now > deadline:
            return
        image = decode_still(source, data) if now >= due else None
        if image is not None:
            due = now + gap_s
            yield now - begin, image


def _pictures(
    container: av.container.InputContainer, stream: av.VideoStream, gap_s: float, deadline: float
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Decoded pictures with their times, ``gap_s`` of video apart, until ``deadline`` (monotonic)."""
    due: float | None = None
    for packet in container.demux(stream):
        if time.monotonic() > deadline:
            return
        for picture in _decoded(packet):
            at = float(picture.time or 0.0)
            if due is None or at + 1e-3 >= due:
                due = at + gap_s
                yield at, picture


def _decoded(packet: av.Packet) -> list[av.VideoFrame]:
    """The pictures of a packet; a damaged packet has none (the next key frame mends it)."""
    try:
        return list(packet.decode())
    except (av.error.FFmpegError, ValueError):
        return []
