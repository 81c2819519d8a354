"""Windows of time are joined without losing or adding an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from events.notify.running_deadlines import Window, joined

START = datetime(2026, 6, 1, tzinfo=UTC)
HOURS = st.integers(0, 40)


def _window(pair: tuple[int, int]) -> Window:
    return START + timedelta(hours=pair[0]), START + timedelta(hours=pair[1])


def _holds(windows: list[Window], at: datetime) -> bool:
    return any(low < at <= high for low, high in windows)


@given(st.lists(st.tuples(HOURS, HOURS), max_size=12))
def test_the_same_instants_in_windows_that_lie_apart(pairs: list[tuple[int, int]]) -> None:
    given_windows = [_window(pair) for pair in pairs]
    found = joined(given_windows)
    for half_hour in range(-1, 83):
        at = START + timedelta(minutes=30 * half_hour)
        assert _holds(found, at) == _holds(given_windows, at)
    assert all(before[1] < after[0] for before, after in zip(found, found[1:], strict=False))
