"""A simulated fire panel: a GB/T 26875.3 client with heart-beats, alarms, faults, pressures and duty-check answers."""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import struct
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from core.settings import Settings
from ingest.sources import gb26875
from ingest.sources._gb26875_adu import encode_unit
from ingest.sources._gb26875_frame import Gb26875Packet

log = logging.getLogger("yiwang.simulate")

HELP = "fire panel (GB/T 26875.3)"
CONFIRM_S, TRIES = 10.0, 3
_NORMAL, _FIRE, _FAULT = 0x0001, 0x0003, 0x0005
_COMPONENTS = ((40, "3层走廊感烟"), (40, "5层弱电间感烟"), (31, "厨房感温"), (23, "1层大厅手报"))


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the panel."""
    parser.add_argument("--device", default="gb26875:889", help="device id, its number is the panel's address")
    parser.add_argument("--host", help="default: the panel listener of the settings")
    parser.add_argument("--port", type=int)
    parser.add_argument(
        "--scenario",
        default="demo",
        choices=("demo", "quiet", "fire-once", "clear-once", "fault-once", "flood"),
        help="demo: now and then an alarm that clears again; *-once: send, wait for the confirm, exit; flood: load",
    )
    parser.add_argument("--component", type=int, default=2, help="position number of the component that alarms")
    parser.add_argument("--every", type=float, default=600.0, help="demo: mean seconds between two happenings")
    parser.add_argument("--lasts", type=float, default=240.0, help="demo: seconds until an alarm clears")
    parser.add_argument("--heartbeat", type=float, default=20.0, help="seconds between heart-beats")
    parser.add_argument("--answer-after", type=float, default=8.0, help="seconds until a duty check is answered")
    parser.add_argument("--no-answer", action="store_true", help="nobody answers duty checks")
    parser.add_argument("--count", type=int, default=1000, help="flood: frames to send")
    parser.add_argument("--rate", type=float, default=200.0, help="flood: frames a second")
    parser.add_argument("--seed", type=int, help="make the demo repeatable")


class NotConfirmed(Exception):
    """The centre did not confirm a frame in 3 tries of 10 s."""


class SimulatedPanel:
    """One connection of one panel."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        address: int,
        answer_after_s: float | None,
    ) -> None:
        self._reader, self._writer, self._address = reader, writer, address
        self._answer_after_s = answer_after_s
        self._serial = random.randrange(1, 60_000)
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self.latencies_ms: list[float] = []
        self.resent = 0

    async def read(self) -> None:
        """Take in confirms and commands until the centre hangs up."""
        buffer = b""
        while data := await self._reader.read(4096):
            decoded = gb26875.decode(buffer + data)
            buffer = decoded.rest
            for packet in decoded.frames:
                if isinstance(packet, Gb26875Packet):
                    self._heard(packet)

    def _heard(self, packet: Gb26875Packet) -> None:
        if packet.command in (3, 6):
            future = self._waiting.get(packet.serial)
            if future is not None and not future.done():
                future.set_result(packet.command)
            return
        if packet.command not in (1, 4):
            return
        self._write(3, packet.serial)
        if packet.unit is not None and packet.unit.adu_type == 91 and self._answer_after_s is not None:
            task = asyncio.create_task(self._answer_duty_check(self._answer_after_s))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)

    async def _answer_duty_check(self, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await self.send(encode_unit(24, {"operation": 0x20, "operator": 7, "time": datetime.now(UTC)}))

    def _write(self, command: int, serial: int, adu: bytes = b"") -> None:
        frame = gb26875.encode(
            command=command,
            serial=serial,
            source=self._address,
            destination=1,
            time=datetime.now(UTC),
            adu=adu,
        )
        self._writer.write(frame)

    async def send(self, adu: bytes) -> None:
        """Send data (an empty unit is the heart-beat) and wait for the confirm; :class:`NotConfirmed`."""
        self._serial = self._serial % 65_535 + 1
        serial = self._serial
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[serial] = future
        began = time.perf_counter()
        frame = gb26875.encode(
            command=2, serial=serial, source=self._address, destination=1, time=datetime.now(UTC), adu=adu
        )
        try:
            for attempt in range(TRIES):
                self.resent += attempt > 0
                self._writer.write(frame)
                await self._writer.drain()
                try:
                    if await asyncio.wait_for(asyncio.shield(future), CONFIRM_S) == 3:
                        self.latencies_ms.append((time.perf_counter() - began) * 1000)
                        return
                    future = self._waiting[serial] = asyncio.get_running_loop().create_future()
                except TimeoutError:
                    continue
            raise NotConfirmed(f"frame {serial}")
        finally:
            del self._waiting[serial]


def component(position: int, status: int, kind: int = 40, text: str = "3层走廊感烟") -> bytes:
    """A component-status unit: zone 1, ``position``, status bits."""
    return encode_unit(
        2,
        {
            "system_type": 1,
            "system_address": 1,
            "component_type": kind,
            "component_address": struct.pack("<HH", 1, position),
            "status": status,
            "text": text,
            "time": datetime.now(UTC),
        },
    )


def pressure(mpa: float) -> bytes:
    """The hydrant system's water pressure."""
    return encode_unit(
        3,
        {
            "system_type": 11,
            "system_address": 1,
            "component_type": 91,
            "component_address": struct.pack("<HH", 1, 1),
            "analogue_type": 4,
            "value": round(mpa * 10),
            "time": datetime.now(UTC),
        },
    )


async def run(args: argparse.Namespace, settings: Settings, stop: asyncio.Event) -> dict[str, Any]:
    """Play the scenario; a lost connection is made again until ``stop``.  Figures of what was sent and confirmed."""
    host, port = args.host or settings.panel_host, args.port or settings.source_port("gb26875")
    scenario = _SCENARIOS[args.scenario]
    lost, pause = False, 0.5
    while not stop.is_set():
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 10)
        except (OSError, TimeoutError) as error:
            if not lost:
                log.warning("panel %s: no connection to %s:%d (%s), retrying", args.device, host, port, error)
            lost = True
            pause = min(pause * 2, 30.0)
        else:
            lost, pause = False, 0.5
            address = int(args.device.rpartition(":")[2])
            panel = SimulatedPanel(reader, writer, address, None if args.no_answer else args.answer_after)
            figures = await _converse(panel, scenario, args, stop)
            writer.close()
            if figures is not None:
                return figures
        await _pause(stop, pause)
    return {}


