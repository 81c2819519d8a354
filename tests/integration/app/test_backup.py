"""Everything in one file and back again: running, encrypted, damaged, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import func, select

from app.backup.restore import restore
from app.cli import main
from core.clock import SystemClock
from core.media import MediaStore
from events.evidence.anchor import Anchorer
from events.evidence.signatures import open_seal
from storage.migrate import migrate
from storage.session import make_engine, read_scope
from storage.tables.cases import AuditEntry, Case
from tests.disks import small_disk
from tests.unit.events.casework import Town, photo


class Installation:
    """A data folder with cases, evidence, anchors, keys, models and settings; every secret of it."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.data = folder / "data"
        self.url = url or f"sqlite:///{self.data / 'yiwang.db'}"
        self.data.mkdir(parents=True)
        migrate(self.url)
        self.engine = make_engine(self.url)
        self.town = Town(self.engine)
        media = MediaStore(str(self.data / "media"))
        ref = media.put(b"a picture" * 5000, kind="photo", media_type="image/jpeg", taken_at=SystemClock().now())
        case = self.town.open()
        self.town.do(
            case.case_id,
            "attach",
            "operator",
            evidence=[photo() | {"uri": ref.uri, "sha256": ref.sha256, "size_bytes": ref.size_bytes}],
        )
        self.seal = open_seal(self.data / "keys")
        self.anchor()
        for name in ("models/own.onnx", "sources/a.yaml", "definitions/x.json", "city/roads.geojson", "notify.json"):
            path = self.data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode() * 100)
        for name in ("logs/web.log", "nats/store/x.blk", "lock"):
            path = self.data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("left out")

    def anchor(self) -> None:
        Anchorer(self.engine, self.town.clock, self.data / "audit/heads.jsonl", self.seal).run_once()

    def cases(self) -> int:
        with read_scope(self.engine) as session:
            return session.scalar(select(func.count()).select_from(Case)) or 0


Use = Callable[..., None]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    def point(data: Path, url: str = "") -> None:
        monkeypatch.setenv("YIWANG_DATA_DIR", str(data))
        monkeypatch.setenv("YIWANG_NATS_PORT", "9")
        monkeypatch.delenv("YIWANG_DATABASE_URL", raising=False)
        if url:
            monkeypatch.setenv("YIWANG_DATABASE_URL", url)

    return point


@pytest.fixture
def house(tmp_path: Path, use: Use) -> Installation:
    house = Installation(tmp_path / "old")
    use(house.data)
    return house


def check(house: Installation, new: Path, use: Use, url: str = "") -> None:
    """The restored folder stands on its own: rows, files, keys, anchors, and the whole audit log."""
    for name in ("models/own.onnx", "sources/a.yaml", "city/roads.geojson", "notify.json", "keys/evidence_ed25519.pem"):
        assert (new / name).read_bytes() == (house.data / name).read_bytes(), name
    assert not any(
        (new / name).exists() for name in ("logs", "nats", "lock", "backup.json", "manifest.jsonl", "postgres")
    )
    for path in new.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    use(new, url)
    assert main(["verify", "--log", "--media"]) == 0
    engine = make_engine(url or f"sqlite:///{new / 'yiwang.db'}")
    with read_scope(engine) as session:
        assert session.scalar(select(func.count()).select_from(Case)) == house.cases()
        assert session.scalar(select(func.count()).select_from(AuditEntry))
    engine.dispose()


