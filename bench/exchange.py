"""Exchange: how soon a changed mapping, a new key and a revoked one are in force, from saved row to listener."""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from bench.parts.rig import Rig
from storage.session import session_scope
from storage.tables.exchange import Connection, ConnectionVersion

KEY, WAIT_S, ASK_S = "a-key-of-the-bench", 60.0, 0.25


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("--changes", type=int, default=5, help="changes of each kind")


def run(args: argparse.Namespace) -> dict[str, object]:
    """The slowest and the mean of each kind of change, in seconds; the target is 5."""
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as folder, Rig(Path(folder)) as rig:
        rig.start("nats", "worker", "ingest")
        with httpx.Client(base_url=f"http://127.0.0.1:{rig.settings.ingest_http_port}", trust_env=False) as client:
            return measure(rig, client, args.changes)


def measure(rig: Rig, client: httpx.Client, changes: int) -> dict[str, object]:
    """Change the row, then ask the listener until it answers by the change."""

    def push() -> int:
        try:
            body = {"id": "d1", "level": 1.0}
            return client.post("/push/bench", json=body, headers={"Authorization": f"Bearer {KEY}"}).status_code
        except httpx.HTTPError:
            return 0

    taken: dict[str, list[float]] = {"new_key_s": [], "changed_mapping_s": [], "revoked_key_s": []}
    for version in range(1, 2 * changes, 2):
        write(rig, version, "level", KEY)
        taken["new_key_s"].append(until(lambda: push() == 200))
        write(rig, version + 1, "no_such_value", KEY)  # required: the same body is refused from now on
        taken["changed_mapping_s"].append(until(lambda: push() == 400))
        write(rig, version + 1, "no_such_value", "")
        taken["revoked_key_s"].append(until(lambda: push() == 401))
    return {name: {"slowest": round(max(some), 2), "mean": round(sum(some) / len(some), 2)}
            for name, some in taken.items()}  # fmt: skip


def write(rig: Rig, version: int, path: str, key: str) -> None:
    """The connection as the page would save it."""
    now = datetime.now(UTC)
    value = {"path": path, "quantity": "water_level_m", "required": True}
    body: dict[str, Any] = {"params": {}, "mapping": {"device": "id", "values": [value]}, "interval_s": 60}
    with session_scope(rig.engine) as session:
        row = session.scalars(select(Connection)).one_or_none()
        if row is None:
            row = Connection(connection_id="bench", name="bench", kind="webhook", enabled=True, version=0, revision=0,
                             secret_names=[], updated_at=now)  # fmt: skip
            session.add(row)
            session.flush()
        if session.get(ConnectionVersion, ("bench", version)) is None:
            kept = {"body": body, "saved_at": now, "saved_by": "bench"}
            session.add(ConnectionVersion(connection_id="bench", version=version, **kept))
        row.version, row.revision, row.updated_at = version, row.revision + 1, now
        row.key_sha256 = hashlib.sha256(key.encode()).hexdigest() if key else ""


def until(holds: Callable[[], bool]) -> float:
    """Seconds until ``holds``; ``TimeoutError``."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > WAIT_S:
            raise TimeoutError("the change is not in force")
        time.sleep(ASK_S)
    return time.monotonic() - began
