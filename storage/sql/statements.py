"""Statements that every command sends, rendered once for a database and given to its driver as they are.

SQLAlchemy looks at a statement anew each time it is executed, which costs a multiple of what the driver needs.  A
:class:`ReadyStatement` keeps the rendered text and the conversions of its values and columns.  It runs on the session's
own connection, inside its transaction; what the session holds back is written before it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection, Executable, Float, Select, Table, bindparam, insert, inspect, select, update
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.types import TypeEngine

from storage.schema import UtcDateTime
from storage.sql.held import hold, numbered, raw_cursor, release, send, wrote

_CONNECTION = "yiwang.connection"  # in Session.info
Convert = Callable[[Any], Any]
Model = TypeVar("Model", bound=DeclarativeBase)


class _Rendered:
    """A statement in the words of one dialect."""

    def __init__(self, statement: Executable, dialect: Dialect, ready: frozenset[str]) -> None:
        made = cast(Any, statement).compile(dialect=dialect)
        if "POSTCOMPILE" in str(made):  # a list of values: every other parameter needs one too, be it ""
            made = cast(Any, statement).compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self.sql, order = str(made), made.positiontup
        self.held = order is None  # PostgreSQL: writes go together
        if order is None:
            self.sql, order = numbered(self.sql)
        self._plan: list[tuple[str, Convert | None, Any]] = []
        for name in order:
            bind = made.binds.get(name)
            convert = bind_of(bind.type, dialect) if bind is not None and name not in ready else None
            fixed = made.params.get(name)
            self._plan.append((name, convert, convert(fixed) if convert is not None and fixed is not None else fixed))
        self._types = [column.type for column in getattr(statement, "selected_columns", ())]
        self._dialect = dialect
        self._columns: list[tuple[int, Convert]] | None = None

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """``given`` as the driver takes it."""
        return [
            fixed if name not in given else given[name] if way is None else way(given[name])
            for name, way, fixed in self._plan
        ]

    def read(self, cursor: Any) -> list[list[Any]]:
        """The driver's rows with the types of their columns."""
        if self._columns is None:
            said = enumerate(zip(self._types, cursor.description, strict=True))
            ways = [(n, result_of(kind, self._dialect, told[1])) for n, (kind, told) in said]
            self._columns = [(n, way) for n, way in ways if way is not None]
        columns, found = self._columns, [list(row) for row in cursor.fetchall()]
        for row in found:
            for n, way in columns:
                row[n] = way(row[n])
        return found


def bind_of(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How a value of ``kind`` is given to the driver; None: as it is."""
    if isinstance(kind, UtcDateTime) and dialect.name == "sqlite":
        return _written
    return kind.dialect_impl(dialect).bind_processor(dialect)


def result_of(kind: TypeEngine[Any], dialect: Dialect, told: Any) -> Convert | None:
    """How a column of ``kind`` comes from the driver, which calls its type ``told``; None: as it is."""
    if isinstance(kind, UtcDateTime) and dialect.name == "sqlite":
        return _read
    return kind.dialect_impl(dialect).result_processor(dialect, told)


def _written(value: datetime | None) -> str | None:
    """A time as SQLAlchemy writes it into SQLite: UTC, microseconds, no zone."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a naive datetime may not be stored")
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    return value.isoformat(" ", "microseconds")[:26]


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + "+00:00")


class ReadyStatement:
    """A statement that is sent often.  Values are given by the names of its bind parameters (for an insert, of its
    columns); those of ``ready`` are handed over unconverted (JSON that is text already).  ``keys`` of an insert, update
    or delete: the values that are the row's primary key; such writes may be held (:mod:`storage.sql.held`)."""

    def __init__(self, statement: Executable, ready: Iterable[str] = (), keys: Iterable[str] = ()) -> None:
        self._statement = statement
        self._ready = frozenset(ready)
        self._keys = tuple(keys)
        self._table = cast(Any, statement).table.name if self._keys else ""
        self._rendered: dict[str, _Rendered] = {}

    def rows(self, session: Session, given: Mapping[str, Any]) -> list[list[Any]]:
        """Every row of the answer, its values in the order of the columns."""
        if session.autoflush:
            session.flush()
        connection, cursor = _channel(session)
        rendered = self._for(connection.dialect)
        if rendered.held:
            release(connection)
            if not rendered.sql.startswith("SELECT"):
                wrote(connection)
        send(connection, cursor, rendered.sql, rendered.values(given))
        return rendered.read(cursor)

    def run(self, session: Session, *given: Mapping[str, Any]) -> None:
        """Carry it out once for each of ``given``."""
        if not given:
            return
        connection, cursor = _channel(session)
        rendered = self._for(connection.dialect)
        if rendered.held and self._keys and not session.in_nested_transaction():
            keys, name = self._keys, self._table
            hold(connection, [(rendered.sql, rendered.values(g), (name, *[g[k] for k in keys])) for g in given])
            return
        if rendered.held:
            release(connection)
            wrote(connection)
        if len(given) == 1:
            send(connection, cursor, rendered.sql, rendered.values(given[0]))
        else:
            send(connection, cursor, rendered.sql, [rendered.values(each) for each in given], many=True)

    def _for(self, dialect: Dialect) -> _Rendered:
        found = self._rendered.get(dialect.name)
        if found is None:
            found = self._rendered[dialect.name] = _Rendered(self._statement, dialect, self._ready)
        return found


