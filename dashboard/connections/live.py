"""What ingest says of a connection (KV ``live``), beside what the database knows of it."""

from __future__ import annotations

from typing import Any

from dashboard.services import Services
from storage.registry import registry_key


def with_live(use: Services, row: dict[str, Any], *, whole: bool = False) -> dict[str, Any]:
    """``row`` with ``live``: state (ok, failing, waiting, off), counts, last error; ``whole``: runs and refusals.

    Of one that goes out the outbox knows how it is; of the others ingest says it.
    """
    found = dict(use.hub.states.get(registry_key("connection", row["connection_id"])) or row.get("live") or {})
    if not whole:
        found = {name: value for name, value in found.items() if name not in ("runs", "refusals")}
    found.setdefault("state", "off" if not row["enabled"] else "waiting")
    if not row["enabled"]:
        found["state"] = "off"
    return {**row, "live": found}
