"""How fast a stream is read, at whose expense, and what time its camera says it is."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import av

MAX_PACKETS_PER_S = 240.0
NICER = 4  # by how much decoding yields to analysing
AHEAD_S = 1.0  # what nobody will look at is read at one go when it is no further ahead
REORDER_S = 0.5  # pictures that are stored out of order go back by less


class Pace:
    """How long to wait before the next packet: recordings at their own speed, live streams no faster than sane."""

    def __init__(self, recorded: bool) -> None:
        self._recorded = recorded
        self._wall = self._media = self._last = -1.0
        self._allowance, self._at = MAX_PACKETS_PER_S, time.monotonic()

    def wait_s(self, media: float | None, now: float) -> float:
        """Seconds to wait at ``now`` (monotonic) for the packet of ``media`` seconds."""
        self._allowance = min(MAX_PACKETS_PER_S, self._allowance + (now - self._at) * MAX_PACKETS_PER_S) - 1.0
        self._at = now
        flood = -self._allowance / MAX_PACKETS_PER_S if self._allowance < 0 else 0.0
        if not self._recorded or media is None:
            return flood
        ahead = (media - self._media) - (now - self._wall)
        back, self._last = self._last - media, media
        jump = ahead > 5.0 or back > REORDER_S
        if self._wall < 0 or jump or ahead < -5.0:  # first packet, a jump in time, or we were held up
            self._wall, self._media = now, media
            return flood
        return max(ahead, flood, 0.0)

    def step(self, media: float | None, now: float, *, unseen: bool) -> tuple[float, float]:
        """Seconds to wait for the next packet, and the time that counts for it.

        ``unseen``: it will not be decoded (nothing moves).  Of a recording such packets are not waited for one by one:
        each counts as come when it would have, and the process sleeps until the first that is too far ahead.
        """
        wait = self.wait_s(media, now)
        return (0.0, now + wait) if unseen and self._recorded and wait < AHEAD_S else (wait, now)


def camera_time(packet: av.Packet, known: float | None) -> float | None:
    """The camera's clock minus ours in seconds, from a live packet that bears its capture time; else ``known``.

    FFmpeg gives it (``prft``, microseconds since 1970) for RTSP cameras that send RTCP sender reports and for
    fragmented MP4 that has it.  A sender without a clock sends zero or its up-time (RFC 3550 6.4.1): no answer.
    """
    if not packet.has_sidedata("prft"):
        return known
    microseconds = int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], "little", signed=True)
    return microseconds / 1e6 - time.time() if microseconds > 0 else known


def yield_to_analysis() -> None:
    """Many decoding threads would starve the one that analyses: they are a little nicer (per thread, Linux only)."""
    with contextlib.suppress(OSError, AttributeError):
        me = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, me, min(os.getpriority(os.PRIO_PROCESS, me) + NICER, 19))
