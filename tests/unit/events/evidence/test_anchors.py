"""The anchored heads in three places: what is cut, rewritten or forged is found, and is never signed."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, text, update

from app.cli import main
from core.bus import connect
from core.clock import SystemClock
from core.media import MediaStore
from core.settings import Settings
from events.evidence.anchor import Anchorer, AnchorsDisagree
from events.evidence.anchor_store import BusAnchors, DatabaseAnchors
from events.evidence.audit_log import ChainFlaw, link_hash
from events.evidence.package import check_package, seal_case
from events.evidence.signatures import open_seal
from events.evidence.sweep import ORPHAN_AGE, expire, sweep_orphans, sweep_partials
from events.evidence.verify import check_log, check_media
from events.runtime.night_watch import until_night
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import AuditEntry, Case, CaseEvidence
from tests.databases import create_all
from tests.unit.events.casework import Town, actor, photo


class House:
    """An installation on a folder: a town, an anchorer, the command line."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data = folder / "data"
        monkeypatch.setenv("YIWANG_DATA_DIR", str(self.data))
        monkeypatch.setenv("YIWANG_NATS_PORT", "9")  # nobody there
        self.engine = make_engine(f"sqlite:///{self.data / 'yiwang.db'}")
        create_all(self.engine)
        self.town = Town(self.engine)
        self.file = self.data / "audit" / "heads.jsonl"
        self.seal = open_seal(self.data / "keys")
        self.told: list[str] = []

    def anchorer(self) -> Anchorer:
        return Anchorer(
            self.engine, self.town.clock, self.file, self.seal, None, lambda chain, _detail: self.told.append(chain)
        )

    def work(self, rounds: int = 1) -> list[str]:
        """Cases closed and anchored, one line a round."""
        cases = []
        for _ in range(rounds):
            case = self.town.open()
            self.town.close(case.case_id)
            cases.append(case.case_id)
            self.anchorer().run_once()
        return cases

    def verify(self, *more: str) -> int:
        return main(["verify", "--log", *more])


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(tmp_path, monkeypatch)


def rewrite(engine: Engine, case_id: str, keep: int = 99) -> None:
    """Forge a chain to its end, every hash right; links after ``keep`` are cut off."""
    with session_scope(engine) as session:
        session.execute(delete(AuditEntry).where(AuditEntry.chain_id == case_id, AuditEntry.seq > keep))
        prev = "0" * 64
        query = select(AuditEntry).where(AuditEntry.chain_id == case_id).order_by(AuditEntry.seq)
        for row in session.scalars(query):
            row.body = {**row.body, "comment": "forged"}
            row.prev_hash = prev
            row.hash = prev = link_hash(prev, case_id, row.seq, row.at, row.actor_id, row.action, row.body)


