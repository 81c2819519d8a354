"""A simulated air-quality logger: HJ 212-2017 real-time data with answers wanted."""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from core.clock import BEIJING
from core.settings import Settings
from ingest.simulate import _terminal
from ingest.sources._hj212_frame import Hj212Packet, compose, decode

HELP = "air-quality logger (HJ 212-2017)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the logger."""
    _terminal.add_options(parser, "hj212:220105000000000000000001")


async def run(args: argparse.Namespace, settings: Settings, stop: asyncio.Event) -> dict[str, Any]:
    """Play the logger."""
    host, port = args.host or settings.panel_host, args.port or settings.source_port("hj212")
    return await _terminal.run(Logger(args.device.partition(":")[2]), args, host, port, stop)


class Logger:
    """The protocol's side; a request id (QN) is the time in milliseconds, made unique."""

    def __init__(self, mn: str) -> None:
        self._mn = mn
        self._last = 0

    def greeting(self) -> Iterator[tuple[str, bytes]]:
        """None in this protocol."""
        return iter(())

    def report(self, number: int) -> tuple[str, bytes]:
        """Real-time data (2011) of PM2.5, temperature, humidity and noise."""
        qn, now = self._qn()
        values = {
            "a34004": 35 + 10 * random.random(),
            "a01001": 20 + number % 5000 / 1000,  # differs from report to report: DataTime has seconds only
            "a01002": 60 + 5 * random.random(),
            "LA": 55 + 8 * random.random(),
        }
        factors = ";".join(f"{name}-Rtd={value:.3f},{name}-Flag=N" for name, value in values.items())
        return qn, self._frame(qn, "2011", f"DataTime={now};{factors}")

    def heartbeat(self) -> tuple[str, bytes]:
        """The protocol has none; a second of real-time data does."""
        return self.report(0)

    def _qn(self) -> tuple[str, str]:
        now = datetime.now(UTC).astimezone(BEIJING)
        self._last = max(self._last + 1, int(now.strftime("%Y%m%d%H%M%S") + f"{now.microsecond // 1000:03d}"))
        return str(self._last), now.strftime("%Y%m%d%H%M%S")

    def _frame(self, qn: str, cn: str, cp: str) -> bytes:
        return compose({"QN": qn, "ST": "22", "CN": cn, "PW": "123456", "MN": self._mn, "Flag": 5}, cp)

    def confirms(self, data: bytes) -> tuple[list[str], bytes]:
        """QN of data answers (9014)."""
        decoded = decode(data)
        return [p.qn for p in decoded.frames if isinstance(p, Hj212Packet) and p.cn == "9014"], decoded.rest