def test_everything_comes_back(
    house: Installation, tmp_path: Path, use: Use, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "b.yw"
    assert main(["backup", str(file)]) == 0
    assert "NOT encrypted" in capsys.readouterr().err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert main(["backup", str(file)]) == 2  # never over another one
    assert main(["restore", str(file), "--into", str(tmp_path / "new")]) == 0
    check(house, tmp_path / "new", use)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.yw", "new", "old"]


def test_for_a_recipient(house: Installation, tmp_path: Path, use: Use, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "--new-key", str(tmp_path / "key")]) == 0
    public = capsys.readouterr().out.strip()
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    file = tmp_path / "b.age"
    assert main(["backup", str(file), "--recipient", public]) == 0
    assert "NOT encrypted" not in capsys.readouterr().err
    assert b"YIWANG" not in file.read_bytes() and b"own.onnx" not in file.read_bytes()
    assert main(["restore", str(file), "--into", str(tmp_path / "x")]) == 2  # no key
    other = pyrage.x25519.Identity.generate()
    (tmp_path / "other").write_text(str(other))
    assert main(["restore", str(file), "--into", str(tmp_path / "x"), "--identity", str(tmp_path / "other")]) == 2
    assert not (tmp_path / "x").exists()
    assert main(["restore", str(file), "--into", str(tmp_path / "new"), "--identity", str(tmp_path / "key")]) == 0
    check(house, tmp_path / "new", use)


@pytest.mark.slow
def test_with_a_passphrase(house: Installation, tmp_path: Path, use: Use) -> None:
    (tmp_path / "phrase").write_text("a long phrase of four words\n")
    (tmp_path / "wrong").write_text("another long phrase entirely\n")
    (tmp_path / "short").write_text("abc\n")
    file, new = tmp_path / "b.yw", tmp_path / "new"
    assert main(["backup", str(file), "--passphrase-file", str(tmp_path / "short")]) == 2
    assert main(["backup", str(file), "--passphrase-file", str(tmp_path / "phrase")]) == 0
    for given in ([], ["--passphrase-file", str(tmp_path / "wrong")]):
        assert main(["restore", str(file), "--into", str(new), *given]) == 2
    assert main(["restore", str(file), "--into", str(new), "--passphrase-file", str(tmp_path / "phrase")]) == 0
    check(house, new, use)


