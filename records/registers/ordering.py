"""Rows of an import on their way to the database: which keys came before, and in which order they are written.

Nearly every index of the table of records begins with the name, or holds it behind a few values.  Rows that are written
in the order of their names meet the same pages of those indexes again; in the file's own order each row dirties other
ones, which are written to the log anew with each batch.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from operator import itemgetter

import msgspec

from records.registers.storing import Keyed

BATCH = 8000  # rows of one short transaction
ORDERED = 5 * BATCH  # rows that are brought into order at once
_Held = tuple[str, bytes | None, bytes]
_halves = struct.Struct("<QQ").unpack
_pack, _unpack = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode


class SeenKeys:
    """16-byte keys with the row that each came in: an open table of 20 bytes a place, 42 MB for a million."""

    def __init__(self, places: int = 1 << 12) -> None:
        """``places`` to begin with, a power of two."""
        self._count = 0
        self._grow(places)

    def first(self, key: bytes) -> int:
        """The row that ``key`` was added with; 0 when it was not."""
        return self._rows[self._place(*_halves(key))]

    def met(self, key: bytes, row: int) -> int:
        """As :meth:`first`; a new key is remembered with its ``row`` (from 1)."""
        high, low = _halves(key)
        if not (before := self._rows[self._place(high, low)]):
            self._put(high, low, row)
        return before

    def _put(self, high: int, low: int, row: int) -> None:
        at = self._place(high, low)
        self._count += not self._rows[at]
        self._high[at], self._low[at], self._rows[at] = high, low, row
        if self._count * 3 > len(self._rows) * 2:
            held = zip(self._high, self._low, self._rows, strict=True)
            self._grow(2 * len(self._rows))
            for one in held:
                if one[2]:
                    self._put(*one)

    def _grow(self, places: int) -> None:
        self._count, self._mask = 0, places - 1
        self._high, self._low = array("Q", bytes(8 * places)), array("Q", bytes(8 * places))
        self._rows = array("I", bytes(4 * places))

    def _place(self, high: int, low: int) -> int:
        """Where the key stands, or would."""
        at, rows, mask = high & self._mask, self._rows, self._mask
        while rows[at] and (self._high[at] != high or self._low[at] != low):
            at = at + 1 & mask
        return at


def batches(rows: Iterator[Keyed], title: str) -> Iterator[list[Keyed]]:
    """``rows`` in batches, by the value of ``title`` within each :data:`ORDERED` of them; packed while they wait."""
    held: list[_Held] = []
    for key, values in rows:
        held.append((str(values.get(title) or ""), key, _pack(values)))
        if len(held) >= ORDERED:
            yield from _ordered(held)
    yield from _ordered(held)


def _ordered(held: list[_Held]) -> Iterator[list[Keyed]]:
    held.sort(key=itemgetter(0))
    for at in range(0, len(held), BATCH):
        yield [(key, _unpack(packed)) for _, key, packed in held[at : at + BATCH]]
    held.clear()
