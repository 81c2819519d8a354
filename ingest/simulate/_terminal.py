"""What simulated TCP terminals share: connect, greet, report, wait for each confirm, send again, come back."""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Any, Protocol

log = logging.getLogger("yiwang.simulate")

CONFIRM_S, TRIES = 5.0, 3


class Dialogue(Protocol):
    """One protocol's side of a terminal.  Keys match a confirm to the frame it confirms."""

    def greeting(self) -> Iterator[tuple[str, bytes]]:
        """Frames to be confirmed one by one before anything else (registration, authentication)."""
        ...

    def report(self, number: int) -> tuple[str, bytes]:
        """A data frame and its key."""
        ...

    def heartbeat(self) -> tuple[str, bytes]:
        """A heart-beat; an empty key when the protocol does not answer it."""
        ...

    def confirms(self, data: bytes) -> tuple[list[str], bytes]:
        """Keys confirmed by ``data``, and what is left of it."""
        ...


def add_options(parser: argparse.ArgumentParser, device: str) -> None:
    """The options all terminals have."""
    parser.add_argument("--device", default=device, help="device id")
    parser.add_argument("--host", help="default: the listener of the settings")
    parser.add_argument("--port", type=int)
    parser.add_argument("--scenario", default="demo", choices=("demo", "once", "flood"))
    parser.add_argument("--interval", type=float, default=30.0, help="demo: seconds between two reports")
    parser.add_argument("--heartbeat", type=float, default=40.0, help="seconds between heart-beats")
    parser.add_argument("--count", type=int, default=1000, help="flood: reports to send")
    parser.add_argument("--rate", type=float, default=100.0, help="flood: reports a second")


class NotConfirmed(Exception):
    """The centre did not confirm a frame in 3 tries."""


class Terminal:
    """One connection."""

    def __init__(self, dialogue: Dialogue, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._dialogue, self._reader, self._writer = dialogue, reader, writer
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self.latencies_ms: list[float] = []
        self.resent = 0

    async def read(self) -> None:
        """Take in confirms until the centre hangs up."""
        buffer = b""
        while data := await self._reader.read(4096):
            keys, buffer = self._dialogue.confirms(buffer + data)
            for key in keys:
                future = self._waiting.get(key)
                if future is not None and not future.done():
                    future.set_result(None)

    async def send(self, key: str, frame: bytes) -> None:
        """Send and wait for the confirm; :class:`NotConfirmed`."""
        if not key:
            self._writer.write(frame)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        began = time.perf_counter()
        try:
            for attempt in range(TRIES):
                self.resent += attempt > 0
                self._writer.write(frame)
                await self._writer.drain()
                try:
                    await asyncio.wait_for(asyncio.shield(future), CONFIRM_S)
                except TimeoutError:
                    continue
                self.latencies_ms.append((time.perf_counter() - began) * 1000)
                return
            raise NotConfirmed(key)
        finally:
            del self._waiting[key]

    async def play(self, args: argparse.Namespace, stop: asyncio.Event) -> None:
        """Greet, then play the scenario."""
        for key, frame in self._dialogue.greeting():
            await self.send(key, frame)
        if args.scenario == "once":
            await self.send(*self._dialogue.report(1))
            return
        if args.scenario == "flood":
            await self._flood(args, stop)
            return
        beating = asyncio.create_task(self._beat(args.heartbeat))
        number = 0
        try:
            while not stop.is_set():
                number += 1
                await self.send(*self._dialogue.report(number))
                await asyncio.sleep(args.interval)
        finally:
            beating.cancel()

    async def _beat(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self.send(*self._dialogue.heartbeat())

    async def _flood(self, args: argparse.Namespace, stop: asyncio.Event) -> None:
        began, flying = time.monotonic(), set[asyncio.Task[None]]()
        for number in range(1, args.count + 1):
            if stop.is_set():
                break
            while len(flying) >= 100:
                _, flying = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
            flying.add(asyncio.create_task(self.send(*self._dialogue.report(number))))
            ahead = began + number / args.rate - time.monotonic()
            if ahead > 0:
                await asyncio.sleep(ahead)
        await asyncio.gather(*flying)


async def run(
    dialogue: Dialogue, args: argparse.Namespace, host: str, port: int, stop: asyncio.Event
) -> dict[str, Any]:
    """Play the scenario, connecting again after a loss; figures."""
    pause, lost = 0.5, False
    while not stop.is_set():
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 10)
        except (OSError, TimeoutError) as error:
            if not lost:
                log.warning("%s: no connection to %s:%d (%s), retrying", args.device, host, port, error)
            lost, pause = True, min(pause * 2, 30.0)
        else:
            lost, pause = False, 0.5
            terminal = Terminal(dialogue, reader, writer)
            over, failed = await _converse(terminal, args, stop)
            writer.close()
            if over:
                return _figures(terminal, failed)
            log.warning("%s: connection lost, making it again", args.device)
        try:
            await asyncio.wait_for(stop.wait(), pause)
        except TimeoutError:
            continue
    return {}


async def _converse(terminal: Terminal, args: argparse.Namespace, stop: asyncio.Event) -> tuple[bool, bool]:
    """(whether the scenario is over, whether a frame stayed unconfirmed)."""
    reading, playing = asyncio.create_task(terminal.read()), asyncio.create_task(terminal.play(args, stop))
    ends = asyncio.create_task(stop.wait())
    tasks = (reading, playing, ends)
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if playing in done:
        error = playing.exception()
        if isinstance(error, ConnectionError):
            return False, False
        if error is not None and not isinstance(error, NotConfirmed):
            raise error
        return True, error is not None
    return ends in done, False


def _figures(terminal: Terminal, failed: bool) -> dict[str, Any]:
    times = sorted(terminal.latencies_ms)
    return {
        "confirmed": len(times),
        "resent": terminal.resent,
        "failed": int(failed),
        "p50_ms": round(times[len(times) // 2], 1) if times else None,
        "p95_ms": round(times[int(len(times) * 0.95)], 1) if times else None,
    }
