"""Keeps the runs of connections: ingest shows the last fifty of each on the bus, here they become rows for good.

Beside the requests of the web process, as the watch over forms is.  A run is known by its id, so that several web
processes, or a restart, keep it once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, select

from core.clock import Clock
from dashboard.live import LiveHub
from storage.connections import read_connections
from storage.registry import registry_key
from storage.session import read_scope, session_scope
from storage.tables.sharing import LineageRun

log = logging.getLogger("yiwang.web")
WATCH_S = 10.0
KEPT = timedelta(days=400)


class LineageKeeper:
    """Looks every :data:`WATCH_S` seconds at what connections did and keeps what is new."""

    def __init__(self, engine: Engine, hub: LiveHub, clock: Clock) -> None:
        self._engine, self._hub, self._clock = engine, hub, clock
        self._known: set[str] = set()

    async def run(self) -> None:
        """Until cancelled; a database that is away is logged, the next look may go well again."""
        while True:
            try:
                await asyncio.to_thread(self.look)
            except Exception:  # noqa: BLE001 - the watch outlives whatever a look stumbles over
                log.exception("lineage cannot be kept")
            await asyncio.sleep(WATCH_S)

    def look(self) -> int:
        """Keep the runs that are new; how many."""
        with read_scope(self._engine) as session:
            configs = read_connections(session, "in")
        found: dict[str, LineageRun] = {}
        for config in configs:
            kept = self._hub.states.get(registry_key("connection", config.connection_id)) or {}
            for run in kept.get("runs", []):
                row = run_of(config.connection_id, config.kind, run)
                if row is not None and row.run_id not in self._known:
                    found[row.run_id] = row
        if not found:
            return 0
        with session_scope(self._engine) as session:
            there = set(session.scalars(select(LineageRun.run_id).where(LineageRun.run_id.in_(found))))
            new = [row for run_id, row in found.items() if run_id not in there]
            session.add_all(new)
            session.execute(delete(LineageRun).where(LineageRun.ended_at < self._clock.now() - KEPT))
        self._known = (self._known if len(self._known) < 10_000 else set()) | set(found)
        return len(new)


def run_of(connection_id: str, kind: str, run: Mapping[str, Any]) -> LineageRun | None:
    """A run as ingest shows it, None where it lacks what a run must have."""
    try:
        started, ended = datetime.fromisoformat(run["started"]), datetime.fromisoformat(run["ended"])
        run_id, rows = str(run["run_id"])[:26], int(run.get("taken") or 0)
    except (KeyError, TypeError, ValueError):
        return None
    job = f"connection.{connection_id}"
    return LineageRun(
        run_id=run_id, job=job, namespace=kind[:24], given=job, target=f"readings.{connection_id}",
        started_at=started, ended_at=ended, rows=rows, error=str(run.get("error") or "")[:500],
    )  # fmt: skip
