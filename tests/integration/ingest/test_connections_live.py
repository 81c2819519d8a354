"""Connections on a real bus: a saved version, a changed mapping and a revoked key are in force without a restart."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from typing import Any

import httpx
import msgspec
import pytest

from core.bus import Bus
from core.exchange import ConnectionConfig, seal_secrets
from core.records import Observation, Reading, encode
from core.settings import Settings
from ingest.connections.starter import starters
from ingest.simulate.platforms import senders
from ingest.simulate.platforms.server import Platform
from tests.integration.ingest.test_ingest_main import collect, ingesting

pytestmark = pytest.mark.anyio
WAIT_S = 30.0  # a slow machine's; figures are taken elsewhere


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def put(bus: Bus, config: ConnectionConfig) -> None:
    bucket = await bus.bucket("registry")
    await bucket.put(f"connection.{config.connection_id}", encode(config))


async def shown(bus: Bus, connection_id: str, good: Any) -> dict[str, Any]:
    """What the page sees, once ``good`` holds of it."""
    bucket = await bus.bucket("live")
    found: dict[str, Any] = {}
    deadline = asyncio.get_running_loop().time() + WAIT_S
    while asyncio.get_running_loop().time() < deadline:
        try:
            entry = await bucket.get(f"connection.{connection_id}")
            found = json.loads(entry.value or b"{}")
            if good(found):
                return found
        except Exception as error:  # noqa: BLE001 - not there yet
            found = {"error": str(error)}
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def until(good: Any) -> None:
    deadline = asyncio.get_running_loop().time() + WAIT_S
    while asyncio.get_running_loop().time() < deadline:
        if await good():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("never came true")


async def test_a_sender_is_pulled_and_a_changed_mapping_is_in_force(nats_server: Settings) -> None:
    settings = nats_server
    starter = starters()["gas-stations"]
    with Platform(senders.gas()) as there:
        sealed = base64.b64encode(seal_secrets("gas", {"token": senders.TOKEN}, settings.records_key)).decode()
        config = ConnectionConfig(
            connection_id="gas", kind="rest", enabled=True, version=1, params={"url": f"{there.url}/gas/v1/stations"},
            mapping=starter["mapping"], interval_s=1.0, sealed=sealed,
        )  # fmt: skip
        async with ingesting(settings) as bus:
            await put(bus, config)
            await shown(bus, "gas", lambda s: "YIWANG_CONNECTION_NETWORKS" in s["error"])
        settings = settings.with_(connection_networks="127.0.0.0/8")
        async with ingesting(settings) as bus:
            first = await shown(bus, "gas", lambda s: s["state"] == "ok" and s["version"] == 1)
            assert first["counts"]["refused"] == 0 and first["runs"][0]["rows"] == 3
            found = await collect(bus, Reading, "READ", "read.>", 9, WAIT_S)
            assert {r.device_id for r in found} == {f"gas:TY-00{n}" for n in (1, 2, 3)}
            broken = {**starter["mapping"], "values": [{"path": "leak", "quantity": "leak"},
                                                       {"path": "stationCode", "quantity": "bad"}]}  # fmt: skip
            await put(bus, msgspec.structs.replace(config, mapping=broken, version=2, revision=2))
            after = await shown(bus, "gas", lambda s: s["version"] == 2 and s["counts"]["refused"] >= 3)
            assert "stationCode" in after["refusals"][0]["message"] and after["refusals"][0]["version"] == 2
            await put(bus, msgspec.structs.replace(config, enabled=False, revision=3))
            await shown(bus, "gas", lambda s: s["state"] == "off")


async def test_a_sender_pushes_with_its_key_until_it_is_revoked(nats_server: Settings) -> None:
    key = "a-key-of-the-city"
    config = ConnectionConfig(
        connection_id="city-ai", kind="webhook", enabled=True, mapping=starters()["city-ai-events"]["mapping"],
        key_sha256=hashlib.sha256(key.encode()).hexdigest(),
    )  # fmt: skip
    event = {"eventId": "1", "cameraCode": "c9", "algorithm": "smoke", "captureTime": 1795400000000, "lng": 125.38,
             "lat": 43.88, "score": 0.9}  # fmt: skip
    bearer = {"authorization": f"Bearer {key}"}
    url = f"http://127.0.0.1:{nats_server.ingest_http_port}"
    async with ingesting(nats_server) as bus, httpx.AsyncClient(base_url=url) as client:
        await put(bus, config)

        async def call(sent: Any, headers: dict[str, str] = bearer) -> int:
            return (await client.post("/push/city-ai", json=sent, headers=headers)).status_code

        async def is_open() -> bool:
            return await call({"events": [event]}) == 200

        await until(is_open)
        assert await call({"events": [event]}, {"authorization": "Bearer wrong"}) == 401
        assert await call({"events": [event | {"cameraCode": ""}]}) == 400
        found = await collect(bus, Observation, "OBS", "obs.>", 1, WAIT_S)
        assert found[0].kind == "flame_smoke" and found[0].source_type == "platform" and found[0].confidence == 0.9
        told = await shown(bus, "city-ai", lambda s: s["counts"].get("refused"))
        assert told["refusals"][0]["code"] == "payload_field"
        await put(bus, msgspec.structs.replace(config, key_sha256="", revision=2))

        async def is_shut() -> bool:
            return await call({"events": [event]}) == 401

        await until(is_shut)
