"""How much is believed of when a phone says that something was done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.deed import JITTER, LONGEST, Told, judged
from core.records import GeoPoint

NOW = datetime(2026, 6, 5, 6, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=5)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("told", "clock", "recorded"),
    [
        (Told(), "", NOW),
        (Told(at=NOW - HOUR, phone_now=NOW), "as_told", NOW - HOUR),
        (Told(at=NOW - HOUR), "as_told", NOW - HOUR),
        # a phone whose clock is a day ahead, or a year behind, all the time
        (Told(at=NOW + 23 * HOUR, phone_now=NOW + 24 * HOUR), "corrected", NOW - HOUR),
        (Told(at=NOW - 8761 * HOUR, phone_now=NOW - 8760 * HOUR), "corrected", NOW - HOUR),
        (Told(at=NOW + HOUR, phone_now=NOW), "future", NOW),
        (Told(at=NOW - 100 * HOUR, phone_now=NOW), "too_old", NOW),
        (Told(at=NOW - 6 * HOUR, phone_now=NOW), "before_move", NOW),
        # set back between the deed and the sending
        (Told(at=NOW - HOUR, phone_now=NOW - 3 * HOUR, skew_s=0.0), "changed", NOW),
        (Told(at=NOW - HOUR, phone_now=NOW, skew_s=0.0), "as_told", NOW - HOUR),
    ],
)
def test_what_is_believed(told: Told, clock: str, recorded: datetime) -> None:
    deed = judged(told, NOW, BEFORE)
    assert (deed.clock, deed.recorded_at) == (clock, recorded)


@given(
    at=st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1)).map(lambda d: d.replace(tzinfo=UTC)),
    error=st.none() | st.timedeltas(timedelta(days=-4000), timedelta(days=4000)),
    skew=st.none() | st.floats(-1e6, 1e6),
)
def test_the_recorded_time_never_leaves_its_bounds(
    at: datetime | None, error: timedelta | None, skew: float | None
) -> None:
    deed = judged(Told(at=at, phone_now=NOW + error if error is not None else None, skew_s=skew), NOW, BEFORE)
    assert BEFORE <= deed.recorded_at <= NOW
    assert deed.believed or deed.recorded_at == NOW


@given(ago=st.timedeltas(timedelta(0), timedelta(hours=5)), error=st.timedeltas(timedelta(-3000), timedelta(3000)))
def test_a_clock_that_is_wrong_by_a_constant_changes_nothing(ago: timedelta, error: timedelta) -> None:
    told = Told(at=NOW - ago + error, phone_now=NOW + error, skew_s=error.total_seconds())
    assert abs(judged(told, NOW, BEFORE).recorded_at - (NOW - ago)) <= JITTER
    assert timedelta(hours=5) < LONGEST


def test_the_distance_from_the_case_is_told() -> None:
    told = Told(at=NOW, place=GeoPoint(lon=125.38, lat=43.86), accuracy_m=12)
    deed = judged(told, NOW, BEFORE, GeoPoint(lon=125.381, lat=43.86))
    assert deed.distance_m == pytest.approx(80.2, abs=0.5)
    assert deed.facts()["lon"] == 125.38 and deed.facts()["accuracy_m"] == 12
