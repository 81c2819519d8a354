"""Visit cameras one after the other in the order of risk: a few stills each, judged by the same algorithms.

Cameras come from the running platform's registry (results are published as observations), or with ``--file`` from a
JSON list of cameras (results are only printed; needs no server).  Cameras that are analysed all the time are left out
unless ``--all`` is given.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

HELP = "visit cameras in the order of risk, a still each"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", type=Path, help="JSON list of cameras instead of the registry")
    parser.add_argument("--algorithm", action="append", metavar="NAME", help="judge by these too (default flame_smoke)")
    parser.add_argument("--category", action="append", default=[], help="only cameras of these categories")
    parser.add_argument("--parallel", type=int, default=8, help="cameras visited at once (default 8)")
    parser.add_argument("--limit", type=int, default=0, help="stop after so many visits (0: all)")
    parser.add_argument("--every", type=float, default=0.0, metavar="SECONDS", help="start again so long after a start")
    parser.add_argument("--timeout", type=float, default=6.0, help="seconds to wait for a camera (default 6)")
    parser.add_argument("--all", action="store_true", help="also cameras that are analysed all the time")
    parser.add_argument("--json", action="store_true", help="one JSON object per visit, and a summary at the end")


def run(args: argparse.Namespace) -> int:
    from vision.fleet.patrol_rounds import PatrolPlan, walk

    plan = PatrolPlan(
        file=args.file,
        algorithms=tuple(args.algorithm or ["flame_smoke"]),
        categories=tuple(args.category),
        parallel=max(1, min(args.parallel, 64)),
        limit=args.limit,
        every_s=args.every,
        timeout_s=args.timeout,
        everything=args.all,
    )

    def show(line: dict[str, Any]) -> None:
        if args.json:
            print(json.dumps(line, ensure_ascii=False), flush=True)
        elif "summary" in line:
            print(" ".join(f"{k}={v}" for k, v in line["summary"].items()))
        elif line["findings"] or line["problem"]:
            what = ", ".join(f"{f['kind']} {f['state']}" for f in line["findings"])
            print(f"{line['camera_id']}: {what} {line['problem']}".rstrip(), file=sys.stdout, flush=True)

    asyncio.run(walk(plan, show))
    return 0
