"""NATS keys and tokens, as far as an authorisation callout needs them: Ed25519 seeds, public keys, signed JWTs.

Source: NATS nkeys (base32 of a type byte, the key and a CRC-16/XMODEM) and NATS JWT v2 (``ed25519-nkey``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.ids import new_id

_ACCOUNT = 0  # its keys begin with A


class Issuer:
    """An account key that signs what the broker shall believe; ``secret`` is any text kept secret."""

    def __init__(self, secret: str) -> None:
        seed = hashlib.sha256(b"yiwang broker issuer\x00" + secret.encode()).digest()
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = public_key(_ACCOUNT, raw)

    def sign(self, subject: str, claims: dict[str, Any], **more: Any) -> str:
        """A JWT about ``subject`` with the ``nats`` claims."""
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        body = {"jti": new_id(), "iat": int(time.time()), "iss": self.public, "sub": subject, "nats": claims, **more}
        text = f"{_b64(json.dumps(head).encode())}.{_b64(json.dumps(body).encode())}"
        return f"{text}.{_b64(self._key.sign(text.encode()))}"


def public_key(kind: int, raw: bytes) -> str:
    """The text of a public key; ``kind`` is the type byte."""
    body = bytes((kind,)) + raw
    return base64.b32encode(body + binascii.crc_hqx(body, 0).to_bytes(2, "little")).decode().rstrip("=")


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT that came over the bus from the broker itself; ValueError when it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("a JWT has three parts")
    found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    if not isinstance(found, dict):
        raise ValueError("claims are an object")
    return found


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
