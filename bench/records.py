"""Registers and filing: import rate beside the peer, search and list times to a million records, matrix, roll-up."""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pandas as pd
from sqlalchemy import Column, Engine, Index, Integer, MetaData, String, Table, create_engine, insert

from bench.parts.filing import measure_filing
from bench.parts.people import COMMUNITIES, SEAL, people_csv, write_people_xlsx
from core.clock import SystemClock
from records.registers.generating import generate
from records.registers.search import Query, count, page
from storage.schema import create_all
from storage.session import make_engine, read_scope, refresh_statistics


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--import-rows", type=int, default=40_000)
    parser.add_argument("--records", type=int, default=370_000, help="records of the searched district")
    parser.add_argument("--large", type=int, default=0, help="and again with so many (1000000)")
    parser.add_argument("--keep", type=Path, help="folder for the databases (made again when missing)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Figures; seconds are CPU seconds of this process unless named otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        keep = args.keep or Path(folder)
        keep.mkdir(parents=True, exist_ok=True)
        figures: dict[str, Any] = {"import": measure_import(args.import_rows, Path(folder))}
        figures["filing"] = measure_filing(Path(folder))
        figures["district"] = measure_search(_district(keep, args.records), args.records)
        if args.large:
            figures["large"] = measure_search(_district(keep, args.large), args.large)
    return figures


def measure_import(wanted: int, folder: Path) -> dict[str, Any]:
    """The same CSV through our import with all checks, and through pandas + SQLAlchemy without any; our workbook, too.

    Ours run in processes of their own, which hold nothing of the measurement.  The peer writes into a table with the
    indexes that a register is searched by; the bare peer into one without.
    """
    text, table, book = people_csv(wanted), folder / "people.csv", folder / "people.xlsx"
    table.write_bytes(text)
    write_people_xlsx(book, wanted)
    ours, workbook = _taken(table, folder / "import.db"), _taken(book, folder / "workbook.db")
    peer = _peer(text, folder / "peer.db", indexed=True)
    bare = _peer(text, folder / "bare.db", indexed=False)
    return {
        **{key: ours[key] for key in ("rows", "taken", "refused", "memory_mb", "grown_mb")},
        "rows_per_cpu_s": round(wanted / ours["cpu_s"]), "peer_rows_per_cpu_s": round(wanted / peer),
        "times_the_peer": round(ours["cpu_s"] / peer, 2), "bare_peer_rows_per_cpu_s": round(wanted / bare),
        "times_the_bare_peer": round(ours["cpu_s"] / bare, 2),
        "workbook": {"rows_per_cpu_s": round(wanted / workbook["cpu_s"]), "memory_mb": workbook["memory_mb"]},
    }  # fmt: skip


def _taken(file: Path, database: Path) -> dict[str, Any]:
    words = [sys.executable, "-m", "bench.parts.taking", str(file), f"sqlite:///{database}"]
    found: dict[str, Any] = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return found


def _peer(text: bytes, path: Path, indexed: bool) -> float:
    began = time.process_time()
    frame = pd.read_csv(io.BytesIO(text), dtype=str, keep_default_na=False)
    engine = create_engine(f"sqlite:///{path}")
    columns: list[Column[Any]] = [Column("id", Integer, primary_key=True)]
    columns += [Column(f"c{n}", String) for n in range(len(frame.columns))]
    table = Table("people", MetaData(), *columns)
    if indexed:  # what a register is searched by: name, number (unique), telephone, category, care, community, building
        Index("ix_number", table.c.c1, unique=True)
        for at in (0, 4, 6, 7, 8, 10):
            Index(f"ix_{at}", table.c[f"c{at}"], table.c.c0)
    table.metadata.create_all(engine)
    frame.columns = [f"c{n}" for n in range(len(frame.columns))]
    with engine.begin() as connection:
        connection.execute(insert(table), cast(list[dict[str, Any]], frame.to_dict("records")))
    return time.process_time() - began


def _district(folder: Path, wanted: int) -> Engine:
    path = folder / f"records-{wanted}.db"
    made = path.exists()
    engine = make_engine(f"sqlite:///{path}")
    if not made:
        create_all(engine)
        began = time.process_time()
        generate(engine, SEAL, SystemClock(), COMMUNITIES, wanted)
        print(f"{wanted} records written in {time.process_time() - began:.0f} CPU s", file=sys.stderr)
        refresh_statistics(engine)
    return engine


def measure_search(engine: Engine, wanted: int) -> dict[str, Any]:
    """p50 and p95 in ms of wall time for the searches and pages that people ask for."""
    with read_scope(engine) as session:
        people = page(session, Query("person", limit=200, offset=wanted // 3), SEAL)
        firms = page(session, Query("enterprise", limit=100, offset=wanted // 60), SEAL)
        numbers = [SEAL.open(r.record_id, r.sealed).get("id_number", "") for r in people]

        def find(query: Query) -> Callable[[], Any]:
            return lambda: page(session, query, SEAL)

        def listed(query: Query) -> Callable[[], Any]:
            return lambda: (page(session, query, SEAL), count(session, query, SEAL))

        return {
            "records": wanted,
            "name_ms": _times([find(Query("person", r.name)) for r in people]),
            "part_of_name_ms": _times([find(Query("enterprise", r.name[3:7])) for r in firms]),
            "pinyin_ms": _times([find(Query(None, r.pinyin)) for r in people]),
            "initials_ms": _times([find(Query("person", r.initials)) for r in people]),
            "number_ms": _times([find(Query(None, n)) for n in numbers]),
            "filtered_page_ms": _times(
                [listed(Query("person", division=r.division_code[:9], facet_b=("elderly_alone",))) for r in people]
            ),
            "first_page_ms": _times([listed(Query("person", limit=100))] * 8),
            "community_page_ms": _times([listed(Query("person", division=r.division_code)) for r in people]),
        }


def _times(calls: list[Callable[[], Any]]) -> dict[str, float]:
    taken = []
    for call in calls:
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    return {"p50": round(statistics.median(taken), 1), "p95": round(taken[int(len(taken) * 0.95)], 1)}
