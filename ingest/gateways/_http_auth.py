"""How to answer the challenge of a 401 (RFC 7235, RFC 7616)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.late import Late

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")


_ALGORITHM = re.compile(r'algorithm\s*=\s*"?([\w-]+)', re.I)
_KNOWN = frozenset(("MD5", "MD5-SESS", "SHA", "SHA-SESS", "SHA-256", "SHA-256-SESS", "SHA-512", "SHA-512-SESS"))


def auth_for(challenges: list[str], user: str, password: str) -> httpx.Auth | None:
    """How to answer a 401; None when it asks for nothing that we know."""
    for challenge in challenges:
        algorithm = _ALGORITHM.search(challenge)
        if challenge.lower().startswith("digest") and (algorithm is None or algorithm[1].upper() in _KNOWN):
            return httpx.DigestAuth(user, password)
    if any(challenge.lower().startswith("basic") for challenge in challenges):
        return httpx.BasicAuth(user, password)
    return None


def asked_for(challenges: list[str]) -> str:
    """What the 401 says of the log-in method, so that a method that is not known is not taken for a wrong password."""
    kinds = [f"{c.split(' ')[0]} {m[1]}" if (m := _ALGORITHM.search(c)) else c.split(" ")[0] for c in challenges]
    return f"status 401, it asks for {', '.join(kinds)}" if kinds else "status 401"
