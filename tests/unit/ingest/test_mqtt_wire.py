"""MQTT packets of a subscriber, however the stream is cut; readings that travel together."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.bus import Bus
from core.records import Reading, decode_many
from ingest.outlet import MOST_BYTES, MOST_READINGS, NotDurable, Outlet
from ingest.transports import mqtt_wire as wire

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def publish(topic: str, payload: bytes, qos: int = 1, mid: int = 7, retain: bool = False) -> bytes:
    raw = topic.encode()
    body = len(raw).to_bytes(2, "big") + raw + (mid.to_bytes(2, "big") if qos else b"") + payload
    return wire.encode(0x30 | qos << 1 | retain, body)


MESSAGES = st.builds(
    publish,
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20),
    st.binary(max_size=400),
    st.sampled_from([0, 1, 2]),
    st.integers(1, 65535),
    st.booleans(),
)


@given(st.lists(MESSAGES, max_size=6), st.data())
@settings(deadline=None)
def test_packets_are_the_same_however_the_stream_is_cut(messages: list[bytes], data: Any) -> None:
    stream = b"\x20\x02\x01\x00" + b"".join(messages) + b"\xd0\x00" + b"\x90\x04\x00\x05\x01\x80"
    whole, rest = wire.decode(stream)
    assert rest == b"" and len(whole) == len(messages) + 3
    cut = data.draw(st.integers(0, len(stream)))
    first, left = wire.decode(stream[:cut])
    second, rest = wire.decode(left + stream[cut:])
    assert first + second == whole and rest == b""
    assert whole[0] == wire.Connack(0, True) and whole[-1] == wire.Suback(5, b"\x01\x80")


def test_a_message_with_all_its_marks() -> None:
    (found,), rest = wire.decode(publish("a/水位", b"\x00" * 300, 1, 258, True) + b"\x30")
    assert found == wire.Publish("a/水位", b"\x00" * 300, 1, 258, True) and rest == b"\x30"
    assert wire.pubacks([1, 258]) == bytes.fromhex("40020001 40020102")
    assert wire.connect("c", "u", "p", 30) == bytes.fromhex("1013 0004 4d515454 04 c0 001e 0001 63 0001 75 0001 70")
    assert wire.subscribe(1, ["a"]) == bytes.fromhex("8206 0001 0001 61 01")
    assert wire.unsubscribe(2, ["a"]) == bytes.fromhex("a205 0002 0001 61")


@pytest.mark.parametrize(
    "data",
    [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\x7f", b"\x36\x02\x00\x00", b"\x32\x03\x00\x05a",
     b"\x10\x00", b"\x20\x03\x00\x00\x00", b"\x90\x02\x00\x01"],
)  # fmt: skip
def test_what_no_broker_sends(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.decode(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_packets_a_rest_or_an_error(data: bytes) -> None:
    try:
        packets, rest = wire.decode(data)
    except wire.WireError:
        return
    assert data.endswith(rest) and all(isinstance(p, wire.Packet) for p in packets)


# readings together ---------------------------------------------------------------------------------------------------
class Client:
    """A NATS client in memory that confirms, or not."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, dict[str, str] | None]] = []
        self.confirm: Any = None
        self.answer = b'{"stream":"READ","seq":1}'

    def new_inbox(self) -> str:
        return "_INBOX.x"

    async def subscribe(self, _subject: str, cb: Any) -> None:
        self.confirm = cb

    async def publish(self, subject: str, payload: bytes, reply: str, headers: dict[str, str] | None) -> None:
        self.sent.append((subject, payload, headers))
        if self.answer:
            message = SimpleNamespace(subject=reply, data=self.answer)
            asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self.confirm(message)))


def reading(number: int, size: int = 0, site: str = "s") -> Reading:
    return Reading(
        reading_id=f"r{number}", source="mqtt", device_id="mqtt:g", quantity="q", value=number, observed_at=NOW,
        received_at=NOW, site_id=site, attributes={"x": "y" * size} if size else {},
    )  # fmt: skip


async def outlet(client: Client, **more: Any) -> Outlet:
    bus = Bus.__new__(Bus)
    bus.client = client  # type: ignore[assignment]
    bus.settings = SimpleNamespace(subject_prefix="", partitions=8)  # type: ignore[assignment]
    out = Outlet(bus, **more)
    await out.open()
    return out


async def test_readings_of_a_moment_travel_together_in_order_and_are_durable_together() -> None:
    client = Client()
    out = await outlet(client)
    futures = [await out.reading(reading(n, site=("a", "b")[n % 2])) for n in range(20)]
    futures.append(await out.reading(reading(99, site="c")))
    assert not client.sent
    await asyncio.gather(*futures)
    await out.close()
    got = [[r.reading_id for r in decode_many(Reading, payload)] for _, payload, _ in client.sent]
    assert sorted(got, key=len)[-2:] == [[f"r{n}" for n in range(k, 20, 2)] for k in (0, 1)] or len(got) == 3
    assert sorted(r for some in got for r in some) == sorted([*(f"r{n}" for n in range(20)), "r99"])
    alone = [(subject, headers) for subject, payload, headers in client.sent if payload.startswith(b"{")]
    assert all(headers and "Nats-Msg-Id" in headers for _, headers in alone) and out.pending == 0


async def test_a_batch_is_bounded_in_number_and_in_bytes() -> None:
    client = Client()
    out = await outlet(client)
    many = [await out.reading(reading(n)) for n in range(MOST_READINGS * 2 + 5)]
    large = [await out.reading(reading(1000 + n, size=40_000)) for n in range(20)]
    await asyncio.gather(*many, *large)
    await out.close()
    assert max(len(payload) for _, payload, _ in client.sent) <= MOST_BYTES
    sizes = [len(decode_many(Reading, payload)) for _, payload, _ in client.sent]
    assert max(sizes) <= MOST_READINGS and sum(sizes) == MOST_READINGS * 2 + 25


async def test_what_the_stream_refuses_is_durable_for_nobody_and_room_is_given_back() -> None:
    client = Client()
    client.answer = b'{"error":{"description":"maximum bytes exceeded"}}'
    out = await outlet(client, max_pending=8)
    for _ in range(4):
        futures = [await out.reading(reading(n, size=60_000)) for n in range(8)]
        found = await asyncio.gather(*futures, return_exceptions=True)
        assert all(isinstance(f, NotDurable) for f in found)
    client.answer = b""  # no acknowledgement at all
    late = await outlet(client, timeout_s=0.1)
    with pytest.raises(NotDurable):
        await asyncio.wait_for(await late.reading(reading(1)), 3)
    await out.close()
    await late.close()
