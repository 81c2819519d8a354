"""The SM2/SM3 signature beside Ed25519: right with OpenSSL both ways, and any changed bit is found."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.commands.evidence import _sign_sm2
from app.commands.verify import _is_signed_sm2
from core.errors import InputInvalid
from events.evidence.sm2 import ID, Sm2Key, is_signed_sm2, open_sm2_key

KEY = Sm2Key(bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"))
DATA = b'{"files":[]}'
SIGNED = KEY.sign(DATA)


def test_a_key_is_made_once_and_for_this_account_alone(tmp_path: Path) -> None:
    first, again = open_sm2_key(tmp_path / "keys"), open_sm2_key(tmp_path / "keys")
    assert first.private_pem == again.private_pem
    assert (tmp_path / "keys/evidence_sm2.pem").stat().st_mode & 0o777 == 0o600
    assert is_signed_sm2((tmp_path / "keys/evidence_sm2.pub.pem").read_bytes(), first.sign(DATA), DATA)


def test_openssl_checks_ours_and_we_check_openssls(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on this machine")
    for name, data in (("m", DATA), ("sig", SIGNED), ("pub", KEY.public_pem), ("key", KEY.private_pem)):
        (tmp_path / name).write_bytes(data)
    how = ["-in", "m", "-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{ID.decode()}"]
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pub", "-sigfile", "sig", *how]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    sign = ["openssl", "pkeyutl", "-sign", "-inkey", "key", "-out", "theirs", *how]
    subprocess.run(sign, cwd=tmp_path, capture_output=True, check=True)
    assert is_signed_sm2(KEY.public_pem, (tmp_path / "theirs").read_bytes(), DATA)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, len(DATA) * 8 - 1))
def test_any_changed_bit_of_the_data_is_found(bit: int) -> None:
    changed = bytearray(DATA)
    changed[bit // 8] ^= 1 << bit % 8
    assert not is_signed_sm2(KEY.public_pem, SIGNED, bytes(changed))


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=80))
def test_rubbish_is_no_signature(signature: bytes) -> None:
    assert not is_signed_sm2(KEY.public_pem, signature, DATA)


@pytest.mark.parametrize("pem", [b"", b"\xff", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_key_is_said(pem: bytes) -> None:
    with pytest.raises(InputInvalid):
        is_signed_sm2(pem, SIGNED, DATA)


def test_a_package_and_its_second_signature(tmp_path: Path) -> None:
    package = tmp_path / "case.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("manifest.json", DATA)
    assert not _is_signed_sm2(package, KEY.public_pem)  # there is none yet
    _sign_sm2(package, tmp_path / "keys")
    public = (tmp_path / "keys/evidence_sm2.pub.pem").read_bytes()
    assert _is_signed_sm2(package, public)
    assert not _is_signed_sm2(package, KEY.public_pem)  # another signer
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("manifest.json", DATA + b" ")
    assert not _is_signed_sm2(package, public)
