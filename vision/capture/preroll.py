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
from typing import NamedTuple

import av
import av.error

log = logging.getLogger("yiwang.vision.preroll")

MAX_RING_BYTES = 24 << 20
MAX_CLIP_BYTES = 96 << 20
MAX_CLIPS = 4  # at once, per camera


class Kept(NamedTuple):
    """One compressed packet: ``dts`` and ``pts`` in seconds, ``at`` its arrival on the monotonic clock."""

    data: bytes
    pts: float
    dts: float
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
        while self._asked:
            after_s, done = self._asked.popleft()
            if len(self._clips) >= MAX_CLIPS:
                done.set_result(None)
                continue
            self._clips.append(_Clip(now + after_s, done, list(self._ring), self._bytes))
        if packet.size and tick and (packet.pts is not None or packet.dts is not None):
            kept = self._add(packet, tick, now)
            for clip in self._clips:
                clip.packets.append(kept)
                clip.size += len(kept.data)
        for clip in [c for c in self._clips if now >= c.until or c.size > MAX_CLIP_BYTES]:
            self._clips.remove(clip)
            clip.done.set_result(_mux(clip.packets, stream))

    def flush(self, stream: av.VideoStream | None) -> None:
        """The stream ended or broke: finish what was asked for with what there is, and forget the ring."""
        clips, self._clips = self._clips, []
        while self._asked:
            _, done = self._asked.popleft()
            clips.append(_Clip(0.0, done, list(self._ring), self._bytes))
        for clip in clips:
            clip.done.set_result(_mux(clip.packets, stream) if stream is not None else None)
        self._ring.clear()
        self._keys.clear()
        self._bytes = 0

    def _add(self, packet: av.Packet, tick: float, now: float) -> Kept:
        pts, dts = packet.pts, packet.dts
        shown, decoded = (pts if pts is not None else dts), (dts if dts is not None else pts)
        kept = Kept(bytes(packet), shown * tick, decoded * tick, bool(packet.is_keyframe), now)
        self._ring.append(kept)
        if kept.key:
            self._keys.append(now)
        self._bytes += len(kept.data)
        # drop whole groups of pictures: the ring begins with a key frame, or it cannot be shown
        while self._ring and (self._too_long(now) or self._bytes > MAX_RING_BYTES):
            self._forget_first()
            while self._ring and not self._ring[0].key:
                self._forget_first()
        return kept

    def _forget_first(self) -> None:
        first = self._ring.popleft()
        self._bytes -= len(first.data)
        if first.key:
            self._keys.popleft()

    def _too_long(self, now: float) -> bool:
        """Whether the ring still covers its seconds without its first group of pictures."""
        second = 1 if self._ring[0].key else 0
        return len(self._keys) > second and now - self._keys[second] >= self.seconds


def _mux(packets: list[Kept], stream: av.VideoStream) -> bytes | None:
    """The packets as an MP4; times are made to rise where a looped film or a reset clock jumps back."""
    start = next((i for i, p in enumerate(packets) if p.key), None)
    if start is None:
        return None
    base = Fraction(1, 90000)
    buffer = io.BytesIO()
    try:
        with av.open(buffer, "w", format="mp4") as out:
            track = out.add_stream_from_template(stream)
            last, shift = 0.0, -packets[start].dts
            for kept in packets[start:]:
                if not 0 <= kept.dts + shift - last < 5.0:
                    shift = last + 0.04 - kept.dts
                last = kept.dts + shift
                packet = av.Packet(kept.data)
                packet.time_base = base
                packet.pts, packet.dts = round((kept.pts + shift) * 90000), round(last * 90000)
                packet.is_keyframe = kept.key
                packet.stream = track
                out.mux(packet)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        log.info("a clip cannot be made: %s", error)
        return None
    return buffer.getvalue()
