"""Web Push: the RFC's example, what a phone can decrypt, who signed, which endpoints may be called."""

from __future__ import annotations

import base64
import json
import os
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputInvalid, SettingsError
from events.notify import push_encryption
from events.notify.push_encryption import base64url, from_base64url

CURVE = ec.SECP256R1()


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(from_base64url("key", text), "big"), CURVE)


def decrypt(body: bytes, receiver: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """What the browser does (RFC 8291, 3.4; RFC 8188, 2), written without the code under test."""
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    sender, sealed = body[21 : 21 + length], body[21 + length :]
    assert len(body) <= size
    shared = receiver.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))
    info = b"WebPush: info\0" + push_encryption.public_bytes(receiver) + sender
    secret = HKDF(hashes.SHA256(), 32, auth, info).derive(shared)
    key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
    nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
    plain = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
    assert plain[-1] == 2
    return plain[:-1]


def test_the_example_of_rfc_8291_appendix_a() -> None:
    sender = private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    receiver = private("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
    public = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    auth = push_encryption.browser_secret("BTBZMqHH6r4Tts7J_aSIgg")
    salt = from_base64url("salt", "DGv6ra1nlYgDCS1FRnbzlw")
    plain = b"When I grow up, I want to be a watermelon"
    assert base64url(push_encryption.public_bytes(receiver)) == public
    body = push_encryption.encrypt(plain, push_encryption.browser_key(public), auth, sender=sender, salt=salt)
    assert base64url(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3"
        "jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert decrypt(body, receiver, auth) == plain


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=push_encryption.MAX_PLAIN))
def test_what_is_encrypted_is_read_by_the_receiver_alone(plain: bytes) -> None:
    receiver, auth = ec.generate_private_key(CURVE), os.urandom(16)
    body = push_encryption.encrypt(plain, receiver.public_key(), auth)
    assert decrypt(body, receiver, auth) == plain
    assert body != push_encryption.encrypt(plain, receiver.public_key(), auth)


def test_a_message_never_exceeds_one_record() -> None:
    receiver = ec.generate_private_key(CURVE)
    full = push_encryption.encrypt(b"x" * push_encryption.MAX_PLAIN, receiver.public_key(), os.urandom(16))
    assert len(full) == push_encryption.RECORD_BYTES
    with pytest.raises(InputInvalid, match="longer"):
        push_encryption.encrypt(b"x" * (push_encryption.MAX_PLAIN + 1), receiver.public_key(), os.urandom(16))
    cut = push_encryption.payload({"title": "积水", "body": "水" * 5000})
    assert len(cut) <= push_encryption.MAX_PLAIN
    assert json.loads(cut)["body"].startswith("水" * 1000)


def test_the_signature_is_the_servers_and_names_the_push_service() -> None:
    key = ec.generate_private_key(CURVE)
    header = push_encryption.authorization(key, "https://push.example.org:8443/a/b?c", "mailto:a@b.cn", 1_000_000.7)
    scheme, _, rest = header.partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert scheme == "vapid"
    assert from_base64url("k", fields["k"]) == push_encryption.public_bytes(key)
    signed, _, signature = fields["t"].rpartition(".")
    head, claims = (json.loads(base64.urlsafe_b64decode(p + "=" * (-len(p) % 4))) for p in signed.split("."))
    assert head == {"typ": "JWT", "alg": "ES256"}
    assert (claims["aud"], claims["sub"]) == ("https://push.example.org:8443", "mailto:a@b.cn")
    assert 0 < claims["exp"] - 1_000_000 <= 86400
    raw = from_base64url("s", signature)
    assert len(raw) == 64
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key.public_key().verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))


def test_the_key_is_made_once_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    folder, found = tmp_path / "new", []
    threads = [threading.Thread(target=lambda: found.append(push_encryption.server_key(folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({push_encryption.public_bytes(key) for key in found}) == 1
    assert len(found) == 4
    assert stat.S_IMODE((folder / push_encryption.KEY_FILE).stat().st_mode) == 0o600
    assert [p.name for p in folder.iterdir()] == [push_encryption.KEY_FILE]
    (folder / push_encryption.KEY_FILE).write_text("nonsense")
    with pytest.raises(SettingsError, match=r"web_push_key\.pem"):
        push_encryption.server_key(folder)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.org/x", "https://push.example.org:8443/x", "https://127.0.0.1/x", "https://localhost/x",
        "https://10.1.2.3/x", "https://192.168.0.1/x", "https://169.254.169.254/latest", "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x", "https://[64:ff9b::a00:1]/x", "https://[fd00::1]/x", "https://127.1/x",
        "https://0x7f000001/x", "https://2130706433/x", "https://0.0.0.0/x", "https://224.0.0.1/x", "https://nats/x",
        "https://a.local/x", "https://user@push.example.org/x", "https://push.example.org/\r\nX: y", "https:///x",
        "file:///etc/passwd", "https://push.example.org/" + "x" * 1000, "https://push.example.org:99999/", "",
        "https://" + "a" * 64 + ".org/", "https://推送.example.org/", "https://127.0.0.1./x",
    ],
)  # fmt: skip
def test_endpoints_that_lead_inside_or_nowhere_are_refused(endpoint: str) -> None:
    with pytest.raises(InputInvalid, match="endpoint"):
        push_encryption.check_endpoint(endpoint)


def test_endpoints_of_push_services_are_taken() -> None:
    assert push_encryption.check_endpoint("https://fcm.googleapis.com/fcm/send/abc:def") == ("fcm.googleapis.com", 443)
    assert push_encryption.check_endpoint("https://127.0.0.1:9999/x", allow_private=True) == ("127.0.0.1", 9999)
    with pytest.raises(InputInvalid, match="https"):
        push_encryption.check_endpoint("http://127.0.0.1:9999/x", allow_private=True)


def test_a_name_that_leads_inside_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answers[:1])
    assert push_encryption.resolve("push.example.org", 443) == ["8.8.8.8"]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(InputInvalid, match="private"):
        push_encryption.resolve("push.example.org", 443)
    assert push_encryption.resolve("push.example.org", 443, allow_private=True) == ["8.8.8.8", "10.0.0.1"]


@pytest.mark.parametrize(
    "text", ["", "A", "****", base64url(b"\x04" + b"\x01" * 64), base64url(b"\x02" + b"\x01" * 32)]
)
def test_keys_that_no_browser_gives_are_refused(text: str) -> None:
    with pytest.raises(InputInvalid, match="p256dh"):
        push_encryption.browser_key(text)
    with pytest.raises(InputInvalid, match="auth"):
        push_encryption.browser_secret(text)
