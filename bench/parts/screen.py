"""From the frame to the screen: cameras whose room is left, until a client has the case by live push."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.selftest import clip as clips
from app.selftest.office import Office
from app.throwaway import environment, settings_of, throwaway
from bench.parts.cpu import quantiles
from core.clock import SystemClock
from dashboard.accounts.users import set_password, user_by_login
from layers.demo.generate import SOURCES
from layers.importer import import_city
from storage.migrate import migrate
from storage.session import make_engine, session_scope

CAMERAS = 4
ROUNDS = 3
LOGIN = "bench"


async def frame_to_screen() -> dict[str, Any]:
    """Milliseconds from the time of the deciding frame to the pushed case, over ``CAMERAS`` × ``ROUNDS`` happenings.

    The deciding frame is the observation's own ``observed_at``; the clock is one machine's.
    """
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as name:
        folder = Path(name)
        env = environment(folder, YIWANG_PARTITIONS="2")
        settings = settings_of(env)
        clip = await asyncio.to_thread(clips.compose, folder / "room.mp4")
        migrate(settings.database_url)
        engine = make_engine(settings.database_url)
        import_city(engine, settings, _district(folder / "city", clip), progress=lambda _: None)
        password = _password(engine)
        async with throwaway(env, lambda _: None):
            office = Office(f"http://{settings.web_host}:{settings.web_port}")
            await office.log_in(LOGIN, password)
            delays_ms = await _watch(office, ROUNDS * (clips.PRESENT_S + clips.ABSENT_S) + 20)
            await office.close()
        engine.dispose()
    return {"cameras": CAMERAS, "unit": "ms", **quantiles(delays_ms)}


async def _watch(office: Office, seconds: float) -> list[float]:
    """Note each new case's delay, then close it, so that the next round opens a new one."""
    delays: list[float] = []
    seen: set[str] = set()

    async def follow() -> None:
        async for case in office.live():
            arrived = SystemClock().now()
            if case["case_id"] in seen:
                continue
            seen.add(case["case_id"])
            detail = await office.case(case["case_id"])
            frame_at = min(datetime.fromisoformat(o["observed_at"]) for o in detail["observations"])
            delays.append((arrived - frame_at).total_seconds() * 1000)
            await office.command(case["case_id"], "force_close", reason="bench")

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(follow(), seconds)
    return delays


def _password(engine: Engine) -> str:
    with session_scope(engine) as session:
        return set_password(session, user_by_login(session, LOGIN), None, must_change=False)


def _district(folder: Path, clip: Path) -> Path:
    folder.mkdir()
    for table in ("city.yaml", "divisions.csv", "departments.csv"):
        shutil.copy(SOURCES / table, folder)
    zone = {"zone_id": "duty", "name": "duty", "purpose": "duty", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}
    algorithm = {"kind": "absence", "zones": ["duty"], "params": {"min_staff": 1, "after_s": 3, "clear_after_s": 2}}
    sites, cameras = [], []
    for number in range(CAMERAS):
        place = {"site_id": f"room-{number}", "lon": 125.36 + number * 0.03, "lat": 43.88}
        sites.append({**place, "name": f"room {number}", "kind": "key_fire_site", "department_id": "dept-fire"})
        cameras.append(
            {**place, "camera_id": f"camera-{number}", "name": f"camera {number}", "url": f"file://{clip}?loop=1",
             "algorithms": json.dumps([algorithm]), "zones": json.dumps([zone]), "enabled": "yes"}
        )  # fmt: skip
    user = {"user_id": LOGIN, "login": LOGIN, "name": LOGIN, "roles": "operator;admin", "department_id": "dept-command"}
    for table, rows in (("sites", sites), ("cameras", cameras), ("users", [user])):
        with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder
