"""The last half minute of a watched camera: whole groups of pictures, bounded in seconds and bytes, without a gap."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.videowall import rooms
from dashboard.videowall.rooms import Past, VideoRooms
from dashboard.videowall.streams import Fragment


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 40), st.floats(0.01, 3.0)), max_size=120),
    st.integers(5, 400), st.floats(0.5, 20.0),
)  # fmt: skip
def test_what_is_kept_begins_with_a_key_frame_and_stays_within_its_bounds(
    sent: list[tuple[bool, int, float]], most: int, seconds: float
) -> None:
    past, now, all_sent = Past(seconds, most), 0.0, []
    for key, size, step in sent:
        now += step
        fragment = Fragment(bytes(size), key)
        past.keep(fragment, now)
        all_sent.append((fragment, now))
        kept = past.since(1e9, now)
        assert sum(len(f.data) for f in kept) <= most
        assert not kept or kept[0].key
        # what is kept is the newest of what was sent, without a gap
        assert [id(f) for f in kept] == [id(f) for f, _ in all_sent[len(all_sent) - len(kept) :]]
        part = past.since(seconds / 2, now)
        assert [id(f) for f in kept[len(kept) - len(part) :]] == [id(f) for f in part]


def test_it_reaches_back_as_far_as_asked_and_no_further_than_needed() -> None:
    past = Past(30.0, 1 << 20)
    for second in range(120):
        past.keep(Fragment(b"x", key=second % 2 == 0), float(second))
    assert 30.0 <= past.reach(119.0) <= 33.0
    assert 10 <= len(past.since(10.0, 119.0)) <= 12
    nothing = Past(0.0)
    nothing.keep(Fragment(b"x", key=True), 1.0)
    assert nothing.since(30, 1.0) == [] and nothing.reach(1.0) == 0.0


class Film:
    """Stands for a camera: a fragment whenever the test says so."""

    def __init__(self) -> None:
        self.wanted = threading.Semaphore(0)
        self.opened = 0

    def __call__(self, _url: str, stop: threading.Event) -> Iterator[Fragment]:
        self.opened += 1
        yield Fragment(b"init", key=False, init=True)
        number = 0
        while not stop.is_set():
            if self.wanted.acquire(timeout=0.05):
                yield Fragment(b"%d" % number, key=number % 5 == 0)
                number += 1


def test_who_comes_later_sees_what_happened_before_and_then_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    film = Film()
    monkeypatch.setattr(rooms, "fragments", film)

    async def scene() -> None:
        all_rooms = VideoRooms()
        first = all_rooms.room("cam").watch()
        assert (await anext(first)).init
        film.wanted.release(12)
        seen = [(await anext(first)).data for _ in range(12)]
        await first.aclose()
        assert len(all_rooms) == 1 and all_rooms.room("cam").clip(30) == b"init" + b"".join(seen)
        again = all_rooms.room("cam").watch(back_s=30)
        assert (await anext(again)).init
        assert [(await anext(again)).data for _ in range(12)] == seen
        film.wanted.release(1)
        assert (await anext(again)).data == b"12" and film.opened == 1
        await again.aclose()
        plain = all_rooms.room("cam").watch()
        assert (await anext(plain)).init
        film.wanted.release(8)
        assert (await anext(plain)).data == b"15"  # without asking for the past: from the next key frame on
        await plain.aclose()
        all_rooms.close()

    asyncio.run(scene())


def test_a_room_that_nobody_looks_at_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "fragments", Film())
    monkeypatch.setattr(rooms, "MAX_ROOMS", 1)

    async def scene() -> None:
        all_rooms = VideoRooms()
        first = all_rooms.room("a").watch()
        await anext(first)
        await first.aclose()
        assert all_rooms.kept("a") is not None
        second = all_rooms.room("b").watch()
        await anext(second)
        assert all_rooms.kept("a") is None and len(all_rooms) == 1
        await second.aclose()
        all_rooms.close()

    asyncio.run(scene())
