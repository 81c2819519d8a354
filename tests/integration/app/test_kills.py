"""Seeded kills (-9) of worker and nats-server under load: no case, transition or notice lost or doubled.

Twenty by default; ``YIWANG_KILLS=200`` plays the full run.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from app.nats import nats_command, write_config
from core.bus import connect
from core.ids import derived_id
from core.records import CaseChanged, Observation, decode
from core.settings import Settings
from events.evidence import audit_log
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case, CaseObservation, CaseTransition, Notice, Outbox
from storage.tables.observations import DeadLetter, ObservationRow
from storage.tables.registry import Department, Device, Site
from tests.databases import create_all

pytestmark = [pytest.mark.anyio, pytest.mark.long]
SITES = 40
KILLS = int(os.environ.get("YIWANG_KILLS", "20"))
ROUNDS = 6 * max(1, KILLS // 20)  # alarm and clear in turn, per site


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Processes:
    """nats-server and a worker, killed and started again."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._config = write_config(settings)
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        if name == "nats":
            command = nats_command(self._config)
        else:
            command = [sys.executable, "-m", "app", "serve", "worker"]
        env = {
            **os.environ,
            "YIWANG_DATA_DIR": str(self._settings.data_dir),
            "YIWANG_NATS_PORT": str(self._settings.nats_port),
        }
        with (self._folder / f"{name}.log").open("ab") as out:
            self._running[name] = subprocess.Popen(command, env=env, stdout=out, stderr=out)
        if name == "nats":
            self._wait_for_nats()

    def kill(self, name: str) -> None:
        process = self._running[name]
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        self.start(name)

    def stop(self) -> None:
        for process in reversed(self._running.values()):
            process.terminate()
            process.wait(20)

    def _wait_for_nats(self) -> None:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._settings.nats_port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("nats-server does not come up")


@pytest.fixture
def processes(settings: Settings, tmp_path: Path) -> Iterator[Processes]:
    engine = make_engine(settings.database_url)
    create_all(engine)
    with session_scope(engine) as session:
        for name in ("dept-fire", "dept-command", "dept-emergency"):
            session.add(Department(department_id=name, name=name))
        session.flush()
        for n in range(SITES):
            lon, lat = 125.2 + 0.01 * (n % 10), 43.8 + 0.01 * (n // 10)
            session.add(Site(site_id=f"s{n}", name=f"点位{n}", kind="key_fire_site", lon=lon, lat=lat, attributes={}))
        session.flush()
        for n in range(SITES):
            session.add(
                Device(device_id=f"x:{n}", source="x", address=str(n), status="accepted", site_id=f"s{n}")
            )
    engine.dispose()
    found = Processes(settings, tmp_path)
    found.start("nats")
    found.start("worker")
    yield found
    found.stop()


def said(n: int, turn: int) -> Observation:
    now = datetime.now(UTC)
    return Observation(
        observation_id=derived_id("kill", n, turn),
        kind="fire_alarm",
        state="open" if turn % 2 == 0 else "clear",
        source_type="device",
        source_id=f"x:{n}",
        observed_at=now,
        received_at=now,
        site_id=f"s{n}",
    )


async def publish_surely(settings: Settings, pause_s: float) -> None:
    """Every observation until its PubAck, each one twice."""
    bus = await connect(settings, "publisher")
    for turn in range(ROUNDS):
        for n in range(SITES):
            observation = said(n, turn)
            for _ in range(2):
                while True:
                    try:
                        await bus.observe(observation)
                        break
                    except Exception:  # noqa: BLE001 - the point of the test: the bus is away now and then
                        await asyncio.sleep(0.1)
            await asyncio.sleep(pause_s)
    await bus.close()


async def kill_now_and_then(processes: Processes, stop: asyncio.Event, kills: int, seed: int) -> int:
    chance = random.Random(seed)
    done = 0
    while done < kills:
        await asyncio.sleep(chance.uniform(0.3, 2.5))
        await asyncio.to_thread(processes.kill, chance.choice(["worker", "worker", "nats"]))
        done += 1
    stop.set()
    return done


async def listen(settings: Settings, heard: dict[tuple[str, int], int], stop: asyncio.Event) -> None:
    """What stands on the CASE stream in the end, read from its beginning."""
    bus = await connect(settings, "listener")
    subscription = await bus.js.subscribe("case.>", ordered_consumer=True)
    while not stop.is_set() or subscription.pending_msgs:
        try:
            change = decode(CaseChanged, (await subscription.next_msg(1)).data)
        except TimeoutError:
            break
        key = (change.case_id, change.version)
        heard[key] = heard.get(key, 0) + 1
    await bus.close()


def settled(engine: Engine) -> bool:
    with read_scope(engine) as session:
        observed = session.scalar(select(func.count()).select_from(ObservationRow))
        unsent = session.scalar(select(func.count()).select_from(Outbox).where(Outbox.sent_at.is_(None)))
    return observed == SITES * ROUNDS and unsent == 0


@pytest.mark.timeout(280 * max(1, KILLS // 20))
async def test_kills_lose_and_double_nothing(processes: Processes, settings: Settings) -> None:
    stop = asyncio.Event()
    publishing = asyncio.create_task(publish_surely(settings, pause_s=0.1))
    kills = await kill_now_and_then(processes, stop, kills=KILLS, seed=20260701)
    await publishing
    engine = make_engine(settings.database_url)
    deadline = time.monotonic() + 60
    while not settled(engine) and time.monotonic() < deadline:
        await asyncio.sleep(0.25)
    heard: dict[tuple[str, int], int] = {}
    await listen(settings, heard, asyncio.Event())
    with read_scope(engine) as session:
        assert session.scalar(select(func.count()).select_from(ObservationRow)) == SITES * ROUNDS
        assert session.scalar(select(func.count()).select_from(DeadLetter)) == 0
        cases = session.scalars(select(Case)).all()
        assert sorted(c.site_id for c in cases) == sorted(f"s{n}" for n in range(SITES))
        for case in cases:
            seqs = session.scalars(
                select(CaseTransition.seq).where(CaseTransition.case_id == case.case_id).order_by(CaseTransition.seq)
            ).all()
            assert list(seqs) == list(range(1, case.version + 1))
            names = session.scalars(select(CaseTransition.command).where(CaseTransition.case_id == case.case_id)).all()
            assert names.count("dispatch") == 1
            assert names.count("clear") == 1  # clear and again is one line of the history, with a count
            assert case.why["cleared"]["count"] == ROUNDS // 2
            linked = session.scalar(
                select(func.count()).select_from(CaseObservation).where(CaseObservation.case_id == case.case_id)
            )
            assert linked == ROUNDS
            notices = session.scalars(
                select(Notice.notice_key).where(Notice.case_id == case.case_id, Notice.kind == "task")
            ).all()
            assert len(notices) == len(set(notices)) == 2  # the brigade, and the emergency bureau assisting
            assert list(audit_log.check_chain(audit_log.chain(session, case.case_id))) == []
        assert heard == {(c.case_id, v): 1 for c in cases for v in range(1, c.version + 1)}
    assert kills == KILLS
    engine.dispose()
