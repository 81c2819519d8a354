"""The values behind Observations: one datastream's or those of many, the newest first unless asked otherwise.

Bounds in time, order and pages go to the database, series by series over its index; what else a filter asks is looked
at in at most :data:`MAX_SCANNED` values.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.errors import InputInvalid, NotFound
from core.records import Quality
from dashboard.sensorthings.odata import Options
from storage.tables.readings import ReadingRow


@dataclass(frozen=True, slots=True)
class Series:
    """A datastream among the readings; ``texts``: its results are words, not numbers."""

    key: str
    device: str
    quantity: str
    channel: str
    texts: bool = False


Value = tuple[Series, datetime, float | str]  # whose, when, how much
MAX_SCANNED = 50_000
_BOUND = re.compile(r"\s*(?:phenomenonTime|resultTime)\s+(ge|gt|le|lt)\s+([\d:.TZ+-]{10,40})\s*", re.IGNORECASE)


def values_of(
    session: Session, streams: Sequence[Series], options: Options, wanted: Callable[[Value], bool], top: int
) -> tuple[list[Value], int]:
    """The page of the values of ``streams`` that ``options`` ask for, and how many there are in all.

    The number is exact where it is asked for or one datastream is read, else at least one more than the page shows.
    """
    bounds, only = _bounds(options.filter_text)
    orders = _orders(options)
    queries = [(stream, _bounded(stream, bounds)) for stream in streams]
    if options.filter is None or only:
        last = options.skip + top
        found = list(islice(_merged(session, queries, orders, last + 1), options.skip, last + 1))
        total = options.skip + len(found)
        if options.count or len(streams) == 1:
            total = sum(_count(session, query) for _, query in queries)
        return found[:top], total
    each = max(MAX_SCANNED // max(len(queries), 1), 1000)
    scanned = islice(_merged(session, queries, orders, each), MAX_SCANNED)
    kept = [value for value in scanned if wanted(value)]
    return kept[options.skip : options.skip + top], len(kept)


def value_then(session: Session, stream: Series, text: str) -> Value | None:
    """The value of a datastream at a moment; None where there is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    row = session.execute(_values(stream).where(ReadingRow.observed_at == at).limit(1)).first()
    return (stream, row[0], row[1] if row[1] is not None else row[2]) if row is not None else None


def _merged(
    session: Session, queries: Sequence[tuple[Series, Any]], orders: list[tuple[str, Any, bool]], most: int
) -> Iterator[Value]:
    """The values in order; of each series no more than ``most`` are read."""

    def read(stream: Series, query: Any) -> Iterator[Value]:
        for at, value, words in session.execute(query.order_by(*[order for _, order, _ in orders]).limit(most)):
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
            yield stream, at, value if value is not None else words

    series = [read(stream, query) for stream, query in queries]
    if len(series) == 1:
        return series[0]

    def place(value: Value) -> tuple[Any, ...]:
        result = value[2] if not isinstance(value[2], str) else 0.0
        numbers = (value[1].timestamp() if name != "result" else result for name, _, _ in orders)
        return tuple(-n if down else n for n, (_, _, down) in zip(numbers, orders, strict=True))

    return heapq.merge(*series, key=place)


def _count(session: Session, query: Any) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _bounded(stream: Series, bounds: list[tuple[str, datetime]]) -> Any:
    query, column = _values(stream), ReadingRow.observed_at
    for sign, at in bounds:
        query = query.where({"ge": column >= at, "gt": column > at, "le": column <= at, "lt": column < at}[sign])
    return query


def stream_id(device: str, quantity: str, channel: str) -> str:
    """The id of a datastream."""
    return f"{device}|{quantity}|{channel.replace('/', '~')}"


def stream_parts(key: str) -> tuple[str, str, str]:
    """Device, quantity and channel of a datastream's id; :class:`NotFound` for what is none."""
    parts = key.rsplit("|", 2)
    if len(parts) != 3:
        raise NotFound(what="datastream", key=key[:120])
    return parts[0], parts[1], parts[2].replace("~", "/")


def observation_id(stream: str, moment: str) -> str:
    """The id of an observation: its datastream's, then the time."""
    return f"{stream}{'|' if '|' in stream else '@'}{moment}"


def observation_parts(key: str) -> tuple[str, str]:
    """The datastream's id and the time of an observation's id."""
    stream, _, moment = key.rpartition("|" if "|" in key else "@")
    return stream, moment


def _values(stream: Series) -> Any:
    known = ReadingRow.value.is_not(None)
    return select(ReadingRow.observed_at, ReadingRow.value, ReadingRow.text).where(
        ReadingRow.device_id == stream.device, ReadingRow.quantity == stream.quantity,
        ReadingRow.channel == stream.channel, ReadingRow.quality == Quality.GOOD.value,
        or_(known, ReadingRow.text.is_not(None)) if stream.texts else known,
    )  # fmt: skip


def _bounds(text: str) -> tuple[list[tuple[str, datetime]], bool]:
    """Bounds in time of a ``$filter`` joined by ``and``; whether it holds nothing else."""
    if not text or re.search(r"\b(or|not)\b|\(", text):
        return [], False
    found = []
    parts = re.split(r"\band\b", text)
    for part in parts:
        match = _BOUND.fullmatch(part)
        if match:
            try:
                at = datetime.fromisoformat(match[2])
            except ValueError:
                how = "write 2026-11-28T08:00:00Z"
                raise InputInvalid(field="$filter", detail=f"{match[2]!r} is no time", how=how) from None
            found.append((match[1].lower(), at if at.tzinfo else at.replace(tzinfo=UTC)))
    return found, len(found) == len(parts)


def _orders(options: Options) -> list[tuple[str, Any, bool]]:
    """Property, as SQL, whether downwards."""
    times = dict.fromkeys(("phenomenonTime", "resultTime", "id", "@iot.id"), ReadingRow.observed_at)
    columns: dict[str, Any] = {**times, "result": ReadingRow.value}
    found: list[tuple[str, Any, bool]] = []
    for name, down in options.order:
        if name not in columns:
            raise InputInvalid(field="$orderby", detail=f"{name[:40]!r}", how=f"use one of {', '.join(columns)}")
        found.append((name, columns[name].desc() if down else columns[name].asc(), down))
    return found or [("phenomenonTime", ReadingRow.observed_at.desc(), True)]
