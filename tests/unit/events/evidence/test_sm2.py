"""The SM2/SM3 signature beside Ed25519: right with OpenSSL both ways, and any changed bit is found."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli import main
from app.commands.evidence import _sign_sm2
from app.commands.verify import _is_signed_sm2
from core.errors import InputInvalid
from events.evidence.anchor import Anchorer
from events.evidence.anchor_check import check_anchors
from events.evidence.signatures import EvidenceSeal, open_seal
from events.evidence.sm2 import ID, Sm2Key, is_signed_sm2, open_sm2_key
from storage.session import make_engine
from tests.databases import create_all
from tests.unit.events.casework import Town

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


class Log:
    """Anchors of a town, three lines signed with Ed25519 alone and three with both."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.town = Town(make_engine(f"sqlite:///{self.data / 'yiwang.db'}"))
        self.file, self.seal = self.data / "audit/heads.jsonl", open_seal(self.data / "keys")
        self.work(3, None)
        self.key = open_sm2_key(self.data / "keys")
        self.work(3, self.key)

    def work(self, lines: int, second: Sm2Key | None, seal: EvidenceSeal | None = None) -> None:
        for _ in range(lines):
            self.town.open()
            Anchorer(self.town.engine, self.town.clock, self.file, seal or self.seal, second=second).run_once()

    def flaws(self) -> list[str]:
        return [flaw.detail for flaw in check_anchors(self.file, self.seal.public_pem, self.key.public_pem)[1]]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setenv("YIWANG_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("YIWANG_NATS_PORT", "9")  # nobody there
    create_all(make_engine(f"sqlite:///{tmp_path / 'data' / 'yiwang.db'}"))
    return Log(tmp_path)


def test_anchors_bear_a_second_signature(log: Log, tmp_path: Path) -> None:
    bodies = [json.loads(line) for line in log.file.read_bytes().splitlines()]
    assert [("sm2" in body, "sm2_key" in body) for body in bodies] == [(False, False)] * 3 + [(True, True)] * 3
    assert log.flaws() == [] and main(["verify", "--log"]) == 0
    other = tmp_path / "other.pem"
    other.write_bytes(KEY.public_pem)
    assert main(["verify", "--log", "--sm2", str(other)]) == 1  # another signer


def test_a_second_signature_cannot_be_taken_off_or_left_out(log: Log) -> None:
    whole = log.file.read_bytes().splitlines()
    last = json.loads(whole[-1])
    del last["sm2"]
    log.file.write_bytes(b"\n".join([*whole[:-1], json.dumps(last, sort_keys=True, separators=(",", ":")).encode()]))
    assert "its SM2 signature was taken off" in log.flaws()
    log.file.write_bytes(b"\n".join(whole) + b"\n")
    log.work(1, None)  # whoever has the first key alone
    assert log.flaws() == ["is not signed with SM2, as lines before it are"]
    log.file.write_bytes(b"\n".join(whole) + b"\n")
    with make_engine(f"sqlite:///{log.data / 'yiwang.db'}").begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit_anchor WHERE n > 6")
    log.work(1, KEY)  # … or makes a second key of his own
    assert log.flaws() == ["its SM2 signature does not fit"]
