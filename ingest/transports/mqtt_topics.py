"""Which MQTT filters go into which session.  Pure but for :class:`HeldTopics`.

A broker bounds what a session may hold unacknowledged: NATS refuses filters once ``max_ack_pending`` × filters passes
65,535, a filter that ends in ``#`` counted twice (it is also the level above).  So the filters are spread over as
many sessions as they need.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

MAX_ACK_PENDING = 2048
"""What the embedded broker lets a subscription hold unacknowledged (``app/nats.py`` writes it)."""

BUDGET = 65_535 // MAX_ACK_PENDING


def cost(topic: str) -> int:
    """How much of a session's budget a filter takes."""
    return 2 if topic == "#" or topic.endswith("/#") else 1


def covers(wide: str, narrow: str) -> bool:
    """Whether every topic of ``narrow`` is one of ``wide``: then the broker would send each message twice."""
    have, want = wide.split("/"), narrow.split("/")
    for place, level in enumerate(have):
        if level == "#":
            return True
        if place >= len(want) or want[place] == "#" or (level != "+" and level != want[place]):
            return False
    return len(have) == len(want)


def without_covered(topics: Iterable[str]) -> list[str]:
    """The filters that no other one covers, in their order."""
    known = list(dict.fromkeys(topics))
    return [t for t in known if not any(other != t and covers(other, t) for other in known)]


def sessions(topics: Iterable[str], budget: int = BUDGET) -> list[tuple[str, ...]]:
    """The filters of each session; at least one session."""
    out: list[list[str]] = [[]]
    spent = 0
    for topic in without_covered(topics):
        if spent + cost(topic) > budget:
            out.append([])
            spent = 0
        out[-1].append(topic)
        spent += cost(topic)
    return [tuple(group) for group in out]


class HeldTopics:
    """What our persistent sessions hold at the broker, which keeps a filter and its messages until it is given back."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exchange(self, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Note what each session (by client id) shall hold now; returns what each held before and shall no longer."""
        before = self._read()
        gone = {
            name: tuple(t for t in dict.fromkeys([*kept["held"], *kept["gone"]]) if t not in wanted.get(name, ()))
            for name, kept in before.items()
        }
        gone = {name: topics for name, topics in gone.items() if topics}
        notes = {name: {"held": [*wanted.get(name, ())], "gone": [*gone.get(name, ())]} for name in {*wanted, *gone}}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(notes), encoding="utf-8")
        return gone

    def _read(self) -> dict[str, dict[str, list[str]]]:
        """Held, and to be given back at the last start (a start may have been cut off before it did)."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(name): {"held": list(kept["held"]), "gone": list(kept["gone"])} for name, kept in found.items()}
        except (OSError, ValueError, AttributeError, TypeError, KeyError):
            return {}
