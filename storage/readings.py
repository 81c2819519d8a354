"""Time series of device readings: stored once, rolled up, summed, pruned.

Writing is idempotent: a reading whose id is known already changes nothing.  Roll-ups take only readings of
good quality with a numeric value.  5-minute buckets are kept in the writing transaction; :func:`maintain`
computes hours and days from them afterwards, so a late reading lands in the right buckets of all three.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from core.records import GeoPoint, Quality, Reading
from storage.rollups import DAY, FIVE_MINUTES, HOUR, add_to_rollups, bucket_start, insert_into, maintain, prune_rollups
from storage.tables.readings import ReadingRollup, ReadingRow

__all__ = ["Latest", "Point", "latest", "maintain", "prune", "rain_sums", "series", "store_readings", "split_value"]

RAIN_HOURS = (1, 3, 6, 12, 24)
_TEXT_LIMIT = 400
_CHANNEL_LIMIT, _UNIT_LIMIT = 60, 16  # what the columns hold; PostgreSQL refuses more, and refuses NUL
_ROLLUP_DAYS = {FIVE_MINUTES: 400, HOUR: 1200}  # days are kept for good


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a series; for a roll-up ``value`` is the mean and ``count`` says of how many."""

    at: datetime
    value: float
    minimum: float
    maximum: float
    count: int = 1
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest value of one quantity and channel of a device."""

    quantity: str
    channel: str
    value: float | None
    text: str | None
    unit: str
    quality: Quality
    observed_at: datetime
    received_at: datetime
    location: GeoPoint | None


# write ---------------------------------------------------------------------
def store_readings(session: Session, readings: Sequence[Reading]) -> list[Reading]:
    """Insert ``readings`` whose id is not known yet and return those, in order.

    Also adds the new ones to their 5-minute buckets.  Call inside ``session_scope``.
    """
    unique: dict[str, Reading] = {}
    for reading in readings:
        unique.setdefault(reading.reading_id, _fitting(reading))
    if not unique:
        return []
    # the table, not the class: the ORM's bulk insert would cost half as much again per row
    statement = insert_into(session, ReadingRow.__table__).on_conflict_do_nothing(index_elements=["reading_id"])
    rows = [_row(reading) for reading in unique.values()]
    inserted = set(session.scalars(statement.returning(ReadingRow.__table__.c.reading_id), rows))
    new = [reading for reading in unique.values() if reading.reading_id in inserted]
    add_to_rollups(session, new)
    return new


def _fitting(reading: Reading) -> Reading:
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


# read ----------------------------------------------------------------------
def series_of(session: Session, device_id: str) -> list[tuple[str, str]]:
    """(quantity, channel) of everything the device ever reported, by skipping along the index."""
    found: list[tuple[str, str]] = []
    after = ("", "")
    step = text(
        "SELECT quantity, channel FROM reading WHERE device_id = :device"
        " AND (quantity, channel) > (:quantity, :channel) ORDER BY quantity, channel LIMIT 1"
    )
    while True:
        row = session.execute(step, {"device": device_id, "quantity": after[0], "channel": after[1]}).first()
        if row is None:
            return found
        after = (row.quantity, row.channel)
        found.append(after)


def latest(session: Session, device_id: str, limit: int = 200) -> list[Latest]:
    """The newest value of each quantity and channel of a device (at most ``limit`` of them)."""
    values = []
    for quantity, channel in series_of(session, device_id)[:limit]:
        row = session.scalars(
            select(ReadingRow)
            .where(ReadingRow.device_id == device_id, ReadingRow.quantity == quantity, ReadingRow.channel == channel)
            .order_by(ReadingRow.observed_at.desc())
            .limit(1)
        ).one()
        place = GeoPoint(lon=row.lon, lat=row.lat) if row.lon is not None and row.lat is not None else None
        values.append(
            Latest(
                quantity=quantity,
                channel=channel,
                value=row.value,
                text=row.text,
                unit=row.unit,
                quality=Quality(row.quality),
                observed_at=row.observed_at,
                received_at=row.received_at,
                location=place,
            )
        )
    return values


def series(
    session: Session,
    device_id: str,
    quantity: str,
    start: datetime,
    end: datetime,
    step_s: int = 0,
    *,
    channel: str | None = None,
    limit: int = 5000,
) -> list[Point]:
    """Good values of ``[start, end)``, oldest first.

    ``step_s`` 0 gives raw values (the newest ``limit``); 300 gives 5-minute, ≥ 3600 hourly and ≥ 86400 daily
    buckets (hours and days lag behind by one run of :func:`maintain`).
    """
    if step_s <= 0:
        return _raw(session, device_id, quantity, start, end, channel, limit)
    step = DAY if step_s >= DAY else HOUR if step_s >= HOUR else FIVE_MINUTES
    table = ReadingRollup
    query = select(
        table.bucket,
        func.sum(table.count).label("number"),
        func.sum(table.total).label("total"),
        func.min(table.minimum).label("minimum"),
        func.max(table.maximum).label("maximum"),
    ).where(
        table.device_id == device_id,
        table.quantity == quantity,
        table.step_s == step,
        table.bucket >= bucket_start(start.timestamp(), step),
        table.bucket < end.timestamp(),
    )
    if channel is not None:
        query = query.where(table.channel == channel)
    rows = session.execute(query.group_by(table.bucket).order_by(table.bucket.desc()).limit(limit)).all()
    return [
        Point(
            at=datetime.fromtimestamp(r.bucket, UTC),
            value=r.total / r.number,
            minimum=r.minimum,
            maximum=r.maximum,
            count=r.number,
            total=r.total,
        )
        for r in reversed(rows)
    ]


def _raw(
    session: Session, device_id: str, quantity: str, start: datetime, end: datetime, channel: str | None, limit: int
) -> list[Point]:
    query = select(ReadingRow.observed_at, ReadingRow.value).where(
        ReadingRow.device_id == device_id,
        ReadingRow.quantity == quantity,
        ReadingRow.observed_at >= start,
        ReadingRow.observed_at < end,
        ReadingRow.value.is_not(None),
        ReadingRow.quality == Quality.GOOD.value,
    )
    if channel is not None:
        query = query.where(ReadingRow.channel == channel)
    rows = session.execute(query.order_by(ReadingRow.observed_at.desc()).limit(limit)).all()
    return [
        Point(at=r.observed_at, value=r.value, minimum=r.value, maximum=r.value, total=r.value) for r in reversed(rows)
    ]


def rain_sums(
    session: Session, device_id: str, at: datetime, *, quantity: str = "rain_mm", channel: str | None = None
) -> dict[int, float]:
    """Rain in mm of the last 1, 3, 6, 12 and 24 hours before ``at``, to the 5-minute bucket.

    ``quantity`` holds the rain of each interval (an increment, not a counter).
    """
    table = ReadingRollup
    end = at.timestamp()
    sums = {}
    for hours in RAIN_HOURS:
        query = select(func.coalesce(func.sum(table.total), 0.0)).where(
            table.device_id == device_id,
            table.quantity == quantity,
            table.step_s == FIVE_MINUTES,
            table.bucket > end - hours * HOUR - FIVE_MINUTES,
            table.bucket <= end,
        )
        if channel is not None:
            query = query.where(table.channel == channel)
        sums[hours] = float(session.scalar(query) or 0.0)
    return sums


# prune ---------------------------------------------------------------------
def prune(session: Session, now: datetime, keep_days: Mapping[str, float]) -> int:
    """Delete raw readings older than their quantity's days (key ``*`` for all others) and old buckets.

    Returns how many rows went.  Works series by series along the index, so it needs no index on time alone.
    """
    gone = prune_rollups(session, now, _ROLLUP_DAYS)
    step = text("SELECT device_id FROM reading WHERE device_id > :after ORDER BY device_id LIMIT 1")
    device_id = ""
    while (row := session.execute(step, {"after": device_id}).first()) is not None:
        device_id = row.device_id
        for quantity, channel in series_of(session, device_id):
            days = keep_days.get(quantity, keep_days.get("*"))
            if days is None:
                continue
            result = session.execute(
                delete(ReadingRow).where(
                    ReadingRow.device_id == device_id,
                    ReadingRow.quantity == quantity,
                    ReadingRow.channel == channel,
                    ReadingRow.observed_at < now - timedelta(days=days),
                )
            )
            gone += int(result.rowcount)  # type: ignore[attr-defined]
    return gone
