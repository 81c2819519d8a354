"""Full text over cases, open and closed: an index of character pairs that finds words of two Chinese characters.

SQLite's trigram index finds nothing for two characters and unicode61 takes a run of Chinese for one word, so the text
is stored as pairs: 道路积水 → 道路 路积 积水 水.  SQLite searches them with FTS5, PostgreSQL with a GIN index.  The
index is derived from ``case_file`` and may be dropped at any time: :func:`catch_up` makes it and brings it up to date.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import String, TextualSelect, bindparam, text
from sqlalchemy.orm import Session

from storage.schema import UtcDateTime

BATCH = 1000
LONGEST = 4000  # characters of a case that are indexed
MOST = 200
_RUN = re.compile(r"[\u3400-\u9fff]+|[0-9a-z]+")
_OVERLAP = timedelta(seconds=120)  # transactions that were open while a later one was indexed
_SQLITE = (
    "CREATE TABLE IF NOT EXISTS case_text (id INTEGER PRIMARY KEY, case_id VARCHAR(26) NOT NULL UNIQUE,"
    " updated_at DATETIME NOT NULL)",
    "CREATE INDEX IF NOT EXISTS ix_case_text_updated_at ON case_text (updated_at)",
    "CREATE VIRTUAL TABLE IF NOT EXISTS case_text_fts USING fts5(grams, detail=full, prefix='1')",
)
_POSTGRES = (
    "CREATE TABLE IF NOT EXISTS case_text (id BIGSERIAL PRIMARY KEY, case_id VARCHAR(26) NOT NULL UNIQUE,"
    " updated_at TIMESTAMPTZ NOT NULL, grams TEXT[] NOT NULL, body TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS ix_case_text_updated_at ON case_text (updated_at)",
    "CREATE INDEX IF NOT EXISTS ix_case_text_grams ON case_text USING GIN (grams)",
)


def grams(value: str) -> list[str]:
    """The words of ``value`` in order: pairs of Chinese characters and the last one of a run, and whole other words."""
    found: list[str] = []
    for run in _RUN.findall(value.lower()):
        if run[0] >= "\u3400":
            found += [run[i : i + 2] for i in range(len(run) - 1)]
            found.append(run[-1])
        else:
            found.append(run)
    return found


def wanted(query: str) -> list[list[str]]:
    """What ``query`` asks for: each run as the words that stand side by side; one Chinese character alone, and the
    last word of letters or digits, stand for a beginning (marked with ``*``)."""
    found: list[list[str]] = []
    runs = _RUN.findall(query.lower())
    for n, run in enumerate(runs):
        if run[0] >= "\u3400":
            found.append([run[i : i + 2] for i in range(len(run) - 1)] or [f"{run}*"])
        else:
            found.append([f"{run}*" if n == len(runs) - 1 else run])
    return found


def ensure(session: Session) -> None:
    """The tables of the index."""
    for statement in _SQLITE if _sqlite(session) else _POSTGRES:
        session.execute(text(statement))


def _sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def catch_up(session: Session, limit: int = BATCH) -> int:
    """Index at most ``limit`` cases that are new or changed, oldest change first; how many there were."""
    ensure(session)
    newest = session.execute(text("SELECT max(updated_at) AS at FROM case_text").columns(at=UtcDateTime())).scalar()
    since = (newest or datetime(1970, 1, 1, tzinfo=UTC)) - _OVERLAP if newest else datetime(1970, 1, 1, tzinfo=UTC)
    rows = session.execute(
        text(
            "SELECT c.case_id, c.number, c.title, c.description, c.updated_at, s.name AS site, d.name AS division"
            " FROM case_file c LEFT JOIN case_text t ON t.case_id = c.case_id LEFT JOIN site s ON s.site_id = c.site_id"
            " LEFT JOIN division d ON d.code = c.division_code"
            " WHERE c.updated_at >= :since AND (t.case_id IS NULL OR t.updated_at < c.updated_at)"
            " ORDER BY c.updated_at LIMIT :limit"
        )
        .bindparams(bindparam("since", since, type_=UtcDateTime()), bindparam("limit", limit))
        .columns(updated_at=UtcDateTime())
    ).all()
    own = _own_words(session, [row.case_id for row in rows])
    for row in rows:
        parts = (row.number, row.title, row.site, row.division, row.description, *own.get(row.case_id, ()))
        _put(session, row.case_id, row.updated_at, " ".join(filter(None, parts))[:LONGEST])
    return len(rows)


def _own_words(session: Session, case_ids: Sequence[str]) -> dict[str, list[str]]:
    """What commands wrote into the cases (answers, opinions, minutes), by case."""
    found: dict[str, list[str]] = {}
    query = text("SELECT case_id, text FROM case_field WHERE case_id IN :ids").bindparams(
        bindparam("ids", list(case_ids), expanding=True)
    )
    for row in session.execute(query) if case_ids else ():
        found.setdefault(row.case_id, []).append(row.text)
    return found


def indexed_until(session: Session) -> datetime | None:
    """Cases changed before this moment are in the index; None: it does not stand yet."""
    ensure(session)
    newest = session.execute(text("SELECT max(updated_at) AS at FROM case_text").columns(at=UtcDateTime())).scalar()
    return newest - _OVERLAP if newest else None


def _put(session: Session, case_id: str, updated_at: datetime, body: str) -> None:
    values: dict[str, Any] = {"case_id": case_id, "at": updated_at}
    moment = bindparam("at", type_=UtcDateTime())
    if not _sqlite(session):
        session.execute(
            text(
                "INSERT INTO case_text (case_id, updated_at, grams, body) VALUES (:case_id, :at, :grams, :body)"
                " ON CONFLICT (case_id) DO UPDATE SET updated_at = :at, grams = :grams, body = :body"
            ).bindparams(moment),
            values | {"grams": list(dict.fromkeys(grams(body))), "body": body.lower()},
        )
        return
    key = session.execute(
        text(
            "INSERT INTO case_text (case_id, updated_at) VALUES (:case_id, :at)"
            " ON CONFLICT (case_id) DO UPDATE SET updated_at = :at RETURNING id"
        ).bindparams(moment),
        values,
    ).scalar_one()
    session.execute(text("DELETE FROM case_text_fts WHERE rowid = :id"), {"id": key})
    words = {"id": key, "grams": " ".join(grams(body))}
    session.execute(text("INSERT INTO case_text_fts (rowid, grams) VALUES (:id, :grams)"), words)


def find(session: Session, query: str, limit: int = MOST) -> list[str]:
    """Ids of the cases whose text holds every run of ``query``, the newest indexed first; [] for an empty query."""
    runs = wanted(query[:200])
    if not runs:
        return []
    ensure(session)
    if _sqlite(session):
        # FTS5 walks the rows backwards by itself; sorting the whole answer would cost what it found, not what is shown.
        found = session.execute(
            text(
                "SELECT t.case_id FROM (SELECT rowid AS id FROM case_text_fts WHERE case_text_fts MATCH :query"
                " ORDER BY rowid DESC LIMIT :limit) f JOIN case_text t ON t.id = f.id ORDER BY f.id DESC"
            ),
            {"query": _expression(runs), "limit": limit},
        )
        return [row.case_id for row in found]
    conditions, values = _conditions(runs)
    asked = f"SELECT case_id FROM case_text WHERE {conditions} ORDER BY id DESC LIMIT :limit"  # noqa: S608 - names are ours
    return [row.case_id for row in session.execute(text(asked), {**values, "limit": limit})]


def holding(session: Session, query: str) -> TextualSelect | None:
    """The ids of all cases whose text holds every run of ``query``, to be asked inside another query; None: no runs."""
    runs = wanted(query[:200])
    if not runs:
        return None
    ensure(session)
    if _sqlite(session):
        asked = text(
            "SELECT t.case_id FROM case_text_fts f JOIN case_text t ON t.id = f.rowid"
            " WHERE f.case_text_fts MATCH :words"
        ).bindparams(words=_expression(runs))
    else:
        conditions, values = _conditions(runs)
        asked = text(f"SELECT case_id FROM case_text WHERE {conditions}").bindparams(**values)  # noqa: S608 - names are ours
    return asked.columns(case_id=String)


def _expression(runs: Sequence[Sequence[str]]) -> str:
    """The query in FTS5's language."""
    parts = []
    for run in runs:
        phrase = " ".join(word.rstrip("*") for word in run)
        parts.append(f'"{phrase}"' + (" *" if run[-1].endswith("*") else ""))
    return " AND ".join(parts)


def _conditions(runs: Sequence[Sequence[str]]) -> tuple[str, dict[str, Any]]:
    """The query in PostgreSQL's SQL, and its values."""
    whole = [word for run in runs for word in run if not word.endswith("*")]
    values: dict[str, Any] = {"grams": whole} if whole else {}
    conditions = ["grams @> CAST(:grams AS TEXT[])"] if whole else []
    for n, run in enumerate(runs):
        values[f"like{n}"] = f"%{_joined(run)}%"
        conditions.append(f"body LIKE :like{n}")
    return " AND ".join(conditions), values


def _joined(run: Sequence[str]) -> str:
    """The run as it was written: pairs overlap by one character."""
    plain = [word.rstrip("*") for word in run]
    return plain[0] + "".join(word[-1] for word in plain[1:])
