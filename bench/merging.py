"""Merging: labelled days on seeds nobody tuned on, ordinary and hard ones; duplicates merged, incidents lost.

``--day all`` plays near sites, a rainstorm, wrong clocks, late sensors, soon again, and all at once
(``bench/parts/replay.py: HARDSHIPS``).  About half a second an incident on a quiet core.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.parts.merging import Merging, play
from bench.parts.replay import HARDSHIPS, generate
from storage.schema import create_all
from storage.session import make_engine


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the benchmark."""
    parser.add_argument("--seeds", type=int, nargs="+", default=[7101, 7202, 7303, 7404, 7505])
    parser.add_argument("--incidents", type=int, default=100, help="incidents a day (at 148 sites)")
    parser.add_argument("--day", default="ordinary", choices=("all", *HARDSHIPS), help="what kind of day")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Figures a day and seed, and the worst of each kind of day."""
    figures: dict[str, Any] = {}
    for day in HARDSHIPS if args.day == "all" else (args.day,):
        found = {str(seed): _one(seed, args.incidents, day) for seed in args.seeds}
        figures[day] = {
            "worst_share": round(min(f.merged_share for f in found.values()), 4),
            "lost": sum(f.lost for f in found.values()),
            "duplicates": sum(f.duplicates for f in found.values()),
            "merged": sum(f.merged for f in found.values()),
            "wrongly_joined": sum(f.wrongly_joined for f in found.values()),
            "cases_of_noise": sum(f.spurious_cases for f in found.values()),
            "by_seed": {seed: round(f.merged_share, 4) for seed, f in found.items()},
        }
    return figures


def _one(seed: int, incidents: int, day: str) -> Merging:
    with TemporaryDirectory(prefix="yiwang-merging-") as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'day.db'}")
        create_all(engine)
        try:
            return play(engine, generate(incidents=incidents, seed=seed, hardship=HARDSHIPS[day]))
        finally:
            engine.dispose()
