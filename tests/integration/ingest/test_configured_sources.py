"""Polling sources that a folder configures, on a real bus."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.records import Reading
from core.settings import Settings
from ingest.configured import read_sources
from tests.integration.ingest.test_ingest_main import collect, ingesting

pytestmark = pytest.mark.anyio

SOURCE = """
kind: folder
params:
  folder: {folder}
  settle_s: 0
  interval_s: 0.2
  mapping: {{device: station, id: n, values: [{{path: level, quantity: water_level_m}}]}}
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_a_wrong_file_is_named_and_the_others_work(tmp_path: Path) -> None:
    (tmp_path / "levels.yaml").write_text(SOURCE.format(folder=tmp_path))
    (tmp_path / "panel.yaml").write_text("kind: gb26875\nparams: {component_address: host_loop_point}\n")
    (tmp_path / "broken.yaml").write_text("kind: [")
    (tmp_path / "unknown.yaml").write_text("kind: telepathy\n")
    (tmp_path / "misspelt.yaml").write_text("kind: modbus\nparams: {hots: x}\n")
    found = read_sources(tmp_path)
    assert [p.name for p in found.pollers] == ["levels"]
    assert found.listeners == {"gb26875": {"component_address": "host_loop_point"}}
    assert [p.code for p in found.problems] == ["setting_invalid", "plugin_params_invalid", "plugin_unknown"]
    assert read_sources(tmp_path / "nowhere").pollers == ()


async def test_a_dropped_file_reaches_the_bus(nats_server: Settings, tmp_path: Path) -> None:
    drop, sources = tmp_path / "drop", nats_server.data_dir / "sources"
    drop.mkdir()
    sources.mkdir(parents=True)
    (sources / "levels.yaml").write_text(SOURCE.format(folder=drop))
    (drop / "levels.csv").write_text("n,station,level\n1,s1,0.27\n2,s1,0.31\n")
    async with ingesting(nats_server) as bus:
        readings = await collect(bus, Reading, "READ", "read.>", 2)
        for _ in range(50):
            if (drop / "done").is_dir() and any((drop / "done").iterdir()):
                break
            await asyncio.sleep(0.1)
        left = [f.name for f in (drop / "done").iterdir()]
    assert sorted(float(r.value or 0) for r in readings) == [0.27, 0.31]
    assert len(left) == 1 and left[0].endswith("levels.csv")


async def test_files_are_taken_up_while_ingest_runs(nats_server: Settings, tmp_path: Path) -> None:
    drop, sources = tmp_path / "drop", nats_server.data_dir / "sources"
    drop.mkdir()
    async with ingesting(nats_server) as bus:
        sources.mkdir(parents=True, exist_ok=True)
        (sources / "levels.yaml").write_text(SOURCE.format(folder=drop))
        (drop / "first.csv").write_text("n,station,level\n1,s1,0.27\n")
        first = await collect(bus, Reading, "READ", "read.>", 1)
        (sources / "levels.yaml").write_text("kind: [")  # a slip while editing: the source goes on
        (drop / "second.csv").write_text("n,station,level\n2,s1,0.31\n")
        second = await collect(bus, Reading, "READ", "read.>", 1)
    assert [r.value for r in first] == [0.27] and [r.value for r in second] == [0.31]
