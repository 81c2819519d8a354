"""Sharing work between workers: even, few moves, never two holders, whatever happens to whom."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import nats.js.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import SystemClock
from events.runtime import shares as shared
from events.runtime.shares import LAPSE_S, Member, Shares, ShareTable, share_out

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


UNITS = ["jobs", *map(str, range(8))]


@given(
    st.sets(st.sampled_from("abcdefghijk"), min_size=1),
    st.dictionaries(st.sampled_from(UNITS), st.sampled_from("abcdefghijk")),
)
def test_shares_are_even_and_move_as_little_as_that_allows(members: set[str], held: dict[str, str]) -> None:
    wanted = share_out(UNITS, sorted(members), held)
    counts = [sum(1 for who in wanted.values() if who == member) for member in members]
    assert set(wanted) == set(UNITS) and set(wanted.values()) <= members
    assert max(counts) - min(counts) <= 1
    assert share_out(UNITS, sorted(members), wanted) == wanted  # who has its share keeps it
    if all(sum(1 for w in held.values() if w == m) <= len(UNITS) // len(members) for m in members):
        assert all(wanted[unit] == who for unit, who in held.items() if who in members)


def test_nobody_there_means_nothing_is_shared_out() -> None:
    assert share_out(UNITS, [], {"0": "a"}) == {}


def test_a_table_survives_its_bytes_and_an_older_entry_is_nobody() -> None:
    table = ShareTable({"a": Member("h", "b", 7, 3)}, {"jobs": "a"})
    assert ShareTable.read(table.written()) == table
    assert ShareTable.read(b'{"host": "x", "pid": 3}') == ShareTable({}, {})
    assert ShareTable.read(None) == ShareTable({}, {})


class Entry:
    """The one key-value entry, compare-and-set on its revision."""

    def __init__(self) -> None:
        self.revision = 0
        self.value = b""

    async def bucket(self, _name: str) -> Entry:
        return self

    async def get(self, _key: str) -> Entry:
        if not self.revision:
            raise nats.js.errors.KeyNotFoundError
        return self

    async def update(self, _key: str, value: bytes, last: int) -> int:
        if last != self.revision:
            raise nats.js.errors.KeyWrongLastSequenceError
        self.revision, self.value = last + 1, value
        return self.revision


class Worker(Shares):
    """A worker whose beats are told by hand, with the time of its last one."""

    beaten = 0.0


class Clockwork(SystemClock):
    """A clock that is turned by hand."""

    now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.mark.parametrize("seed", range(40))
def test_no_two_workers_ever_do_one_thing(seed: int) -> None:
    """Random rounds, joins, deaths and leavings: at no moment is a unit done by two that live."""

    async def play() -> None:
        chance, clock, bus = random.Random(seed), Clockwork(), Entry()

        def join() -> Worker:
            crew.append(Worker(bus, clock, UNITS))  # type: ignore[arg-type]
            crew[-1].beaten = clock.now_s
            return crew[-1]

        async def beat(one: Worker) -> None:
            if clock.now_s - one.beaten > LAPSE_S - 2 or not await one._round():
                crew.remove(one)  # silent for too long: it puts everything down and begins again as somebody else
                join()
                return
            one.beaten = clock.now_s
            if chance.random() < 0.7:
                one.doing = set(one.wanted)

        crew: list[Worker] = []
        join()
        join()
        for _ in range(120):
            clock.now_s += chance.uniform(0, 0.4)
            deed = chance.random()
            if deed < 0.04 and len(crew) < 5:
                join()
            elif deed < 0.07 and len(crew) > 1:
                crew.pop(chance.randrange(len(crew)))  # killed: it says nothing any more
            elif deed < 0.09 and len(crew) > 1:
                await crew.pop(chance.randrange(len(crew))).leave()
            else:
                await beat(chance.choice(crew))
            done = [unit for one in crew for unit in one.doing]
            assert len(done) == len(set(done)), done
        for _ in range(100):
            clock.now_s += 0.2
            for one in list(crew):
                await beat(one)
        done = [unit for one in crew for unit in one.doing]
        assert sorted(done) == sorted(UNITS)  # in the end all is done
        assert max(len(one.doing) for one in crew) - min(len(one.doing) for one in crew) <= 1

    asyncio.run(play())


class Away(Entry):
    """An entry that sometimes has no leader: whoever asks hears nothing."""

    away = False

    async def bucket(self, _name: str) -> Entry:
        if self.away:
            raise TimeoutError
        return self


class Quick(Shares):
    """One whose rounds happen when told."""


async def test_time_in_which_nobody_could_beat_counts_against_nobody() -> None:
    clock, bus = Clockwork(), Away()
    one, other = (Quick(bus, clock, UNITS) for _ in range(2))  # type: ignore[arg-type]
    for member in (one, other, one, other, one, other):
        clock.now_s += 0.5
        assert await member._round()
        member.doing = set(member.wanted)
    before = [set(one.doing), set(other.doing)]
    assert all(before)
    clock.now_s += 3 * LAPSE_S  # the bucket chose its leader all the while
    for member in (one, other):
        assert await member._round()
    assert [one.wanted, other.wanted] == before


async def test_who_says_nothing_while_others_hear_loses_its_part_all_the_same() -> None:
    clock, bus = Clockwork(), Away()
    one, dead = (Quick(bus, clock, UNITS) for _ in range(2))  # type: ignore[arg-type]
    for member in (one, dead, one, dead):
        assert await member._round()
        member.doing = set(member.wanted)
    for _ in range(20):
        clock.now_s += 1.0
        assert await one._round()
        one.doing = set(one.wanted)
    assert one.doing == set(UNITS)
    assert not await dead._round()


async def test_a_worker_rests_while_the_bucket_is_silent_and_goes_on_with_its_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, seconds in (("BEAT_S", 0.02), ("ALONE_BEAT_S", 0.02), ("REST_S", 0.1), ("TRY_S", 0.05)):
        monkeypatch.setattr(shared, name, seconds)
    bus, said = Away(), list[bool]()
    one = Quick(bus, SystemClock(), UNITS)  # type: ignore[arg-type]

    def hear() -> None:
        said.append(one.resting)
        one.doing = set(one.wanted)

    kept = asyncio.create_task(one.keep(hear))
    await _until(lambda: one.doing == set(UNITS))
    bus.away = True
    await _until(lambda: one.resting)
    bus.away = False
    await _until(lambda: not one.resting)
    assert said == [False, True, False] and one.doing == set(UNITS) and not kept.done()
    bus.revision, bus.value = 0, b""  # the store was lost: everything is begun anew
    assert await kept is False


async def test_a_worker_gives_up_when_the_bucket_stays_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("BEAT_S", 0.02), ("ALONE_BEAT_S", 0.02), ("REST_S", 0.05), ("GIVE_UP_S", 0.2)):
        monkeypatch.setattr(shared, name, seconds)
    bus = Away()
    one = Quick(bus, SystemClock(), UNITS)  # type: ignore[arg-type]
    kept = asyncio.create_task(one.keep(lambda: None))
    await _until(lambda: bus.revision > 0)
    bus.away = True
    assert await asyncio.wait_for(kept, 60) is False
    assert one.resting


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
