"""Modbus, REST and drop-folder sources against loopback fakes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from core.clock import ManualClock
from core.errors import PluginParamsInvalid, SettingsError
from core.plugins import build, parse_params
from core.records import Observation, Quality, Reading
from ingest.polling import NotConfirmed, SourceUnreachable
from ingest.sources import folder, modbus, rest
from tests.conftest import free_port

pytestmark = pytest.mark.anyio
NOW = datetime(2024, 7, 22, 2, 30, 5, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Sink:
    """Takes what a source publishes; ``durable`` False refuses."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.observations: list[Observation] = []
        self.durable = True

    async def __call__(self, device_id: str, readings: Sequence[Reading], observations: Sequence[Observation]) -> bool:
        if self.durable:
            self.readings += readings
            self.observations += observations
        return self.durable


# Modbus ------------------------------------------------------------------------------------------
@contextlib.asynccontextmanager
async def modbus_server() -> AsyncIterator[int]:
    port = free_port()
    holding = [
        SimData(0, values=[270, 65535, 0xFFF6, 0x4148, 0x0000], datatype=DataType.REGISTERS),
        SimData(100, values=[1, 0x86A0], datatype=DataType.REGISTERS),
    ]
    coils = [SimData(0, values=[True, False, True], datatype=DataType.BITS)]
    inputs = [SimData(10, values=[1234], datatype=DataType.REGISTERS)]
    device = SimDevice(1, (coils, [SimData(0, values=[True], datatype=DataType.BITS)], holding, inputs))
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    task = asyncio.create_task(server.serve_forever(background=False))
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.02)
        yield port
    finally:
        await server.shutdown()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


REGISTERS = [
    {"address": 0, "quantity": "water_level_m", "scale": 0.001, "unit": "m"},
    {"address": 1, "quantity": "rain_mm", "missing": [65535]},
    {"address": 2, "quantity": "temperature_c", "type": "int16", "scale": 0.1},
    {"address": 3, "quantity": "flow_m3ps", "type": "float32"},
    {"address": 100, "quantity": "volume_m3", "type": "uint32", "word_order": "big"},
    {"address": 0, "quantity": "bit_3", "bit": 3},
    {"address": 2, "quantity": "pump_running", "table": "coil"},
    {"address": 10, "quantity": "pressure_kpa", "table": "input"},
    {"address": 500, "quantity": "nowhere"},
]


def modbus_params(port: int) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "device": "pump-1", "registers": REGISTERS, "timeout_s": 1}


async def test_modbus_registers_become_readings() -> None:
    sink = Sink()
    async with modbus_server() as port:
        source = build("source", "modbus", modbus_params(port), name="pumps")
        polled = await source.poll(sink, ManualClock(NOW))
        await source.close()
    assert polled.readings == len(REGISTERS)
    by = {r.quantity: r for r in sink.readings}
    assert by["water_level_m"].value == 0.27 and by["water_level_m"].device_id == "modbus:pump-1"
    assert by["rain_mm"].value is None and by["rain_mm"].quality is Quality.MISSING
    assert (by["temperature_c"].value, by["flow_m3ps"].value, by["volume_m3"].value) == (-1.0, 12.5, 100000)
    assert (by["bit_3"].value, by["pump_running"].value, by["pressure_kpa"].value) == (1.0, 1.0, 1234)
    assert by["nowhere"].value is None and by["nowhere"].quality is Quality.SIGNAL_BAD


