"""Gear as it stands in the field: controllers with holes, RTU through TCP, cameras with HTTP Digest, chattering modems,
strict CloudEvents, device clocks in other zones."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import struct
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock, SystemClock
from core.plugins import parse_params
from core.records import DeviceConfig, Quality, Reading
from ingest import cloudevents
from ingest.gateways import onvif
from ingest.gateways.contract import GatewayLoginFailed
from ingest.normalise import normalise_reading
from ingest.push import parse_push
from ingest.sources import hj212, modbus
from tests.unit.ingest.test_ingest_tcp import House, house

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 27, 10, 38, 17, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# Modbus --------------------------------------------------------------------------------------------------------------
REGISTERS = {100: 215, 101: 480, 104: 0x41C8, 105: 0x0000, 110: 0x8000, 111: 7, 200: 7}
Answer = Callable[[int, int, int], bytes | None]


def _answer(refuse: int | None) -> Answer:
    """What a controller answers that has only :data:`REGISTERS`; ``refuse`` None: it stays silent at holes."""

    def answer(code: int, first: int, count: int) -> bytes | None:
        wanted = range(first, first + count)
        if all(a in REGISTERS for a in wanted):
            return bytes((code, 2 * count)) + b"".join(struct.pack(">H", REGISTERS[a]) for a in wanted)
        return None if refuse is None else bytes((code | 0x80, refuse))

    return answer


@contextlib.asynccontextmanager
async def controller(answer: Answer, *, rtu: bool = False) -> AsyncIterator[tuple[int, list[tuple[int, int]]]]:
    asked: list[tuple[int, int]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(1 if rtu else 7)
                pdu = await reader.readexactly(5)
                if rtu:
                    await reader.readexactly(2)
                code, first, count = struct.unpack(">BHH", pdu)
                asked.append((first, count))
                body = answer(code, first, count)
                if body is None:
                    continue
                if rtu:
                    raw = head + body
                    writer.write(raw + _crc(raw))
                else:
                    writer.write(head[:4] + struct.pack(">HB", len(body) + 1, head[6]) + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


def _crc(raw: bytes) -> bytes:
    value = 0xFFFF
    for byte in raw:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


async def poll(source: modbus.Modbus) -> dict[str, Reading]:
    got: list[Reading] = []

    async def publish(_device: str, readings: Any, _observations: Any) -> bool:
        got.extend(readings)
        return True

    await source.poll(publish, SystemClock())
    return {r.quantity: r for r in got}


def params(port: int, **more: object) -> modbus.Params:
    signals = [
        {"address": 100, "quantity": "level_a", "scale": 0.01}, {"address": 101, "quantity": "level_b", "scale": 0.01},
        {"address": 104, "quantity": "temperature_c", "type": "float32"}, {"address": 107, "quantity": "nowhere"},
        {"address": 110, "quantity": "broken", "type": "int16", "missing": [-32768]},
        {"address": 111, "quantity": "mode"}, {"address": 200, "quantity": "far"},
    ]  # fmt: skip
    return parse_params("source", "modbus", {
        "host": "127.0.0.1", "port": port, "device": "plc", "registers": signals, "timeout_s": 0.3, **more,
    })  # type: ignore[return-value]  # fmt: skip


@pytest.mark.parametrize("refuse", [2, 3, 4, None])
async def test_blocks_with_holes_are_split_and_the_split_is_remembered(refuse: int | None) -> None:
    async with controller(_answer(refuse)) as (port, asked):
        source = modbus.build(params(port))
        first = await poll(source)
        before = len(asked)
        second = await poll(source)
        await source.close()
    values = {name: r.value for name, r in first.items()}
    assert values == {"level_a": 2.15, "level_b": 4.8, "temperature_c": 25.0, "nowhere": None, "broken": None,
                      "mode": 7, "far": 7}  # fmt: skip
    assert first["nowhere"].quality is Quality.SIGNAL_BAD and first["broken"].quality is Quality.MISSING
    assert {name: r.value for name, r in second.items()} == values
    assert len(asked) - before <= 8


async def test_rtu_frames_through_tcp() -> None:
    async with controller(_answer(2), rtu=True) as (port, _):
        source = modbus.build(params(port, framing="rtu"))
        found = await poll(source)
        await source.close()
    assert (found["level_a"].value, found["far"].value) == (2.15, 7)


@pytest.mark.parametrize(
    ("word_order", "byte_order", "words"),
    [("big", "big", [0x41C8, 0x8000]), ("little", "big", [0x8000, 0x41C8]), ("big", "little", [0xC841, 0x0080]),
     ("little", "little", [0x0080, 0xC841])],
)  # fmt: skip
def test_orders_of_words_and_bytes(word_order: str, byte_order: str, words: list[int]) -> None:
    register = modbus.Register(address=0, quantity="x", type="float32", word_order=word_order, byte_order=byte_order)  # type: ignore[arg-type]
    assert modbus.value_of(register, [register], words) == 25.0625


@pytest.mark.parametrize(
    ("kind", "missing", "value"),
    [("float32", [-999.9], -999.9), ("float32", ["0x7FC00000"], float("nan")), ("float32", [3.4e38], 3.4e38),
     ("int16", [-32768], -32768), ("uint16", ["0xFFFF"], 65535), ("uint32", [4294967295], 4294967295),
     ("int64", [-1], -1), ("float64", [1e30], 1e30)],
)  # fmt: skip
def test_marks_of_no_value_by_signal(kind: str, missing: list[float | str], value: float) -> None:
    register = modbus.Register(address=0, quantity="x", type=kind, missing=missing)  # type: ignore[arg-type]
    raw = struct.pack(modbus._FORMATS[kind], value)
    words = [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
    assert modbus.value_of(register, [register], words) is None


# ONVIF ---------------------------------------------------------------------------------------------------------------
def _digest_ok(header: str, method: str, algorithm: str) -> bool:
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', header.removeprefix("Digest ")))
    name = {"SHA-256": "sha256"}.get(algorithm, "md5")

    def h(text: str) -> str:
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    if "response" not in given:
        return False
    secret, target = h("admin:IP Camera:Test1234"), h(f"{method}:{given['uri']}")
    qop = f"{given['nc']}:{given['cnonce']}:auth:" if "qop" in given else ""
    return given["response"] == h(f"{secret}:{given['nonce']}:{qop}{target}")


@contextlib.asynccontextmanager
async def camera(challenges: list[str], right: Callable[[str, str], bool]) -> AsyncIterator[str]:
    soap = "http://www.w3.org/2003/05/soap-envelope"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                size = int((re.search(r"content-length: (\d+)", head, re.I) or ["", "0"])[1])
                body = (await reader.readexactly(size)).decode()
                header = (re.search(r"authorization: (.*)\r", head, re.I) or ["", ""])[1]
                ok = right(header, body)
                inner = "<Manufacturer>HIK</Manufacturer>"
                text = f'<e:Envelope xmlns:e="{soap}"><e:Body>{inner}</e:Body></e:Envelope>' if ok else ""
                lines = "" if ok else "".join(f"WWW-Authenticate: {c}\r\n" for c in challenges)
                status = "200 OK" if ok else "401 Unauthorized"
                writer.write(f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(text)}\r\n\r\n{text}".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/onvif/device_service"


NONCE = 'Digest realm="IP Camera", nonce="4e6f6e"'
BASIC = "Basic " + "YWRtaW46VGVzdDEyMzQ="


@pytest.mark.parametrize(
    ("challenges", "right"),
    [
        ([NONCE + ', qop="auth"'], lambda header, _: _digest_ok(header, "POST", "MD5")),
        ([NONCE], lambda header, _: _digest_ok(header, "POST", "MD5")),
        ([NONCE + ', algorithm=SHA-256, qop="auth"'], lambda header, _: _digest_ok(header, "POST", "SHA-256")),
        (['Basic realm="x"', NONCE + ', qop="auth"'], lambda header, _: _digest_ok(header, "POST", "MD5")),
        (['Basic realm="x"'], lambda header, _: header == BASIC),
        ([NONCE + ', qop="auth"'], lambda header, body: "Security" not in body and _digest_ok(header, "POST", "MD5")),
    ],
)
async def test_a_camera_that_wants_http_authentication(
    challenges: list[str], right: Callable[[str, str], bool]
) -> None:
    async with camera(challenges, right) as url:
        one = onvif.Onvif(url, "admin", "Test1234", ManualClock(NOW))
        assert (await one.information())["Manufacturer"] == "HIK"
        await one.close()
        for user, password in (("admin", "wrong"), ("other", "Test1234")):
            two = onvif.Onvif(url, user, password, ManualClock(NOW))
            with pytest.raises(GatewayLoginFailed):
                await two.information()
            await two.close()


async def test_a_log_in_method_that_is_not_known_is_named() -> None:
    async with camera([NONCE + ", algorithm=SHA3-256", "Bearer"], lambda _header, _body: False) as url:
        one = onvif.Onvif(url, "admin", "Test1234", ManualClock(NOW))
        with pytest.raises(GatewayLoginFailed, match="SHA3-256, Bearer"):
            await one.information()
        await one.close()


# modems --------------------------------------------------------------------------------------------------------------
def frame(number: int) -> bytes:
    cp = f"DataTime=202611271838{number % 60:02d};w01018-Rtd={number}.5,w01018-Flag=N"
    return hj212.encode(f"QN=202611271838{number % 60:02d}001;ST=32;CN=2011;MN=TESTDTU1;Flag=5;CP=&&{cp}&&")


CHATTER = [b"\xfe", b"REG=860000000000001\r\n", b"##", b"#", b"\x00", b"heart", b"##12", b"www.usr.cn", b"\x01\x7e@@"]


async def chatter(rig: House, pieces: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.2)
    assert not reader.at_eof(), "hung up"
    writer.close()


async def test_a_modem_that_chatters_between_frames_is_no_attack() -> None:
    limits: dict[str, Any] = {"refusals": 5, "beats_per_s": 1000.0, "unfinished_s": 0.05}
    async with house(source=hj212.build(hj212.Params()), **limits) as rig:
        pieces = []
        for number in range(60):
            pieces += [*CHATTER[number % len(CHATTER) :], frame(number)]
        await chatter(rig, pieces)
        counters = rig.pipeline.counters.of("hj212")
        assert counters.events["frames"] >= 55, counters.events
        assert not counters.refused["frame_noise"] and counters.events["idle_bytes"] > 100
        assert rig.listener.guard.admit("127.0.0.1", 0.0) is None, "banned"


async def test_beats_alone_keep_a_connection_but_a_flood_of_noise_does_not() -> None:
    limits: dict[str, Any] = {"first_frame_s": 0.1, "beats_per_s": 50.0, "beats_burst": 20.0, "refusals": 5}
    async with house(source=hj212.build(hj212.Params()), **limits) as rig:
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        for _ in range(8):
            writer.write(b"\xfe")
            await asyncio.sleep(0.05)
            rig.listener._sweep(asyncio.get_running_loop().time())
        assert not reader.at_eof() and rig.listener.connections
        for _ in range(300):
            writer.write(b"\xfe")
            await asyncio.sleep(0.0005)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(10), 5) == b""
        writer.close()


# CloudEvents ---------------------------------------------------------------------------------------------------------
EVENT = {"specversion": "1.0", "id": "e", "source": "/gas/1", "type": "t", "subject": "g1"}


def event(change: dict[str, Any]) -> Any:
    raw = json.dumps({**EVENT, "data": {"a_m": 1}, **change}).encode()
    return parse_push("/readings", {"content-type": cloudevents.STRUCTURED}, raw, NOW, lambda _name: None)


def binary(headers: dict[str, str], body: bytes = b'{"a_m": 1}') -> Any:
    given = {f"ce-{name}": value for name, value in EVENT.items()} | headers
    return parse_push("/readings", given, body, NOW, lambda _name: None)


@pytest.mark.parametrize(
    "change",
    [{"Extension": "x"}, {"my_ext": "x"}, {"ext": {"a": 1}}, {"ext": 1.5}, {"time": "2026-11-27T10:00:00"},
     {"time": "2026-13-01T00:00:00Z"}, {"time": "2026-11-27T24:00:00Z"},
     {"time": 5}, {"subject": ""}, {"source": "two words"}, {"id": "a\x07b"}, {"datacontenttype": "text/plain"},
     {"data_base64": "e30="}, {"data": None, "data_base64": "no base64"}, {"specversion": 1.0}, {"id": 7}],
)  # fmt: skip
def test_an_event_that_breaks_a_rule_is_refused(change: dict[str, Any]) -> None:
    found = event(change)
    assert not found.readings and len(found.refused) == 1


@pytest.mark.parametrize("change", [{"ext": "x"}, {"ext": True}, {"traceparent": "00-1"}, {"time": None},
                                    {"datacontenttype": "application/senml+json; charset=utf-8"}])  # fmt: skip
def test_an_event_that_keeps_them_is_taken(change: dict[str, Any]) -> None:
    assert len(event(change).readings) == 1


def test_binary_headers_are_utf8_after_percent_decoding() -> None:
    found = binary({"ce-subject": "%E6%B0%B4%E4%BD%8D1"})
    assert [r.device_id for r in found.readings] == ["http:水位1"]
    assert [r.device_id for r in binary({"ce-subject": '"g%201"'.replace("%20", "-")}).readings] == ["http:g-1"]
    for subject in ("%ff%fe", "%E6%B0", "100%", "%zz", "%C0%80"):
        with pytest.raises(cloudevents.EventInvalid):
            binary({"ce-subject": subject})
    with pytest.raises(cloudevents.EventInvalid):
        binary({"content-type": "text/plain"})


@given(st.text(max_size=30))
def test_any_subject_that_is_encoded_comes_back(subject: str) -> None:
    encoded = quote(subject.encode("utf-8", "replace"), safe="")
    event_ = cloudevents.from_headers({f"ce-{n}": v for n, v in EVENT.items()} | {"ce-subject": encoded}, b"{}")
    assert event_["subject"] == subject.encode("utf-8", "replace").decode()


# clocks --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("zone", "hours"), [("UTC", 8), ("+09:00", -1), ("Asia/Urumqi", 2), ("", 0), ("nowhere", 0)])
def test_a_device_whose_clock_runs_in_another_zone(zone: str, hours: int) -> None:
    device = DeviceConfig(device_id="jt808:1", source="jt808", address="1", attributes={"clock_zone": zone})
    reading = Reading(reading_id="r", source="jt808", device_id="jt808:1", quantity="speed_kmph", value=1,
                      observed_at=NOW - timedelta(hours=hours), received_at=NOW + timedelta(seconds=9))  # fmt: skip
    assert normalise_reading(reading, device).observed_at == NOW
