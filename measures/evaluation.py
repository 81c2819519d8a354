"""Figures of a measure for one reader: the value, the value before, groups, series, and the very rows behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, String, and_, case, cast, func, or_
from sqlalchemy.orm import Session

from core.clock import BEIJING
from core.legal_time.calendar import WorkCalendar, statutory_calendar
from core.records import Actor
from measures.conditions import Field, condition, known
from measures.definition import BoardInvalid, Measure
from measures.source import Asked, Source, beijing_day, newest_of
from measures.sources import sources

MOST_GROUPS = 200
MOST_ROWS = 500


@dataclass(frozen=True)
class Period:
    """``[begins, ends)``."""

    begins: datetime
    ends: datetime

    @property
    def before(self) -> Period:
        """The equally long period before it."""
        return Period(self.begins - (self.ends - self.begins), self.begins)


@dataclass(frozen=True)
class Figure:
    """``value`` None: there is nothing to count (no row, or a share of none); ``of`` how many rows stand behind it.

    ``as_of``: when the newest row was written, or now where the running system itself is asked; ``stale``: that is
    longer ago than the measure allows.
    """

    value: float | None
    of: int
    before: float | None = None
    as_of: datetime | None = None
    stale: bool = False


@dataclass(frozen=True)
class Group:
    """One group of a measure: ``key`` as stored, ``name`` for people."""

    key: str
    name: str
    value: float | None
    of: int


class Reader:
    """Evaluates measures for one actor in one session.

    Args:
        session: an open reading session.
        actor: whose rights decide what is counted.
        now: the moment that "now" in a condition means.
        language: of the groups' names.
        calendar: the district's, where work days count; without it the statutory one.
    """

    def __init__(
        self, session: Session, actor: Actor, now: datetime, language: str = "zh", calendar: WorkCalendar | None = None
    ) -> None:
        self.session, self.actor, self.now, self.language = session, actor, now, language
        self.asked = Asked(now, session.get_bind().dialect.name == "postgresql", calendar or statutory_calendar())

    def period(self, days: int) -> Period:
        """The last ``days`` days, today included, by the days of China."""
        tomorrow = self.now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return Period(tomorrow - timedelta(days=days), tomorrow)

    def figure(self, measure: Measure, period: Period) -> Figure:
        """The measure over ``period``, and over the one before."""
        source, fields = self._of(measure)
        conditions = self._conditions(measure, source, fields, period)
        value, of = self._value(measure, source, fields, conditions)
        before = None
        if measure.period:
            before, _ = self._value(measure, source, fields, self._conditions(measure, source, fields, period.before))
        as_of = (
            newest_of(self.session, source, self._set(measure, source, fields))
            if source.newest is not None
            else self.now
        )
        old = as_of is None or self.now - as_of > timedelta(hours=measure.stale_hours)
        if source.newest is not None and as_of is None:
            value = None  # nothing was ever written: a nought would be invented
        return Figure(value, of, before, as_of, old)

    def groups(self, measure: Measure, period: Period, by: str) -> list[Group]:
        """The measure by the field ``by``, largest first."""
        source, fields = self._of(measure)
        key = known(fields, by, measure.source).sql
        conditions = self._conditions(measure, source, fields, period)
        rows = self.session.execute(
            self._select(measure, source, fields, conditions, key.label("key")).group_by(key).limit(MOST_GROUPS)
        ).all()
        names = self._names(source, by)
        found = [
            Group(
                _text(row.key),
                names.get(_text(row.key), _text(row.key)),
                self._scaled(measure, row.value, row.rows),
                row.rows,
            )
            for row in rows
        ]
        return sorted(found, key=lambda group: (-(group.value if group.value is not None else -1.0), group.key))

    def series(self, measure: Measure, period: Period) -> list[tuple[str, float | None]]:
        """``(day, value)`` for every day of ``period`` up to today; empty where the measure has no past."""
        source, fields = self._of(measure)
        if measure.period:
            return self._by_day(measure, source, fields, period)
        if measure.history is not None and measure.value == "count":
            return self._stock(measure, source, fields, period)
        return []

    def grid(self, measure: Measure, period: Period, across: str, down: str) -> dict[tuple[str, str], float]:
        """The measure by two fields: (value of ``across``, value of ``down``) → figure."""
        source, fields = self._of(measure)
        x, y = known(fields, across, measure.source).sql, known(fields, down, measure.source).sql
        conditions = self._conditions(measure, source, fields, period)
        query = self._select(measure, source, fields, conditions, x.label("x"), y.label("y")).group_by(x, y)
        rows = self.session.execute(query).all()
        return {(_text(r.x), _text(r.y)): self._scaled(measure, r.value, r.rows) or 0.0 for r in rows}

    def rows(
        self, measure: Measure, period: Period, group: Mapping[str, str] | None = None, *, named: bool = True
    ) -> list[dict[str, Any]]:
        """The very rows that a figure counts, newest first; ``group``: field → value as stored ("" is empty).

        ``named``: ids of departments, streets and the like as names.
        """
        source, fields = self._of(measure)
        conditions = self._conditions(measure, source, fields, period)
        if measure.value == "share":
            conditions.append(self._base_of_share(measure, fields))
        for by, wanted in (group or {}).items():
            conditions.append(_in_group(known(fields, by, measure.source), wanted))
        columns: list[Any] = [shown.sql.label(shown.name) for shown in source.shown]
        query = source.rows(self.session, self.actor, source.key.label("key"), *columns).where(*conditions)
        found = self.session.execute(query.order_by(source.key.desc()).limit(MOST_ROWS)).mappings()
        names = {shown.name: self._names(source, shown.name) if named else {} for shown in source.shown}
        return [
            {"key": str(row["key"]), "link": source.link.format(key=row["key"]) if source.link else ""}
            | {name: names[name].get(_text(row[name]), row[name]) for name in names}
            for row in found
        ]

    # parts ----------------------------------------------------------------
    def _of(self, measure: Measure) -> tuple[Source, Mapping[str, Field]]:
        source = sources().get(measure.source)
        if source is None:
            known_ones = ", ".join(sources())
            raise BoardInvalid(
                field=f"{measure.id}.source", detail=f"{measure.source!r}", how=f"use one of {known_ones}"
            )
        return source, source.fields(self.asked)

    def _standing(self, measure: Measure, fields: Mapping[str, Field]) -> list[ColumnElement[bool]]:
        return condition(fields, measure.where, self.now, measure.source)

    def _set(self, measure: Measure, source: Source, fields: Mapping[str, Field]) -> list[ColumnElement[bool]]:
        """The data set that the measure is about, whatever else it asks of a row."""
        own = {name: value for name, value in measure.where.items() if name == source.sets}
        return condition(fields, own, self.now, measure.source)

    def _conditions(
        self, measure: Measure, source: Source, fields: Mapping[str, Field], period: Period
    ) -> list[ColumnElement[bool]]:
        found = self._standing(measure, fields)
        if measure.period:
            moment = known(fields, measure.period, measure.source)
            begins, ends = period.begins, period.ends
            if moment.kind == "iso":
                found += [moment.sql >= _iso(begins), moment.sql < _iso(ends)]
            elif moment.kind == "day":
                found += [moment.sql >= begins.astimezone(BEIJING).date(), moment.sql < ends.astimezone(BEIJING).date()]
            else:
                found += [moment.sql >= begins, moment.sql < ends]
        return found

    def _value(
        self, measure: Measure, source: Source, fields: Mapping[str, Field], conditions: Sequence[ColumnElement[bool]]
    ) -> tuple[float | None, int]:
        row = self.session.execute(self._select(measure, source, fields, conditions)).one()
        return self._scaled(measure, row.value, row.rows), row.rows

    def _select(
        self, measure: Measure, source: Source, fields: Mapping[str, Field],
        conditions: Sequence[ColumnElement[bool]], *columns: Any,
    ) -> Any:  # fmt: skip
        count = func.count()
        match measure.value:
            case "count":
                value: Any = count
            case "sum":
                value = func.sum(cast(known(fields, measure.field, measure.source).sql, Float))
            case "mean":
                field = known(fields, measure.field, measure.source).sql
                value, count = func.avg(cast(field, Float)), func.count(field)
            case _:
                base = self._base_of_share(measure, fields)
                met = and_(*condition(fields, measure.share, self.now, measure.source))
                value, count = func.sum(case((met, 1.0), else_=0.0)), func.count()
                conditions = [*conditions, base]
        picked = (*columns, value.label("value"), count.label("rows"))
        return source.rows(self.session, self.actor, *picked).where(*conditions)

    def _base_of_share(self, measure: Measure, fields: Mapping[str, Field]) -> ColumnElement[bool]:
        """A row whose shared fields are unknown (no deadline, not yet judged) counts neither way."""
        return and_(*(known(fields, name, measure.source).sql.is_not(None) for name in measure.share))

    @staticmethod
    def _scaled(measure: Measure, value: Any, rows: int) -> float | None:
        if measure.value == "share":
            return round(float(value or 0) / rows, 6) if rows else None
        if measure.value == "count":
            return float(value or 0)
        return None if value is None else round(float(value) * measure.scale, 6)

    def _names(self, source: Source, by: str) -> dict[str, str]:
        return source.names[by](self.session, self.language) if by in source.names else {}

    def _by_day(
        self, measure: Measure, source: Source, fields: Mapping[str, Field], period: Period
    ) -> list[tuple[str, float | None]]:
        moment = known(fields, measure.period, measure.source)
        day = (
            beijing_day(self.asked, moment.sql) if moment.kind == "time" else func.substr(cast_text(moment.sql), 1, 10)
        )
        conditions = self._conditions(measure, source, fields, period)
        rows = self.session.execute(
            self._select(measure, source, fields, conditions, day.label("day")).group_by(day)
        ).all()
        found = {row.day: self._scaled(measure, row.value, row.rows) for row in rows}
        nothing = 0.0 if measure.value in ("count", "sum") else None
        return [(text, found.get(text, nothing)) for text in _days(period, self.now)]

    def _stock(
        self, measure: Measure, source: Source, fields: Mapping[str, Field], period: Period
    ) -> list[tuple[str, float | None]]:
        """Open at the end of each day: what had begun less what had ended; today's state takes no part in it."""
        assert measure.history is not None
        begins = known(fields, measure.history.begins, measure.source).sql
        ends = known(fields, measure.history.ends, measure.source).sql
        standing = condition(
            fields,
            {k: v for k, v in measure.where.items() if k not in ("open", "state", "stage")},
            self.now,
            measure.source,
        )
        begun = self._daily(source, standing, begins, period)
        ended = self._daily(source, standing, ends, period)
        early = source.rows(self.session, self.actor, func.count()).where(
            *standing, begins < period.begins, or_(ends.is_(None), ends >= period.begins)
        )
        level = float(self.session.scalar(early) or 0)
        found: list[tuple[str, float | None]] = []
        for day in _days(period, self.now):
            level += begun.get(day, 0) - ended.get(day, 0)
            found.append((day, level))
        return found

    def _daily(
        self, source: Source, standing: Sequence[ColumnElement[bool]], moment: Any, period: Period
    ) -> dict[str, int]:
        day = beijing_day(self.asked, moment)
        query = source.rows(self.session, self.actor, day, func.count()).where(
            *standing, moment >= period.begins, moment < period.ends
        )
        return {row[0]: row[1] for row in self.session.execute(query.group_by(day))}


