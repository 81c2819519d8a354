"""SQL, read-only: rows of another department's database (PostgreSQL, or a SQLite file in the exchange folder)."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec
import psycopg
from psycopg.rows import dict_row

from core.plugins import About, Words
from ingest.connections.contract import MAX_ROWS, ConnectionFailed, Fetched, Wiring
from ingest.connections.cursors import greatest
from ingest.connections.files import within

ABOUT = About(
    zh="数据库只读（SQL）",
    en="Database, read-only (SQL)",
    transport="poll",
    direction="in",
    interval_s=300.0,
    secrets=("password",),
    help=Words(
        "请对方开一个只读账号。查询只能是 SELECT；:cursor 代表上次读到的位置，例如 WHERE id > :cursor ORDER BY id。",
        "Ask for a read-only account. The query must be a SELECT; :cursor stands for how far was read, "
        "as in WHERE id > :cursor ORDER BY id.",
    ),
    params={
        "database": Words("数据库类型", "Kind of database"),
        "host": Words("主机", "Host"),
        "port": Words("端口", "Port"),
        "name": Words("库名（SQLite：文件名）", "Database (SQLite: the file)"),
        "user": Words("账号", "Account"),
        "query": Words("查询语句", "Query"),
        "cursor_column": Words("位置列", "Cursor column"),
        "start": Words("起始位置", "First cursor"),
    },
)
_TIMEOUT_MS = 20_000
_LITERAL = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.S)


class Params(msgspec.Struct, frozen=True, kw_only=True):
    """``cursor_column``: the greatest value of this column is the next cursor."""

    query: str
    database: Literal["postgresql", "sqlite"] = "postgresql"
    host: str = ""
    port: int = 5432
    name: str = ""
    user: str = ""
    cursor_column: str = ""
    start: str = "0"

    def __post_init__(self) -> None:
        bare = _LITERAL.sub(" ", self.query).strip().rstrip(";").strip()
        if not re.match(r"(?i)(select|with)\b", bare) or ";" in bare:
            raise ValueError("query: one SELECT, nothing else")
        if not 0 < self.port < 65536:
            raise ValueError("port: 1 to 65535")


def build(params: Params, *, wiring: Wiring) -> Sql:
    """The connector."""
    return Sql(params, wiring)


class Sql:
    """One database; a connection is opened for each fetch, in a transaction that cannot write."""

    def __init__(self, params: Params, wiring: Wiring) -> None:
        self.params, self.wiring = params, wiring

    async def close(self) -> None:
        """Nothing is held open."""

    async def confirm(self) -> None:
        """Nothing to tell the sender."""

    async def fetch(self, cursor: str) -> Fetched:
        """The rows, at most ``MAX_ROWS`` at once."""
        at = cursor or self.params.start
        if self.params.database == "sqlite":
            rows = await asyncio.to_thread(self._sqlite, at)
        else:
            address = await self.wiring.bounds.host("host", self.params.host)
            rows = await asyncio.to_thread(self._postgresql, address, at)
        column = self.params.cursor_column
        following = greatest([row.get(column) for row in rows], at) if column else at
        return Fetched(rows, following, len(rows) == MAX_ROWS and following != at)

    def _postgresql(self, address: str, at: str) -> list[dict[str, Any]]:
        p = self.params
        try:
            with psycopg.connect(
                host=p.host, hostaddr=address, port=p.port, dbname=p.name, user=p.user,
                password=self.wiring.secrets.get("password") or None, connect_timeout=10, row_factory=dict_row,
                options=f"-c default_transaction_read_only=on -c statement_timeout={_TIMEOUT_MS}",
            ) as database:  # fmt: skip
                database.read_only = True
                query = _placed(p.query, "%(cursor)s", percent=True)
                found = database.execute(query.encode(), {"cursor": at} if ":cursor" in p.query else None)
                return [_plain(row) for row in found.fetchmany(MAX_ROWS)]
        except psycopg.Error as error:
            raise ConnectionFailed(where=f"{p.host}:{p.port}/{p.name}", detail=str(error).strip()) from error

    def _sqlite(self, at: str) -> list[dict[str, Any]]:
        path = within(self.wiring.folder, self.params.name)
        try:
            database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
            try:
                database.row_factory = sqlite3.Row
                database.execute("PRAGMA query_only = ON")
                given = {"cursor": _typed(at)} if ":cursor" in self.params.query else {}
                return [_plain(dict(row)) for row in database.execute(self.params.query, given).fetchmany(MAX_ROWS)]
            finally:
                database.close()
        except sqlite3.Error as error:
            raise ConnectionFailed(where=path.name, detail=str(error)) from error


def _placed(query: str, mark: str, *, percent: bool) -> str:
    """The query with our placeholder; a lone % of the query is doubled where there is one."""
    if ":cursor" not in query:
        return query
    return (query.replace("%", "%%") if percent else query).replace(":cursor", mark)


def _typed(at: str) -> Any:
    return int(at) if re.fullmatch(r"-?[0-9]{1,18}", at) else at


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON could say it."""
    return {str(name): _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, str | int | float | bool | dict | list):
        return value
    return value.hex() if isinstance(value, bytes) else str(value)
