"""The TCP listener over real sockets with a bus in memory: late confirm, every cut, and every kind of abuse."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.clock import SystemClock
from core.media import MediaStore
from core.records import DeviceConfig, Observation, Reading
from ingest.counters import Counters
from ingest.live import LiveStates
from ingest.outlet import NotDurable
from ingest.pipeline import Pipeline
from ingest.registry import DeviceRegistry
from ingest.simulate.panel import component, pressure
from ingest.sources import gb26875
from ingest.transports import tcp
from ingest.transports.limits import Guard, Limits, TokenBucket
from ingest.transports.tcp import TcpListener
from tests.conftest import free_port

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Memory:
    """A bus in memory: keeps what was published; ``works`` and ``hold`` decide about the PubAck."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self.works = True
        self.hold: asyncio.Event | None = None

    async def _keep(self, record: Any) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self.works:
            future.set_exception(NotDurable(subject="x", detail="full"))
        elif self.hold is not None:
            asyncio.ensure_future(self._later(future, record))
        else:
            self.kept.append(record)
            future.set_result(None)
        return future

    async def _later(self, future: asyncio.Future[None], record: Any) -> None:
        assert self.hold is not None
        await self.hold.wait()
        self.kept.append(record)
        future.set_result(None)

    async def reading(self, reading: Reading) -> asyncio.Future[None]:
        return await self._keep(reading)

    async def observation(self, observation: Observation) -> asyncio.Future[None]:
        return await self._keep(observation)


class House:
    """A listener on a free port."""

    def __init__(self, limits: Limits, media: MediaStore | None = None, source: Any = None) -> None:
        registry, counters = DeviceRegistry(), Counters()
        registry.put(DeviceConfig(device_id="gb26875:889", source="gb26875", address="889", status="accepted"))
        self.bus = Memory()
        self.pipeline = Pipeline(registry, self.bus, LiveStates(counters), counters, SystemClock(), media=media)  # type: ignore[arg-type]
        source = source or gb26875.build(gb26875.Params())
        self.listener = TcpListener(source, self.pipeline, SystemClock(), limits)
        self.port = free_port()
        self.counters = counters.of("gb26875")

    async def panel(self) -> Panel:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        return Panel(reader, writer)


