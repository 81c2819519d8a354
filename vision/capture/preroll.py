"""Clips from a moment before to a moment after, without recording all the time and without transcoding.

The capture thread keeps the compressed packets of the last seconds (from a key frame on) in a ring bounded in bytes.
When something happens, the ring's packets and those of the next seconds are put into an MP4 as they are.
"""

from __future__ import annotations

import io
import logging
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple, TypeAlias

import av
import av.container
import av.error

from vision.capture.jpeg_stream import picture_size

log = logging.getLogger("yiwang.vision.preroll")

MAX_RING_BYTES = 24 << 20
MAX_CLIP_BYTES = 96 << 20
LONGEST_GAP_S = 5.0  # between two pictures; more is another beginning
MAX_CLIPS = 4  # at once, per camera


class JpegTrack(NamedTuple):
    """Stands for the stream of a camera that gives pictures of their own: a clip of them is motion JPEG."""

    codec: str = "mjpeg"


JPEG = JpegTrack()
Track: TypeAlias = av.VideoStream | JpegTrack


class Kept(NamedTuple):
    """One compressed packet: ``dts`` (None where the container has none) and ``pts`` in seconds, ``at`` its arrival on
    the monotonic clock."""

    data: bytes
    pts: float
    dts: float | None
    key: bool
    at: float


@dataclass
class _Clip:
    until: float
    done: Future[bytes | None]
    packets: list[Kept] = field(default_factory=list)
    size: int = 0


class PacketRing:
    """Belongs to one capture thread; only :meth:`ask` may be called from others."""

    def __init__(self, seconds: float = 10.0) -> None:
        self.seconds = seconds
        self._ring: deque[Kept] = deque()
        self._keys: deque[float] = deque()  # arrival times of the ring's key frames
        self._bytes = 0
        self._asked: deque[tuple[float, Future[bytes | None]]] = deque()
        self._clips: list[_Clip] = []

    def ask(self, after_s: float) -> Future[bytes | None]:
        """A clip from the ring's beginning to ``after_s`` from now; None when the stream gave nothing to show."""
        done: Future[bytes | None] = Future()
        self._asked.append((after_s, done))
        return done

    def keep(self, packet: av.Packet, tick: float, stream: av.VideoStream) -> None:
        """Take the next packet (its times in units of ``tick`` seconds), and finish clips whose time has come."""
        now = time.monotonic()
        kept = None
        if packet.size and tick and (packet.pts is not None or packet.dts is not None):
            shown = packet.pts if packet.pts is not None else packet.dts
            decoded = None if packet.dts is None else packet.dts * tick
            kept = Kept(bytes(packet), shown * tick, decoded, bool(packet.is_keyframe), now)
        self._take(kept, now, stream)

    def keep_jpeg(self, data: bytes, now: float) -> None:
        """Take the next picture of a camera that gives them one by one."""
        self._take(Kept(data, now, now, True, now), now, JPEG)

    def _take(self, kept: Kept | None, now: float, stream: Track) -> None:
        while self._asked:
            after_s, done = self._asked.popleft()
            if len(self._clips) >= MAX_CLIPS:
                _give(done, None)
                continue
            self._clips.append(_Clip(now + after_s, done, list(self._ring), self._bytes))
        if kept is not None:
            self._add(kept, now)
            for clip in self._clips:
                clip.packets.append(kept)
                clip.size += len(kept.data)
        for clip in [c for c in self._clips if now >= c.until or c.size > MAX_CLIP_BYTES]:
            self._clips.remove(clip)
            _give(clip.done, _mux(clip.packets, stream))

    def flush(self, stream: Track | None) -> None:
        """The stream ended or broke: finish what was asked for with what there is, and forget the ring."""
        clips, self._clips = self._clips, []
        while self._asked:
            _, done = self._asked.popleft()
            clips.append(_Clip(0.0, done, list(self._ring), self._bytes))
        for clip in clips:
            _give(clip.done, _mux(clip.packets, stream) if stream is not None else None)
        self._ring.clear()
        self._keys.clear()
        self._bytes = 0

    def _add(self, kept: Kept, now: float) -> None:
        self._ring.append(kept)
        if kept.key:
            self._keys.append(now)
        self._bytes += len(kept.data)
        # drop whole groups of pictures: the ring begins with a key frame, or it cannot be shown
        while self._ring and (self._too_long(now) or self._bytes > MAX_RING_BYTES):
            self._forget_first()
            while self._ring and not self._ring[0].key:
                self._forget_first()

    def _forget_first(self) -> None:
        first = self._ring.popleft()
        self._bytes -= len(first.data)
        if first.key:
            self._keys.popleft()

    def _too_long(self, now: float) -> bool:
        """Whether the ring still covers its seconds without its first group of pictures."""
        second = 1 if self._ring[0].key else 0
        return len(self._keys) > second and now - self._keys[second] >= self.seconds


def _give(done: Future[bytes | None], clip: bytes | None) -> None:
    """Hand the clip over, unless whoever asked has gone (a process that ends)."""
    if done.set_running_or_notify_cancel():
        done.set_result(clip)


def _mux(packets: list[Kept], stream: Track) -> bytes | None:
    """The packets as an MP4; times are made to rise where a looped film or a reset clock jumps back."""
    start = next((i for i, p in enumerate(packets) if p.key), None)
    if start is None:
        return None
    timed = _timed(packets[start:])
    base = Fraction(1, 90000)
    buffer = io.BytesIO()
    try:
        with av.open(buffer, "w", format="mp4") as out:
            track = _track(out, stream, packets[start].data)
            last, shift = 0.0, -timed[0][1]
            for kept, decoded in timed:
                if not 0 <= decoded + shift - last < LONGEST_GAP_S:
                    shift = last + 0.04 - decoded
                last = decoded + shift
                packet = av.Packet(kept.data)
                packet.time_base = base
                packet.dts = round(last * 90000)
                packet.pts = max(round((kept.pts + shift) * 90000), packet.dts)
                packet.is_keyframe = kept.key
                packet.stream = track
                out.mux(packet)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        log.info("a clip cannot be made: %s", error)
        return None
    return buffer.getvalue()


def _timed(packets: list[Kept]) -> list[tuple[Kept, float]]:
    """Every packet with its decoding time.  Matroska stores none: of pictures out of order (B-frames) they are the
    times of showing, sorted, and earlier by the longest delay, so that none is shown before it is decoded."""
    whole = all(kept.dts is not None for kept in packets)  # FFmpeg guesses some of Matroska's, not the first ones
    out: list[tuple[Kept, float]] = []
    run: list[Kept] = []
    for kept in packets:
        if whole and kept.dts is not None:
            out.append((kept, kept.dts))
            continue
        if run and abs(kept.pts - run[-1].pts) > LONGEST_GAP_S:
            out += _sorted(run)
            run = []
        run.append(kept)
    return out + _sorted(run)


def _sorted(run: list[Kept]) -> list[tuple[Kept, float]]:
    times = sorted(kept.pts for kept in run)
    delay = max((time_ - kept.pts for kept, time_ in zip(run, times, strict=True)), default=0.0)
    return [(kept, time_ - delay) for kept, time_ in zip(run, times, strict=True)]


def _track(out: av.container.OutputContainer, stream: Track, first: bytes) -> av.VideoStream:
    if isinstance(stream, JpegTrack):
        track = out.add_stream(stream.codec, rate=25)
        track.pix_fmt = "yuvj420p"
        track.width, track.height = picture_size(first) or (2, 2)
        return track
    return out.add_stream_from_template(stream)
