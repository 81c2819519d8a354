"""JPEG pictures out of a stream of bytes, whatever stands between them.  Pure.

Cameras write the boundaries of ``multipart/x-mixed-replace`` in a dozen ways (dashes declared or not, no first one, no
lengths, another one than declared).  A JPEG says itself where it ends (ITU-T T.81, annex B): its segments have lengths,
and its entropy-coded data ends at a marker.  So the pictures are followed and what is between them is passed over.
"""

from __future__ import annotations

import re

MOST_BYTES = 32 << 20  # of one picture
_START = b"\xff\xd8\xff"
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # in entropy-coded data: not stuffing, not a restart, not fill
_SIZES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # frame headers


class JpegSplitter:
    """Feed it bytes as they come; ``damaged`` counts pictures that were cut short, and bytes that were too many."""

    def __init__(self) -> None:
        self.damaged = 0
        self._data = bytearray()
        self._at = 0  # how far the picture that the buffer begins with was followed; 0: no picture begun

    def feed(self, data: bytes) -> list[bytes]:
        """The pictures that are complete with ``data``."""
        self._data += data
        out: list[bytes] = []
        while (picture := self._next()) is not None:
            if picture:
                out.append(picture)
        return out

    def _next(self) -> bytes | None:
        """A picture, empty bytes when something was thrown away, None when more is needed."""
        if not self._at:
            start = self._data.find(_START)
            if start < 0:
                del self._data[: max(0, len(self._data) - 2)]
                return None
            del self._data[:start]
            self._at = 2
        end = self._follow()
        if end is not None:
            return self._cut(end)
        if len(self._data) > MOST_BYTES:
            self.damaged += 1
            self._data.clear()
            self._at = 0
        return None

    def _follow(self) -> int | None:
        """Where the picture ends (negative: there it was cut short and another begins); None: not here yet."""
        data = self._data
        while self._at + 4 <= len(data):
            if data[self._at] != 0xFF:  # entropy-coded data, or garbage: up to the next marker
                found = _MARKER.search(data, self._at)
                if found is None:
                    self._at = max(self._at, len(data) - 1) if data[-1] == 0xFF else len(data)
                    return None
                self._at = found.start()
                continue
            marker = data[self._at + 1]
            if marker == 0xD9:
                return self._at + 2
            if marker == 0xD8:
                return -self._at
            if marker == 0xFF:
                self._at += 1
            elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD7:
                self._at += 2
            else:
                length = int.from_bytes(data[self._at + 2 : self._at + 4])
                if self._at + 2 + length > len(data):
                    return None
                self._at += 2 + length
        # an end marker may be the last two bytes there are
        return self._at + 2 if data[self._at : self._at + 2] == b"\xff\xd9" else None

    def _cut(self, end: int) -> bytes:
        whole = end > 0
        picture = bytes(self._data[: abs(end)])
        del self._data[: abs(end)]
        self._at = 0 if whole else 2
        if whole:
            return picture
        self.damaged += 1
        boundary = picture.rfind(b"\r\n--")  # some cameras leave the end marker out
        return picture[:boundary] + b"\xff\xd9" if boundary > 0 else b""


def picture_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) as the header of a JPEG or PNG says; None when it is neither."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) >= 24:
        return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    at = 2
    while data.startswith(b"\xff\xd8") and at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _SIZES:
            return int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None
