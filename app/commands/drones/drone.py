"""Files of an aircraft's card: where each picture looked, on the ground, and what is wrong with it."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.drones.placed import Located

HELP = "drones: locate FILES… prints where each picture looked"


def configure(parser: argparse.ArgumentParser) -> None:
    """Subcommand ``locate``."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    place = actions.add_parser("locate", help="where each picture or film looked, as GeoJSON")
    place.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JPEG, DNG, MP4, MOV, SRT, TS, KLV")
    place.add_argument(
        "--ground-m", type=_metres, default=None, metavar="H",
        help="elevation of the ground in the pictures' altitude system; a number nearer to 0 than to the take-off "
        "point's elevation counts from the take-off point",
    )  # fmt: skip
    place.add_argument("--json", action="store_true", help="print a GeoJSON FeatureCollection")


def _metres(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def run(args: argparse.Namespace) -> int:
    """0: every file has a place; 1: some have none; 2: none has."""
    from ingest.drones.geojson import collection
    from ingest.drones.locate import locate_all

    found = locate_all(args.files, args.ground_m)
    if args.json:
        print(json.dumps(collection(found), ensure_ascii=False))
    else:
        for located in found:
            _show(located)
    placed = sum(located.place is not None for located in found)
    return 0 if placed == len(found) else 1 if placed else 2


def _show(located: Located) -> None:
    place = located.place
    if place is not None:
        lon, lat = place.centre
        sure = f"height {place.height_m:.1f} m, {place.gsd_cm:.2f} cm a pixel, ±{place.uncertainty_m:.1f} m"
        print(f"{located.file}: {lat:.7f}, {lon:.7f}; {sure}")
    else:
        print(f"{located.file}: no place")
    for code, message in located.notes:
        print(f"  {code}: {message}")
