"""SM2 with SM3 (GB/T 32918.2, GB/T 32905) beside Ed25519: a second signature of an evidence package, as an option.

Signed are the bytes of the package's ``manifest.json``, which names every file by its hash; the signature is DER, the
keys are PEM (SPKI, PKCS #8), the signer's id is the usual ``1234567812345678`` (GB/T 35276), so that OpenSSL 3 and
Chinese tools check it without us::

    unzip -p FILE manifest.json > m
    openssl pkeyutl -verify -pubin -inkey evidence_sm2.pub.pem -in m -rawin -digest sm3 -sigfile FILE.sm2 \\
        -pkeyopt distid:1234567812345678

The library is pure Python and not certified; its operations do not take the same time for every key: sign where
nobody measures.
"""

from __future__ import annotations

import base64
import os
import textwrap
from pathlib import Path

import gmalg
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from core.errors import InputInvalid

ID = b"1234567812345678"
_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_PKCS8 = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_PUBLIC = bytes.fromhex("a144034200")


class Sm2Key:
    """A private key that signs."""

    def __init__(self, secret: bytes) -> None:
        self._sm2 = gmalg.SM2(secret, ID)
        self._secret = secret
        self._point: bytes = gmalg.SM2().generate_pk(secret)

    @property
    def public_pem(self) -> bytes:
        return _pem("PUBLIC KEY", _SPKI + self._point)

    @property
    def private_pem(self) -> bytes:
        return _pem("PRIVATE KEY", _PKCS8 + self._secret + _PUBLIC + self._point)

    def sign(self, data: bytes) -> bytes:
        """The signature of ``data`` (DER)."""
        r, s = self._sm2.sign(data)
        return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def open_sm2_key(folder: Path) -> Sm2Key:
    """The key ``evidence_sm2.pem`` (mode 600) in ``folder``, made when there is none yet."""
    path = folder / "evidence_sm2.pem"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        secret = b""
        while len(secret) != 32:  # the library leaves leading zeros out: such a key is not taken
            secret, _ = gmalg.SM2().generate_keypair()
        key = Sm2Key(secret)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.private_pem)
        path.with_suffix(".pub.pem").write_bytes(key.public_pem)
    body = _body(path.read_bytes(), str(path))
    if not body.startswith(_PKCS8) or len(body) != len(_PKCS8) + 32 + len(_PUBLIC) + 65:
        raise InputInvalid(field=str(path), detail="is no SM2 key", how="restore the key from backup")
    return Sm2Key(body[len(_PKCS8) : len(_PKCS8) + 32])


def is_signed_sm2(public_pem: bytes, signature: bytes, data: bytes) -> bool:
    """Does ``signature`` (DER) fit ``data``?  ``InputInvalid`` when the key is none."""
    body = _body(public_pem, "public key")
    if not body.startswith(_SPKI) or len(body) != len(_SPKI) + 65:
        raise InputInvalid(field="public key", detail="is no SM2 key", how="give an SM2 public key in PEM")
    try:
        r, s = decode_dss_signature(signature)
        checker = gmalg.SM2(None, ID, body[len(_SPKI) :])
        return bool(checker.verify(data, r.to_bytes(32, "big"), s.to_bytes(32, "big")))
    except (ValueError, OverflowError, TypeError, gmalg.errors.GMError):
        return False


def _pem(kind: str, body: bytes) -> bytes:
    lines = textwrap.wrap(base64.b64encode(body).decode(), 64)
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""]).encode()


def _body(pem: bytes, field: str) -> bytes:
    try:
        lines = [line for line in pem.decode("ascii").splitlines() if line and not line.startswith("-----")]
        return base64.b64decode("".join(lines), validate=True)
    except ValueError as error:
        raise InputInvalid(field=field, detail=str(error), how="give a PEM file") from error
