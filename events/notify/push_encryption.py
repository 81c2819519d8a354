"""Web Push: keys of the application server, encrypted messages, permitted endpoints.  No I/O but the key file.

RFC 8291 (message encryption), RFC 8188 (``aes128gcm``), RFC 8292 (VAPID).  Only the browser can read a message; the
push service sees its length, its urgency and when it was sent.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import os
import re
import secrets
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from core.errors import InputInvalid, SettingsError

KEY_FILE = "web_push_key.pem"
RECORD_BYTES = 4096  # all that a push service must take (RFC 8030, 7.2)
MAX_PLAIN = RECORD_BYTES - 86 - 16 - 1  # header, tag, delimiter
MAX_ENDPOINT = 1000
JWT_LIFE_S = 12 * 3600  # at most 24 h (RFC 8292, 2)
_CURVE = ec.SECP256R1()
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_EMBEDS_IPV4 = tuple(ipaddress.ip_network(n) for n in ("64:ff9b::/96", "2002::/16", "2001::/32"))


def base64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(field: str, text: str) -> bytes:
    """The bytes of ``text``, padded or not; :class:`InputInvalid` names ``field``."""
    try:
        if not _BASE64URL.fullmatch(text):
            raise ValueError("not base64url")
        bare = text.rstrip("=")
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except ValueError as error:
        raise InputInvalid(field=field, detail="is no base64url", how="send what the browser gives") from error


def browser_key(text: str) -> ec.EllipticCurvePublicKey:
    """A subscription's ``p256dh``: an uncompressed point of P-256."""
    data = from_base64url("keys.p256dh", text)
    try:
        if len(data) != 65:
            raise ValueError("65 bytes are wanted")
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, data)
    except ValueError as error:
        raise InputInvalid(field="keys.p256dh", detail=str(error), how="send what the browser gives") from error


def browser_secret(text: str) -> bytes:
    """A subscription's ``auth``: 16 bytes."""
    data = from_base64url("keys.auth", text)
    if len(data) != 16:
        raise InputInvalid(field="keys.auth", detail="is not 16 bytes long", how="send what the browser gives")
    return data


def server_key(data_dir: Path) -> ec.EllipticCurvePrivateKey:
    """The installation's VAPID key, made at the first call and kept in ``web_push_key.pem`` (mode 600).

    Browsers bind subscriptions to it: with another key every phone has to subscribe anew.
    """
    path = data_dir / KEY_FILE
    try:
        if not path.exists():
            _make_key(path)
        key = load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("holds no P-256 key")
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            field=str(path), detail=str(error), how="make it readable, or delete it (every phone must opt in again)"
        ) from error
    return key


def _make_key(path: Path) -> None:
    """Write a new key; whoever of two processes comes second keeps the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = ec.generate_private_key(_CURVE).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    partial = path.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(partial, path)
        except FileExistsError:
            return
    finally:
        partial.unlink()


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key as 65 bytes: ``applicationServerKey`` of the browser's ``subscribe``."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encrypt(
    plain: bytes,
    receiver: ec.EllipticCurvePublicKey,
    auth: bytes,
    *,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """``plain`` as one ``aes128gcm`` record for ``receiver``; ``sender`` and ``salt`` are new for each message."""
    if len(plain) > MAX_PLAIN:
        raise InputInvalid(field="message", detail=f"is longer than {MAX_PLAIN} bytes", how="shorten it")
    sender = sender or ec.generate_private_key(_CURVE)
    salt = salt or secrets.token_bytes(16)
    sender_public = public_bytes(sender)
    receiver_public = receiver.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = sender.exchange(ec.ECDH(), receiver)
    secret = _hkdf(auth, b"WebPush: info\x00" + receiver_public + sender_public, 32, shared)
    key = _hkdf(salt, b"Content-Encoding: aes128gcm\x00", 16, secret)
    nonce = _hkdf(salt, b"Content-Encoding: nonce\x00", 12, secret)
    head = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(sender_public)]) + sender_public
    return head + AESGCM(key).encrypt(nonce, plain + b"\x02", None)


def _hkdf(salt: bytes, info: bytes, length: int, secret: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def authorization(key: ec.EllipticCurvePrivateKey, endpoint: str, contact: str, now: float) -> str:
    """The ``Authorization`` header for ``endpoint`` at ``now`` (unix s): who sends, signed with ES256."""
    parts = urlsplit(endpoint)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(now) + JWT_LIFE_S, "sub": contact}
    head = {"typ": "JWT", "alg": "ES256"}
    signed = ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (head, claims))
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    token = f"{signed}.{base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    return f"vapid t={token}, k={base64url(public_bytes(key))}"


def subscription_id(endpoint: str) -> str:
    """SHA-256 of the endpoint, hex: the browser can compute it too."""
    return hashlib.sha256(endpoint.encode()).hexdigest()


def check_endpoint(endpoint: str, allow_private: bool = False) -> tuple[str, int]:
    """Host and port of ``endpoint``; :class:`InputInvalid` for what no push service looks like.

    https only, port 443, no user part, and no literal address or name of this machine or a private network.
    ``allow_private`` (a push service of one's own) lifts the last two but not https.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = (parts.hostname or "").rstrip("."), parts.port or 443
    except ValueError as error:
        raise _refused("is no address") from error
    if parts.scheme != "https" or not host or len(endpoint) > MAX_ENDPOINT or not endpoint.isascii():
        raise _refused("is no https address, or too long")
    if any(ord(c) <= 32 or ord(c) == 127 for c in endpoint) or "@" in parts.netloc or parts.fragment:
        raise _refused("holds blanks, a user or a fragment")
    if len(host) > 253 or not all(0 < len(label) <= 63 for label in host.split(".")):
        raise _refused("has an impossible host name")
    if not allow_private:
        if port != 443:
            raise _refused("has another port than 443")
        literal = _literal(host)
        local = "." not in host or host.endswith((".localhost", ".local", ".internal", ".lan", ".home.arpa"))
        if (literal is not None and not is_public(literal)) or (literal is None and local):
            raise _refused("lies in a private network")
    return host, port


def resolve(host: str, port: int, allow_private: bool = False) -> list[str]:
    """Addresses of ``host``; :class:`InputInvalid` when any is private, so that no name leads inside.

    Connect to one of these, never to the name again: the name may mean something else a moment later.
    """
    found = list(dict.fromkeys(str(i[4][0]) for i in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    if not allow_private and not all(is_public(a) for a in found):
        raise _refused("leads into a private network")
    return found


def is_public(address: str) -> bool:
    """Whether ``address`` is one of the open Internet; forms that carry an IPv4 address inside are not."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif any(ip in network for network in _EMBEDS_IPV4):
            return False
    return ip.is_global and not ip.is_multicast


def _literal(host: str) -> str | None:
    """``host`` as an address, when it is one; also forms like ``127.1`` and ``0x7f000001`` that resolvers take."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def _refused(detail: str) -> InputInvalid:
    how = "send the https address that the browser gives (a push service of one's own: allow_private in notify.json)"
    return InputInvalid(field="endpoint", detail=detail, how=how)


def payload(values: dict[str, Any]) -> bytes:
    """``values`` as JSON that fits into one record; a long ``body`` is cut."""
    data = json.dumps(values, ensure_ascii=False).encode()
    while len(data) > MAX_PLAIN and values.get("body"):
        over = len(data) - MAX_PLAIN
        values = values | {"body": values["body"][: max(0, len(values["body"]) - max(1, over // 4))]}
        data = json.dumps(values, ensure_ascii=False).encode()
    return data
