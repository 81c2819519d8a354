"""Which packets of a stream are decoded.

All, while something moves.  While nothing does (``economy``) and key frames come at least every 2 s, only those: the
packets between are judged by their sizes (:mod:`vision.capture.packet_activity`) and kept, and when something stirs,
what was skipped since the last key frame is decoded at once.  Where packets tell much (they are tiny beside a key
frame), a key frame every 4 s is enough.  Where key frames come as often as pictures are wanted, or
analysing is behind, nothing but key frames.  The distance of key frames is the stream's own affair and changes (smart
codecs: from 1 s to 25 s and back): what was learnt of it holds only for as long as it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import av

from vision.capture.packet_activity import CompressedGate

ECONOMY_GOP_S = 2.1
TOLD_S = 4.0
MAX_HELD = 240  # packets


@dataclass(frozen=True)
class PacketWish:
    """What is wanted of a stream now.  ``every_s`` between pictures; ``due`` when the next one is (monotonic);
    ``looked`` when the last one was; ``rest_s``: in economy, key frames sooner than this are left out; ``silent``:
    nothing was decoded for so long that a picture must be; ``behind``: nobody takes what is decoded."""

    every_s: float
    due: float
    looked: float
    economy: bool
    rest_s: float
    silent: bool
    behind: bool


class PacketChoice:
    """One session's choice; ``glances`` and ``woken`` count what :class:`CompressedGate` did."""

    def __init__(self) -> None:
        self.glances = 0
        self.woken = 0
        self.keyed = False  # a key frame was seen: from now on pictures are owed
        self.rest_s = 0.0  # the shortest time between two pictures just now, besides what was wished
        self._gop_s = float("inf")
        self._last_key: float | None = None  # media time
        self._key_at = 0.0  # monotonic
        self._glance = CompressedGate()
        self._held: list[av.Packet] = []  # since the last key frame, not decoded
        self.resting = False  # key frames will do just now
        self.gapless = True  # the decoder, fed with what is held, can go on

    def restart(self) -> None:
        """The stream begins again (a recording from its start)."""
        self._held, self.gapless, self._last_key, self.keyed = [], True, None, False

    def choose(
        self, packet: av.Packet, media: float | None, now: float, reordered: bool, wish: PacketWish
    ) -> list[av.Packet]:
        """What to decode now that ``packet`` of ``media`` seconds is here; pictures of the last one only are wanted."""
        if not packet.size:
            return [packet]  # the end: what the decoder still holds
        if packet.is_keyframe:
            self._learn(media, now)
        kept = now - self._key_at <= 1.5 * self._gop_s + 0.5  # key frames still come as often as they did
        gop = self._gop_s if kept or packet.is_keyframe else float("inf")
        slow = gop <= wish.every_s or (wish.behind and gop <= ECONOMY_GOP_S)
        resting = wish.economy and gop <= ECONOMY_GOP_S and not reordered
        self.resting = resting and not slow
        if packet.is_keyframe:
            self._held, self.gapless = [], True
            self.rest_s = TOLD_S if resting and self._glance.tells(packet.size) else 0.0
            rest_s = max(wish.rest_s, self.rest_s)
            early = (slow and now + 0.004 < wish.due) or (resting and now - wish.looked < rest_s - 0.1)
            if early and not wish.silent:
                self._held.append(packet)
                return []
            return [packet]
        if not self.gapless:
            return []
        if resting and not slow:
            if not self._stirs(packet, now):
                return []
        elif slow:
            self._held, self.gapless = [], False
            return []
        wanted, self._held = [*self._held, packet], []
        return wanted

    def _learn(self, media: float | None, now: float) -> None:
        if media is not None:
            risen = self._last_key is not None and media > self._last_key
            self._gop_s = media - self._last_key if risen and self._last_key is not None else self._gop_s
            self._last_key = media
        self._key_at, self.keyed = now, True

    def _stirs(self, packet: av.Packet, now: float) -> bool:
        """Whether the quiet is over; otherwise the packet is kept for when it is."""
        stirs = self._glance.feed(packet.size, now)
        self.glances = self._glance.windows
        if stirs:
            self.woken += 1
            return True
        self._held.append(packet)
        if len(self._held) > MAX_HELD:
            self._held, self.gapless = [], False  # after a gap only a key frame makes sense again
        return False