async def test_modbus_device_that_is_away_or_silent() -> None:
    source = modbus.build(parse_params("source", "modbus", modbus_params(free_port())))
    with pytest.raises(SourceUnreachable):
        await source.poll(Sink(), ManualClock(NOW))
    silent = await asyncio.start_server(lambda r, w: asyncio.sleep(30), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    source = modbus.build(parse_params("source", "modbus", modbus_params(port) | {"timeout_s": 0.2}))
    with pytest.raises(SourceUnreachable):
        await source.poll(Sink(), ManualClock(NOW))
    silent.close()


def test_modbus_reads_neighbours_together_and_little_word_order() -> None:
    params = parse_params("source", "modbus", modbus_params(1))
    sizes = [[r.address for r in block] for block in modbus.blocks(params.registers)]
    assert [2] in sizes and [10] in sizes and [500] in sizes and [100] in sizes
    assert [0, 0, 1, 2, 3] in sizes
    swapped = modbus.Register(address=0, quantity="x", type="uint32", word_order="little")
    assert modbus.value_of(swapped, [swapped], [0x86A0, 1]) == 100000
    beyond = {"address": 65535, "quantity": "x", "type": "int32"}
    for change in ({"registers": []}, {"interval_s": 0}, {"registers": [beyond]}):
        with pytest.raises(PluginParamsInvalid):
            parse_params("source", "modbus", modbus_params(1) | change)


# REST --------------------------------------------------------------------------------------------
Answer = Callable[[str, dict[str, str], bytes], tuple[int, bytes]]


@contextlib.asynccontextmanager
async def http_server(answer: Answer) -> AsyncIterator[str]:
    """A small HTTP/1.1 server: ``answer(target, headers, body) -> (status, body)``."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status, content = answer(head[0].split(" ")[1], headers, body)
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


GAS_MAPPING = {
    "device": "sn",
    "items": "data.list",
    "id": "id",
    "time": {"path": "t"},
    "values": [{"path": "lel", "quantity": "gas_lel_pct", "unit": "%LEL"}],
    "events": [{"kind_path": "alarm", "kinds": {"1": "gas_alarm"}}],
}
ROWS: list[dict[str, Any]] = [
    {"id": n, "sn": f"g{n % 2}", "t": f"2024-07-22 10:{n:02d}:00", "lel": n, "alarm": int(n == 5)} for n in range(1, 8)
]


def gas_api(target: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    if headers.get("authorization") != "Bearer s3cret":
        return 401, b""
    since = int(target.partition("since=")[2] or 0)
    return 200, json.dumps({"data": {"list": [r for r in ROWS if r["id"] > since][:3]}}).encode()


async def test_rest_reads_pages_by_cursor_and_goes_on_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAS_TOKEN", "s3cret")
    sink = Sink()
    async with http_server(gas_api) as url:
        params = {
            "url": f"{url}/readings",
            "query": {"since": "{cursor}"},
            "token_env": "GAS_TOKEN",
            "start": "0",
            "cursor_item": "id",
            "mapping": GAS_MAPPING,
        }
        source = build("source", "rest", params, name="gas", state_dir=tmp_path)
        polled = await source.poll(sink, ManualClock(NOW))
        assert (polled.readings, polled.observations) == (7, 1)
        assert {r.device_id for r in sink.readings} == {"rest:g0", "rest:g1"}
        assert sink.observations[0].kind == "gas_alarm"
        assert (await source.poll(sink, ManualClock(NOW))).readings == 0
        await source.close()
        again = build("source", "rest", params, name="gas", state_dir=tmp_path)
        assert (await again.poll(sink, ManualClock(NOW))).readings == 0
        await again.close()


async def test_rest_keeps_its_cursor_until_everything_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAS_TOKEN", "s3cret")
    sink = Sink()
    sink.durable = False
    async with http_server(gas_api) as url:
        params = {"url": url + "/r?since={cursor}", "token_env": "GAS_TOKEN", "start": "0", "cursor_item": "id"}
        source = build("source", "rest", params | {"mapping": GAS_MAPPING}, name="gas", state_dir=tmp_path)
        with pytest.raises(NotConfirmed):
            await source.poll(sink, ManualClock(NOW))
        sink.durable = True
        assert (await source.poll(sink, ManualClock(NOW))).readings == 7
        await source.close()


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [(500, b"{}", "source_unreachable"), (302, b"", "source_unreachable"), (200, b"<html>", "payload_not_json")],
)
async def test_rest_says_what_is_wrong(status: int, content: bytes, error: str) -> None:
    async with http_server(lambda *_: (status, content)) as url:
        source = rest.build(parse_params("source", "rest", {"url": url, "mapping": GAS_MAPPING}))
        with pytest.raises(Exception) as caught:  # noqa: PT011 - the code is what counts
            await source.poll(Sink(), ManualClock(NOW))
        assert caught.value.code == error  # type: ignore[attr-defined]
        await source.close()


async def test_rest_without_its_secret_or_server() -> None:
    params = {"url": f"http://127.0.0.1:{free_port()}", "mapping": GAS_MAPPING}
    source = rest.build(parse_params("source", "rest", params | {"token_env": "YIWANG_NO_SUCH"}))
    with pytest.raises(SettingsError, match="YIWANG_NO_SUCH"):
        await source.poll(Sink(), ManualClock(NOW))
    source = rest.build(parse_params("source", "rest", params))
    with pytest.raises(SourceUnreachable):
        await source.poll(Sink(), ManualClock(NOW))
    await source.close()
    for change in ({"url": "ftp://x"}, {"mapping": {"device": "x"}}, {"interval_s": 0}):
        with pytest.raises(PluginParamsInvalid):
            parse_params("source", "rest", params | change)


# drop folder -------------------------------------------------------------------------------------
LEVELS = {
    "device": "站号",
    "time": {"path": "时间", "format": "%Y-%m-%d %H:%M"},
    "values": [{"path": "水位(m)", "quantity": "water_level_m", "unit": "m"}],
}


def drop(tmp_path: Path, **more: object) -> folder.Folder:
    return folder.build(parse_params("source", "folder", {"folder": str(tmp_path), "mapping": LEVELS, **more}))


def settled(file: Path) -> Path:
    os.utime(file, (NOW.timestamp() - 60, NOW.timestamp() - 60))
    return file


async def test_csv_in_gb18030_with_a_bad_row(tmp_path: Path) -> None:
    rows = "站号,时间,水位(m)\r\ns1,2024-07-22 10:30,0.27\r\ns2,2024-07-22 10:30,高\r\n\r\ns3,2024-07-22 10:30,0.5\r\n"
    settled(_write(tmp_path / "levels.csv", rows.encode("gb18030")))
    sink = Sink()
    polled = await drop(tmp_path).poll(sink, ManualClock(NOW))
    assert [(r.device_id, r.value) for r in sink.readings] == [
        ("folder:s1", 0.27), ("folder:s2", None), ("folder:s3", 0.5),
    ]  # fmt: skip
    assert sink.readings[0].observed_at == NOW.replace(second=0) and len(polled.refused) == 1
    assert [f.name for f in (tmp_path / "done").iterdir()] == ["20240722T023005-levels.csv"]
    (errors,) = (tmp_path / "failed").iterdir()
    assert "3," in errors.read_text(encoding="utf-8-sig") and not (tmp_path / "levels.csv").exists()


def _write(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


async def test_xlsx_with_real_dates(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["站号", "时间", "水位(m)"])
    sheet.append(["s1", datetime(2024, 7, 22, 10, 30), 0.27])  # noqa: DTZ001 - what a sheet holds
    book.save(tmp_path / "levels.xlsx")
    settled(tmp_path / "levels.xlsx")
    sink = Sink()
    await drop(tmp_path).poll(sink, ManualClock(NOW))
    assert [(r.value, r.observed_at) for r in sink.readings] == [(0.27, NOW.replace(second=0))]


async def test_files_that_cannot_be_read_go_aside(tmp_path: Path) -> None:
    for name, content in (("a.xlsx", b"no zip"), ("b.csv", b""), ("c.csv", b'x,y\n"open'), ("d.csv", b"\xff\xff\xff")):
        settled(_write(tmp_path / name, content))
    polled = await drop(tmp_path).poll(Sink(), ManualClock(NOW))
    assert len(polled.refused) == 4
    names = sorted(f.name for f in (tmp_path / "failed").iterdir())
    assert len(names) == 8 and all("errors.csv" in n for n in names[1::2])


async def test_files_that_still_grow_or_are_too_large_or_not_durable(tmp_path: Path) -> None:
    growing = _write(tmp_path / "x.csv", "站号,水位(m)\ns1,1\n".encode())
    os.utime(growing, (NOW.timestamp(), NOW.timestamp()))
    sink = Sink()
    assert (await drop(tmp_path).poll(sink, ManualClock(NOW))).readings == 0 and growing.exists()
    settled(growing)
    sink.durable = False
    with pytest.raises(NotConfirmed):
        await drop(tmp_path).poll(sink, ManualClock(NOW))
    assert growing.exists(), "taken again later"
    assert len((await drop(tmp_path, most_bytes=4).poll(Sink(), ManualClock(NOW))).refused) == 1
    with pytest.raises(SourceUnreachable):
        await drop(tmp_path / "nowhere").poll(sink, ManualClock(NOW))
