"""Starts the throw-away instance, makes things happen, follows every case, and reports."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from sqlalchemy import Engine, func, select

from app.selftest import clip as clips
from app.selftest import district
from app.selftest.district import CAMERA, GAUGES, PANELS, StagedHappening, happenings
from app.selftest.journey import People, Watch, follow
from app.selftest.office import Office
from app.selftest.peers import Gauge, Panel
from app.selftest.report import SelftestReport
from app.throwaway import environment, settings_of, throwaway
from core.settings import Settings
from dashboard.accounts.users import set_password, user_by_login
from layers.importer import import_city
from storage.migrate import migrate
from storage.session import make_engine, read_scope, session_scope
from storage.tables.cases import Case
from storage.tables.observations import ObservationRow
from storage.tables.readings import ReadingRow
from storage.tables.registry import Camera

LEVELS_M = (0.02, 0.08, 0.17, 0.21, 0.30)  # a rising underpass: past 5, 15 and 27 cm
PHOTOGRAPH_SIZE = (480, 640)

Say = Callable[[str], None]


async def selftest(own_clip: Path | None, say: Say, *, database: str = "", keep: bool = False) -> SelftestReport:
    """Run it all; every problem is in the report, nothing is left behind unless ``keep``.

    ``database``: an empty one to use instead of a new SQLite file (it is filled, not emptied).
    """
    with _folder(keep, say) as folder:
        more = {"YIWANG_DATABASE_URL": database} if database else {}
        env = environment(folder, YIWANG_PARTITIONS="2", **more)
        settings = settings_of(env)
        say("composing the clip" if own_clip is None else f"clip: {own_clip}")
        clip = own_clip.resolve() if own_clip else await asyncio.to_thread(clips.compose, folder / "room.mp4")
        say("database, small district, accounts")
        engine, passwords = await asyncio.to_thread(_prepare, settings, folder, clip)
        try:
            say("starting nats-server, worker, ingest, vision, web")
            async with throwaway(env, say):
                return await _happen(settings, engine, passwords, say)
        finally:
            engine.dispose()


@contextlib.contextmanager
def _folder(keep: bool, say: Say) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="yiwang-selftest-"))
    try:
        yield folder
    finally:
        if keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _prepare(settings: Settings, folder: Path, clip: Path) -> tuple[Engine, dict[str, str]]:
    migrate(settings.database_url)
    engine = make_engine(settings.database_url)
    report = import_city(engine, settings, district.write(folder / "city", clip), progress=lambda _: None)
    if report.exit_status:
        raise AssertionError(f"the self-test's own district is refused: {next(iter(report.problems))}")
    people = [*district.STAFF.values(), district.INSPECTOR, district.DISPATCHER]
    with session_scope(engine) as session:
        passwords = {
            login: set_password(session, user_by_login(session, login), None, must_change=False) for login in people
        }
    return engine, passwords


async def _happen(settings: Settings, engine: Engine, passwords: dict[str, str], say: Say) -> SelftestReport:
    report = SelftestReport(cases_expected=len(happenings()))
    url = f"http://{settings.web_host}:{settings.web_port}"
    people = People({login: Office(url) for login in passwords})
    for login, password in passwords.items():
        await people.offices[login].log_in(login, password)
    watch = Watch(people.dispatcher)
    watching = asyncio.create_task(watch.run())
    gauges = [Gauge(settings, name) for name in GAUGES]
    try:
        await asyncio.wait_for(watch.connected.wait(), 20)
        say("fire panels alarm, water rises, the control room is left")
        await gauges[0].send_garbage()
        await _noise(settings)
        await asyncio.gather(*(_journey(h, people, watch, report, settings, gauges, engine) for h in happenings()))
        say("counting")
        await asyncio.to_thread(_balance, engine, report, gauges)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        for gauge in gauges:
            gauge.close()
        for office in people.offices.values():
            await office.close()
    return report


async def _journey(
    happening: StagedHappening,
    people: People,
    watch: Watch,
    report: SelftestReport,
    settings: Settings,
    gauges: list[Gauge],
    engine: Engine,
) -> None:
    signal, settle = _acts(happening, report, settings, gauges, engine)
    timed = happening.kind != "absence"  # when the room became empty is the clip's business, not a socket's
    photograph = _photograph()
    try:
        await follow(happening, people, watch, report, signal=signal, settle=settle, photograph=photograph, timed=timed)
    except Exception as error:  # noqa: BLE001 - one happening's failure must not hide the others'
        report.failures.append(f"{happening.name}: {error}")


Act = Callable[[], Awaitable[None]]


def _acts(
    happening: StagedHappening, report: SelftestReport, settings: Settings, gauges: list[Gauge], engine: Engine
) -> tuple[Act, Act]:
    """How the happening begins, and how it ends."""
    if happening.kind == "fire_alarm":
        panel = Panel(settings, PANELS[int(happening.site_id[-1]) - 1])

        async def alarm() -> None:
            report.add("panel_confirmed", await panel.send_fire(twice=True))

        async def reset() -> None:
            await panel.send_normal()

        return alarm, reset
    if happening.kind == "water_level_m":
        gauge = gauges[int(happening.site_id[-1])]

        async def rise() -> None:
            for level in LEVELS_M:
                report.add("gauge_confirmed", await gauge.send(level, twice=True))

        async def fall() -> None:
            for level in (0.12, 0.01, 0.0, 0.0):
                await gauge.send(level)

        return rise, fall

    async def nothing() -> None:
        """The clip plays by itself."""

    async def people_return() -> None:
        # The clip loops: wait until the people are back, and be done before they leave again.
        await asyncio.to_thread(_wait_for_clear, engine)

    return nothing, people_return


def _wait_for_clear(engine: Engine, seconds: float = 60.0) -> None:
    wanted = select(func.count()).where(
        ObservationRow.source_id == CAMERA, ObservationRow.kind == "absence", ObservationRow.state == "clear"
    )
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with read_scope(engine) as session:
            if session.scalar(wanted):
                break
        time.sleep(0.2)
    with session_scope(engine) as session:  # the case is under way: the loop must not open another one
        camera = session.get_one(Camera, CAMERA)
        camera.algorithms = [{**a, "params": {**a["params"], "after_s": 3600}} for a in camera.algorithms]
        camera.revision += 1


async def _noise(settings: Settings) -> None:
    """Random bytes at the panel's port: refused, counted, and no harm to the panels beside it."""
    _, writer = await asyncio.open_connection(settings.panel_host, settings.source_port("gb26875"))
    writer.write(os.urandom(4096))
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    writer.close()


def _photograph() -> bytes:
    picture = np.random.default_rng().integers(0, 255, (*PHOTOGRAPH_SIZE, 3), dtype=np.uint8)
    done, data = cv2.imencode(".jpg", cv2.blur(picture, (31, 31)))
    assert done
    return data.tobytes()


def _balance(engine: Engine, report: SelftestReport, gauges: list[Gauge]) -> None:
    """Every confirmed reading stored once, every happening one case."""
    with read_scope(engine) as session:
        for name, gauge in zip(GAUGES, gauges, strict=True):
            stored = session.scalar(select(func.count()).where(ReadingRow.device_id == f"mqtt:{name}")) or 0
            if stored < gauge.sent:
                report.lost.append(f"{gauge.sent - stored} confirmed reading(s) of {name}")
            if stored > gauge.sent:
                report.doubled.append(f"{stored - gauge.sent} reading(s) of {name}")
        for happening in happenings():
            count = session.scalar(
                select(func.count()).where(Case.site_id == happening.site_id, Case.kind == happening.kind)
            )
            if count and count > 1:
                report.doubled.append(f"{count} cases for: {happening.name}")
