"""Recordings at their own speed: packet by packet where somebody looks, a second at a time where nobody does."""

from __future__ import annotations

import time

import pytest

from vision.capture.timing import AHEAD_S, Pace

EVERY_S = 0.1


def played(count: int, *, recorded: bool, unseen: bool) -> tuple[list[float], int]:
    """The times that count for ``count`` packets, and how often the reader slept."""
    pace, now, slept, times = Pace(recorded), time.monotonic(), 0, []
    began = now
    for number in range(count):
        wait, counts = pace.step(number * EVERY_S, now, unseen=unseen)
        if wait > 0.002:
            now, slept = now + wait, slept + 1
            counts = now
        times.append(counts - began)
    return times, slept


def test_what_is_looked_at_is_waited_for_one_by_one() -> None:
    times, slept = played(100, recorded=True, unseen=False)
    assert times == pytest.approx([n * EVERY_S for n in range(100)])
    assert slept == 99


def test_what_nobody_looks_at_counts_at_its_own_time_with_few_sleeps() -> None:
    times, slept = played(100, recorded=True, unseen=True)
    assert times == pytest.approx([n * EVERY_S for n in range(100)], abs=0.001)
    assert slept <= 100 * EVERY_S / (AHEAD_S - EVERY_S) + 1


def test_a_live_stream_is_never_read_ahead() -> None:
    times, slept = played(100, recorded=False, unseen=True)
    assert times == pytest.approx([0.0] * 100, abs=0.001) and slept == 0
