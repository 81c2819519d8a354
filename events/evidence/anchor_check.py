"""The anchor lines held against themselves, and the places against each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from events.evidence.anchor_store import DatabaseAnchors, Head, file_lines, is_ours, is_ours_sm2, raw_lines, read_line
from events.evidence.audit_log import GENESIS, ChainFlaw, canonical
from events.evidence.signatures import read_public_key

_LOOKED_AT = 1000


def check_anchors(
    path: Path, public_pem: bytes, sm2_pem: bytes | None = None
) -> tuple[dict[str, Head], list[ChainFlaw], int]:
    """``(last anchored head of each chain, flaws of the file, lines read)``.

    ``sm2_pem``: the SM2 key that must have signed, too: every line from the first that has such a signature.
    """
    key, sm2 = read_public_key(public_pem), _Second(sm2_pem)
    heads: dict[str, Head] = {}
    flaws: list[ChainFlaw] = []
    prev, count, torn = GENESIS, 0, 0
    for number, raw in enumerate(raw_lines(path), 1):
        body = read_line(raw)
        if body is None:
            torn = number
            continue
        if canonical(body) != raw:
            flaws.append(_flaw(number, "is not written as we write"))
        if not is_ours(key, body):
            flaws.append(_flaw(number, "its signature does not fit"))
        flaws += sm2.look(number, body)
        if body["n"] != count + 1:
            flaws.append(_flaw(number, f"is line {body['n']}, where line {count + 1} should stand"))
            count = int(body["n"]) - 1
        if body["prev"] != prev:
            lost = f" (line {torn} cannot be read)" if torn else ""
            flaws.append(_flaw(number, f"does not follow from the line before{lost}"))
        torn = 0
        prev, count = hashlib.sha256(raw).hexdigest(), count + 1
        heads |= {chain_id: (chain_id, seq, value) for chain_id, seq, value in body["heads"]}
    flaws += sm2.close()
    if torn:
        flaws.append(_flaw(torn, "the last line cannot be read"))
    return heads, flaws, count


class _Second:
    """The second signatures of the lines, in order.

    Each line tells the hash of the one before, so the last line's signature vouches for all: one in
    :data:`_LOOKED_AT` and the last are calculated (15 ms each), the others must be there.
    """

    def __init__(self, public_pem: bytes | None) -> None:
        self._pem = public_pem
        self._last: tuple[int, dict[str, Any]] | None = None

    def look(self, number: int, body: dict[str, Any]) -> Iterator[ChainFlaw]:
        """What is wrong with the next line."""
        named, there = "sm2_key" in body, "sm2" in body
        if named != there:
            yield _flaw(number, "its SM2 signature was taken off" if named else "its SM2 signature was put in")
        elif self._pem is not None and self._last is not None and not there:
            yield _flaw(number, "is not signed with SM2, as lines before it are")
        elif self._pem is not None and there:
            self._last = number, body
            if number % _LOOKED_AT == 0:
                yield from self.close()

    def close(self) -> Iterator[ChainFlaw]:
        """What is wrong with the signature of the line that was seen last."""
        if self._pem is not None and self._last is not None and not is_ours_sm2(self._pem, self._last[1]):
            yield _flaw(self._last[0], "its SM2 signature does not fit")


def _flaw(line: int, detail: str) -> ChainFlaw:
    return ChainFlaw(chain_id="anchors", seq=line, detail=detail)


def check_places(path: Path, engine: Engine, bus_last: tuple[int, bytes] | None = None) -> Iterator[ChainFlaw | int]:
    """Flaws of the anchor file held against the database's lines and the bus's last one; at last the database's count.

    The file may be one line ahead (a crash between the two); whatever it lacks was taken away.
    """
    database = DatabaseAnchors(engine)
    known = database.count()
    rows = database.lines() if known else iter(())
    row = next(rows, None)
    last, bus_seen = 0, False
    for line in file_lines(path):
        n = int((read_line(line) or {"n": 0})["n"])
        last = max(last, n)
        while row is not None and row[0] < n:
            yield _flaw(row[0], "was taken out of the anchor file: the database still has it")
            row = next(rows, None)
        if row is not None and row[0] == n:
            if row[1] != line:
                yield _flaw(n, "the anchor file and the database tell different things")
            row = next(rows, None)
        elif known and row is not None:
            yield _flaw(n, "was taken out of the database: the anchor file still has it")
        if bus_last is not None and n == bus_last[0]:
            bus_seen = True
            if line != bus_last[1]:
                yield _flaw(n, "the anchor file and the bus tell different things")
    missing = 0
    while row is not None:
        missing, last, row = missing + 1, max(last, row[0]), next(rows, None)
    if missing:
        yield _flaw(last, f"the anchor file lacks {missing} lines that the database still has")
    if bus_last is not None and not bus_seen:
        yield _flaw(bus_last[0], "the anchor file lacks this line, which the bus still has")
    yield known


def check_database_end(path: Path, engine: Engine) -> Iterator[ChainFlaw]:
    """The database may lack the file's last line (a crash), not more."""
    known = DatabaseAnchors(engine)
    last = known.last() if known.count() else None
    in_file = max((int((read_line(line) or {"n": 0})["n"]) for line in file_lines(path)), default=0)
    if last is not None and in_file > last[0] + 1:
        yield _flaw(in_file, f"the database lacks lines {last[0] + 1} to {in_file} of the anchor file")