def _days(period: Period, now: datetime) -> Iterator[str]:
    day = period.begins.astimezone(BEIJING).date()
    last = min(now, period.ends - timedelta(seconds=1)).astimezone(BEIJING).date()
    while day <= last:
        yield day.isoformat()
        day += timedelta(days=1)


def _in_group(field: Field, wanted: str) -> ColumnElement[bool]:
    if wanted == "":
        return (
            or_(field.sql.is_(None), cast_text(field.sql) == "")
            if field.kind in ("text", "iso")
            else field.sql.is_(None)
        )
    if field.kind == "number":
        return field.sql == float(wanted)
    if field.kind == "flag":
        return field.sql.is_(wanted == "true")
    return field.sql == wanted


def cast_text(sql: Any) -> Any:
    """``sql`` as text."""
    return cast(sql, String)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _iso(moment: datetime) -> str:
    return moment.astimezone(BEIJING).date().isoformat()


def all_fields(session: Session, now: datetime) -> dict[str, list[tuple[str, str, str, str]]]:
    """For the editor: source → (field, kind, zh, en)."""
    asked = Asked(now, session.get_bind().dialect.name == "postgresql")
    return {
        name: [(field, f.kind, f.zh, f.en) for field, f in source.fields(asked).items()]
        for name, source in sources().items()
    }


def check_measure(session: Session, measure: Measure, now: datetime) -> None:
    """Build every query of the measure without running it: :class:`BoardInvalid` names what is wrong."""
    from core.records import SYSTEM

    reader = Reader(session, SYSTEM, now)
    source, fields = reader._of(measure)
    conditions = reader._conditions(measure, source, fields, reader.period(1))
    reader._select(measure, source, fields, conditions)
    if measure.history is not None:
        for name in (measure.history.begins, measure.history.ends):
            if known(fields, name, measure.source).kind != "time":
                raise BoardInvalid(
                    field=f"{measure.id}.history", detail=f"{name} is no time", how="name two time fields"
                )
