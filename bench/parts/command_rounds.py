"""Rounds of case commands in a process of one build: ``PYTHON command_rounds.py URL``, run in that build's folder.

Each line of standard input is a number of cases: so many are opened and dispatched (not measured), then accepted,
finished, checked and closed, one command after the other, in this process alone; the answer is one line of JSON.
The script stands by itself: it runs in this build and in earlier ones, whose modules had other names.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

sys.path.insert(0, "")

SERVICES = (("events.runtime.wiring", "case_service"), ("events.cases.service", "CaseService"),
            ("events.service", "CaseService"))  # fmt: skip


def found(places: tuple[tuple[str, str], ...]) -> Any:
    """The first of ``places`` (module, name) that this build has."""
    for module, name in places:
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
    raise SystemExit(f"none of {places} is here")


class Rounds:
    """The engine of this build on one database, with people who work."""

    def __init__(self, url: str) -> None:
        from core.clock import ManualClock
        from core.records import SYSTEM, Actor
        from storage.session import make_engine

        self._clock = ManualClock(datetime.now(UTC))
        self._service = found(SERVICES)(make_engine(url), self._clock)
        self._operator = Actor(user_id="bench-operator", name="bench", roles=("operator", "dispatcher"))
        staff = Actor(user_id="bench-staff", name="bench", roles=("staff",), department_id="dept-fire")
        self._steps: list[tuple[str, Any, dict[str, Any]]] = [
            ("accept", staff, {}),
            ("finish", staff, {"no_photo_reason": "bench", "result": "done"}),
            ("check_pass", SYSTEM, {}),
            ("close", SYSTEM, {}),
        ]
        self._times: list[float] = []
        self._opened = 0

    def _give(self, case_id: str, name: str, actor: Any, data: dict[str, Any]) -> Any:
        from core.records import Command

        self._clock.advance(1)
        began = time.perf_counter()
        answer = self._service.execute(Command(name=name, case_id=case_id, actor_id=actor.user_id, data=data), actor)
        self._times.append((time.perf_counter() - began) * 1000)
        return answer

    def _open(self) -> str:
        self._opened += 1
        data = {"title": f"bench {self._opened}", "location": {"lon": 125.2 + self._opened % 97 / 500, "lat": 43.8}}
        case_id = str(self._give("", "report", self._operator, data).case_id)
        self._give(case_id, "register", self._operator, {})
        self._give(case_id, "dispatch", self._operator, {"department_id": "dept-fire"})
        return case_id

    def play(self, cases: int) -> dict[str, Any]:
        """Commands, CPU seconds of this process, wall seconds and the milliseconds of each."""
        opened = [self._open() for _ in range(cases)]
        self._clock.advance(60)
        self._times = []
        gc.collect()
        cpu, wall = time.process_time(), time.perf_counter()
        for case_id in opened:
            for name, actor, data in self._steps:
                self._give(case_id, name, actor, dict(data))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return {"count": len(self._times), "cpu_s": cpu, "wall_s": wall, "ms": self._times}


def main() -> None:
    """Answer one line after the other."""
    rounds = Rounds(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(rounds.play(int(line))), flush=True)


if __name__ == "__main__":
    main()
