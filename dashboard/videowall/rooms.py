"""Rooms of live video: one reader thread a camera serves all its viewers and keeps the last half minute.

A viewer starts at a key frame and is dropped back to the next key frame when he does not keep up.  What a camera sent
lately (:class:`Past`) is bounded in seconds and bytes; a room outlives its last viewer by ``LINGER_S``, so that who
looks again sees what happened meanwhile, and gives way at once where another camera needs the place.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from core.errors import YiwangError
from dashboard.errors import TooManyViewers
from dashboard.videowall.streams import Fragment, fragments

MAX_ROOMS = 12
MAX_VIEWERS_PER_ROOM = 24
QUEUE = 150  # fragments, about 6 s
PAST_S = 30.0  # of a watched camera
MAX_PAST_BYTES = 12 << 20  # of one camera: 30 s at 3 Mbit/s
LINGER_S = 60.0  # a room without viewers


@dataclass
class _Group:
    """A key frame and what follows it; ``at`` on the monotonic clock."""

    at: float
    parts: list[Fragment]
    size: int = 0


class Past:
    """The newest seconds of a stream, in whole groups of pictures."""

    def __init__(self, seconds: float = PAST_S, most: int = MAX_PAST_BYTES) -> None:
        self._seconds, self._most = seconds, most
        self._groups: deque[_Group] = deque()
        self._bytes = 0

    def keep(self, fragment: Fragment, now: float) -> None:
        """Take the next fragment; the oldest groups go that are no longer needed, or that there is no room for."""
        if fragment.init or self._seconds <= 0 or not (fragment.key or self._groups):
            return
        if fragment.key:
            self._groups.append(_Group(now, []))
        last = self._groups[-1]
        last.parts.append(fragment)
        last.size += len(fragment.data)
        self._bytes += len(fragment.data)
        while self._groups and (self._bytes > self._most or self._over(now)):
            self._bytes -= self._groups.popleft().size

    def _over(self, now: float) -> bool:
        return len(self._groups) > 1 and now - self._groups[1].at >= self._seconds

    def since(self, seconds: float, now: float) -> list[Fragment]:
        """The fragments of the last ``seconds``, from a key frame on; fewer where it does not reach back so far."""
        begin = 0
        for number, group in enumerate(self._groups):
            if group.at <= now - seconds:
                begin = number
        return [part for group in list(self._groups)[begin:] for part in group.parts]

    def reach(self, now: float) -> float:
        """How many seconds back it reaches."""
        return now - self._groups[0].at if self._groups else 0.0


@dataclass(eq=False)
class _Viewer:
    queue: asyncio.Queue[Fragment | YiwangError | None] = field(default_factory=lambda: asyncio.Queue(QUEUE))
    waiting_for_key: bool = True


class Room:
    """One camera, one reader thread, its viewers."""

    def __init__(
        self, url: str, loop: asyncio.AbstractEventLoop, on_empty: Callable[[], None], past_s: float = PAST_S
    ) -> None:
        self._url = url
        self.past = Past(past_s)
        self._linger_s = LINGER_S if past_s > 0 else 0.0
        self._leaving: asyncio.TimerHandle | None = None
        self._loop = loop
        self._on_empty = on_empty
        self._stop = threading.Event()
        self._viewers: set[_Viewer] = set()
        self._init: Fragment | None = None
        self._thread = threading.Thread(target=self._read, name="video-room", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._viewers)

    def _read(self) -> None:
        error: YiwangError | None = None
        try:
            for fragment in fragments(self._url, self._stop):
                self._loop.call_soon_threadsafe(self._spread, fragment)
        except YiwangError as found:
            error = found
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(self._end, error)

    def _spread(self, fragment: Fragment) -> None:
        if fragment.init:
            self._init = fragment
        self.past.keep(fragment, time.monotonic())
        for viewer in list(self._viewers):
            self._offer(viewer, fragment)

    def _offer(self, viewer: _Viewer, fragment: Fragment) -> None:
        if viewer.waiting_for_key and not (fragment.init or fragment.key):
            return
        if viewer.queue.full():
            viewer.waiting_for_key = True  # drop policy: on to the next key frame
            return
        if fragment.key:
            viewer.waiting_for_key = False
        viewer.queue.put_nowait(fragment)

    def _end(self, error: YiwangError | None) -> None:
        for viewer in list(self._viewers):
            if viewer.queue.full():
                viewer.queue.get_nowait()
            viewer.queue.put_nowait(error)
        self._on_empty()

    def close(self) -> None:
        """Stop the reader."""
        if self._leaving is not None:
            self._leaving.cancel()
        self._stop.set()

    def clip(self, seconds: float) -> bytes:
        """The last ``seconds`` as a fragmented MP4; empty where there is nothing yet."""
        parts = self.past.since(seconds, time.monotonic()) if self._init is not None else []
        return b"".join(part.data for part in ([self._init] if self._init and parts else []) + parts)

    async def watch(self, back_s: float = 0.0) -> AsyncIterator[Fragment]:
        """Initialisation segment, then frames from a key frame on; ends with the stream, raises its error.

        ``back_s``: begin so many seconds ago, as far as they are kept; what follows comes without a gap.
        """
        if self._leaving is not None:
            self._leaving.cancel()
        viewer, past = _Viewer(), self.past.since(back_s, time.monotonic()) if back_s > 0 else []
        if self._init is not None:
            past = [self._init, *past]
            viewer.waiting_for_key = len(past) == 1
        self._viewers.add(viewer)
        try:
            for fragment in past:
                yield fragment
            while True:
                item = await viewer.queue.get()
                if item is None:
                    return
                if isinstance(item, YiwangError):
                    raise item
                yield item
        finally:
            self._viewers.discard(viewer)
            if not self._viewers:
                self._leave()

    def _leave(self) -> None:
        """Nobody looks any more: end now, or when nobody came back for a while."""
        if self._linger_s and not self._stop.is_set():
            self._leaving = self._loop.call_later(self._linger_s, self._end_empty)
        else:
            self._end_empty()

    def _end_empty(self) -> None:
        if not self._viewers:
            self.close()
            self._on_empty()


class VideoRooms:
    """All rooms; opens one for the first viewer.  ``past_s``: what is kept of a watched camera, 0 for nothing."""

    def __init__(self, past_s: float = PAST_S) -> None:
        self._rooms: dict[str, Room] = {}
        self._past_s = past_s

    def __len__(self) -> int:
        return len(self._rooms)

    def room(self, url: str) -> Room:
        """The camera's room; :class:`TooManyViewers` when there is no place."""
        room = self._rooms.get(url)
        if room is None:
            if len(self._rooms) >= MAX_ROOMS and not self._make_place():
                raise TooManyViewers(what="live video", limit=f"{MAX_ROOMS} cameras")
            loop = asyncio.get_running_loop()
            room = Room(url, loop, lambda: self._forget(url, room), self._past_s)
            self._rooms[url] = room
        if len(room) >= MAX_VIEWERS_PER_ROOM:
            raise TooManyViewers(what="this camera", limit=f"{MAX_VIEWERS_PER_ROOM} viewers")
        return room

    def kept(self, url: str) -> Room | None:
        """The camera's room where there is one."""
        return self._rooms.get(url)

    def _make_place(self) -> bool:
        """The room that nobody looks at any more ends; whether there was one."""
        for url, room in self._rooms.items():
            if not len(room):
                room.close()
                del self._rooms[url]
                return True
        return False

    def _forget(self, url: str, room: Room | None) -> None:
        if self._rooms.get(url) is room:
            del self._rooms[url]

    def close(self) -> None:
        """Stop every reader."""
        for room in list(self._rooms.values()):
            room.close()
        self._rooms.clear()
