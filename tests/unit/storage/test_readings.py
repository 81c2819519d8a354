"""Readings are stored once, rolled up right when they come late, summed, pruned."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.records import Quality, Reading
from storage import readings as store
from storage.session import make_engine, read_scope, session_scope
from tests.databases import create_all

T0 = datetime(2026, 7, 1, 0, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Both databases."""
    if request.param == "sqlite":
        made = make_engine(f"sqlite:///{tmp_path / 'test.db'}")
    else:
        made = make_engine(request.getfixturevalue("postgres_url"))
    create_all(made)
    yield made
    made.dispose()


def reading(n: int, value: object, at: datetime, **more: object) -> Reading:
    fields = {
        "reading_id": f"r{n}",
        "source": "mqtt",
        "device_id": "mqtt:g1",
        "quantity": "water_level_m",
        "value": value,
        "observed_at": at,
        "received_at": at,
    } | more
    return Reading(**fields)  # type: ignore[arg-type]


def put(engine: Engine, *readings: Reading) -> list[Reading]:
    with session_scope(engine) as session:
        return store.store_readings(session, readings)


def test_a_known_id_changes_nothing(engine: Engine) -> None:
    first = reading(1, 0.2, T0)
    assert put(engine, first, first) == [first]
    assert put(engine, first, reading(2, 0.4, T0 + timedelta(seconds=5))) == [
        reading(2, 0.4, T0 + timedelta(seconds=5))
    ]
    with read_scope(engine) as session:
        points = store.series(session, "mqtt:g1", "water_level_m", T0, T0 + timedelta(hours=1))
        bucket = store.series(session, "mqtt:g1", "water_level_m", T0, T0 + timedelta(hours=1), 300)
    assert [p.value for p in points] == [0.2, 0.4]
    assert [(p.count, p.minimum, p.maximum) for p in bucket] == [(2, 0.2, 0.4)]
    assert bucket[0].value == pytest.approx(0.3)


def test_late_and_shuffled_readings_give_the_same_rollups(engine: Engine) -> None:
    rng = random.Random(7)
    values = [(i, rng.uniform(0, 2), T0 + timedelta(seconds=97 * i)) for i in range(2000)]
    shuffled = values[:]
    rng.shuffle(shuffled)
    for start in range(0, 2000, 250):
        put(engine, *(reading(*v) for v in shuffled[start : start + 250]))
        with session_scope(engine) as session:
            while store.maintain(session):
                pass
    with read_scope(engine) as session:
        for step in (300, 3600, 86400):
            got = store.series(session, "mqtt:g1", "water_level_m", T0, T0 + timedelta(days=3), step)
            offset = 8 * 3600 if step == 86400 else 0
            want: dict[int, list[float]] = {}
            for _, value, at in values:
                want.setdefault(int((at.timestamp() + offset) // step) * step - offset, []).append(value)
            assert {int(p.at.timestamp()): p.count for p in got} == {k: len(v) for k, v in want.items()}
            assert [p.total for p in got] == pytest.approx([sum(want[k]) for k in sorted(want)])
            assert [p.maximum for p in got] == [max(want[k]) for k in sorted(want)]


def test_what_is_not_good_or_not_a_number_is_stored_but_not_rolled_up(engine: Engine) -> None:
    put(
        engine,
        reading(1, 9.0, T0, quality=Quality.OUT_OF_RANGE),
        reading(2, None, T0, quality=Quality.MISSING),
        reading(3, "V1.1", T0, quantity="software_version"),
        reading(4, True, T0, quantity="door_open"),
    )
    with read_scope(engine) as session:
        assert store.series(session, "mqtt:g1", "water_level_m", T0, T0 + timedelta(hours=1), 300) == []
        assert store.series(session, "mqtt:g1", "door_open", T0, T0 + timedelta(hours=1), 300) == []
        newest = {v.quantity: v for v in store.latest(session, "mqtt:g1")}
    assert newest["software_version"].text == "V1.1"
    assert newest["door_open"].value == 1.0
    assert newest["water_level_m"].quality in {Quality.OUT_OF_RANGE, Quality.MISSING}


def test_rain_sums_over_the_standard_hours(engine: Engine) -> None:
    put(engine, *(reading(i, 1.0, T0 + timedelta(minutes=10 * i), quantity="rain_mm") for i in range(144)))
    with read_scope(engine) as session:
        sums = store.rain_sums(session, "mqtt:g1", T0 + timedelta(hours=24))
    assert sums == {1: 6.0, 3: 18.0, 6: 36.0, 12: 72.0, 24: 144.0}


def test_prune_keeps_what_its_quantity_may_keep(engine: Engine) -> None:
    now = T0 + timedelta(days=100)
    put(
        engine,
        reading(1, 1.0, now - timedelta(days=50)),
        reading(2, 1.0, now - timedelta(days=2)),
        reading(3, 1.0, now - timedelta(days=50), quantity="rain_mm"),
    )
    with session_scope(engine) as session:
        assert store.prune(session, now, {"*": 30, "rain_mm": 365}) == 1
    with read_scope(engine) as session:
        assert len(store.series(session, "mqtt:g1", "water_level_m", T0, now)) == 1
        assert len(store.series(session, "mqtt:g1", "rain_mm", T0, now)) == 1