def _channel(session: Session) -> tuple[Connection, Any]:
    """The connection of the session's transaction and a cursor of it; asked once in each, for a savepoint begins with
    that.  One statement is read to its end before the next is sent, so they share the cursor."""
    known = session.info.get(_CONNECTION)
    if known is None or known[0] is None or known[0] is not cast(Any, session)._transaction:
        connection = session.connection()
        now = cast(Any, session)._transaction
        known = session.info[_CONNECTION] = (now, (connection, _cursor(connection)))
    found: tuple[Connection, Any] = known[1]
    return found


def _cursor(connection: Connection) -> Any:
    return raw_cursor(connection) if connection.dialect.name == "postgresql" else connection.connection.cursor()


class ReadyRows(Generic[Model]):
    """A :class:`ReadyStatement` that reads whole rows of one table as the session's own objects.

    ``beside``: further columns, which :meth:`one` gives with the row.
    """

    def __init__(
        self, model: type[Model], narrow: Callable[[Select[Any]], Executable], beside: Iterable[Any] = ()
    ) -> None:
        table = cast(Table, model.__table__)
        self._model = model
        self._names = [column.name for column in table.columns]
        (key,) = table.primary_key.columns
        self._key = self._names.index(key.name)
        self._from_json = [_JSON_VALUES.get(type(column.type)) for column in table.columns]
        self._statement = ReadyStatement(narrow(select(table, *beside)))

    def all(self, session: Session, given: Mapping[str, Any], refresh: bool = False) -> list[Model]:
        """Every row; one that the session holds already stays as it is there, with ``refresh`` it is read anew."""
        return [self._held(session, row, refresh) for row in self._statement.rows(session, given)]

    def of_json(self, session: Session, items: Iterable[Mapping[str, Any]]) -> list[Model]:
        """Rows that PostgreSQL told as JSON objects (``json_agg``); as :meth:`all` gives them."""
        named = list(zip(self._names, self._from_json, strict=True))
        rows = ([item[n] if way is None or item[n] is None else way(item[n]) for n, way in named] for item in items)
        return [self._held(session, row, False) for row in rows]

    def one(self, session: Session, given: Mapping[str, Any]) -> tuple[Model, list[Any]] | None:
        """The row, read anew, with what stands beside it; None when there is none."""
        rows = self._statement.rows(session, given)
        return (self._held(session, rows[0], True), rows[0][len(self._names) :]) if rows else None

    def _held(self, session: Session, row: list[Any], refresh: bool) -> Model:
        mapper = inspect(self._model)
        key = mapper.identity_key_from_primary_key((row[self._key],))
        known = session.identity_map.get(key)
        item = cast(Model, mapper.class_manager.new_instance() if known is None else known)
        if known is None:
            item.__dict__.update(zip(self._names, row, strict=False))
            state = instance_state(item)
            state.key, state.session_id = cast(Any, key), session.hash_key
            session.identity_map.add(state)
        elif refresh:
            for name, value in zip(self._names, row, strict=False):
                set_committed_value(item, name, value)
        return item


def _moment(told: str) -> datetime:
    return datetime.fromisoformat(told).astimezone(UTC)


_JSON_VALUES: dict[type[TypeEngine[Any]], Convert] = {UtcDateTime: _moment, Float: float}


def put_out(session: Session, *items: DeclarativeBase) -> None:
    """Write rows that the session holds, new or changed, as a flush would: each with the columns that changed.

    For tables whose primary key is one column and whose rows point only to what is written already.
    """
    written = set()
    for item in items:
        state = instance_state(item)
        if state.key is not None:
            if not state.modified:
                continue
            now = item.__dict__
            changed = tuple(sorted(n for n, was in state.committed_state.items() if n in now and now[n] != was))
            if changed:
                statement, key = _update(type(item), changed)
                statement.run(session, {**{name: now[name] for name in changed}, "its_key": now[key]})
        elif state.session_id is not None:
            values = {name: item.__dict__.get(name, _default(made)) for name, made in _defaults(type(item))}
            item.__dict__.update(values)
            _insert(type(item)).run(session, values)
        else:
            continue
        written.add(state)
    if written:
        cast(Any, session)._register_persistent(written)  # what a flush says: this is what the database holds now


@cache
def _update(model: type[DeclarativeBase], names: tuple[str, ...]) -> tuple[ReadyStatement, str]:
    table = cast(Table, model.__table__)
    (key,) = table.primary_key.columns
    sets = {name: bindparam(name, type_=table.c[name].type) for name in names}
    where = key == bindparam("its_key", type_=key.type)
    return ReadyStatement(update(table).where(where).values(sets), keys=("its_key",)), key.name


@cache
def _insert(model: type[DeclarativeBase]) -> ReadyStatement:
    table = cast(Table, model.__table__)
    return ReadyStatement(insert(table), keys=table.primary_key.columns.keys())


@cache
def _defaults(model: type[DeclarativeBase]) -> list[tuple[str, Any]]:
    return [(column.name, column.default) for column in cast(Table, model.__table__).columns]


def _default(made: Any) -> Any:
    if made is None:
        return None
    return made.arg(None) if made.is_callable else made.arg