@pytest.mark.parametrize("sealed", [False, True])
def test_a_damaged_file_is_refused_and_leaves_nothing(
    house: Installation, tmp_path: Path, sealed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key"
    main(["backup", "--new-key", str(key)])
    public = capsys.readouterr().out.strip()
    file = tmp_path / "b"
    assert main(["backup", str(file), *(["--recipient", public] if sealed else [])]) == 0
    good = file.read_bytes()
    chance = random.Random(4)  # noqa: S311
    bad = [good[:n] for n in (0, 10, 600, len(good) // 2, len(good) - 2000)]
    for _ in range(12):
        at = chance.randrange(len(good) - 1100)
        bad.append(good[:at] + bytes([good[at] ^ (1 << chance.randrange(8))]) + good[at + 1 :])
    broken = tmp_path / "broken"
    for number, data in enumerate(bad):
        broken.write_bytes(data)
        status = main(["restore", str(broken), "--into", str(tmp_path / "new"), "--identity", str(key)])
        assert status in ({2} if sealed or number < 5 else {0, 2}), number
        if status == 0:  # a bit of a tar header that says nothing (a time): what stands there is whole all the same
            subprocess.run(["rm", "-rf", str(tmp_path / "new")], check=True)
        assert not (tmp_path / "new").exists()
    assert not [p for p in tmp_path.iterdir() if "restoring" in p.name]
    for junk in (
        b"",
        b"hello" * 1000,
        b"age-encryption.org/v1\n" + os.urandom(500),
        b"YIWANG-BACKUP-PASSPHRASE/1\n{}\n",
    ):
        broken.write_bytes(junk)
        assert main(["restore", str(broken), "--into", str(tmp_path / "new"), "--identity", str(key)]) == 2


def test_a_folder_that_is_not_empty_is_refused(house: Installation, tmp_path: Path) -> None:
    file, new = tmp_path / "b", tmp_path / "new"
    assert main(["backup", str(file)]) == 0
    new.mkdir()
    (new / "mine").write_text("keep me")
    assert main(["restore", str(file), "--into", str(new)]) == 2
    assert [p.name for p in new.iterdir()] == ["mine"]
    (new / "mine").unlink()
    assert main(["restore", str(file), "--into", str(new)]) == 0  # empty is fine
    assert main(["restore", str(file), "--into", str(file)]) == 2
    assert main(["restore", str(tmp_path / "nothing"), "--into", str(tmp_path / "n2")]) == 2


def test_a_backup_of_a_running_installation_is_of_one_moment(house: Installation, tmp_path: Path, use: Use) -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            house.town.open()
            house.anchor()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(3):
            assert main(["backup", str(tmp_path / f"b{number}")]) == 0
    finally:
        stop.set()
        worker.join()
    for number in range(3):
        new = tmp_path / f"new{number}"
        restore(tmp_path / f"b{number}", new)
        use(new)
        assert main(["verify", "--log", "--media"]) == 0, number
        with sqlite3.connect(new / "yiwang.db") as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_anchor_that_the_copied_database_does_not_know_of_stays_behind(
    house: Installation, tmp_path: Path, use: Use
) -> None:
    house.town.open()
    house.anchor()
    heads = house.data / "audit" / "heads.jsonl"
    ahead = json.loads(heads.read_bytes().splitlines()[-1])
    with sqlite3.connect(house.data / "yiwang.db") as database:
        database.execute("DELETE FROM audit_anchor")  # as in the moment before the very first row is written
    ahead |= {"n": ahead["n"] + 1, "heads": [["system", 10_000, "0" * 64]]}
    with heads.open("ab") as file:
        file.write(json.dumps(ahead).encode() + b"\n")
    assert main(["backup", str(tmp_path / "b")]) == 0
    restore(tmp_path / "b", tmp_path / "new")
    kept = (tmp_path / "new/audit/heads.jsonl").read_bytes()
    assert kept.splitlines() == heads.read_bytes().splitlines()[:-1]
    use(tmp_path / "new")
    assert main(["verify", "--log", "--media"]) == 0


def test_secrets_from_the_environment_are_kept(
    house: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIWANG_SESSION_SECRET", "from-the-environment")
    monkeypatch.setenv("YIWANG_DISTRICT", "220105")
    assert main(["backup", str(tmp_path / "b")]) == 0
    restore(tmp_path / "b", tmp_path / "new")
    assert json.loads((tmp_path / "new/secrets.json").read_text())["session_secret"] == "from-the-environment"
    settings = (tmp_path / "new/settings.env").read_text()
    assert "YIWANG_DISTRICT=220105" in settings
    assert "from-the-environment" not in settings


def test_a_full_disk_leaves_no_half_backup(house: Installation, tmp_path: Path) -> None:
    (house.data / "models" / "large.onnx").write_bytes(os.urandom(3_000_000))
    with small_disk(tmp_path / "small", "2m") as disk:
        assert main(["backup", str(disk.path / "b")]) == 2
        assert list(disk.path.iterdir()) == []
    assert main(["backup", str(tmp_path / "b")]) == 0
    with small_disk(tmp_path / "small2", "2m") as disk:
        assert main(["restore", str(tmp_path / "b"), "--into", str(disk.path / "new")]) == 2
        assert list(disk.path.iterdir()) == []


@pytest.mark.postgres
def test_postgresql(postgres_server: str, postgres_url: str, tmp_path: Path, use: Use) -> None:
    import psycopg

    house = Installation(tmp_path / "old", postgres_url)
    use(house.data, postgres_url)
    file = tmp_path / "b"
    assert main(["backup", str(file)]) == 0
    use(tmp_path / "new")
    assert main(["restore", str(file), "--into", str(tmp_path / "new")]) == 2  # nowhere to put the rows
    use(tmp_path / "new", postgres_url)
    assert main(["restore", str(file), "--into", str(tmp_path / "new")]) == 2  # a database in use
    assert not (tmp_path / "new").exists()
    name = f"restored_{os.urandom(4).hex()}"
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    fresh = f"{postgres_server}/{name}"
    try:
        with psycopg.connect(fresh, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        use(tmp_path / "new", fresh)
        assert main(["restore", str(file), "--into", str(tmp_path / "new")]) == 0
        check(house, tmp_path / "new", use, fresh)
    finally:
        house.engine.dispose()
        with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
