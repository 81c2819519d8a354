"""Identifiers: derived at the edge where a re-sent frame must collapse, random elsewhere."""

from __future__ import annotations

import hashlib
import secrets
import time
import zlib
from datetime import datetime
from functools import lru_cache

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)  # two characters at once: ids are made millions of times


def derived_id(*parts: str | bytes | int | float | datetime | None) -> str:
    """A 26-character id that depends on ``parts`` alone: same parts, same id."""
    pieces: list[bytes] = []
    for part in parts:
        if isinstance(part, datetime):
            part = part.isoformat()
        raw = part if isinstance(part, bytes) else str(part).encode()
        pieces.append(len(raw).to_bytes(4, "big"))
        pieces.append(raw)
    return _base32(int.from_bytes(hashlib.blake2b(b"".join(pieces), digest_size=16).digest(), "big"))


def new_id() -> str:
    """A random 26-character id that sorts by the time it was made (ULID layout)."""
    millis = time.time_ns() // 1_000_000
    return _base32((millis << 80) | secrets.randbits(80))


def id_before(known: str, seconds: float) -> str:
    """The lowest id of the moment ``seconds`` before ``known`` was made; empty for an id that is none of ours."""
    if len(known) != 26 or not set(known) <= set(_ALPHABET):
        return ""
    number = 0
    for character in known:
        number = number * 32 + _ALPHABET.index(character)
    millis = (number >> 80) - int(seconds * 1000)
    return _base32(max(0, millis) << 80)


def _base32(number: int) -> str:
    """26 characters for up to 130 bits."""
    high, low, two = number >> 70, number & (1 << 70) - 1, _PAIRS
    return (
        f"{two[high >> 50]}{two[high >> 40 & 1023]}{two[high >> 30 & 1023]}{two[high >> 20 & 1023]}"
        f"{two[high >> 10 & 1023]}{two[high & 1023]}{two[low >> 60]}{two[low >> 50 & 1023]}{two[low >> 40 & 1023]}"
        f"{two[low >> 30 & 1023]}{two[low >> 20 & 1023]}{two[low >> 10 & 1023]}{two[low & 1023]}"
    )


@lru_cache(maxsize=65_536)
def partition(key: str, count: int) -> int:
    """Which of ``count`` partitions ``key`` belongs to; stable across processes and versions."""
    return zlib.crc32(key.encode()) % count


def subject_token(text: str) -> str:
    """``text`` as one NATS subject token: other characters become ``_`` and a check word follows.

    Without the check word two devices with Chinese names of equal length would share one key.
    """
    token = "".join(c if c.isascii() and (c.isalnum() or c in "-_:=/") else "_" for c in text)
    if token == text:
        return token or "_"
    return f"{token}_{zlib.crc32(text.encode(errors='backslashreplace')):08x}"
