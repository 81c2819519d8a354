"""What each source took in and refused, counted; shown by web from KV ``live``, key ``source.<kind>``."""

from __future__ import annotations

import json
from collections import Counter


class SourceCounters:
    """Counters of one source.  ``events`` counts by name, ``refused`` by the refusal's stable code."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.events: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def count(self, event: str, number: int = 1) -> None:
        """Count ``event``: frames, readings, observations, unconfirmed, connections, throttled …"""
        self.events[event] += number

    def refuse(self, code: str) -> None:
        """Count a refusal; codes beyond 100 different ones are lumped together."""
        if code not in self.refused and len(self.refused) >= 100:
            code = "other"
        self.refused[code] += 1

    def snapshot(self) -> bytes:
        """JSON: ``{"source", "events": {…}, "refused": {…}}``."""
        return json.dumps({"source": self.source, "events": self.events, "refused": self.refused}).encode()


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
