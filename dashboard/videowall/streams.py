"""Streams for browsers: fragmented MP4, remuxed with PyAV, never transcoded; one still picture.

H.264 only: another codec is said in the first message (``video_unplayable`` with its name) and the page shows stills.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from core.errors import YiwangError
from core.late import Late
from dashboard.errors import Unavailable
from vision.capture.sources import parse_source
from vision.errors import StreamFailed

if TYPE_CHECKING:
    import av
else:
    av = Late("av")

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 15.0


class VideoUnplayable(YiwangError):
    code = "video_unplayable"
    message = "the stream cannot be played in a browser: {detail}"
    remedy = "give the camera an H.264 sub-stream; stills are shown until then"
    zh = "浏览器不能播放这个码流：{detail}"
    zh_remedy = "请给摄像机配 H.264 子码流；此前显示静态图片"


@dataclass(frozen=True)
class Fragment:
    """A piece of fMP4: the initialisation segment, or one frame."""

    data: bytes
    key: bool
    init: bool = False


def file_source(url: str) -> tuple[str, bool] | None:
    """Path and loop flag when ``url`` is a file (``/path.mp4?loop=1`` or ``file:///…``), else None."""
    if url.startswith("file://"):
        url = url[7:]
    elif "://" in url:
        return None
    path, _, query = url.partition("?")
    return path, parse_qs(query).get("loop", ["1"])[-1] not in {"0", "false", "no"}


def _options(url: str) -> dict[str, str]:
    """ffmpeg's options as vision uses them: above all the protocols that an address of this kind may lead to."""
    try:
        return parse_source(url).options()
    except StreamFailed as error:
        raise Unavailable(what="the camera", detail=str(error)) from error


class _Sink:
    """A file object that PyAV writes to; hands out what came since the last call."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """Everything written since."""
        data, self._parts = b"".join(self._parts), []
        return data


def fragments(url: str, stop: threading.Event) -> Iterator[Fragment]:
    """The stream as fragments, at its own speed; ends with the stream or when ``stop`` is set.

    Errors: :class:`Unavailable` (does not open, breaks), :class:`VideoUnplayable` (no H.264 in it).
    """
    file = file_source(url)
    options = _options(url)
    try:
        with av.open(file[0] if file else url, options=options, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S)) as container:
            if not container.streams.video:
                raise VideoUnplayable(detail="it has no picture")
            yield from _remux(container, file, stop)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise Unavailable(what="the camera", detail=str(error)) from error


def _remux(container: Any, file: tuple[str, bool] | None, stop: threading.Event) -> Iterator[Fragment]:
    source = container.streams.video[0]
    if source.codec_context.name != "h264":
        name = source.codec_context.name
        raise VideoUnplayable(detail=f"it is {name}, not h264", codec=name)
    sink = _Sink()
    flags = {"movflags": "empty_moov+default_base_moof+frag_every_frame+skip_trailer", "flush_packets": "1"}
    output = av.open(sink, "w", format="mp4", options=flags)
    try:
        target = output.add_stream_from_template(source)
        output.start_encoding()
        yield Fragment(sink.take(), key=False, init=True)
        key = False
        for packet in _paced(container, source, file, stop):
            was_key, key = key, bool(packet.is_keyframe)
            packet.stream = target
            output.mux(packet)
            data = sink.take()
            if data:
                # The muxer writes a frame when the next one tells how long it lasted.
                yield Fragment(data, key=was_key)
    finally:
        with contextlib.suppress(av.error.FFmpegError, OSError):
            output.close()


def _paced(container: Any, stream: Any, file: tuple[str, bool] | None, stop: threading.Event) -> Iterator[Any]:
    """Packets with rising timestamps; a file at its own speed and, when asked for, again from its start."""
    base = stream.time_base or Fraction(1, 90000)
    step = int(1 / (stream.average_rate or 25) / base)
    started, offset, last = time.monotonic(), 0, -1
    while not stop.is_set():
        moved = False
        for packet in container.demux(stream):
            if stop.is_set():
                return
            if packet.dts is None or packet.pts is None:
                continue  # the flush packet, or a broken one
            moved = True
            packet.dts, packet.pts = packet.dts + offset, packet.pts + offset
            if packet.dts <= last:
                packet.pts += last + 1 - packet.dts
                packet.dts = last + 1
            last = packet.dts
            if file is not None and stop.wait(max(0.0, float(packet.dts * base) - (time.monotonic() - started))):
                return
            yield packet
        if file is None or not file[1] or not moved:
            return
        offset = last + step
        container.seek(0)


def mime_of(init: bytes) -> str:
    """The MSE type of an initialisation segment."""
    at = init.find(b"avcC")
    if at < 0 or len(init) < at + 8:
        raise VideoUnplayable(detail="its header names no H.264 profile")
    return f'video/mp4; codecs="avc1.{init[at + 5 : at + 8].hex()}"'


def still(url: str, width: int = 640) -> bytes:
    """One frame of the stream as JPEG, for pages without video; :class:`Unavailable` when none can be had."""
    import cv2

    file = file_source(url)
    try:
        with av.open(file[0] if file else url, options=_options(url), timeout=(5.0, 5.0)) as container:
            for frame in container.decode(video=0):
                picture = frame.to_ndarray(format="bgr24")
                height = max(2, int(picture.shape[0] * width / picture.shape[1]))
                good, data = cv2.imencode(".jpg", cv2.resize(picture, (width, height)), [cv2.IMWRITE_JPEG_QUALITY, 80])
                if good:
                    return bytes(data)
    except (av.error.FFmpegError, OSError, ValueError, IndexError) as error:
        raise Unavailable(what="the camera", detail=str(error)) from error
    raise Unavailable(what="the camera", detail="it sends no picture")


def look_into(url: str) -> dict[str, Any]:
    """What a stream holds: ``{"codec", "width", "height", "fps", "playable"}``, after one picture was decoded.

    Errors: :class:`Unavailable` when it does not open or shows no picture.
    """
    file = file_source(url)
    try:
        with av.open(file[0] if file else url, options=_options(url), timeout=(5.0, 10.0)) as container:
            for frame in container.decode(video=0):
                stream = container.streams.video[0]
                name = stream.codec_context.name
                rate = float(stream.average_rate or stream.guessed_rate or 0)
                return {"codec": name, "width": frame.width, "height": frame.height, "fps": round(rate, 2),
                        "playable": name == "h264"}  # fmt: skip
    except (av.error.FFmpegError, OSError, ValueError, IndexError) as error:
        raise Unavailable(what="the camera", detail=str(error)) from error
    raise Unavailable(what="the camera", detail="it sends no picture")
