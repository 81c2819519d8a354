"""Video files, frame by frame at a chosen rate, in video time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import av.error
import numpy as np

from vision.detections import Image
from vision.errors import ClipInvalid


def read_clip(path: str | Path, fps: float) -> Iterator[tuple[float, Image]]:
    """(seconds from the start, BGR picture) at most ``fps`` times a second; a damaged tail ends the clip quietly.

    :class:`ClipInvalid` when the file cannot be opened, has no video, or gives no single picture.
    """
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise ClipInvalid(path=str(path), detail=getattr(error, "strerror", None) or str(error)) from error
    with container:
        if not container.streams.video:
            raise ClipInvalid(path=str(path), detail="no video in it")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield from _paced(container, stream, fps, str(path))


def _paced(container: av.container.InputContainer, stream: av.VideoStream, fps: float, path: str) -> Iterator[
    tuple[float, Image]
]:
    start: float | None = None
    due, given, index = 0.0, 0, 0
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
        except av.error.FFmpegError as error:
            if isinstance(error, av.error.InvalidDataError):
                continue  # one broken packet; the next key frame mends it
            raise ClipInvalid(path=path, detail=error.strerror) from error
        for frame in frames:
            index += 1
            at = frame.time if frame.time is not None else (index - 1) / rate
            start = at if start is None else start
            seconds = at - start
            if seconds + 1e-4 < due:
                continue
            due = max(due + 1.0 / fps, seconds + 0.5 / fps)
            given += 1
            yield seconds, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    if not given:
        raise ClipInvalid(path=path, detail="no picture in it can be decoded")
