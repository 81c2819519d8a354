"""The HTTP push listener on a real bus: rights, limits, answers after the PubAck."""

from __future__ import annotations

import asyncio
import hashlib
import json

import httpx
import pytest

from core.records import DeviceConfig, Reading
from core.settings import Settings
from tests.integration.ingest.test_ingest_main import collect, ingesting

pytestmark = pytest.mark.anyio
TOKEN = "device-token-for-tests"
GAUGE = DeviceConfig(
    device_id="http:g1",
    source="http",
    address="g1",
    status="accepted",
    site_id="water-01",
    attributes={"token_sha256": hashlib.sha256(TOKEN.encode()).hexdigest(), "sensorthings": {"7": "water_level_m"}},
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_readings_come_in_and_strangers_do_not(nats_server: Settings) -> None:
    account = (nats_server.mqtt_device_user, nats_server.mqtt_device_password)
    bearer = {"authorization": f"Bearer {TOKEN}"}
    url = f"http://127.0.0.1:{nats_server.ingest_http_port}"
    async with ingesting(nats_server, GAUGE) as bus, httpx.AsyncClient(base_url=url) as client:
        answer = await client.post("/readings", json={"device": "g1", "seq": 1, "water_level_m": 0.4}, auth=account)
        assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "refused": []})
        observation = {"phenomenonTime": "2026-07-01T07:00:00Z", "result": 0.5, "Datastream": {"@iot.id": 7}}
        assert (await client.post("/v1.1/Observations", json=observation, headers=bearer)).json()["accepted"] == 1
        foreign = await client.post("/readings", json={"device": "g2", "a_m": 1}, headers=bearer)
        assert (foreign.status_code, foreign.json()["refused"][0]["error"]) == (400, "forbidden")
        assert (await client.post("/readings", json={}, auth=("device", "wrong"))).status_code == 401
        assert (await client.post("/readings", json={})).status_code == 401
        assert (await client.get("/readings", auth=account)).status_code == 405
        assert (await client.post("/etc/passwd", auth=account)).status_code == 404
        assert (await client.post("/readings", content=b"{", auth=account)).status_code == 400
        assert (await client.post("/readings", content=b" " * 1_048_577, auth=account)).status_code == 413
        found = await collect(bus, Reading, "READ", "read.>", 2)
        assert sorted((r.device_id, r.value, r.site_id) for r in found) == [
            ("http:g1", 0.4, "water-01"), ("http:g1", 0.5, "water-01"),
        ]  # fmt: skip


async def test_zlmediakit_hooks_are_answered_and_strangers_are_not(nats_server: Settings) -> None:
    url = f"http://127.0.0.1:{nats_server.ingest_http_port}"
    token = {"token": nats_server.mqtt_device_password}
    async with ingesting(nats_server), httpx.AsyncClient(base_url=url) as client:
        body = {"app": "live", "stream": "cam-1", "schema": "rtsp"}
        answer = await client.post("/zlm/on_stream_none_reader", json=body, params=token)
        assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "success", "close": True})
        assert (await client.post("/zlm/on_stream_none_reader", json=body)).status_code == 401
        assert (await client.post("/zlm/on_play", json=body, params={"token": "wrong"})).status_code == 401
        assert (await client.post("/zlm/on_nothing", json=body, params=token)).status_code == 400
        assert (await client.post("/zlm/on_play", content=b"[", params=token)).status_code == 400
        assert (await client.get("/zlm/on_play", params=token)).status_code == 405


async def test_guessing_passwords_is_slowed_down(nats_server: Settings) -> None:
    url = f"http://127.0.0.1:{nats_server.ingest_http_port}"
    async with ingesting(nats_server), httpx.AsyncClient(base_url=url) as client:
        codes = [(await client.post("/readings", json={}, auth=("device", f"guess{n}"))).status_code for n in range(30)]
    assert codes[:5] == [401] * 5
    assert codes[-1] == 429


async def test_a_full_stream_is_said_and_nothing_counts_as_taken(nats_server: Settings) -> None:
    account = (nats_server.mqtt_device_user, nats_server.mqtt_device_password)
    url = f"http://127.0.0.1:{nats_server.ingest_http_port}"
    async with ingesting(nats_server, GAUGE) as bus, httpx.AsyncClient(base_url=url) as client:
        info = await bus.js.stream_info("READ")
        info.config.max_bytes = 1
        await bus.js.update_stream(info.config)
        answer = await client.post("/readings", json={"device": "g1", "a_m": 1}, auth=account)
        assert (answer.status_code, answer.json()["error"]) == (503, "not_durable")


async def test_a_body_that_never_ends_is_cut_off_and_harms_nobody(
    nats_server: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.transports.http.BODY_WAIT_S", 0.5)
    account = (nats_server.mqtt_device_user, nats_server.mqtt_device_password)
    port = nats_server.ingest_http_port
    basic = httpx.BasicAuth(*account)._auth_header
    async with ingesting(nats_server, GAUGE), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /readings HTTP/1.1\r\nhost: x\r\nauthorization: {basic}\r\ncontent-length: 900\r\n\r\n{{"
        writer.write(head.encode())
        good = await client.post("/readings", content=json.dumps({"device": "g1", "a_m": 1}), auth=account)
        assert good.status_code == 200
        assert b"408" in await asyncio.wait_for(reader.readline(), 5)
        writer.close()
