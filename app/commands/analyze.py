"""Run one algorithm over a video file and print what it observes, in video time.  Needs no server.

The whole picture is the zone when none is given.  ``--set`` overrides a parameter of the algorithm, e.g.
``--set after_s=3 --set min_staff=1``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

HELP = "run an algorithm over a video file and print its observations"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", help="video file (or a picture)")
    parser.add_argument("--algorithm", required=True, help="its name, e.g. absence, flame_smoke; 'list' names all")
    parser.add_argument(
        "--zone", action="append", nargs="+", default=[], metavar="X,Y", help="corners in 0…1 of the picture; repeat"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="override a parameter")
    parser.add_argument("--fps", type=float, default=4.0, help="pictures analysed a second (default 4)")
    parser.add_argument("--frames", type=Path, metavar="FOLDER", help="also write the annotated pictures there")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    from core.plugins import kinds
    from vision import evidence
    from vision.offline import Analysis, analyze, as_line, parse_settings
    from vision.zones import parse_zone

    if args.algorithm == "list":
        print("\n".join(kinds("algorithm")))
        return 0
    zones = tuple(parse_zone(" ".join(corners), f"zone{i}") for i, corners in enumerate(args.zone, 1))
    job = Analysis(args.clip, args.algorithm.replace("-", "_"), parse_settings(args.set), zones, args.fps)
    for outcome in analyze(job):
        line = as_line(outcome)
        print(json.dumps(line, ensure_ascii=False) if args.json else _text(line), flush=True)
        if args.frames:
            args.frames.mkdir(parents=True, exist_ok=True)
            name = f"{line['time_s']:08.2f}_{line['kind']}_{line['state']}.jpg"
            (args.frames / name).write_bytes(evidence.annotated_jpeg(outcome, zones))
    return 0


def _text(line: dict[str, object]) -> str:
    zone = line["zone"] or "whole picture"
    what = f"{line['time_s']:>8} s  {line['kind']} {line['state']:<5}"
    return f"{what}  value={line['value']}  {zone}  {line['attributes']}"
