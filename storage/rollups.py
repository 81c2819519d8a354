"""Roll-ups of readings: 5-minute buckets in the writing transaction, hours and days afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.records import Quality, Reading
from storage.tables.readings import ReadingRollup

FIVE_MINUTES, HOUR, DAY = 300, 3600, 86400
CHINA_OFFSET_S = 8 * 3600  # days begin at midnight in China

Series = tuple[str, str, str]  # device, quantity, channel


def insert_into(session: Session, table: Any) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def bucket_start(unix_s: float, step_s: int) -> int:
    """Start (unix s) of the bucket of length ``step_s`` that ``unix_s`` lies in."""
    offset = CHINA_OFFSET_S if step_s >= DAY else 0
    return int((unix_s + offset) // step_s) * step_s - offset


def add_to_rollups(session: Session, readings: Sequence[Reading]) -> None:
    """Add good numeric ``readings``, all of them new, to their 5-minute buckets."""
    buckets: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    for reading in readings:
        value = reading.value
        if reading.quality is not Quality.GOOD or value is None or isinstance(value, (str, bool)):
            continue
        number, at = float(value), reading.observed_at.timestamp()
        bucket = bucket_start(at, FIVE_MINUTES)
        key = (reading.device_id, reading.quantity, reading.channel, bucket)
        _merge(buckets.setdefault(key, _empty_bucket(key, number, at)), number, at)
    if not buckets:
        return
    statement = insert_into(session, ReadingRollup.__table__)
    new, old = statement.excluded, ReadingRollup
    earlier, later = new.first_at < old.first_at, new.last_at >= old.last_at
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["device_id", "quantity", "channel", "step_s", "bucket"],
            set_={
                "count": old.count + new["count"],
                "total": old.total + new.total,
                "minimum": _least(session, old.minimum, new.minimum),
                "maximum": _greatest(session, old.maximum, new.maximum),
                "first_value": _choose(earlier, new.first_value, old.first_value),
                "first_at": _least(session, old.first_at, new.first_at),
                "last_value": _choose(later, new.last_value, old.last_value),
                "last_at": _greatest(session, old.last_at, new.last_at),
                "dirty": True,
            },
        ),
        sorted(buckets.values(), key=lambda b: (b["device_id"], b["quantity"], b["channel"], b["bucket"])),
    )  # one order of rows for every writer: two PostgreSQL transactions cannot deadlock


def _least(session: Session, left: Any, right: Any) -> Any:
    return func.least(left, right) if session.get_bind().dialect.name == "postgresql" else func.min(left, right)


def _greatest(session: Session, left: Any, right: Any) -> Any:
    return func.greatest(left, right) if session.get_bind().dialect.name == "postgresql" else func.max(left, right)


def _choose(condition: Any, yes: Any, no: Any) -> Any:
    return case((condition, yes), else_=no)


def _empty_bucket(key: tuple[str, str, str, int], number: float, at: float) -> dict[str, Any]:
    device_id, quantity, channel, bucket = key
    return {
        "device_id": device_id,
        "quantity": quantity,
        "channel": channel,
        "step_s": FIVE_MINUTES,
        "bucket": bucket,
        "count": 0,
        "total": 0.0,
        "minimum": number,
        "maximum": number,
        "first_at": at,
        "first_value": number,
        "last_at": at,
        "last_value": number,
        "dirty": True,
    }


def _merge(bucket: dict[str, Any], number: float, at: float) -> None:
    bucket["count"] += 1
    bucket["total"] += number
    bucket["minimum"] = min(bucket["minimum"], number)
    bucket["maximum"] = max(bucket["maximum"], number)
    if at < bucket["first_at"]:
        bucket["first_at"], bucket["first_value"] = at, number
    if at >= bucket["last_at"]:
        bucket["last_at"], bucket["last_value"] = at, number


def maintain(session: Session, limit: int = 2000) -> int:
    """Compute the hours and days of up to ``limit`` dirty 5-minute buckets again; returns how many were done.

    Call it every minute or so inside ``session_scope`` until it returns 0.
    """
    table = ReadingRollup
    dirty = session.execute(
        select(table.device_id, table.quantity, table.channel, table.bucket)
        .where(table.dirty.is_(True), table.step_s == FIVE_MINUTES)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not dirty:
        return 0
    for step_s, below in ((HOUR, FIVE_MINUTES), (DAY, HOUR)):
        wanted = sorted({(d, q, c, bucket_start(b, step_s)) for d, q, c, b in dirty})
        rows = [row for row in (_compute(session, key, step_s, below) for key in wanted) if row]
        _replace(session, rows)
    for part in _parts([tuple(row) for row in dirty], 200):
        session.execute(
            update(table)
            .where(table.step_s == FIVE_MINUTES)
            .where(tuple_(table.device_id, table.quantity, table.channel, table.bucket).in_(part))
            .values(dirty=False)
        )
    return len(dirty)


def _compute(session: Session, key: tuple[str, str, str, int], step_s: int, below: int) -> dict[str, Any] | None:
    """One bucket of ``step_s`` from the buckets of step ``below`` inside it."""
    device_id, quantity, channel, bucket = key
    rows = session.execute(
        select(ReadingRollup.__table__)
        .where(
            ReadingRollup.device_id == device_id,
            ReadingRollup.quantity == quantity,
            ReadingRollup.channel == channel,
            ReadingRollup.step_s == below,
            ReadingRollup.bucket >= bucket,
            ReadingRollup.bucket < bucket + step_s,
        )
        .order_by(ReadingRollup.bucket)
    ).all()
    if not rows:
        return None
    return {
        "device_id": device_id,
        "quantity": quantity,
        "channel": channel,
        "step_s": step_s,
        "bucket": bucket,
        "count": sum(r._mapping["count"] for r in rows),
        "total": sum(r.total for r in rows),
        "minimum": min(r.minimum for r in rows),
        "maximum": max(r.maximum for r in rows),
        "first_at": rows[0].first_at,
        "first_value": rows[0].first_value,
        "last_at": rows[-1].last_at,
        "last_value": rows[-1].last_value,
        "dirty": False,
    }


def _replace(session: Session, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert_into(session, ReadingRollup.__table__)
    names = [n for n in rows[0] if n not in {"device_id", "quantity", "channel", "step_s", "bucket"}]
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["device_id", "quantity", "channel", "step_s", "bucket"],
            set_={name: statement.excluded[name] for name in names},
        ),
        rows,
    )


def prune_rollups(session: Session, now: datetime, keep_days: dict[int, int]) -> int:
    """Delete buckets older than ``keep_days[step_s]`` days; returns how many rows went."""
    gone = 0
    for step_s, days in keep_days.items():
        oldest = int((now - timedelta(days=days)).timestamp())
        result = session.execute(
            delete(ReadingRollup).where(ReadingRollup.step_s == step_s, ReadingRollup.bucket < oldest)
        )
        gone += int(result.rowcount)  # type: ignore[attr-defined]
    return gone


def _parts(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
