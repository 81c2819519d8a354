"""Ed25519 signatures: the key of this installation, signing, checking.

The private key lies in ``<data_dir>/keys/evidence_ed25519.pem`` (mode 600), made on first use; the public key beside it
is what a court, an auditor or a neighbour keeps to check packages and anchors with.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.errors import InputInvalid

_RAW = serialization.Encoding.Raw


class EvidenceSeal:
    """A private key that signs."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @property
    def public_pem(self) -> bytes:
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def fingerprint(self) -> str:
        return fingerprint(self._key.public_key())

    def sign(self, data: bytes) -> bytes:
        """The 64-byte signature of ``data``."""
        return self._key.sign(data)


def open_seal(folder: Path) -> EvidenceSeal:
    """The seal in ``folder``, made when there is none yet."""
    path = folder / "evidence_ed25519.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise InputInvalid(
            field=str(path), detail=str(error), how="restore the key from backup, or make the folder writable"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputInvalid(field=str(path), detail="is no Ed25519 key", how="restore the key from backup")
    return EvidenceSeal(key)


def _make(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    partial = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
        os.fsync(file.fileno())
    try:
        os.link(partial, path)  # fails when another process was quicker: its key stands
    except FileExistsError:
        return
    finally:
        partial.unlink()
    path.with_suffix(".pub.pem").write_bytes(EvidenceSeal(key).public_pem)


def read_public_key(pem: bytes) -> Ed25519PublicKey:
    """The public key in ``pem``; a typed error for anything else."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputInvalid(field="public key", detail=str(error), how="give an Ed25519 public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputInvalid(field="public key", detail="is no Ed25519 key", how="give an Ed25519 public key in PEM")
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the raw public key, hex."""
    return hashlib.sha256(key.public_bytes(_RAW, serialization.PublicFormat.Raw)).hexdigest()


def is_signed(key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    """Does ``signature`` fit ``data``?"""
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
