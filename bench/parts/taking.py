"""One import in a process of its own, so that its CPU time and memory are those of the import alone.

python -m bench.parts.taking people.xlsx sqlite:///people.db
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from bench.parts.people import COMMUNITIES, SEAL
from core.clock import SystemClock
from records.registers.columns import surroundings
from records.registers.definition import shipped_registers
from records.registers.importing import Importer
from storage.schema import create_all
from storage.session import make_engine


def take(file: Path, url: str) -> dict[str, Any]:
    """The file into the register of people: ``{rows, taken, refused, cpu_s, memory_mb, grown_mb}``."""
    engine = make_engine(url)
    create_all(engine)
    around = surroundings(date.today(), {code: code for code, _, _ in COMMUNITIES})
    importer = Importer(shipped_registers()["person"], SEAL, around, SystemClock(), "bench")
    began, before = time.process_time(), _peak()
    with file.open("rb") as content:
        report = importer.run(engine, content, file.name)
    taken = time.process_time() - began
    return {
        "rows": report.rows, "taken": report.created, "refused": report.refused, "cpu_s": round(taken, 2),
        "memory_mb": round(_peak()), "grown_mb": round(_peak() - before),
    }  # fmt: skip


def _peak() -> float:
    """MB at most so far; not ``getrusage``, whose figure begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    print(json.dumps(take(Path(sys.argv[1]), sys.argv[2])))