async def _converse(
    panel: SimulatedPanel,
    scenario: Callable[[SimulatedPanel, argparse.Namespace, asyncio.Event], Awaitable[None]],
    args: argparse.Namespace,
    stop: asyncio.Event,
) -> dict[str, Any] | None:
    """One connection; figures when the scenario is over, ``None`` when the connection broke before."""
    reading = asyncio.create_task(panel.read())
    beating = asyncio.create_task(_beat(panel, args.heartbeat))
    playing = asyncio.ensure_future(scenario(panel, args, stop))
    ends = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({reading, beating, playing, ends}, return_when=asyncio.FIRST_COMPLETED)
    for task in (reading, beating, playing, ends):
        task.cancel()
    await asyncio.gather(reading, beating, playing, ends, return_exceptions=True)
    if not ({playing, ends} & done) or (playing in done and isinstance(playing.exception(), ConnectionError)):
        log.warning("panel %s: connection lost, making it again", args.device)
        return None
    if playing in done and playing.exception() is not None and not isinstance(playing.exception(), NotConfirmed):
        playing.result()
    times = sorted(panel.latencies_ms)
    return {
        "confirmed": len(times),
        "resent": panel.resent,
        "failed": int(playing in done and playing.exception() is not None),
        "p50_ms": round(times[len(times) // 2], 1) if times else None,
        "p95_ms": round(times[int(len(times) * 0.95)], 1) if times else None,
    }


async def _beat(panel: SimulatedPanel, every_s: float) -> None:
    while True:
        await panel.send(b"")
        await asyncio.sleep(every_s)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, or less when ``stop`` is set: look at it afterwards, for a cancellation may be lost in that moment."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def _demo(panel: SimulatedPanel, args: argparse.Namespace, stop: asyncio.Event) -> None:
    rng = random.Random(args.seed)
    quiet = asyncio.create_task(_quiet(panel, args, stop))
    try:
        while not stop.is_set():
            await _pause(stop, rng.expovariate(1 / args.every) if args.every > 0 else 0)
            if stop.is_set():
                return
            position = rng.randrange(len(_COMPONENTS))
            kind, text = _COMPONENTS[position]
            status = _FIRE if rng.random() < 0.6 else _FAULT
            await panel.send(component(position + 1, status, kind, text))
            await _pause(stop, args.lasts)
            if stop.is_set():
                return
            await panel.send(component(position + 1, _NORMAL, kind, text))
    finally:
        quiet.cancel()


async def _quiet(panel: SimulatedPanel, _args: argparse.Namespace, stop: asyncio.Event) -> None:
    rng = random.Random()
    while not stop.is_set():
        await panel.send(pressure(0.4 + 0.1 * rng.random()))
        await _pause(stop, 60)


async def _once(panel: SimulatedPanel, args: argparse.Namespace, _stop: asyncio.Event) -> None:
    status = {"fire-once": _FIRE, "clear-once": _NORMAL, "fault-once": _FAULT}[args.scenario]
    await panel.send(component(args.component, status))


async def _flood(panel: SimulatedPanel, args: argparse.Namespace, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    flying: set[asyncio.Task[None]] = set()
    for number in range(args.count):
        if stop.is_set():
            break
        while len(flying) >= 200:
            _, flying = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
        flying.add(asyncio.create_task(panel.send(pressure((number % 3200) / 10))))
        ahead = began + number / args.rate - loop.time()
        if ahead > 0:
            await asyncio.sleep(ahead)
    await asyncio.gather(*flying)


_SCENARIOS: dict[str, Callable[[SimulatedPanel, argparse.Namespace, asyncio.Event], Awaitable[None]]] = {
    "demo": _demo,
    "quiet": _quiet,
    "fire-once": _once,
    "clear-once": _once,
    "fault-once": _once,
    "flood": _flood,
}
