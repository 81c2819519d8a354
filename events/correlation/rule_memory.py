"""The rules' memory in the database: loaded in bulk for a batch, written back in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from events.rules.findings import Body, DictMemory
from storage.tables.observations import RuleState

CASE_OF = "@case"  # pseudo rule: standing condition → the case it belongs to
_CHUNK = 400


def insert_into(session: Session, table: Any) -> Any:
    """The dialect's INSERT, the one that knows ON CONFLICT."""
    return dialect_insert(session.get_bind().dialect.name, table)


def dialect_insert(dialect: str, table: Any) -> Any:
    """:func:`insert_into` where only the dialect's name is known."""
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


# Statements are built once: building one costs more than running it.
@cache
def _select_state() -> Any:
    return select(RuleState.state_key, RuleState.body).where(
        RuleState.rule_id == bindparam("rule_id"), RuleState.state_key.in_(bindparam("keys", expanding=True))
    )


@cache
def _upsert_state(dialect: str) -> Any:
    statement = dialect_insert(dialect, RuleState.__table__)
    return statement.on_conflict_do_update(
        index_elements=["rule_id", "state_key"],
        set_={"body": statement.excluded.body, "updated_at": statement.excluded.updated_at},
    )


@cache
def insert_new(dialect: str, table: Any, key: str) -> Any:
    """INSERT … ON CONFLICT (key) DO NOTHING RETURNING key, for a plain (Core) table."""
    statement = dialect_insert(dialect, table).on_conflict_do_nothing(index_elements=[key])
    return statement.returning(table.c[key])


class BatchMemory(DictMemory):
    """Memory of one batch.  Keys that were not loaded in bulk are looked up one by one."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._connection = session.connection()
        self._known: set[tuple[str, str]] = set()

    def load(self, keys: Iterable[tuple[str, str]]) -> None:
        """Load the bodies of ``keys`` (rule id, key)."""
        by_rule: dict[str, list[str]] = {}
        for pair in keys:
            if pair not in self._known:
                self._known.add(pair)
                by_rule.setdefault(pair[0], []).append(pair[1])
        for rule_id, wanted in by_rule.items():
            for start in range(0, len(wanted), _CHUNK):
                rows = self._connection.execute(
                    _select_state(), {"rule_id": rule_id, "keys": wanted[start : start + _CHUNK]}
                )
                for key, body in rows:
                    self.bodies[rule_id, key] = body

    def load_all(self, rule_id: str) -> list[tuple[str, Body]]:
        """Everything that ``rule_id`` keeps."""
        rows = self._connection.execute(select(RuleState.state_key, RuleState.body).where(RuleState.rule_id == rule_id))
        found: list[tuple[str, Body]] = []
        for key, body in rows:
            self._known.add((rule_id, key))
            self.bodies[rule_id, key] = body
            found.append((key, body))
        return found

    def recall(self, rule_id: str, key: str) -> Body:
        if (rule_id, key) not in self._known:
            self.load([(rule_id, key)])
        return super().recall(rule_id, key)

    def remember(self, rule_id: str, key: str, body: Body) -> None:
        self._known.add((rule_id, key))
        super().remember(rule_id, key, body)

    def write_back(self, now: datetime) -> int:
        """Write what changed; returns how many rows."""
        if not self.changed:
            return 0
        rows = [
            {"rule_id": rule_id, "state_key": key, "body": dict(self.bodies[rule_id, key]), "updated_at": now}
            for rule_id, key in sorted(self.changed)
        ]
        self._connection.execute(_upsert_state(self._connection.dialect.name), rows)
        self.changed.clear()
        return len(rows)
