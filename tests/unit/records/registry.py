"""A small district and its registers for tests."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from core.clock import ManualClock
from core.records import Actor
from core.sealing import Seal
from records.registers.columns import Surroundings, surroundings
from records.registers.definition import Register, shipped_registers
from records.registers.generating import rows
from records.registers.importing import Importer, ImportReport
from records.registers.preparing import Preparer
from records.registers.storing import Origin
from storage.session import make_engine
from tests.databases import create_all

NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 28)
SEAL = Seal("a key for tests only")
COMMUNITIES = [(f"220105{s:03d}{c:03d}", 125.3 + c / 100, 43.8 + s / 100) for s in range(1, 4) for c in range(1, 4)]
NAMES = {code: f"社区{code[-6:]}" for code, _, _ in COMMUNITIES}
AROUND: Surroundings = surroundings(TODAY, NAMES)
ADMIN = Actor(user_id="admin", name="管理员", roles=("admin",))
GRID = Actor(user_id="grid", name="网格员", roles=("grid_worker",), division_code=COMMUNITIES[0][0])
CLERK = Actor(user_id="clerk", name="科员", roles=("staff",), department_id="D1")
REGISTERS = shipped_registers()
PERSON = REGISTERS["person"]


def fresh(folder: Path) -> Engine:
    """An empty database."""
    engine = make_engine(f"sqlite:///{folder / 'records.db'}")
    create_all(engine)
    return engine


def origin(user: str = "admin", source: str = "test") -> Origin:
    return Origin(user, NOW, source)


def preparer(register: Register = PERSON) -> Preparer:
    return Preparer(register, SEAL, TODAY)


def people(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Generated people as checked values."""
    return list(rows(PERSON, COMMUNITIES, count, seed))


def csv_of(lines: Sequence[dict[str, Any]], register: Register = PERSON) -> bytes:
    """A file with Chinese headings."""
    names = [f for f in register.fields if any(f.name in line for line in lines)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([field.zh for field in names])
    for line in lines:
        writer.writerow([line.get(field.name, "") for field in names])
    return out.getvalue().encode("utf-8-sig")


def take(engine: Engine, body: bytes, register: Register = PERSON, name: str = "p.csv", **how: Any) -> ImportReport:
    """Import ``body``."""
    importer = Importer(register, SEAL, AROUND, ManualClock(NOW), "importer")
    return importer.run(engine, io.BytesIO(body), name, **how)


class Chain:
    """An audit chain that keeps its links."""

    def __init__(self) -> None:
        self.links: list[tuple[str, str, dict[str, Any]]] = []

    def append(self, session: Any, at: datetime, actor_id: str, action: str, body: Any) -> None:
        self.links.append((actor_id, action, dict(body)))
