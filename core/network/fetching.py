"""Reading what somebody else's server answers, within bounds of size and time, whatever it sends.

A client's own time-out is one of silence: a server that sends a byte every few seconds holds it for ever, and one that
sends a compressed answer makes a thousand bytes of each.  Here the whole answer has one deadline, and is unpacked
piece by piece within its bound.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

import httpx

DEADLINE_S = 30.0
_PACKED = {"gzip": 31, "x-gzip": 31, "deflate": 47}  # window bits of zlib


class AnswerTooLarge(httpx.HTTPError):
    """The answer holds more than was asked for."""


async def fetch(
    client: httpx.AsyncClient, method: str, url: httpx.URL | str, *, most: int, deadline_s: float = DEADLINE_S,
    cut: bool = False, **options: Any,
) -> tuple[httpx.Response, bytes]:  # fmt: skip
    """The response (status and headers) and its body of at most ``most`` bytes, unpacked.

    ``cut``: a longer body is cut off there instead of being refused.  ``options`` are those of
    ``httpx.AsyncClient.stream``.  Raises ``httpx.HTTPError``: also for an answer that is too large
    (:class:`AnswerTooLarge`), packed in a way nobody asked for, or not whole within ``deadline_s`` seconds.
    """
    options["headers"] = {**dict(options.get("headers") or {}), "Accept-Encoding": "identity"}
    try:
        async with asyncio.timeout(deadline_s), client.stream(method, url, **options) as response:
            return response, await _body(response, most, cut)
    except TimeoutError as error:
        raise httpx.ReadTimeout(f"no whole answer within {deadline_s:.0f} s") from error
    except (LookupError, ValueError, httpx.InvalidURL) as error:  # httpx on a challenge or an address that is nonsense
        raise httpx.RemoteProtocolError(f"the answer makes no sense: {error!r}") from error


async def _body(response: httpx.Response, most: int, cut: bool) -> bytes:
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in {"", "identity", *_PACKED}:
        raise httpx.DecodingError(f"the answer is packed as {packed[:20]!r}")
    unpack = zlib.decompressobj(_PACKED[packed]) if packed in _PACKED else None
    raw = bytearray()
    async for piece in response.aiter_raw():
        try:
            raw += piece if unpack is None else unpack.decompress(piece, most + 1 - len(raw))
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from error
        if len(raw) > most or (unpack is not None and unpack.unconsumed_tail):
            if cut:
                return bytes(raw[:most])
            raise AnswerTooLarge(f"more than {most} bytes")
    return bytes(raw)
