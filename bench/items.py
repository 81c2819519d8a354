"""Service items: a generated catalogue of 1,500 items × 65 elements checked; 200 seeded faults, and a clean set."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.parts.item_faults import all_columns, broken_items, clean_item
from core.records import SYSTEM
from records.items.catalogue import ItemDesk
from records.items.checking import item_problems
from records.items.elements import standard_elements
from records.items.generating import generated_items
from records.items.reading import ReadItems
from records.items.running import run_checks
from records.items.taking import take_items
from records.items.workbook import write_items
from storage.schema import create_all
from storage.session import make_engine, session_scope


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("--faults", type=int, default=200, help="seeded faults")
    parser.add_argument("--clean", type=int, default=300, help="items without a fault")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Seconds (wall and CPU) of the pure checks and of a stored run; faults found; false reports on the clean set."""
    items = list(generated_items())
    wall, cpu = time.monotonic(), time.process_time()
    noise = sum(len(item_problems(item)) for item in items)
    checked = {"wall_s": round(time.monotonic() - wall, 2), "cpu_s": round(time.process_time() - cpu, 2)}
    broken = broken_items(args.faults)
    found = sum(rule in {p.rule for p in item_problems(record)} for rule, record in broken)
    clean = [clean_item(number) for number in range(args.clean)]
    false = sum(len(item_problems(each)) + len(item_problems(all_columns(each))) for each in clean)
    return {
        "items": len(items), "elements": len(standard_elements().elements), "checked": checked,
        "problems_on_generated": noise, "faults_seeded": len(broken), "faults_found": found,
        "clean_items": len(clean) * 2, "false_reports": false, **_stored(items),
    }  # fmt: skip


def _stored(items: list[dict[str, Any]]) -> dict[str, Any]:
    """The same through the database: taken in, checked with the upper items' locks, written as a workbook."""
    with TemporaryDirectory(prefix="yiwang-items-") as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'items.db'}")
        create_all(engine)
        try:
            desk = ItemDesk(SYSTEM, datetime.now(UTC), lambda basic: True)
            begun = time.monotonic()
            with session_scope(engine) as session:
                read = ReadItems(tuple((str(item["handling"]), item) for item in items))
                taken = take_items(session, desk, read, {}, source="bench", in_force=True)
            imported = time.monotonic() - begun
            with session_scope(engine) as session:
                done = run_checks(session, desk)
                seconds, problems = done.seconds, done.found
            begun = time.monotonic()
            size = len(write_items(items))
            return {
                "import_s": round(imported, 2), "imported": taken.created, "stored_run_s": seconds,
                "stored_problems": problems, "workbook_s": round(time.monotonic() - begun, 2), "workbook_bytes": size,
            }  # fmt: skip
        finally:
            engine.dispose()
