"""Pictures of a survey become one georeferenced picture (Cloud Optimised GeoTIFF), with how well they agree."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

HELP = "lay a survey's pictures together: one georeferenced picture (COG)"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JPEG or DNG of one flight")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the GeoTIFF to write")
    parser.add_argument("--gsd-cm", type=float, default=None, help="centimetres a pixel (default: the pictures' own)")
    parser.add_argument("--ground-m", type=float, default=None, metavar="H", help="as drone locate takes it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """0: every picture was used and matched; 1: some were not; errors end with 2 and say why."""
    from core.errors import InputInvalid
    from dashboard.drones.mosaics import lay, mosaic
    from ingest.drones.locate import locate_all

    if args.gsd_cm is not None and not 0.1 <= args.gsd_cm <= 1000:
        raise InputInvalid(field="--gsd-cm", detail=f"{args.gsd_cm} is out of range", how="give 0.1 to 1000")
    laid = lay(args.files, locate_all(args.files, args.ground_m))
    report, told = mosaic(laid, args.out, args.gsd_cm and args.gsd_cm / 100)
    answer = {
        "file": str(args.out), "epsg": laid.plane.epsg, "gsd_cm": round(100 * report.gsd_m, 3), "width": report.width,
        "height": report.height, "bounds_m": [round(v, 3) for v in report.bounds], **told,
    }  # fmt: skip
    print(json.dumps(answer, ensure_ascii=False) if args.json else json.dumps(answer, ensure_ascii=False, indent=1))
    return 1 if told["left_out"] or told["unmatched"] or report.unread else 0
