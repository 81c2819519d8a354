"""Commands to devices: answered, silent, gone; a duty check that nobody answers becomes an observation."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from core.clock import SystemClock
from core.records import DeviceCommand
from ingest.commands import CommandDesk
from ingest.contract import Request
from ingest.sources import gb26875
from ingest.sources._gb26875_adu import encode_unit
from tests.unit.ingest.test_ingest_tcp import Panel, house

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits instead of ten seconds and ten minutes."""
    original = gb26875.Gb26875Session.request

    def request(self: Any, command: DeviceCommand, now: datetime) -> Request:
        made = original(self, command, now)
        from dataclasses import replace

        return replace(made, timeout_s=0.3, window_s=0.6 if made.window_s else 0.0)

    monkeypatch.setattr(gb26875.Gb26875Session, "request", request)


def command(name: str = "duty_check", **changes: Any) -> DeviceCommand:
    made = DeviceCommand(
        command_id="c1", device_id="gb26875:889", name="duty_check", requested_by="u1", requested_at=NOW, timeout_s=5
    )
    return msgspec.structs.replace(made, name=name, **changes)


async def online(panel: Panel) -> None:
    panel.writer.write(panel.frame(b""))
    assert await panel.answer() == 3


async def confirm(panel: Panel, after: int = 1) -> int:
    """Confirm the ``after``-th frame that carries the command; returns its unit's type."""
    for _ in range(after):
        head = await panel.reader.readexactly(27)
        tail = await panel.reader.readexactly(int.from_bytes(head[24:26], "little") + 3)
    serial = int.from_bytes(head[2:4], "little")
    panel.writer.write(gb26875.encode(command=3, serial=serial, source=889, destination=1, time=NOW))
    return tail[0]


async def test_a_duty_check_that_nobody_answers_is_announced() -> None:
    async with house() as h:
        desk = CommandDesk(h.listener, h.pipeline, SystemClock(), grace_s=0.1)
        panel = await h.panel()
        await online(panel)
        waiting = asyncio.create_task(desk.execute(command()))
        assert await confirm(panel) == 91
        assert (await waiting).ok
        await asyncio.sleep(1.2)
        (told,) = [o for o in h.bus.kept if o.kind == "duty_check_unanswered"]
        assert (told.state, told.source_id, told.attributes["command_id"]) == ("open", "gb26875:889", "c1")
        await desk.close()


async def test_a_duty_check_answered_in_time_is_not() -> None:
    async with house() as h:
        desk = CommandDesk(h.listener, h.pipeline, SystemClock(), grace_s=0.1)
        panel = await h.panel()
        await online(panel)
        waiting = asyncio.create_task(desk.execute(command()))
        await confirm(panel)
        assert (await waiting).ok
        panel.writer.write(panel.frame(encode_unit(24, {"operation": 0x20, "operator": 7, "time": NOW})))
        assert await panel.answer() == 3
        await asyncio.sleep(1.2)
        assert [o.state for o in h.bus.kept if o.kind == "duty_check_unanswered"] == ["clear"]
        await desk.close()


async def test_a_command_is_sent_three_times_before_it_fails() -> None:
    async with house() as h:
        desk = CommandDesk(h.listener, h.pipeline, SystemClock())
        panel = await h.panel()
        await online(panel)
        waiting = asyncio.create_task(desk.execute(command("clock_sync")))
        assert await confirm(panel, after=3) == 90
        assert (await waiting).ok
        silent = await desk.execute(command("restart"))
        assert not silent.ok and "no answer" in silent.detail


async def test_absent_and_impossible_are_told_apart() -> None:
    async with house() as h:
        desk = CommandDesk(h.listener, h.pipeline, SystemClock())
        assert (await desk.execute(command())).detail == "the device is not connected"
        panel = await h.panel()
        await online(panel)
        odd = await desk.execute(command("query_now", params={"what": "weather"}))
        assert not odd.ok and "weather" in odd.detail
        waiting = asyncio.create_task(desk.execute(command()))
        await asyncio.sleep(0.1)
        panel.writer.transport.abort()
        assert not (await waiting).ok
