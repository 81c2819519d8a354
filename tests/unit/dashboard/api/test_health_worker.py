"""``/healthz`` knows a worker that works from one that is gone or stuck, by the table that workers really write."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import nats.js.errors

from core.clock import SystemClock
from dashboard.health import WORKER_S, Health
from events.runtime import shares


class Owners:
    """The bucket ``owner`` with one entry, compare-and-set on its revision."""

    revision, value, key = 0, b"", ""

    async def get(self, key: str) -> Owners:
        if not self.revision or key != self.key:
            raise nats.js.errors.KeyNotFoundError
        return self

    async def update(self, key: str, value: bytes, last: int) -> int:
        assert last == self.revision
        self.revision, self.value, self.key = last + 1, value, key
        return self.revision


def _health(owners: Owners) -> tuple[Health, Any]:
    async def bucket(name: str) -> Owners:
        assert name == shares.BUCKET
        return owners

    bus: Any = SimpleNamespace(client=SimpleNamespace(is_connected=True), bucket=bucket)
    nothing: Any = None
    hub: Any = SimpleNamespace(bus=bus)
    return Health(nothing, nothing, SystemClock(), hub), bus


def test_a_worker_that_beats_is_there_and_one_that_left_is_not() -> None:
    async def play() -> list[str]:
        health, bus = _health(Owners())
        said = [(await health._try_worker()).code]
        worker = shares.Shares(bus, SystemClock(), [shares.JOBS, "0"])
        await worker._round()
        said.append((await health._try_worker()).code)
        await worker.leave()
        said.append((await health._try_worker()).code)
        return said

    assert asyncio.run(play()) == ["absent", "ok", "absent"]


def test_a_table_that_stands_still_is_a_stuck_worker() -> None:
    async def play() -> tuple[str, str]:
        health, bus = _health(Owners())
        await shares.Shares(bus, SystemClock(), ["0"])._round()
        before = (await health._try_worker()).code
        revision, since = health._worker
        health._worker = (revision, since - WORKER_S - 1)  # it was the same for so long
        return before, (await health._try_worker()).code

    assert asyncio.run(play()) == ("ok", "absent")
