"""Bodies compressed once for every browser: Brotli (RFC 7932) where it is taken, else gzip (RFC 1952)."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import brotli

QUICK = 9  # Brotli's quality for what is compressed while somebody waits: ten megabytes a second
THOROUGH = 11  # once, when the libraries are installed


@dataclass(frozen=True)
class Packed:
    """A body plain and in the codings that browsers take."""

    plain: bytes
    gzip: bytes
    br: bytes

    def answer(self, accepts: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
        """The body for whoever sent the headers ``accepts``, and the headers that name its coding."""
        coding = coding_for(accepts.get("accept-encoding", ""))
        head = {"Vary": "Accept-Encoding"}
        if coding is None:
            return self.plain, head
        return (self.br if coding == "br" else self.gzip), head | {"Content-Encoding": coding}


def packed(body: bytes, shelf: Path | None = None) -> Packed:
    """``body`` in both codings, from ``shelf`` where :func:`put_by` left it there."""
    if shelf is not None:
        kept = _kept(shelf, body)
        with suppress(OSError):
            return Packed(body, kept("gzip").read_bytes(), kept("br").read_bytes())
    return Packed(body, gzip.compress(body, 7, mtime=0), brotli.compress(body, quality=QUICK))


def put_by(body: bytes, shelf: Path) -> str:
    """Compress ``body`` as far as it goes into ``shelf``; the name of both files without their suffixes."""
    kept = _kept(shelf, body)
    kept("gzip").write_bytes(gzip.compress(body, 9, mtime=0))
    kept("br").write_bytes(brotli.compress(body, quality=THOROUGH))
    return kept("br").stem


def _kept(shelf: Path, body: bytes) -> Callable[[str], Path]:
    name = sha256(body).hexdigest()[:24]
    return lambda coding: shelf / f"{name}.{coding}"


def coding_for(accept_encoding: str) -> str | None:
    """The smallest coding that an ``Accept-Encoding`` header allows: ``br``, ``gzip`` or None (RFC 9110, 12.5.3)."""
    taken = set()
    for part in accept_encoding.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            taken.add(name.strip())
    return next((coding for coding in ("br", "gzip") if coding in taken), None)
