"""Aircraft in the air: simulated controllers over MQTT to a page's stream; latency, and cost over standing idle.

One run on this machine: nats-server, worker, ingest and web as processes of their own on a throw-away database.  The
browser's drawing comes on top (200 ms at most between two draws of the map's sources).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert

from bench.parts.rig import Rig, wait_for_port
from dashboard.accounts.users import add_user, hash_password
from ingest.simulate.dji import SimulatedController, telemetry
from storage.session import session_scope
from storage.tables.registry import Department, Device

PARTS = ("nats", "ingest", "web")
BEHIND = 10  # aircraft a controller


def flown(aircraft: int, hz: float, seconds: float) -> dict[str, Any]:
    """``{"event_to_page_ms": {p50, p95, p99}, "cpu_percent": {idle, flying, more}, "messages", "seen"}``."""
    with tempfile.TemporaryDirectory() as folder, Rig(Path(folder)) as rig:
        word = secrets.token_urlsafe(12)
        serials = [f"UAV{n:04d}" for n in range(aircraft)]
        _register(rig, serials, word)
        rig.start("nats", "worker", "ingest", "web")
        wait_for_port(rig.settings.web_port)
        return asyncio.run(_measure(rig, serials, word, hz, seconds))


def _gateways(serials: list[str]) -> dict[str, list[str]]:
    return {f"RC{n // BEHIND:04d}": serials[n : n + BEHIND] for n in range(0, len(serials), BEHIND)}


def _register(rig: Rig, serials: list[str], word: str) -> None:
    digest = hashlib.sha256(word.encode()).hexdigest()
    rows = []
    for gateway, behind in _gateways(serials).items():
        rows.append(_row(gateway, "drone_controller", {"token_sha256": digest}))
        rows += [_row(sn, "aircraft", {"gateways": [gateway], "model_key": "0-77-1"}) for sn in behind]
    with session_scope(rig.engine) as session:
        session.execute(insert(Device), rows)
        session.add(Department(department_id="d", name="d"))
        session.flush()
        user = add_user(session, login="o", name="o", roles=["operator"], department_id="d")
        user.password_hash = hash_password(word)


def _row(sn: str, kind: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {"device_id": f"dji:{sn}", "source": "dji", "address": sn, "status": "accepted", "revision": 1,
            "coord_sys": "wgs84", "calibration": {}, "ranges": {}, "attributes": attributes, "name": sn,
            "device_type": kind}  # fmt: skip


async def _measure(rig: Rig, serials: list[str], word: str, hz: float, seconds: float) -> dict[str, Any]:
    latencies: list[float] = []
    stop = asyncio.Event()
    base = f"http://127.0.0.1:{rig.settings.web_port}"
    async with httpx.AsyncClient(base_url=base, timeout=60) as client:
        answer = await client.post("/api/login", json={"login": "o", "password": word})
        answer.raise_for_status()
        page = asyncio.create_task(_page(client, latencies, stop))
        await asyncio.sleep(3)
        idle = await _cpu(rig, min(10.0, seconds))
        controllers = [
            SimulatedController("127.0.0.1", rig.settings.mqtt_port, gateway, f"dji:{gateway}", word, behind)
            for gateway, behind in _gateways(serials).items()
        ]  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            while not all("Success" in c.codes for c in controllers) and time.monotonic() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            flying = asyncio.create_task(_fly(controllers, hz, seconds + 3))
            await asyncio.sleep(2)
            latencies.clear()
            busy = await _cpu(rig, seconds)
            sent = await flying
        finally:
            for controller in controllers:
                controller.close()
            stop.set()
            page.cancel()
    found = sorted(latencies)
    return {
        "aircraft": len(serials), "hz": hz, "messages": sent, "seen": len(found),
        "event_to_page_ms": {f"p{p}": round(found[min(len(found) - 1, len(found) * p // 100)], 1) for p in (50, 95, 99)}
        if found else {},
        "cpu_percent": {"idle": idle, "flying": busy, "more": round(sum(busy.values()) - sum(idle.values()), 1)},
    }  # fmt: skip


async def _fly(controllers: list[SimulatedController], hz: float, seconds: float) -> int:
    began, sent, turn = time.monotonic(), 0, 0
    while (at := time.monotonic() - began) < seconds:
        for controller in controllers:
            for number, sn in enumerate(controller.aircraft):
                body = telemetry(controller.gateway, number, at, 125.3712, 43.8708)
                controller.send(f"thing/product/{sn}/osd", body)
                sent += 1
        turn += 1
        await asyncio.sleep(max(0.0, turn / hz - (time.monotonic() - began)))
    return sent


async def _page(client: httpx.AsyncClient, latencies: list[float], stop: asyncio.Event) -> None:
    """An open page: when each pose arrives against when the aircraft said it."""
    name = ""
    async with client.stream("GET", "/api/live", timeout=None) as response:
        async for line in response.aiter_lines():
            if stop.is_set():
                return
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: ") and name == "aircraft":
                now = time.time()
                for pose in json.loads(line[6:])["moved"]:
                    latencies.append(1000 * (now - datetime.fromisoformat(pose["at"]).timestamp()))


async def _cpu(rig: Rig, seconds: float) -> dict[str, float]:
    """Percent of a core by process over ``seconds``."""
    before, began = rig.cpu_s(PARTS), time.monotonic()
    await asyncio.sleep(seconds)
    after, took = rig.cpu_s(PARTS), time.monotonic() - began
    return {name: round(100 * (after[name] - before[name]) / took, 1) for name in after}
