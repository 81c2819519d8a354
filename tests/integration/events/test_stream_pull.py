"""A pull whose connection or consumer moved is started anew: what was on its way comes at once, not after ack_wait."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest
from nats.aio.msg import Msg

from core.bus import Bus, connect
from core.clock import SystemClock
from core.ids import new_id
from core.records import Observation
from core.settings import Settings
from events.runtime.committer import Committer
from events.runtime.stream_pull import Puller

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def bus(nats_server: Settings) -> AsyncIterator[Bus]:
    found = await connect(nats_server, "pull")
    await found.ensure()
    yield found
    await found.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):  # less than ack_wait: what comes again came at once
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def publish(bus: Bus, count: int) -> None:
    now = datetime.now(UTC)
    for _ in range(count):
        await bus.observe(
            Observation(
                observation_id=new_id(), kind="fire_alarm", state="open", source_type="device", source_id="x:1",
                observed_at=now, received_at=now, site_id="s",
            )
        )  # fmt: skip


def lose_connection(bus: Bus) -> None:
    transport = bus.client._transport
    assert transport is not None
    transport.close()  # type: ignore[no-untyped-call]


async def test_after_a_new_connection_what_was_in_hand_comes_again_at_once(bus: Bus) -> None:
    part = bus.partition_of("s", "x:1")
    pull = Puller(bus, "OBS", "test-pull", f"obs.{part}.>", bound=16, arrived=asyncio.Event())
    await pull.start()
    await publish(bus, 5)
    await until(lambda: pull.waiting == 5)
    assert not pull.stale
    taken = pull.take(2)
    lose_connection(bus)
    await until(lambda: pull.stale)
    await pull.stop()
    await pull.start()
    await until(lambda: pull.waiting == 5)
    assert [m.metadata.sequence.stream for m in pull.take(5)][:2] == [m.metadata.sequence.stream for m in taken]


async def steal(bus: Bus, pull: Puller, count: int) -> None:
    """Have the consumer give its next ``count`` messages to an inbox of somebody who is gone then."""
    inbox, gone = bus.client.new_inbox(), list[Msg]()

    async def lose(message: Msg) -> None:
        gone.append(message)

    heard = await bus.client.subscribe(inbox, cb=lose)
    request = json.dumps({"batch": count, "expires": int(30e9)}).encode()
    await bus.client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{pull._stream}.{pull.durable}", request, reply=inbox)
    await publish(bus, count)
    await until(lambda: len(gone) == count)
    await heard.unsubscribe()


async def test_what_was_given_to_somebody_who_is_gone_comes_before_what_is_newer(bus: Bus) -> None:
    part = bus.partition_of("s", "x:1")
    pull = Puller(bus, "OBS", "test-stolen", f"obs.{part}.>", bound=2, arrived=asyncio.Event())
    await pull.start()
    await publish(bus, 2)
    await until(lambda: pull.waiting == 2)
    had = pull.take(2)
    await steal(bus, pull, 2)
    assert not pull.stale  # nothing tells of it yet
    await pull.acknowledge(had)
    await publish(bus, 2)
    await until(lambda: pull.stale)
    assert pull.waiting == 0  # what is newer is not handed over
    await pull.stop()
    await pull.start()
    numbers = [m.metadata.sequence.stream for m in had]
    while len(numbers) < 6:
        await until(lambda: pull.waiting > 0)
        some = pull.take(2)
        numbers += [m.metadata.sequence.stream for m in some]
        await pull.acknowledge(some)
    assert numbers == sorted(numbers)
    await asyncio.sleep(0.1)
    await publish(bus, 1)
    await until(lambda: pull.waiting == 1)  # and it goes on
    assert not pull.stale
    await pull.stop()


async def test_the_committer_starts_anew_what_moved(bus: Bus) -> None:
    from sqlalchemy import create_engine

    part = int(bus.partition_of("s", "x:1"))
    committer = Committer(create_engine("sqlite://"), None, SystemClock(), bus)  # type: ignore[arg-type]
    committer.ticks = False
    written: list[bytes] = []
    committer._write = lambda _flow, payloads: written.extend(payloads)  # type: ignore[method-assign, assignment, return-value]
    await committer.start()
    committer.resting = True
    assert await committer.enter([part]) == set()
    running = asyncio.create_task(committer.run())
    flow = committer._flows[0]
    await publish(bus, 3)
    await until(lambda: flow.waiting == 3)
    flow.pulls[part].take(2)  # as if they had been lost on their way
    flow.pulls[part].doubt()
    await asyncio.sleep(0.2)
    assert not written  # it rests
    committer.resting = False
    await until(lambda: len(set(written)) == 3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await committer.close()
