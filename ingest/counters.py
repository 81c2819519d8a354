"""What each source took in and refused, counted; shown by web from KV ``live``, key ``source.<kind>``."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

KEPT_REFUSALS = 20
_MOST_BYTES = 600


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was refused: the stable code, in words, when, and the message itself (its beginning)."""

    code: str
    detail: str
    at: datetime
    message: bytes = b""
    where: str = ""  # topic, address or file

    def as_json(self) -> dict[str, Any]:
        """As pages and APIs show it: the message as text where it is one, else in hex."""
        shown = self.message[:_MOST_BYTES]
        out: dict[str, Any] = {"at": self.at.isoformat(), "code": self.code, "detail": self.detail[:400]}
        if self.where:
            out["where"] = self.where[:200]
        text = shown.decode("utf-8", "replace")
        if sum(c < " " and c not in "\r\n\t" or c == "\ufffd" for c in text) * 8 <= len(text):
            out["message"] = text.replace("\x00", "")
        else:
            out["message_hex"] = shown.hex().upper()
        if len(self.message) > len(shown):
            out["bytes"] = len(self.message)
        return out


class SourceCounters:
    """Counters of one source.  ``events`` counts by name, ``refused`` by the refusal's stable code."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.events: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._last: deque[Refusal] = deque(maxlen=KEPT_REFUSALS)

    def count(self, event: str, number: int = 1) -> None:
        """Count ``event``: frames, readings, observations, unconfirmed, connections, throttled …"""
        self.events[event] += number

    def refuse(self, code: str) -> None:
        """Count a refusal; codes beyond 100 different ones are lumped together."""
        if code not in self.refused and len(self.refused) >= 100:
            code = "other"
        self.refused[code] += 1

    def keep(self, refusal: Refusal) -> None:
        """Keep a refusal that names no device that is known."""
        self._last.append(refusal)

    def last_refusals(self) -> Iterator[Refusal]:
        """The newest first."""
        return reversed(self._last)

    def snapshot(self) -> bytes:
        """JSON: ``{"source", "events": {…}, "refused": {…}, "last_refused": [newest first]}``."""
        last = [refusal.as_json() for refusal in self.last_refusals()]
        shown = {"source": self.source, "events": self.events, "refused": self.refused, "last_refused": last}
        return json.dumps(shown).encode()


class Counters:
    """The counters of all sources of this process."""

    def __init__(self) -> None:
        self._by_source: dict[str, SourceCounters] = {}

    def of(self, source: str) -> SourceCounters:
        """The counters of ``source``, made on first use."""
        if source not in self._by_source:
            self._by_source[source] = SourceCounters(source)
        return self._by_source[source]

    def all(self) -> list[SourceCounters]:
        """Every source's counters."""
        return list(self._by_source.values())
