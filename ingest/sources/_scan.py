"""Finding frames in a stream: marks, lengths, resynchronisation.  Pure, and the same however the stream was cut."""

from __future__ import annotations

import re
from collections.abc import Callable

from ingest.contract import Decoded, Packet
from ingest.errors import FrameChecksum, FrameEnd, FrameError, FrameIncomplete, FrameLength, FrameNoise

# What stands at a position: (entry, end); (None, position): more bytes needed; (None, beyond): no frame begins here.
FrameAt = Callable[[bytes, int], tuple[Packet | FrameError | None, int]]


def scan(
    data: bytes, protocol: str, mark: re.Pattern[bytes], half_mark: bytes, frame_at: FrameAt, blanks: bytes = b""
) -> Decoded:
    """Frames and refusals of ``data`` in order.

    ``mark`` finds where a frame may begin; ``half_mark`` is the byte that may be the first half of one at the end.
    A frame whose length, end or sum is wrong is searched for the next frame, because its length may be the wrong
    part; an unfinished one too, because a false start must not delay an alarm behind it.  ``blanks`` may stand between
    frames without being noise.
    """
    entries: list[Packet | FrameError] = []
    position = covered = 0  # the bytes before ``covered`` are accounted for
    size = len(data)
    while True:
        found = mark.search(data, position)
        if found is None:
            rest = size - 1 if size > position and data[-1:] == half_mark else size
            _noise(entries, protocol, data[covered:rest], blanks)
            return Decoded(entries, data[rest:])
        start = found.start()
        entry, end = frame_at(data, start)
        if entry is None and end > start:
            position = start + 1
            continue
        _noise(entries, protocol, data[covered:start], blanks)
        covered = max(covered, start)
        if entry is None:
            later = _later_frame(data, start, mark, frame_at)
            if later is None:
                return Decoded(entries, data[start:])
            entry, end = FrameIncomplete(protocol=protocol, count=later - start, raw=data[start:later]), later
            position = later
        elif isinstance(entry, FrameEnd | FrameLength | FrameChecksum):
            position = start + 1
        else:
            position = end
        if start >= covered or not isinstance(entry, FrameError):
            entries.append(entry)
            covered = end


def _noise(entries: list[Packet | FrameError], protocol: str, noise: bytes, blanks: bytes) -> None:
    if noise.strip(blanks):
        entries.append(FrameNoise(protocol=protocol, count=len(noise), raw=noise))


def _later_frame(data: bytes, start: int, mark: re.Pattern[bytes], frame_at: FrameAt) -> int | None:
    """Where a whole, valid frame begins behind an unfinished one."""
    found = mark.search(data, start + 1)
    while found is not None:
        entry, _ = frame_at(data, found.start())
        if entry is not None and not isinstance(entry, FrameError):
            return found.start()
        found = mark.search(data, found.start() + 1)
    return None
