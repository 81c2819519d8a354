"""The production bus: three nats-server nodes with deploy/nats.conf, one of them killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.nats import nats_binary
from core.bus import Bus, connect
from core.records import GeoPoint
from core.settings import Settings
from ingest.nkeys import Issuer
from tests.conftest import free_port

CONF = Path(__file__).resolve().parents[3] / "deploy/nats.conf"


@pytest.fixture
def cluster(settings: Settings, tmp_path: Path) -> Iterator[tuple[Settings, list[subprocess.Popen[bytes]]]]:
    ports = [{kind: free_port() for kind in ("client", "cluster", "mqtt", "monitor")} for _ in range(3)]
    routes = {
        f"NATS_ROUTE_{i + 1}": f"nats://route:route-secret@127.0.0.1:{p['cluster']}" for i, p in enumerate(ports)
    }
    nodes = []
    for i, port in enumerate(ports):
        env = {
            **os.environ,
            **routes,
            "NATS_NODE": f"nats-{i + 1}",
            "NATS_LISTEN": f"127.0.0.1:{port['client']}",
            "NATS_MONITOR": f"127.0.0.1:{port['monitor']}",
            "NATS_CLUSTER_LISTEN": f"127.0.0.1:{port['cluster']}",
            "NATS_MQTT_LISTEN": f"127.0.0.1:{port['mqtt']}",
            "NATS_STORE": str(tmp_path / f"nats-{i + 1}"),
            "NATS_ROUTE_PASSWORD": "route-secret",
            "NATS_ADMIN_PASSWORD": "admin-secret",
            "YIWANG_NATS_TOKEN": settings.nats_token,
            "YIWANG_MQTT_PASSWORD": settings.mqtt_password,
            "YIWANG_BROKER_ISSUER": Issuer(settings.broker_secret).public,
        }
        log = (tmp_path / f"nats-{i + 1}.log").open("wb")
        nodes.append(subprocess.Popen([nats_binary(), "-c", str(CONF)], env=env, stdout=log, stderr=log))
    urls = ",".join(f"nats://127.0.0.1:{p['client']}" for p in ports)
    try:
        yield settings.with_(nats_url=urls, nats_replicas=3, nats_embedded=False), nodes
    finally:
        for node in nodes:
            node.kill()
            node.wait(10)


async def _ready(settings: Settings) -> Bus:
    bus, deadline = None, time.monotonic() + 120
    while True:
        try:
            bus = bus or await connect(settings, "test")
            await bus.ensure()
            return bus
        except Exception:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)  # the nodes still start, or elect their leader


def test_a_killed_node_loses_nothing(cluster: tuple[Settings, list[subprocess.Popen[bytes]]]) -> None:
    settings, nodes = cluster

    async def scenario() -> int:
        bus = await _ready(settings)
        point = GeoPoint(lon=125.4, lat=43.88)
        for i in range(50):
            await bus.publish(f"obs.0.test.{i}", point, f"id-{i}")
        nodes[0].kill()
        for i in range(50, 100):
            for _ in range(240):
                try:
                    await bus.publish(f"obs.0.test.{i}", point, f"id-{i}")
                    break
                except Exception:
                    await asyncio.sleep(0.25)  # a new leader is being elected
            else:
                raise AssertionError(f"message {i} was never confirmed")
        messages = (await bus.js.stream_info(bus.stream("OBS"))).state.messages
        await bus.client.close()
        return messages

    assert asyncio.run(scenario()) == 100
