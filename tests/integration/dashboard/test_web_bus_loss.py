"""The bus dies and returns: the web process answers meanwhile, and the pages are live again."""

from __future__ import annotations

import asyncio
import json
import subprocess

from app.nats import nats_command, write_config
from core.bus import connect
from core.settings import Settings
from tests.integration.dashboard.test_web_live import Page, Server, until
from tests.unit.dashboard.web import make_office


def start(settings: Settings) -> subprocess.Popen[bytes]:
    command = nats_command(write_config(settings))
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


async def say(settings: Settings, state: str) -> None:
    bus = await connect(settings, "test")
    await bus.ensure()
    live = await bus.bucket("live")
    body = {"camera_id": "c-fire", "state": state, "reason": "", "at": "2026-06-05T00:00:00Z"}
    await live.put("camera.c-fire", json.dumps(body).encode())
    await bus.close()


def test_pages_are_live_again_after_the_bus_was_killed(settings: Settings) -> None:
    server, bus = Server(make_office(settings)), None
    try:
        deaf = server.client("boss").get("/healthz")  # web started first
        assert deaf.status_code == 503
        assert deaf.json()["bus"] is False
        assert deaf.json()["parts"]["bus"] == {"ok": False, "code": "unreachable"}
        assert deaf.json()["parts"]["database"]["ok"]
        bus = start(settings)
        client = server.client("boss")
        until(lambda: client.get("/healthz").json()["bus"], 40)
        page = Page(server.client("operator"))
        asyncio.run(say(settings, "online"))
        until(lambda: [c["state"] for c in page.of("camera")] == ["online"], 40)
        bus.kill()
        bus.wait(10)
        until(lambda: not client.get("/healthz").json()["bus"], 40)
        assert client.get("/api/cameras").status_code == 200  # the rest goes on
        bus = start(settings)
        until(lambda: client.get("/healthz").json()["bus"], 40)
        asyncio.run(say(settings, "frozen"))
        until(lambda: page.of("camera")[-1]["state"] == "frozen", 40)
    finally:
        server.stop()
        server.office.engine.dispose()
        if bus is not None:
            bus.kill()
            bus.wait(10)
