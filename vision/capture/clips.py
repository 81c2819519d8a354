"""Video files, frame by frame at a chosen rate, in video time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import av.error
import numpy as np

from vision.detections import Image
from vision.errors import ClipInvalid

MOST_BROKEN = 500  # packets in a row; then the rest is given up


RAW = {"h264", "hevc", "m4v", "mpegvideo", "vvc", "obu", "dirac", "vc1", "mjpeg", "cavsvideo", "avs2", "avs3"}
"""FFmpeg's formats that bear no times: it takes 25 pictures a second for granted."""


def read_clip(path: str | Path, fps: float | Callable[[], float], rate: float = 0.0) -> Iterator[tuple[float, Image]]:
    """(seconds from the start, BGR picture, upright) at most ``fps`` times a second; a function is asked each time.

    Damage loses the damaged pictures, up to the next key frame; what comes after is read.  :class:`ClipInvalid` when
    the file cannot be opened, has no video, or gives no single picture, and where it is a raw stream (``.h264``,
    ``.h265``), which bears no times, and ``rate`` does not say how many pictures a second it has.
    """
    try:
        container = av.open(str(path), options={"framerate": f"{rate:g}"} if rate else {})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise ClipInvalid(path=str(path), detail=getattr(error, "strerror", None) or str(error)) from error
    with container:
        if not container.streams.video:
            raise ClipInvalid(path=str(path), detail="no video in it")
        if not rate:
            check_timed(container, str(path))
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield from _paced(container, stream, fps if callable(fps) else lambda: fps, str(path))


def check_timed(container: av.container.InputContainer, path: str) -> None:
    """:class:`ClipInvalid` for a raw stream: every duration read from it would be a guess."""
    if RAW & set(container.format.name.split(",")):
        detail = "a raw stream bears no times: say how many pictures a second it has (--rate 10, or ?rate=10 in a URL)"
        raise ClipInvalid(path=path, detail=detail)


def upright(frame: av.VideoFrame) -> Image:
    """The picture as a player shows it: telephones store a turned picture and how to turn it back."""
    turns = round(frame.rotation / 90) % 4  # counter-clockwise
    picture = frame.to_ndarray(format="bgr24")
    return np.ascontiguousarray(np.rot90(picture, turns) if turns else picture, np.uint8)


def _paced(
    container: av.container.InputContainer, stream: av.VideoStream, fps: Callable[[], float], path: str
) -> Iterator[tuple[float, Image]]:
    start: float | None = None
    due, given, index, broken = 0.0, 0, 0, 0
    rate = float(stream.average_rate or 25)
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            frames = packet.decode()
        except av.error.EOFError:
            break
        except av.error.FFmpegError:
            broken += 1
            if broken > MOST_BROKEN:
                break
            packets = container.demux(stream)  # an error ends the old one; reading goes on where it stood
            continue
        for frame in frames:
            index, broken = index + 1, 0
            at = frame.time if frame.time is not None else (index - 1) / rate
            start = at if start is None else start
            seconds = at - start
            if seconds + 1e-4 < due:
                continue
            given += 1
            yield seconds, upright(frame)
            interval = 1.0 / fps()  # asked when the picture was judged
            due = max(due + interval, seconds + interval / 2)
    if not given:
        raise ClipInvalid(path=path, detail="no picture in it can be decoded")
