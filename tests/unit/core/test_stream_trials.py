"""Trying the streams in turn: one at a look while all store, every one as soon as one does not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import nats.js.errors

from core.bus import STREAMS, Bus
from core.bus_probe import StreamTrials

NAMES = [*(spec.name for spec in STREAMS), "live", "owner"]


@dataclass
class BusThatRefuses:
    """Notes what is written where; ``refuses`` names the streams that store nothing."""

    refuses: set[str] = field(default_factory=set)
    tried: list[str] = field(default_factory=list)
    is_connected: bool = True

    @property
    def client(self) -> BusThatRefuses:
        return self

    js = client

    def stream(self, name: str) -> str:
        return name

    def subject(self, *tokens: str) -> str:
        return ".".join(tokens)

    async def publish(self, subject: str, data: bytes, timeout: float) -> Any:
        words = subject.split(".")
        name = words[1].upper() if words[0] == "probe" else words[1]
        self.tried.append(name)
        if name in self.refuses:
            raise nats.js.errors.APIError(code=503, err_code=10077, description="no space left")

        @dataclass
        class Stored:
            seq: int = 1

        return Stored()

    async def request(self, subject: str, data: bytes, timeout: float) -> None:
        assert subject.startswith("$JS.API.STREAM.MSG.DELETE.")


def looks(bus: BusThatRefuses, trials: StreamTrials, count: int, *, every: bool = False) -> dict[str, str]:
    async def look() -> dict[str, str]:
        for _ in range(count):
            states = await trials.look(cast(Bus, bus), every=every)
        return states

    return asyncio.run(look())


def test_all_are_tried_first_then_one_at_a_look_and_none_is_left_out() -> None:
    bus, trials = BusThatRefuses(), StreamTrials()
    assert looks(bus, trials, 1) == dict.fromkeys(NAMES, "")
    assert sorted(bus.tried) == sorted(NAMES)
    bus.tried.clear()
    assert looks(bus, trials, len(NAMES)) == dict.fromkeys(NAMES, "")
    assert sorted(bus.tried) == sorted(NAMES)


def test_one_that_begins_to_refuse_is_found_within_a_turn_and_all_are_tried_until_it_stores_again() -> None:
    bus, trials = BusThatRefuses(), StreamTrials()
    looks(bus, trials, 1)
    bus.refuses = {"CASE", "owner"}
    found = looks(bus, trials, len(NAMES))
    assert {name for name, word in found.items() if word} == {"CASE", "owner"}
    bus.tried.clear()
    looks(bus, trials, 1)
    assert sorted(bus.tried) == sorted(NAMES)
    bus.refuses = set()
    assert looks(bus, trials, 1) == dict.fromkeys(NAMES, "")


def test_with_little_room_all_are_tried_at_every_look() -> None:
    bus, trials = BusThatRefuses(), StreamTrials()
    looks(bus, trials, 1, every=True)
    bus.tried.clear()
    looks(bus, trials, 1, every=True)
    assert sorted(bus.tried) == sorted(NAMES)


def test_a_lost_bus_is_told_at_once() -> None:
    bus, trials = BusThatRefuses(), StreamTrials()
    looks(bus, trials, 1)
    bus.is_connected = False
    assert set(looks(bus, trials, 1).values()) == {"unreachable"}
