"""Conditions of a measure as SQL: ``{state: open}``, ``{severity: {above: 2}}``, ``{deadline: {before: now}}``.

A value is equality, a list is "one of", a mapping compares: ``not``, ``above``, ``below``, ``from``, ``before``,
``after``, ``empty``, ``starts``.  Times are ``now``, ``today`` or a distance from now: ``-7d``, ``+30d``, ``-12h``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, not_, or_

from core.clock import BEIJING
from measures.definition import BoardInvalid

Kind = Literal["text", "number", "flag", "time", "day", "iso"]  # iso: a day as the text 2026-01-31
_DISTANCE = re.compile(r"([+-]\d{1,4})([dh])")


@dataclass(frozen=True)
class Field:
    """A field of a source: its SQL, its kind, its title in both languages."""

    sql: SQLColumnExpression[Any]
    kind: Kind
    zh: str
    en: str


def condition(
    fields: Mapping[str, Field], where: Mapping[str, Any], now: datetime, of: str
) -> list[ColumnElement[bool]]:
    """The conditions of ``where``, in its order.

    Raises:
        BoardInvalid: an unknown field or comparison, or a value that does not fit the field.
    """
    return [_one(known(fields, name, of), name, wanted, now, of) for name, wanted in where.items()]


def known(fields: Mapping[str, Field], name: str, of: str) -> Field:
    """The field called ``name``; :class:`BoardInvalid` when there is none."""
    if name not in fields:
        raise BoardInvalid(field=f"{of}.{name}", detail="is not a field", how=f"use one of {', '.join(sorted(fields))}")
    return fields[name]


def _one(field: Field, name: str, wanted: Any, now: datetime, of: str) -> ColumnElement[bool]:
    if isinstance(wanted, Mapping):
        parts = [_compare(field, how, value, now, f"{of}.{name}") for how, value in wanted.items()]
        return and_(*parts)
    return _equal(field, wanted, now, f"{of}.{name}")


def _equal(field: Field, wanted: Any, now: datetime, at: str) -> ColumnElement[bool]:
    if isinstance(wanted, list):
        return or_(*(_equal(field, value, now, at) for value in wanted))
    if wanted is None:
        return field.sql.is_(None)
    value = _value(field, wanted, now, at)
    return field.sql.is_(value) if field.kind == "flag" else field.sql == value


def _compare(field: Field, how: str, wanted: Any, now: datetime, at: str) -> ColumnElement[bool]:
    match how:
        case "not":
            return not_(_equal(field, wanted, now, at))
        case "empty":
            empty = (
                field.sql.is_(None) if field.kind not in ("text", "iso") else or_(field.sql.is_(None), field.sql == "")
            )
            return empty if wanted else not_(empty)
        case "above" | "after":
            return cast(ColumnElement[bool], field.sql > _value(field, wanted, now, at))
        case "from":
            return cast(ColumnElement[bool], field.sql >= _value(field, wanted, now, at))
        case "below" | "before":
            return cast(ColumnElement[bool], field.sql < _value(field, wanted, now, at))
        case "starts" if field.kind == "text":
            return field.sql.startswith(str(wanted), autoescape=True)
    known_ways = "not, empty, above, from, below, after, before, starts"
    raise BoardInvalid(
        field=at, detail=f"{how!r} is not a comparison of a {field.kind}", how=f"use one of {known_ways}"
    )


def _value(field: Field, wanted: Any, now: datetime, at: str) -> Any:
    match field.kind:
        case "text" if isinstance(wanted, (str, int)) and not isinstance(wanted, bool):
            return str(wanted)
        case "number" if isinstance(wanted, (int, float)) and not isinstance(wanted, bool):
            return wanted
        case "flag" if isinstance(wanted, bool):
            return wanted
        case "time":
            return moment(wanted, now, at)
        case "day":
            return moment(wanted, now, at).astimezone(BEIJING).date()
        case "iso":
            return moment(wanted, now, at).astimezone(BEIJING).date().isoformat()
    raise BoardInvalid(field=at, detail=f"{wanted!r} is no {field.kind}", how="write a value of the field's kind")


def moment(wanted: Any, now: datetime, at: str) -> datetime:
    """``now``, ``today`` (midnight in China), ``-7d``, ``+12h`` or a date.

    Raises:
        BoardInvalid: none of these.
    """
    if isinstance(wanted, datetime):
        return wanted if wanted.tzinfo else wanted.replace(tzinfo=BEIJING)
    if isinstance(wanted, date):
        return datetime(wanted.year, wanted.month, wanted.day, tzinfo=BEIJING)
    if wanted == "now":
        return now
    midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    if wanted == "today":
        return midnight
    if found := _DISTANCE.fullmatch(str(wanted)):
        number, unit = int(found[1]), found[2]
        return now + timedelta(hours=number) if unit == "h" else midnight + timedelta(days=number)
    raise BoardInvalid(field=at, detail=f"{wanted!r} is no time", how="write now, today, -7d, +12h or a date")
