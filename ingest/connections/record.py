"""What a connection did: its runs and last hundred refusals, kept for the page (KV ``live``, ``connection.<id>``)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from core.errors import YiwangError
from ingest.counters import Refusal

RUNS, REFUSALS = 50, 100
_SHOWN = 400  # bytes of a refused item


class Record:
    """One connection's record; ``changed`` says that there is something new to show."""

    def __init__(self, connection_id: str, kept: Mapping[str, Any] | None = None) -> None:
        self.connection_id = connection_id
        kept = kept or {}
        self.counts: Counter[str] = Counter(kept.get("counts") or {})
        self.codes: Counter[str] = Counter(kept.get("refused") or {})
        self._runs: deque[dict[str, Any]] = deque(kept.get("runs") or [], maxlen=RUNS)
        self._refusals: deque[dict[str, Any]] = deque(kept.get("refusals") or [], maxlen=REFUSALS)
        self.last_ok = str(kept.get("last_ok") or "")
        self.error = str(kept.get("error") or "")
        self.version = int(kept.get("version") or 0)
        self.changed = True

    def run(
        self, run_id: str, started: datetime, ended: datetime, *, rows: int, taken: int, refused: int,
        error: str = "", version: int = 0,
    ) -> None:  # fmt: skip
        """Note one run; one that found nothing new leaves its time alone."""
        self.changed = True
        self.version = version
        self.error = error[:500]
        if not error:
            self.last_ok = ended.isoformat()
        self.counts.update({"runs": 1, "rows": rows, "taken": taken, "refused": refused, "failed": int(bool(error))})
        if rows or (error and (not self._runs or self._runs[0].get("error") != error[:500])):
            self._runs.appendleft(
                {"run_id": run_id, "started": started.isoformat(), "ended": ended.isoformat(), "rows": rows,
                 "taken": taken, "refused": refused, "error": error[:500], "version": version}
            )  # fmt: skip

    def refuse(self, error: YiwangError, at: datetime, item: Any = None, version: int = 0) -> None:
        """Note what was refused, with the item's beginning."""
        self.changed = True
        code = error.code if error.code in self.codes or len(self.codes) < 50 else "other"
        self.codes[code] += 1
        try:
            shown = b"" if item is None else msgspec.json.encode(item)[:_SHOWN]
        except (TypeError, ValueError, RecursionError):
            shown = b""
        self._refusals.appendleft({**Refusal(error.code, str(error), at, shown).as_json(), "version": version})

    def snapshot(self, *, enabled: bool = True) -> bytes:
        """The record as JSON; ``state``: ok, failing, waiting (nothing yet), off."""
        state = "off" if not enabled else "failing" if self.error else "ok" if self.last_ok else "waiting"
        self.changed = False
        return msgspec.json.encode(
            {"connection_id": self.connection_id, "state": state, "last_ok": self.last_ok, "error": self.error,
             "version": self.version, "counts": self.counts, "refused": self.codes, "runs": list(self._runs),
             "refusals": list(self._refusals)}
        )  # fmt: skip
