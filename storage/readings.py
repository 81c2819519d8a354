"""Time series of device readings: stored once, rolled up, summed, pruned.

Writing is idempotent: a reading whose id is known already changes nothing.  Roll-ups take only readings of
good quality with a numeric value.  5-minute buckets are kept in the writing transaction; :func:`maintain`
computes hours and days from them afterwards, so a late reading lands in the right buckets of all three.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from core.records import GeoPoint, Quality, Reading
from storage.reading_rows import fitting, insert_new, split_value
from storage.rollups import DAY, FIVE_MINUTES, HOUR, add_to_rollups, bucket_start, maintain, prune_rollups
from storage.tables.readings import ReadingRollup, ReadingRow

__all__ = ["Latest", "Point", "latest", "maintain", "prune", "rain_sums", "series", "store_readings", "split_value"]

RAIN_HOURS = (1, 3, 6, 12, 24)
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
        unique.setdefault(reading.reading_id, fitting(reading))
    if not unique:
        return []
    new = insert_new(session, unique)
    add_to_rollups(session, new)
    return new


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
