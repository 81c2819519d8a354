"""A disk that fills, goes read-only or is locked: said truly, refused in time, and all is well when it is back."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.bus_guard import BusGuard
from app.nats import nats_command, write_config
from app.supervise import ChildSpec, Family
from core.bus import connect
from core.bus_probe import probe_streams, worst
from core.disk import look
from core.settings import Settings, load_settings
from dashboard import factory
from storage.session import read_scope
from storage.tables.cases import CaseTransition
from tests.conftest import free_port
from tests.disks import SmallDisk, small_disk
from tests.pictures import picture
from tests.unit.dashboard.web import Office, make_office

JPEG = picture()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", "40m") as disk:
        yield disk


def _settings(folder: Path) -> Settings:
    env = {f"YIWANG_{name}_PORT": str(free_port()) for name in ("NATS", "MQTT", "WEB")}
    return load_settings({"YIWANG_DATA_DIR": str(folder), **env})


def test_levels_of_a_disk(disk: SmallDisk) -> None:
    assert look(disk.path).level == "ok"
    disk.fill(leave_bytes=3_400_000)
    assert look(disk.path).level == "low"
    disk.fill(leave_bytes=1_000_000)
    assert look(disk.path).level == "reserve"
    assert not look(disk.path).takes_uploads
    assert look(disk.path).takes_alarms
    disk.fill()
    assert look(disk.path).level == "full"
    disk.make_room()
    disk.read_only()
    assert look(disk.path).level == "readonly"
    disk.read_only(False)
    assert look(disk.path).level == "ok"
    assert list(disk.path.iterdir()) == []  # trying leaves nothing behind
    assert look(disk.path / "nowhere").level == "missing"


def test_the_reserve_is_a_setting(disk: SmallDisk) -> None:
    assert look(disk.path, reserve_bytes=50_000_000).level == "reserve"


@pytest.fixture
def office(disk: SmallDisk) -> Iterator[Office]:
    office = make_office(_settings(disk.path / "data"))
    yield office
    office.app.state.services.engine.dispose()
    office.engine.dispose()


def _open_case(office: Office) -> str:
    form = {"title": "smoke", "site_id": "s-fire", "kind": "smoke"}
    answer = office.client("operator").post("/api/cases", json=form)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


def _looked_again(office: Office) -> None:
    office.app.state.services.health._disk_at = float("-inf")
    office.app.state.services.health._found_at = float("-inf")


def test_uploads_are_refused_at_the_reserve_and_cases_go_on(office: Office, disk: SmallDisk) -> None:
    case_id, client = _open_case(office), office.client("operator")
    disk.fill(leave_bytes=1_500_000)
    _looked_again(office)
    refused = client.post(f"/api/cases/{case_id}/attachments", files={"file": ("a.jpg", JPEG, "image/jpeg")})
    assert refused.status_code == 507
    assert refused.json()["error"] == "storage_full"
    assert _open_case(office)  # an alarm still finds room
    parts = client.get("/healthz").json()["parts"]
    assert parts["disk"]["code"] == "reserve"
    assert parts["disk"]["ok"] is True
    disk.make_room()
    _looked_again(office)
    assert client.get("/healthz").json()["parts"]["disk"]["code"] == "ok"


def test_a_full_and_a_read_only_disk_are_said_and_are_no_fault_of_ours(office: Office, disk: SmallDisk) -> None:
    client = office.client("operator")
    disk.fill()
    _looked_again(office)
    codes = {client.post("/api/cases", json={"title": f"t{n}", "site_id": "s-fire", "description": "x" * 1_900})
             .status_code for n in range(60)}  # fmt: skip
    assert 507 in codes
    assert codes <= {201, 507, 503}
    health = client.get("/healthz")
    assert health.status_code == 503
    assert health.json()["parts"]["disk"] == {"ok": False, "code": "full", "free_bytes": 0, "free_share": 0.0}
    assert client.get("/api/cases").status_code == 200  # reading goes on
    disk.make_room()
    _looked_again(office)
    assert _open_case(office)
    assert client.get("/healthz").json()["parts"]["disk"]["ok"] is True


def test_a_locked_database_is_said_in_seconds_and_nothing_is_lost(
    office: Office,
) -> None:
    case_id, client = _open_case(office), office.client("operator")
    database = office.settings.database_url.removeprefix("sqlite:///")
    lock = sqlite3.connect(database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    sent = {"name": "comment", "data": {"comment": "still there"}, "idempotency_key": "k-1"}
    refused = client.post(f"/api/cases/{case_id}/commands", json=sent)
    assert refused.status_code == 503, refused.text
    assert refused.json()["error"] == "storage_busy"
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert time.monotonic() - started < factory.BUSY_S + 3
    assert client.get(f"/api/cases/{case_id}").status_code == 200
    health = client.get("/healthz").json()
    assert health["parts"]["database"]["code"] == "locked"
    assert health["ok"] is False
    lock.execute("ROLLBACK")
    lock.close()
    _looked_again(office)
    assert client.get("/healthz").json()["parts"]["database"]["ok"]
    again = client.post(f"/api/cases/{case_id}/commands", json=sent)
    assert again.status_code == 200, again.text
    with read_scope(office.engine) as session:
        count = select(func.count()).where(CaseTransition.idempotency_key == "k-1")
        assert session.scalar(count) == 1


def test_a_bus_that_refuses_while_there_is_room_is_restarted(disk: SmallDisk) -> None:
    """The city heard nothing after a full disk, for ever: now it hears again without anybody's hand."""
    settings, said = _settings(disk.path / "data"), []
    (disk.path / "data").mkdir(exist_ok=True)

    async def scenario() -> None:
        family = Family(disk.path / "logs", said.append)
        child = family.start(ChildSpec("nats-server", tuple(nats_command(write_config(settings)))))
        bus = await connect(settings, "test")
        await bus.ensure()
        assert worst(await probe_streams(bus)) == "ok"
        await _fill_stream(bus)
        guard = BusGuard(settings, child.restart, said.append)
        await guard.look()
        disk.fill()
        await guard.look()
        assert guard.restarts == 0  # no room: a restart would mend nothing
        disk.make_room()
        assert worst(await probe_streams(bus)) == "refuses"  # still deaf, that is what the guard is for
        watching = asyncio.create_task(guard.run())
        async with asyncio.timeout(40):
            while worst(await probe_streams(bus)) != "ok":
                await asyncio.sleep(0.2)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        assert guard.restarts == 1
        info = await bus.js.stream_info("OBS")
        assert info.state.messages == stored[0]  # what was confirmed is all there, the probes are gone
        await bus.close()
        await family.stop()

    stored: list[int] = []

    async def _fill_stream(bus: object) -> None:
        count = 0
        try:
            while True:
                await bus.js.publish("obs.0.test.x", bytes(60_000), timeout=1)  # type: ignore[attr-defined]
                count += 1
                if count == 400:
                    disk.fill(leave_bytes=200_000)
        except Exception:  # noqa: BLE001 - the disk is full: nats-server gives no answer at all
            stored.append(count)

    asyncio.run(scenario())
    assert any("restarting nats-server" in line for line in said)
    assert any("the disk is full" in line for line in said)


def test_a_log_is_rotated_while_its_process_writes(tmp_path: Path) -> None:
    code = "import time\nn = 0\nwhile True:\n    print('line', n, 'x' * 200, flush=True); n += 1; time.sleep(0.001)"

    async def scenario() -> None:
        family = Family(tmp_path, lambda _: None)
        child = family.start(ChildSpec("chatty", (sys.executable, "-c", code)))
        log = tmp_path / "chatty.log"
        for _ in range(5):
            while not log.exists() or log.stat().st_size < 30_000:
                await asyncio.sleep(0.02)
            assert child.rotate(limit_bytes=20_000)
        pid = child.pid
        while log.stat().st_size < 2_000:
            await asyncio.sleep(0.02)
        assert child.pid == pid  # the same process went on
        assert not log.read_bytes().startswith(b"\0")  # and no hole stands at the beginning
        await family.stop()

    asyncio.run(scenario())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["chatty.log"] + [f"chatty.log.{n}" for n in (1, 2, 3)]
