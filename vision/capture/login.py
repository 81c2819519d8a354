"""Answers to a camera's log-in challenge: HTTP Digest (RFC 7616: MD5, SHA-256, SHA-512-256; RFC 2617) and Basic.  Pure.

FFmpeg knows MD5 alone and takes the last challenge of several, so that a camera which offers MD5 and SHA-256 refuses
it or not by their order.  Here the strongest challenge that is known is answered.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_hex

_ALGORITHMS: dict[str, str] = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}  # the strongest first
_FIELD = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_SCHEME = re.compile(r"(?:^|,)\s*(digest|basic)\s", re.IGNORECASE)


@dataclass(frozen=True)
class Challenge:
    """One ``WWW-Authenticate``: ``scheme`` digest or basic, ``fields`` by lower-case name."""

    scheme: str
    fields: dict[str, str]

    @property
    def algorithm(self) -> str:
        return self.fields.get("algorithm", "MD5").upper()

    @property
    def rank(self) -> int:
        """The lower the better; 99: not known."""
        if self.scheme == "basic":
            return 10
        plain = self.algorithm.removesuffix("-SESS")
        return list(_ALGORITHMS).index(plain) if plain in _ALGORITHMS else 99


def challenges(headers: Sequence[str]) -> list[Challenge]:
    """The challenges of all ``WWW-Authenticate`` headers; several may share one header."""
    out = []
    for header in headers:
        starts = list(_SCHEME.finditer(header))
        for i, found in enumerate(starts):
            text = header[found.end() : starts[i + 1].start() if i + 1 < len(starts) else len(header)]
            fields = {k.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for k, quoted, plain in _FIELD.findall(text)}
            out.append(Challenge(found[1].lower(), fields))
    return out


def best(offered: Sequence[Challenge]) -> Challenge | None:
    """The strongest that can be answered; None when none can."""
    known = sorted((c for c in offered if c.rank < 99), key=lambda c: c.rank)
    return known[0] if known else None


def methods(offered: Sequence[Challenge]) -> str:
    """What the camera asks for, in words: ``Digest SHA-512``."""
    return ", ".join(sorted({"Basic" if c.scheme == "basic" else f"Digest {c.algorithm}" for c in offered}))


@dataclass
class StreamLogin:
    """One account at one camera; ``nonce_count`` rises with every answer to the same challenge."""

    user: str
    password: str
    challenge: Challenge
    nonce_count: int = 0
    make_cnonce: Callable[[], str] = lambda: token_hex(8)

    def authorization(self, method: str, uri: str) -> str:
        """The value of the ``Authorization`` header for one request."""
        if self.challenge.scheme == "basic":
            return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        fields, algorithm = self.challenge.fields, self.challenge.algorithm
        name = _ALGORITHMS[algorithm.removesuffix("-SESS")]

        def seal(text: str) -> str:
            return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

        realm, nonce, cnonce = fields.get("realm", ""), fields.get("nonce", ""), self.make_cnonce()
        account = seal(f"{self.user}:{realm}:{self.password}")
        if algorithm.endswith("-SESS"):
            account = seal(f"{account}:{nonce}:{cnonce}")
        request = seal(f"{method}:{uri}")
        self.nonce_count += 1
        count = f"{self.nonce_count:08x}"
        qop = "auth" if "auth" in re.split(r"[\s,]+", fields.get("qop", "")) else ""
        middle = f"{nonce}:{count}:{cnonce}:{qop}" if qop else nonce
        parts = [f'username="{self.user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"']
        if "algorithm" in fields:
            parts.append(f"algorithm={fields['algorithm']}")
        if qop:
            parts.append(f"qop={qop}, nc={count}")
        if qop or algorithm.endswith("-SESS"):
            parts.append(f'cnonce="{cnonce}"')
        if "opaque" in fields:
            parts.append(f'opaque="{fields["opaque"]}"')
        # last, in quotes: some cameras take what ends the line for a part of an unquoted value
        parts.append(f'response="{seal(f"{account}:{middle}:{request}")}"')
        return "Digest " + ", ".join(parts)