class Panel:
    """A client that sends frames and reads answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.serial = reader, writer, 0

    def frame(self, adu: bytes) -> bytes:
        self.serial += 1
        now = datetime.now(UTC)
        return gb26875.encode(command=2, serial=self.serial, source=889, destination=1, time=now, adu=adu)

    async def answer(self, wait_s: float = 8.0) -> int | None:
        """The command of the next answer; ``None`` when there is none or the connection ended."""
        try:
            data = await asyncio.wait_for(self.reader.readexactly(30), wait_s)
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            return None
        return data[26]

    async def hung_up(self, wait_s: float = 6.0) -> bool:
        """Whether the other side closes the connection."""
        try:
            while await asyncio.wait_for(self.reader.read(4096), wait_s):
                continue
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True


@asynccontextmanager
async def house(media: MediaStore | None = None, source: Any = None, **limits: Any) -> AsyncIterator[House]:
    built, stop = House(Limits(**limits), media, source), asyncio.Event()
    task = asyncio.create_task(built.listener.serve("127.0.0.1", built.port, stop))
    await asyncio.sleep(0.05)
    try:
        yield built
    finally:
        stop.set()
        await task


@pytest.fixture(autouse=True)
def quick_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "_SWEEP_S", 0.1)


async def test_the_confirm_waits_for_the_bus() -> None:
    async with house() as h:
        h.bus.hold = asyncio.Event()
        panel = await h.panel()
        panel.writer.write(panel.frame(component(2, 3)))
        assert await panel.answer(0.3) is None
        h.bus.hold.set()
        assert await panel.answer() == 3
        assert {o.kind for o in h.bus.kept if o.state == "open"} == {"fire_alarm"}


async def test_what_the_bus_lost_is_announced_again_on_the_resend() -> None:
    async with house() as h:
        panel = await h.panel()
        fire = panel.frame(component(2, 3))
        h.bus.works = False
        panel.writer.write(fire)
        assert await panel.answer(0.3) is None
        h.bus.works = True
        panel.writer.write(fire)
        assert await panel.answer() == 3
        panel.writer.write(panel.frame(component(2, 3)))
        assert await panel.answer() == 3
        assert [o.kind for o in h.bus.kept if o.state == "open"] == ["fire_alarm"]


async def test_a_stream_cut_anywhere_gives_the_same() -> None:
    async with house() as h:
        panel = await h.panel()
        data = b"".join(panel.frame(pressure(n / 10)) for n in range(40))
        rng, at = random.Random(3), 0
        while at < len(data):
            step = rng.randrange(1, 60)
            panel.writer.write(data[at : at + step])
            await panel.writer.drain()
            await asyncio.sleep(0)
            at += step
        assert [await panel.answer() for _ in range(40)] == [3] * 40
        assert sorted(r.value for r in h.bus.kept) == pytest.approx([n / 10 for n in range(40)])


async def test_slow_loris_is_hung_up_and_others_are_served() -> None:
    async with house(unfinished_s=1.0, first_frame_s=1.5) as h:
        loris, silent, good = await h.panel(), await h.panel(), await h.panel()
        loris.writer.write(loris.frame(b"")[:20])
        good.writer.write(good.frame(b""))
        assert await good.answer() == 3
        assert await loris.hung_up()
        assert await silent.hung_up()
        good.writer.write(good.frame(b""))
        assert await good.answer() == 3
        assert h.counters.refused["unfinished_frame"] == 1
        assert h.counters.refused["no_good_frame"] == 1


async def test_an_idle_device_is_hung_up_late_and_a_beating_one_never() -> None:
    async with house(idle_s=1.5) as h:
        idle, beating = await h.panel(), await h.panel()
        for panel in (idle, beating):
            panel.writer.write(panel.frame(b""))
            assert await panel.answer() == 3
        for _ in range(8):
            await asyncio.sleep(0.3)
            beating.writer.write(beating.frame(b""))
            assert await beating.answer() == 3
        assert await idle.hung_up(1.0)


async def test_garbage_is_counted_and_its_sender_banned_but_not_its_neighbour() -> None:
    async with house(refusals=20, ban_s=2.0) as h:
        rogue = await h.panel()
        rogue.writer.write(b"".join(panel_garbage(n) for n in range(60)))
        assert await rogue.hung_up()
        refused = await h.panel()
        assert await refused.hung_up(3)
        assert h.counters.refused["banned"] == 1
        await asyncio.sleep(2.1)
        later = await h.panel()
        later.writer.write(later.frame(b""))
        assert await later.answer() == 3


def panel_garbage(n: int) -> bytes:
    frame = bytearray(Panel(None, None).frame(pressure(n)))  # type: ignore[arg-type]
    frame[-3] ^= 0x55
    return bytes(frame)


async def test_an_oversize_frame_never_grows_the_buffer() -> None:
    async with house() as h:
        panel = await h.panel()
        huge = bytearray(panel.frame(b""))
        huge[24:26] = b"\xff\xff"
        panel.writer.write(bytes(huge[:27]) + b"x" * 100_000 + panel.frame(b""))
        answers = [await panel.answer() for _ in range(2)]
        assert 3 in answers
        assert sum(h.counters.refused.values()) >= 1


async def test_a_flood_is_slowed_not_lost_and_the_neighbour_stays_quick() -> None:
    async with house(bytes_per_s=50_000, burst_bytes=5_000) as h:
        flood, good = await h.panel(), await h.panel()
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(10):  # 48 kB in pieces, at once
            flood.writer.write(b"".join(flood.frame(pressure(flood.serial / 10)) for _ in range(100)))
            await flood.writer.drain()
            await asyncio.sleep(0.01)
        asked = loop.time()
        good.writer.write(good.frame(b""))
        assert await good.answer() == 3
        assert loop.time() - asked < 2
        assert [await flood.answer(5) for _ in range(1000)] == [3] * 1000
        flood.writer.write(flood.frame(b""))  # however large the pieces were that were read: now it must wait
        assert await flood.answer(5) == 3
        assert loop.time() - began > 0.6
        assert len({r.value for r in h.bus.kept}) == 1000
        assert h.counters.events["throttled"] > 0


async def test_connections_are_limited_per_address() -> None:
    async with house(per_address=3) as h:
        kept = [await h.panel() for _ in range(3)]
        for panel in kept:
            panel.writer.write(panel.frame(b""))
            assert await panel.answer() == 3
        assert await (await h.panel()).hung_up(3)
        kept[0].writer.close()
        await asyncio.sleep(0.1)
        again = await h.panel()
        again.writer.write(again.frame(b""))
        assert await again.answer() == 3
        assert h.counters.refused["too_many_from_address"] == 1


async def test_a_peer_that_never_reads_its_answers_is_cut_off() -> None:
    async with house(bytes_per_s=1e9, burst_bytes=1e9) as h:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", h.port))
        deaf.setblocking(False)
        frames = b"".join(Panel(None, None).frame(b"") for _ in range(200))  # type: ignore[arg-type]
        for _ in range(5000):
            try:
                deaf.send(frames)
            except BlockingIOError:
                await asyncio.sleep(0.005)
            except ConnectionError:
                break
            await asyncio.sleep(0)
        assert h.counters.refused["does_not_read"] == 1
        deaf.close()


async def test_a_picture_is_sealed_before_it_counts_as_taken(tmp_path: Path) -> None:
    async with house(media=MediaStore(str(tmp_path))) as h:
        jpeg = b"\xff\xd8picture"
        for _ in range(2):
            await asyncio.gather(*await h.pipeline.picture("gb26875", "gb26875:889", jpeg))
        assert {o.observation_id for o in h.bus.kept} == {h.bus.kept[0].observation_id}
        evidence = h.bus.kept[0].evidence[0]
        assert MediaStore(str(tmp_path)).get(evidence) == jpeg
        assert evidence.media_type == "image/jpeg"


def test_guard_and_bucket() -> None:
    guard = Guard(Limits(connections=2, per_address=2))
    assert guard.admit("a", 0) is None and guard.admit("a", 0) is None
    assert guard.admit("b", 0) == "too_many_connections"
    guard.ban("a", 0)  # another connection of the same gateway behaves: no ban
    guard.leave("a")
    assert guard.admit("a", 1) is None
    bucket = TokenBucket(10, 20, 0)
    assert bucket.take(20, 0) == 0
    assert bucket.take(5, 0) == pytest.approx(0.5)
    assert bucket.take(5, 1) == 0
