"""Readings as rows: inserted once, in the way that costs each database least."""

from __future__ import annotations

from datetime import UTC
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from core.records import Reading
from storage.tables.readings import ReadingRow

_TEXT_LIMIT = 400
_CHANNEL_LIMIT, _UNIT_LIMIT = 60, 16  # what the columns hold; PostgreSQL refuses more, and refuses NUL
_CHUNK = 500


def insert_new(session: Session, unique: dict[str, Reading]) -> list[Reading]:
    """Insert what is not there yet and return it, in the way that costs each database least."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        rows = msgspec.json.encode([_row(reading) for reading in unique.values()]).decode()
        inserted = set(connection.execute(_insert_json(), {"rows": rows}).scalars())
        return [reading for reading in unique.values() if reading.reading_id in inserted]
    known: set[str] = set()  # one writer at a time: what is not there now is new
    ids = list(unique)
    for start in range(0, len(ids), _CHUNK):
        known.update(connection.execute(_known_ids(), {"ids": ids[start : start + _CHUNK]}).scalars())
    new = [reading for reading in unique.values() if reading.reading_id not in known]
    if new:  # tuples as the driver takes them: SQLAlchemy's way costs as much as the insert itself
        connection.exec_driver_sql(_insert_sqlite(), [_sqlite_row(_row(reading)) for reading in new])
    return new


def _sqlite_row(row: dict[str, Any]) -> tuple[Any, ...]:
    """The values in the columns' order, moments and JSON as SQLAlchemy stores them in SQLite."""
    for name in ("observed_at", "received_at"):
        row[name] = row[name].astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    row["attributes"] = msgspec.json.encode(row["attributes"]).decode() if row["attributes"] else "{}"
    return tuple(row.values())


# Statements are built once: building one costs more than running it.
@cache
def _known_ids() -> Any:
    column = ReadingRow.__table__.c.reading_id
    return select(column).where(column.in_(bindparam("ids", expanding=True)))


@cache
def _insert_sqlite() -> str:
    names = [column.name for column in ReadingRow.__table__.columns]
    return f"INSERT INTO reading ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - our own columns


@cache
def _insert_json() -> Any:
    """All rows as one JSON document: a parameter, a round trip and a plan instead of sixteen parameters a row."""
    dialect: Any = postgresql.dialect()  # type: ignore[no-untyped-call]
    columns = {c.name: str(c.type.compile(dialect=dialect)) for c in ReadingRow.__table__.columns}
    names = ", ".join(columns)
    record = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return text(
        f"INSERT INTO reading ({names}) SELECT {names} FROM json_to_recordset(CAST(:rows AS json)) AS t({record})"  # noqa: S608 - names of our own columns
        " ON CONFLICT (reading_id) DO NOTHING RETURNING reading_id"
    )


def fitting(reading: Reading) -> Reading:
    """The reading with channel and unit as the columns can hold them."""
    channel, unit = reading.channel, reading.unit
    if len(channel) <= _CHANNEL_LIMIT and len(unit) <= _UNIT_LIMIT and "\x00" not in channel and "\x00" not in unit:
        return reading
    return msgspec.structs.replace(
        reading, channel=channel.replace("\x00", "")[:_CHANNEL_LIMIT], unit=unit.replace("\x00", "")[:_UNIT_LIMIT]
    )


def _row(reading: Reading) -> dict[str, Any]:
    number, text = split_value(reading.value)
    place = reading.location
    return {
        "reading_id": reading.reading_id,
        "source": reading.source,
        "device_id": reading.device_id,
        "quantity": reading.quantity,
        "channel": reading.channel,
        "observed_at": reading.observed_at,
        "received_at": reading.received_at,
        "value": number,
        "text": text,
        "unit": reading.unit,
        "quality": reading.quality.value,
        "site_id": reading.site_id,
        "lon": place.lon if place else None,
        "lat": place.lat if place else None,
        "attributes": reading.attributes,
    }


def split_value(value: bool | int | float | str | None) -> tuple[float | None, str | None]:
    """``value`` as (number, text): booleans are 0.0 and 1.0, long texts are cut at 400 characters."""
    if value is None:
        return None, None
    if isinstance(value, str):
        return None, value.replace("\x00", "")[:_TEXT_LIMIT]
    return float(value), None