def test_exit_statuses(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert house.verify() == 0  # nothing happened yet: nothing to anchor
    case = house.town.open()
    assert house.verify() == 2  # chains, and no anchor
    house.anchorer().run_once()
    assert house.verify() == 0
    with session_scope(house.engine) as session:
        session.execute(update(Case).where(Case.case_id == case.case_id).values(title="other"))
    assert house.verify("--json") == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["ok"] is False


def test_a_cut_or_missing_anchor_file_is_found(house: House) -> None:
    house.work(4)
    whole = house.file.read_bytes().splitlines(keepends=True)
    assert house.verify() == 0
    for kept in (whole[:-1], whole[:1], [], whole[1:], [whole[0], *whole[2:]], [*whole[:2], whole[2][:40]]):
        house.file.write_bytes(b"".join(kept))
        assert house.verify() == 1, len(kept)
    house.file.unlink()
    assert house.verify() == 1
    shutil.rmtree(house.file.parent)
    assert house.verify() == 1


def test_anchor_rows_that_were_taken_out_or_changed_are_found(house: House) -> None:
    house.work(4)
    for statement in (
        "DELETE FROM audit_anchor WHERE n = 2", "DELETE FROM audit_anchor WHERE n >= 2",
        "UPDATE audit_anchor SET line = replace(line, '\"n\":3', '\"n\":3 ') WHERE n = 3",
    ):  # fmt: skip
        with sqlite3.connect(house.data / "yiwang.db") as database:
            kept = database.execute("SELECT n, line FROM audit_anchor").fetchall()
            database.execute(statement)
        assert house.verify() == 1, statement
        with sqlite3.connect(house.data / "yiwang.db") as database:
            database.execute("DELETE FROM audit_anchor")
            database.executemany("INSERT INTO audit_anchor VALUES (?, ?)", kept)
        assert house.verify() == 0


@pytest.mark.parametrize("cut_file", [False, True])
@pytest.mark.parametrize("keep", [99, 3])
def test_a_forged_chain_is_never_signed(house: House, cut_file: bool, keep: int) -> None:
    """The worker signed the forgery after the file was cut: now the other places remember."""
    first, forged = house.work(2)
    rewrite(house.engine, forged, keep)
    if cut_file:
        lines = house.file.read_bytes().splitlines(keepends=True)
        house.file.write_bytes(b"".join(lines[:1]))
    with session_scope(house.engine) as session:  # the forger makes it look fresh
        session.execute(update(AuditEntry).where(AuditEntry.chain_id == forged).values(at=house.town.clock.now()))
    house.town.do(first, "comment", "operator", comment="honest work goes on")
    house.anchorer().run_once()
    assert forged in house.told
    added = json.loads(house.file.read_bytes().splitlines()[-1])
    assert [head[0] for head in added["heads"]] == [first]
    assert house.verify() == 1
    again = house.anchorer()  # and not after a restart either
    again.run_once()
    assert forged in again.contradictions or again.run_once() == 0
    assert forged not in [h[0] for h in json.loads(house.file.read_bytes().splitlines()[-1])["heads"]]


def test_two_places_that_tell_different_stories_stop_the_signing(house: House) -> None:
    house.work(2)
    thief = open_seal(house.data / "thief")
    body = json.loads(house.file.read_bytes().splitlines()[1])
    with sqlite3.connect(house.data / "yiwang.db") as database:
        database.execute("UPDATE audit_anchor SET line = ? WHERE n = 2", (json.dumps(body | {"key": "x"}),))
    with pytest.raises(AnchorsDisagree):
        house.anchorer().run_once()
    with sqlite3.connect(house.data / "yiwang.db") as database:
        database.execute("DELETE FROM audit_anchor WHERE n = 2")
        forged = json.dumps(body | {"n": 3, "key": thief.fingerprint})
        database.execute("INSERT INTO audit_anchor VALUES (3, ?)", (forged,))
    house.anchorer().run_once()
    assert "anchors" in house.told  # a line that was not signed here is left out, and told


def test_a_crash_between_file_and_database_loses_nothing(house: House) -> None:
    house.work(3)
    whole = house.file.read_bytes()
    with sqlite3.connect(house.data / "yiwang.db") as database:
        database.execute("DELETE FROM audit_anchor WHERE n = 3")
    assert house.verify() == 0  # the file is first: one line ahead is a crash
    house.anchorer().run_once()
    assert DatabaseAnchors(house.engine).count() == 3
    house.file.write_bytes(b"".join(whole.splitlines(keepends=True)[:2]))
    house.anchorer().run_once()
    assert house.file.read_bytes() == whole
    assert house.verify() == 0
    assert house.told == []


def test_an_older_installation_takes_its_lines_into_the_database(house: House) -> None:
    house.work(3)
    with sqlite3.connect(house.data / "yiwang.db") as database:
        database.execute("DELETE FROM audit_anchor")
    assert house.verify() == 0
    house.anchorer().run_once()
    assert DatabaseAnchors(house.engine).count() == 3


def test_the_bus_remembers_when_file_and_rows_are_gone(house: House, nats_server: Settings) -> None:
    (case,) = house.work(1)

    async def scenario() -> None:
        bus = await connect(nats_server, "test")
        await bus.ensure()
        anchorer = Anchorer(house.engine, house.town.clock, house.file, house.seal, BusAnchors(bus))
        task = asyncio.create_task(anchorer.run())
        async with asyncio.timeout(10):
            while await BusAnchors(bus).last() is None:
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with pytest.raises(Exception, match="(?i)denied|not permitted|delete|purge"):
            await bus.js.purge_stream("AUDIT")
        house.file.unlink()
        with session_scope(house.engine) as session:
            session.execute(text("DELETE FROM audit_anchor"))
        rewrite(house.engine, case)
        told: list[str] = []
        after = Anchorer(
            house.engine, house.town.clock, house.file, house.seal, BusAnchors(bus), lambda c, _: told.append(c)
        )
        task = asyncio.create_task(after.run())
        async with asyncio.timeout(10):
            while case not in told:
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()
        assert not house.file.exists() or case.encode() not in house.file.read_bytes()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("column", "value"),
    [("severity", 4), ("description", "else"), ("handler_id", "eve"), ("reporter_id", "eve"), ("lon", 1.5),
     ("closed_at", None), ("bounces", 9), ("class_code", "event-01-01"), ("confidential", True), ("urged", 3)],
)  # fmt: skip
def test_any_changed_column_of_a_case_is_found(house: House, column: str, value: Any) -> None:
    (case,) = house.work(1)
    with session_scope(house.engine) as session:
        session.execute(update(Case).where(Case.case_id == case).values({column: value}))
    assert house.verify() == 1


