"""Readings are stored once, with what they hold, on both ways of inserting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select

from core.ids import derived_id
from core.records import GeoPoint, Quality, Reading, decode_many, encode, encode_many, parts_of
from core.settings import Settings
from storage.reading_rows import insert_new
from storage.readings import latest, store_readings
from storage.session import make_engine, read_scope, session_scope
from storage.tables.readings import ReadingRow
from tests.databases import create_all

AT = datetime(2026, 11, 27, 18, 38, 17, 123456, tzinfo=timezone(timedelta(hours=8)))


def reading(number: int, value: object = 1.5, **more: object) -> Reading:
    given = {"unit": "m", "location": GeoPoint(lon=125.4, lat=43.9), "attributes": {"键": [1, {"a": 2**40}]}, **more}
    return Reading(
        reading_id=derived_id("r", number), source="mqtt", device_id="mqtt:g1", quantity="water_level_m",
        value=value, observed_at=AT, received_at=AT, **given,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_reading_comes_back_as_it_was_and_once(settings: Settings) -> None:
    engine = make_engine(settings.database_url)
    create_all(engine)
    several = [reading(n) for n in range(1200)]
    with session_scope(engine) as session:
        assert len(store_readings(session, several[:600])) == 600
    with session_scope(engine) as session:
        assert store_readings(session, several) == several[600:]
    with read_scope(engine) as session:
        row = session.scalars(select(ReadingRow).limit(1)).one()
        (newest,) = latest(session, "mqtt:g1")
    assert (row.observed_at, row.value, row.lon, row.attributes) == (AT, 1.5, 125.4, {"键": [1, {"a": 2**40}]})
    assert row.observed_at.tzinfo is not None and newest.observed_at == AT and newest.quality is Quality.GOOD
    engine.dispose()


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [(True, 1.0, None), (None, None, None), ("ON", None, "ON"), ("x" * 900, None, "x" * 400), ("a\x00b", None, "ab"),
     (2**62, float(2**62), None)],
)  # fmt: skip
def test_values_of_every_kind(settings: Settings, value: object, number: object, text: object) -> None:
    engine = make_engine(settings.database_url)
    create_all(engine)
    with session_scope(engine) as session:
        insert_new(session, {"r": reading(1, value, attributes={}, location=None)})
    with read_scope(engine) as session:
        row = session.scalars(select(ReadingRow)).one()
    assert (row.value, row.text, row.attributes, row.lon) == (number, text, {}, None)
    engine.dispose()


def test_a_stream_message_carries_one_record_or_several() -> None:
    several = [reading(n) for n in range(3)]
    assert decode_many(Reading, encode_many(several)) == several
    assert decode_many(Reading, encode(several[0])) == several[:1]
    assert [decode_many(Reading, part) for part in parts_of(encode_many(several))] == [[r] for r in several]
    assert parts_of(b"[broken") == [b"[broken"] and parts_of(b"{}") == [b"{}"]
    assert several[0].observed_at.astimezone(UTC).hour == 10
