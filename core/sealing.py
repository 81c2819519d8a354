"""Sensitive values at rest: AES-256-GCM per record, and a keyed hash (blind index) to look a value up.

The record's id is bound in as associated data, so that a sealed value cannot be moved to another record.  Two keys are
derived from one secret (HKDF-SHA256); the first byte names the key's generation.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.codes.result import normalise
from core.errors import YiwangError

_GENERATION = b"\x01"
_NONCE = 12
BLIND = 16  # bytes of the hash that are kept
_encode = msgspec.json.Encoder().encode


class SealBroken(YiwangError):
    code = "seal_broken"
    message = "the encrypted fields of {record_id} cannot be opened"
    remedy = "check records_key in secrets.json against the one that the data was written with"
    zh = "{record_id} 的加密字段打不开"
    zh_remedy = "请核对 secrets.json 里的 records_key 是否为写入时所用的密钥"


class Seal:
    """Seals and opens the sensitive fields of records with one secret."""

    def __init__(self, secret: str) -> None:
        if len(secret) < 16:
            raise ValueError("the records key is too short")
        self._aead = AESGCM(_derive(secret, b"yiwang records seal"))
        self._blind = _derive(secret, b"yiwang records blind index")

    def seal(self, record_id: str, values: Mapping[str, Any]) -> bytes:
        """``values`` (JSON) encrypted for ``record_id``."""
        text = _encode(values)
        nonce = os.urandom(_NONCE)
        return _GENERATION + nonce + self._aead.encrypt(nonce, text, record_id.encode())

    def open(self, record_id: str, sealed: bytes | None) -> dict[str, Any]:
        """The values again; empty for None.  :class:`SealBroken` when key, record or bytes are not the same."""
        if not sealed:
            return {}
        try:
            text = self._aead.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], record_id.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken(record_id=record_id) from error
        found: dict[str, Any] = msgspec.json.decode(text)
        return found

    def blind(self, kind: str, value: str) -> bytes:
        """The keyed hash (BLAKE2b) of a value of ``kind`` (a field type): equal values, equal hashes."""
        return hashlib.blake2b(f"{kind}\0{value}".encode(), digest_size=BLIND, key=self._blind).digest()


def comparable_number(kind: str, value: str) -> str:
    """A number as it is hashed: without blanks and signs; a telephone without country code."""
    plain = value.isascii() and value.isalnum()
    if kind != "phone":
        return value.upper() if plain else normalise(value)
    if plain and value.isdigit() and len(value) == 11:
        return value
    text = normalise(value)
    digits = "".join(c for c in text if c in "0123456789")
    return digits[2:] if len(digits) == 13 and digits.startswith("861") else digits


def _derive(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
