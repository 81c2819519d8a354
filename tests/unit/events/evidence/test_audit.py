"""Chains, anchors and sealed packages: whatever is changed afterwards is found."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select, text, update
from sqlalchemy.orm import Session

from app.cli import main
from core.errors import InputInvalid, NotFound
from core.media import MediaStore
from events.evidence.anchor import Anchorer
from events.evidence.anchor_check import check_anchors
from events.evidence.audit_log import ChainFlaw, append, chain, check_chain, link_hash
from events.evidence.package import check_package, seal_to_bytes
from events.evidence.signatures import open_seal, read_public_key
from events.evidence.verify import check_log, check_media
from storage.session import read_scope, session_scope
from storage.tables.cases import AuditEntry, Case, CaseEvidence, CaseTransition
from tests.unit.events.casework import Town, actor


@pytest.fixture
def town(engine: Engine) -> Town:
    return Town(engine)


def flaws_of(engine: Engine, heads: Any = None) -> list[ChainFlaw]:
    return [f for f in check_log(engine, heads or {}) if isinstance(f, ChainFlaw)]


def test_the_hash_is_what_the_documentation_says() -> None:
    body = '{"action":"x","actor_id":"a","at":"2026-01-01T00:00:00.000000+00:00",'
    body += '"body":{"text":"水"},"chain_id":"c","seq":1}'
    expected = hashlib.sha256(("0" * 64 + body).encode()).hexdigest()
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert link_hash("0" * 64, "c", 1, at, "a", "x", {"text": "水"}) == expected


@pytest.mark.parametrize("column", ["actor_id", "action", "body", "at", "hash", "prev_hash"])
def test_a_changed_link_is_found(town: Town, column: str) -> None:
    case = town.open()
    town.close(case.case_id)
    assert flaws_of(town.engine) == []
    value: Any = {"body": {}, "at": datetime(2020, 1, 1, tzinfo=UTC)}.get(
        column, "f" * 64 if "hash" in column else "eve"
    )
    with session_scope(town.engine) as session:
        session.execute(
            update(AuditEntry).where(AuditEntry.chain_id == case.case_id, AuditEntry.seq == 3).values({column: value})
        )
    assert flaws_of(town.engine)


def test_a_changed_or_removed_transition_is_found(town: Town) -> None:
    case = town.open()
    with session_scope(town.engine) as session:
        session.execute(update(CaseTransition).where(CaseTransition.seq == 3).values(actor_id="somebody"))
    assert "changed" in flaws_of(town.engine)[0].detail
    with session_scope(town.engine) as session:
        session.execute(delete(CaseTransition).where(CaseTransition.seq == 3))
    assert "gone" in flaws_of(town.engine)[0].detail
    assert case.version == 3


def test_a_chain_rewritten_to_its_end_is_found_by_its_anchor(town: Town, tmp_path: Path) -> None:
    seal = open_seal(tmp_path / "keys")
    file = tmp_path / "audit" / "heads.jsonl"
    anchorer = Anchorer(town.engine, town.clock, file, seal)
    first, second = town.open(), town.open()
    assert anchorer.run_once() == 2
    assert anchorer.run_once() == 0
    town.do(first.case_id, "accept", "fire")
    assert (
        Anchorer(town.engine, town.clock, file, seal).run_once() >= 1
    )  # a new process goes on where the old one ended
    heads, wrong, lines = check_anchors(file, seal.public_pem)
    assert not wrong and lines == 2 and flaws_of(town.engine, heads) == []
    with session_scope(town.engine) as session:  # a thief with the database rewrites the last links, hashes and all
        links = session.scalars(select(AuditEntry).where(AuditEntry.chain_id == first.case_id).order_by(AuditEntry.seq))
        prev = "0" * 64
        for link in links:
            link.actor_id = "innocent" if link.seq == 4 else link.actor_id
            link.prev_hash = prev
            link.hash = prev = link_hash(prev, link.chain_id, link.seq, link.at, link.actor_id, link.action, link.body)
        session.execute(
            update(CaseTransition)
            .where(CaseTransition.case_id == first.case_id, CaseTransition.seq == 4)
            .values(actor_id="innocent")
        )
    assert flaws_of(town.engine) == []  # the chain alone looks sound
    assert [f.detail for f in flaws_of(town.engine, heads)] == ["the chain was rewritten: it differs from its anchor"]
    with session_scope(town.engine) as session:
        session.execute(delete(CaseTransition).where(CaseTransition.case_id == second.case_id))
        session.execute(delete(AuditEntry).where(AuditEntry.chain_id == second.case_id))
    assert any("chain is gone" in f.detail for f in flaws_of(town.engine, heads))


def test_a_changed_anchor_file_is_found(town: Town, tmp_path: Path) -> None:
    seal = open_seal(tmp_path / "keys")
    file = tmp_path / "heads.jsonl"
    for _ in range(3):
        town.open()
        Anchorer(town.engine, town.clock, file, seal).run_once()
        town.clock.advance(7200)
    good = file.read_bytes()
    assert len(good.splitlines()) == 3
    rng = np.random.default_rng(3)
    for at in rng.integers(0, len(good), 150).tolist():
        bad = bytearray(good)
        bad[at] ^= 1 << int(rng.integers(0, 8))
        file.write_bytes(bytes(bad))
        assert check_anchors(file, seal.public_pem)[1], (at, good[at : at + 1])
    lines = good.splitlines(keepends=True)
    file.write_bytes(lines[0] + lines[2])  # a line left out
    assert check_anchors(file, seal.public_pem)[1]


def test_a_torn_last_line_is_survived(town: Town, tmp_path: Path) -> None:
    seal = open_seal(tmp_path / "keys")
    file = tmp_path / "heads.jsonl"
    town.open()
    Anchorer(town.engine, town.clock, file, seal).run_once()
    with file.open("ab") as stream:
        stream.write(b'{"n": 2, "at": "20')  # the power went
    town.open()
    assert Anchorer(town.engine, town.clock, file, seal).run_once() >= 1
    heads, wrong, lines = check_anchors(file, seal.public_pem)
    assert (len(heads), wrong, lines) == (2, [], 2)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, bytes]]:
    """A sealed package of a closed case with a photograph, and the public key."""
    from storage.session import make_engine
    from tests.databases import create_all

    folder = tmp_path_factory.mktemp("sealed")
    engine = make_engine(f"sqlite:///{folder / 'test.db'}")
    create_all(engine)
    town = Town(engine)
    media = MediaStore(str(folder / "media"))
    ref = media.put(b"\xff\xd8 a picture", kind="photo", media_type="image/jpeg", taken_at=town.clock.now())
    case = town.open(evidence=(ref,))
    seal = open_seal(folder / "keys")
    data = seal_to_bytes(engine, town.clock, media, seal, actor("operator"), case.case_id, "court asks")
    file = folder / "package.zip"
    file.write_bytes(data)
    yield file, seal.public_pem
    engine.dispose()


def test_a_good_package_is_good(sealed: tuple[Path, bytes]) -> None:
    checked = check_package(*sealed)
    assert checked.flaws == () and checked.key_trusted and checked.links == 4
    with zipfile.ZipFile(sealed[0]) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        case = json.loads(archive.read("case.json"))
    assert any(n.startswith("evidence/") for n in names)
    assert case["transitions"][0]["command"] == "report"


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_bit_of_a_package_is_found(sealed: tuple[Path, bytes], tmp_path: Path, data: st.DataObject) -> None:
    good = sealed[0].read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    bit = data.draw(st.integers(0, 7))
    bad = bytearray(good)
    bad[at] ^= 1 << bit
    file = tmp_path / "bad.zip"
    file.write_bytes(bytes(bad))
    assert check_package(file, sealed[1]).flaws


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_flipped_byte_of_a_package_is_found(sealed: tuple[Path, bytes], tmp_path: Path) -> None:
    good = sealed[0].read_bytes()
    file = tmp_path / "bad.zip"
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 0xFF
        file.write_bytes(bytes(bad))
        assert check_package(file).flaws, at


def test_cut_lengthened_and_resealed_packages_are_found(sealed: tuple[Path, bytes], tmp_path: Path) -> None:
    good = sealed[0].read_bytes()
    file = tmp_path / "bad.zip"
    for bad in (good[:-1], good[: len(good) // 2], b"", good + b"\0", b"\0" + good):
        file.write_bytes(bad)
        assert check_package(file).flaws, len(bad)
    thief = open_seal(tmp_path / "thief")
    assert check_package(sealed[0], thief.public_pem).flaws  # signed, but not by the key one trusts


def test_the_commands(sealed: tuple[Path, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(sealed[1])
    assert main(["verify", str(sealed[0]), "--key", str(key)]) == 0
    bad = tmp_path / "bad.zip"
    raw = bytearray(sealed[0].read_bytes())
    raw[len(raw) // 3] ^= 4
    bad.write_bytes(bytes(raw))
    assert main(["verify", str(bad), "--json"]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["ok"] is False
    assert main(["verify"]) == 2
    assert main(["verify", str(tmp_path / "nowhere.zip")]) == 2


def test_the_log_command(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YIWANG_DATA_DIR", str(tmp_path / "data"))
    town.open()
    Anchorer(town.engine, town.clock, tmp_path / "data/audit/heads.jsonl", open_seal(tmp_path / "data/keys")).run_once()
    url = str(town.engine.url)
    assert main(["verify", "--log", "--database", url]) == 0
    with session_scope(town.engine) as session:
        session.execute(update(AuditEntry).where(AuditEntry.seq == 2).values(actor_id="eve"))
    assert main(["verify", "--log", "--database", url]) == 1
    assert "CHANGED" in capsys.readouterr().out


def test_sealing_says_what_is_missing_and_is_itself_logged(town: Town, tmp_path: Path) -> None:
    media = MediaStore(str(tmp_path / "media"))
    case = town.open()
    town.finish(case.case_id)  # its photograph is not in this store
    seal = open_seal(tmp_path / "keys")
    file = tmp_path / "p.zip"
    file.write_bytes(seal_to_bytes(town.engine, town.clock, media, seal, actor("operator"), case.case_id, "audit"))
    checked = check_package(file, seal.public_pem)
    assert checked.flaws == () and len(checked.absent) == 1
    with read_scope(town.engine) as session:
        assert chain(session, case.case_id)[-1].action == "export"
        assert session.scalar(select(CaseEvidence.sha256)) is not None
    with pytest.raises(NotFound):
        seal_to_bytes(town.engine, town.clock, media, seal, actor("water"), case.case_id, "curious")


def test_keys(tmp_path: Path) -> None:
    one, two = open_seal(tmp_path), open_seal(tmp_path)
    assert one.fingerprint == two.fingerprint
    assert (tmp_path / "evidence_ed25519.pem").stat().st_mode & 0o077 == 0
    with pytest.raises(InputInvalid):
        read_public_key(b"rubbish")
    assert list(check_chain([])) == []


@pytest.mark.parametrize(
    ("column", "value"), [("state", "closed"), ("title", "nothing"), ("department_id", "water"), ("version", 9)]
)
def test_a_changed_case_row_is_found(town: Town, column: str, value: object) -> None:
    case = town.open()
    town.do(case.case_id, "accept", "fire")
    assert flaws_of(town.engine) == []
    with session_scope(town.engine) as session:
        session.execute(update(Case).values({column: value}))
    assert column in flaws_of(town.engine)[0].detail


def test_a_row_that_cannot_be_read_and_a_case_without_chain_are_flaws(town: Town) -> None:
    case = town.open()
    with session_scope(town.engine) as session:
        session.execute(text("UPDATE audit_entry SET body = '{broken' WHERE seq = 2"))
    assert "cannot be read" in flaws_of(town.engine)[0].detail
    with session_scope(town.engine) as session:
        session.execute(delete(AuditEntry))
    assert [(f.chain_id, f.detail) for f in flaws_of(town.engine)] == [(case.case_id, "the case has no chain")]


def test_changed_and_missing_evidence_files_are_found(town: Town, tmp_path: Path) -> None:
    media = MediaStore(str(tmp_path / "media"))
    refs = [media.put(d, kind="photo", media_type="image/jpeg", taken_at=town.clock.now()) for d in (b"one", b"two")]
    town.open(evidence=tuple(refs))
    assert list(check_media(town.engine, media)) == [2]
    (tmp_path / "media" / refs[0].uri).write_bytes(b"eno")
    (tmp_path / "media" / refs[1].uri).unlink()
    details = sorted(f.detail for f in check_media(town.engine, media) if isinstance(f, ChainFlaw))
    assert len(details) == 2 and details[0].endswith("is missing") != details[1].endswith("is missing")


def test_a_chain_goes_on_after_what_was_rolled_back(town: Town) -> None:
    case = town.open()

    def say(session: Session, text: str) -> None:
        append(session, case.case_id, town.clock.now(), "x", "note", {"text": text})

    with Session(town.engine) as session:  # one session, several transactions
        say(session, "kept")
        session.commit()
        say(session, "lost")
        session.rollback()
        say(session, "kept too")
        with session.begin_nested() as savepoint:
            say(session, "lost with its savepoint")
            savepoint.rollback()
        with session.begin_nested():
            say(session, "kept with its savepoint")
        say(session, "last")
        session.commit()
    with read_scope(town.engine) as session:
        entries = chain(session, case.case_id)
        assert [e.body["text"] for e in entries if e.action == "note"] == [
            "kept", "kept too", "kept with its savepoint", "last",
        ]  # fmt: skip
        assert list(check_chain(entries)) == []
