"""Passwords in the addresses of cameras at rest, in the database and on the bus: AES-SIV, bound to the camera's id.

Only addresses with something to hide are sealed (a password, or a query such as ``?usr=…&pwd=…``); the same address of
the same camera gives the same text, so that an import sees what changed.  Who opens a stream opens the seal.
"""

from __future__ import annotations

import base64
import logging
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.records import CameraConfig

log = logging.getLogger("yiwang.cameras")

MARK = "sealed:"


class CameraSeal:
    """Seals and opens addresses with the installation's ``records_key``."""

    def __init__(self, secret: str) -> None:
        if len(secret) < 16:
            raise ValueError("the records key is too short")
        key = HKDF(algorithm=SHA256(), length=64, salt=None, info=b"yiwang camera addresses").derive(secret.encode())
        self._cipher = AESSIV(key)

    def seal(self, camera_id: str, url: str) -> str:
        """``url`` as it is kept; an address without a secret, or sealed already, as it is."""
        if url.startswith(MARK) or not has_secret(url):
            return url
        sealed = self._cipher.encrypt(url.encode("utf-8", "surrogatepass"), [camera_id.encode()])
        return MARK + base64.urlsafe_b64encode(sealed).decode()

    def open(self, camera_id: str, kept: str) -> str:
        """The address again; what another key sealed stays as it is, and no stream opens with it (logged)."""
        if not kept.startswith(MARK):
            return kept
        try:
            sealed = base64.urlsafe_b64decode(kept[len(MARK) :].encode("ascii"))
            return self._cipher.decrypt(sealed, [camera_id.encode()]).decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError):
            log.warning("camera %s: its address was sealed with another key (records_key)", camera_id)
            return kept

    def opened(self, camera: CameraConfig) -> CameraConfig:
        """``camera`` with its addresses as they are opened."""
        url, sub_url = (self.open(camera.camera_id, kept) for kept in (camera.url, camera.sub_url))
        return msgspec.structs.replace(camera, url=url, sub_url=sub_url)


def has_secret(url: str) -> bool:
    """Whether a network address holds a password, or a query that may."""
    try:
        parts = urlsplit(url)
        return bool(parts.scheme and parts.netloc and (parts.password or parts.query))
    except ValueError:
        return "@" in url
