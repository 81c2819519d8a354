"""A source of figures: fields to filter and group by, whose rows a person may see, how fresh it is, how a row reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, SQLColumnExpression, case, func, select
from sqlalchemy.orm import Session

from core.legal_time.calendar import WorkCalendar, statutory_calendar
from core.records import Actor
from measures.conditions import Field
from storage.tables.registry import Department, Division


@dataclass(frozen=True)
class Asked:
    """When, of which database, and by whose calendar work days count."""

    now: datetime
    postgres: bool
    calendar: WorkCalendar = field(default_factory=statutory_calendar)


@dataclass(frozen=True)
class Shown:
    """A column of the rows behind a figure: its value, and its titles."""

    name: str
    sql: SQLColumnExpression[Any]
    zh: str
    en: str


@dataclass(frozen=True)
class Source:
    """Rows of one table (with its joins) as a measure sees them.

    ``visible`` gives the condition under which the actor may see a row: figures count what its reader may open.
    ``names`` and ``words`` say how a field's values are called.  ``newest``: by which the data's age is judged;
    None: the source is the running system itself, always of now.
    """

    id: str
    zh: str
    en: str
    table: FromClause
    key: SQLColumnExpression[Any]
    fields: Callable[[Asked], Mapping[str, Field]]
    visible: Callable[[Session, Actor], ColumnElement[bool]]
    shown: Sequence[Shown]
    newest: SQLColumnExpression[Any] | None = None
    names: Mapping[str, Callable[[Session, str], dict[str, str]]] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)  # field → prefix of the pages' words for its values
    sets: str = ""  # the field that says which data set a row belongs to: its age is asked over that set alone
    link: str = ""  # address of a row's page; {key} is its id

    def rows(self, session: Session, actor: Actor, *columns: Any) -> Select[Any]:
        """A query of ``columns`` over the rows that ``actor`` may see."""
        return select(*columns).select_from(self.table).where(self.visible(session, actor))


def beijing_day(asked: Asked, column: Any) -> ColumnElement[str]:
    """The day of ``column`` in China as ``YYYY-MM-DD``."""
    return _local(asked, column, "YYYY-MM-DD", "%Y-%m-%d")


def beijing_hour(asked: Asked, column: Any) -> ColumnElement[str]:
    """The hour ``00`` to ``23``."""
    return _local(asked, column, "HH24", "%H")


def beijing_weekday(asked: Asked, column: Any) -> ColumnElement[str]:
    """The weekday, ``1`` Monday to ``7`` Sunday (ISO 8601)."""
    if asked.postgres:
        return _local(asked, column, "ID", "")
    sunday_first = _local(asked, column, "", "%w")
    return case((sunday_first == "0", "7"), else_=sunday_first)


def _local(asked: Asked, column: Any, postgres_form: str, sqlite_form: str) -> ColumnElement[str]:
    if asked.postgres:
        return func.to_char(func.timezone("Asia/Shanghai", column), postgres_form)
    return func.strftime(sqlite_form, column, "+8 hours")


def department_names(session: Session, language: str) -> dict[str, str]:
    """Department id → its name in the reader's language."""
    rows = session.execute(select(Department.department_id, Department.name, Department.name_en))
    return {r.department_id: r.name if language == "zh" else r.name_en or r.name for r in rows}


def division_names(session: Session, language: str) -> dict[str, str]:
    """Code → name of every street and community in the reader's language."""
    rows = session.execute(select(Division.code, Division.name, Division.name_en))
    return {r.code: r.name if language == "zh" else r.name_en or r.name for r in rows}


def newest_of(session: Session, source: Source, conditions: Sequence[ColumnElement[bool]]) -> datetime | None:
    """When the newest row that fulfils ``conditions`` was written."""
    if source.newest is None:
        return None
    query = select(func.max(source.newest)).select_from(source.table).where(*conditions)
    found: datetime | None = session.scalar(query)
    return found