FORGERIES: dict[str, Callable[[Any], Any]] = {
    "removed": lambda s: s.execute(delete(CaseEvidence)),
    "purpose": lambda s: s.execute(update(CaseEvidence).values(purpose="before")),
    "time": lambda s: s.execute(
        update(CaseEvidence).values(taken_at=CaseEvidence.added_at, added_at=CaseEvidence.taken_at)
    ),
    "hash": lambda s: s.execute(update(CaseEvidence).values(sha256="f" * 64)),
    "by": lambda s: s.execute(update(CaseEvidence).values(added_by="eve")),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_removed_and_changed_evidence_rows_are_found(house: House, name: str) -> None:
    house.work(1)
    assert house.verify() == 0
    with session_scope(house.engine) as session:
        FORGERIES[name](session)
    assert house.verify() == 1


def test_evidence_that_was_put_in_is_found(house: House) -> None:
    (case,) = house.work(1)
    with session_scope(house.engine) as session:
        row = session.scalars(select(CaseEvidence)).one()
        values = {c.name: getattr(row, c.name) for c in CaseEvidence.__table__.columns}
        session.add(CaseEvidence(**values | {"evidence_id": "put-in", "sha256": "e" * 64, "uri": "ee/e.jpg"}))
    assert [f.chain_id for f in check_log(house.engine, {}) if isinstance(f, ChainFlaw)] == [case]


# packages -------------------------------------------------------------------
@pytest.fixture
def package(house: House, tmp_path: Path) -> Path:
    case = house.town.open()
    path = tmp_path / "case.zip"
    media = MediaStore(str(house.data / "media"))
    with path.open("w+b") as file:
        seal_case(house.engine, house.town.clock, media, house.seal, actor("operator"), case.case_id, "asked", file)
    return path


def test_a_package_of_a_foreign_key_is_not_vouched_for(house: House, package: Path, tmp_path: Path) -> None:
    assert main(["verify", str(package)]) == 0  # this installation's own key
    thief = open_seal(tmp_path / "thief")
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(forged, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename == "public_key.pem":
                data = thief.public_pem
            elif info.filename == "manifest.sig":
                data = thief.sign(old.read("manifest.json"))
            new.writestr(info, data)
    assert main(["verify", str(forged)]) == 2
    mine = house.data / "keys" / "evidence_ed25519.pub.pem"
    kept = tmp_path / "published.pem"
    kept.write_bytes(mine.read_bytes())
    assert main(["verify", str(package), "--key", str(tmp_path / "thief" / "evidence_ed25519.pub.pem")]) == 2
    shutil.rmtree(house.data / "keys")
    assert main(["verify", str(package)]) == 2  # an auditor's machine, without any key
    assert main(["verify", str(package), "--key", str(kept)]) == 0


def test_added_repacked_and_changed_are_told_apart(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def packed(name: str, compression: int, more: dict[str, bytes], change: str = "") -> set[str]:
        path = tmp_path / name
        with zipfile.ZipFile(package) as old, zipfile.ZipFile(path, "w", compression) as new:
            for info in old.infolist():
                data = old.read(info)
                new.writestr(info.filename, data + b" " if info.filename == change else data)
            for name_, data in more.items():
                new.writestr(name_, data)
        assert main(["verify", str(path)]) == 1
        capsys.readouterr()
        return {flaw.kind for flaw in check_package(path).flaws}

    assert packed("a.zip", zipfile.ZIP_DEFLATED, {}) == {"repacked"}
    assert packed("b.zip", zipfile.ZIP_STORED, {"__MACOSX/._case.json": b"x", ".DS_Store": b"y"}) == {"added"}
    assert packed("c.zip", zipfile.ZIP_STORED, {"evidence/fake.jpg": b"x"}) == {"added"}
    assert "changed" in packed("d.zip", zipfile.ZIP_STORED, {}, "case.json")
    main(["verify", str(tmp_path / "b.zip")])
    assert "ADDED" in capsys.readouterr().out


def test_a_bomb_is_not_unpacked(package: Path, tmp_path: Path) -> None:
    """A gigabyte of zeros behind a small name: no more is read than the signed manifest promises."""
    path = tmp_path / "bomb.zip"
    zeros = bytes(1 << 20)
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename == "case.json":
                with new.open("case.json", "w", force_zip64=True) as sink:
                    for _ in range(300):
                        sink.write(zeros)
            else:
                new.writestr(info.filename, old.read(info))
    assert "changed" in {flaw.kind for flaw in check_package(path).flaws}
    for name in ("manifest.json", "public_key.pem"):
        huge = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(huge, "w", zipfile.ZIP_DEFLATED) as new:
            for first in ("manifest.json", "manifest.sig", "public_key.pem"):
                with new.open(first, "w") as sink:
                    for _ in range(70 if first == name else 0):
                        sink.write(zeros)
        assert (
            "larger" in check_package(huge).flaws[0].detail or "cannot be read" in check_package(huge).flaws[0].detail
        )


def test_garbage_is_refused_without_a_traceback(tmp_path: Path) -> None:
    for content in (b"", b"PK\x05\x06" + bytes(18), b"not a zip" * 50, io.BytesIO().getvalue()):
        path = tmp_path / "x.zip"
        path.write_bytes(content)
        assert main(["verify", str(path)]) == 1


# the media store ------------------------------------------------------------
def test_files_without_a_row_and_broken_writes_are_swept(house: House) -> None:
    media, now = MediaStore(str(house.data / "media")), house.town.clock.now()
    case = house.town.open()
    refs = [media.put(bytes([n]) * 50, kind="photo", media_type="image/jpeg", taken_at=now) for n in range(3)]
    kept = photo() | {"uri": refs[0].uri, "sha256": refs[0].sha256}
    house.town.do(case.case_id, "attach", "operator", evidence=[kept])
    house.town.do(case.case_id, "comment", "operator", comment=f"see {refs[1].sha256}")  # only told of: no need
    with session_scope(house.engine) as session:
        row = session.get(Case, case.case_id)
        assert row is not None
        row.form = {**row.form, "document": refs[2].sha256}  # any other table or column that names it keeps it
    broken = house.data / "media" / refs[0].uri[:2] / "x.jpg.abc.part"
    broken.write_bytes(b"half")
    (house.data / "media" / "uploads" / "u").mkdir(parents=True)
    upload = house.data / "media" / "uploads" / "u" / "000-a.part"
    upload.write_bytes(b"on its way")
    assert sweep_orphans(house.engine, media, house.town.clock.now()) == 0  # all too young
    later = SystemClock().now() + ORPHAN_AGE + timedelta(days=1)
    assert sweep_partials(media, later) == 1
    assert sweep_orphans(house.engine, media, later) == 1
    assert [media.files.exists(media.path(ref.uri)) for ref in refs] == [True, False, True]
    assert upload.exists()


def test_evidence_out_of_time_goes_and_the_chain_says_so(house: House) -> None:
    media, now = MediaStore(str(house.data / "media")), house.town.clock.now()
    shared, own = (media.put(bytes([n]) * 50, kind="photo", media_type="image/jpeg", taken_at=now) for n in (1, 2))
    old, running = house.town.open(), house.town.open()
    for case, refs in ((old, (shared, own)), (running, (shared,))):
        for ref in refs:
            item = photo() | {"uri": ref.uri, "sha256": ref.sha256}
            house.town.do(case.case_id, "attach", "operator", evidence=[item])
    assert [f for f in check_media(house.engine, media) if isinstance(f, ChainFlaw)] == []
    house.town.close(old.case_id)
    later = house.town.clock.now() + timedelta(days=31)
    assert expire(house.engine, media, later, 0) == 0  # for good, unless set otherwise
    assert expire(house.engine, media, later, 60) == 0
    assert expire(house.engine, media, later, 30) == 1
    assert expire(house.engine, media, later, 30) == 0  # once
    assert not media.files.exists(media.path(own.uri))
    assert media.files.exists(media.path(shared.uri))  # a running case needs it
    flaws = [f.detail for f in check_media(house.engine, media) if isinstance(f, ChainFlaw)]
    assert not [f for f in flaws if own.uri in f]
    assert [f for f in check_log(house.engine, {}) if isinstance(f, ChainFlaw)] == []
    with read_scope(house.engine) as session:
        told = session.scalars(select(AuditEntry.body).where(AuditEntry.action == "expire")).one()
    assert own.sha256 in told["sha256"]
    assert shared.sha256 not in told["sha256"]


def test_the_night_is_found() -> None:
    assert until_night(datetime(2026, 6, 5, 18, 0, tzinfo=UTC)) == 3600
    assert until_night(datetime(2026, 6, 5, 19, 0, tzinfo=UTC)) == 86400
