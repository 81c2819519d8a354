"""Files of an aircraft's card: where each picture looked, on the ground, and what is wrong with it."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputInvalid

if TYPE_CHECKING:
    from ingest.drones.placed import Located

HELP = "drones: where pictures looked (locate), routes that look again (look-again), check-route"


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
    again = actions.add_parser("look-again", help="write a route (KMZ) that flies around a place and above it")
    again.add_argument("lon", type=_metres)
    again.add_argument("lat", type=_metres)
    again.add_argument("out", type=Path, help="the KMZ to write")
    again.add_argument("--label", default="", help="the case's number: it ends in the pictures' names")
    again.add_argument(
        "--building-m", type=_metres, default=None, help="highest building within 40 m; left out: 80 m up"
    )
    check = actions.add_parser("check-route", help="what is wrong with a route file (KMZ)")
    check.add_argument("file", type=Path)
    check.add_argument("--gateway", choices=("rc", "dock"), default="rc")


def _metres(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def run(args: argparse.Namespace) -> int:
    """Locate: 0 every file has a place, 1 some have none, 2 none has.  Check: 0 nothing is wrong, else 1."""
    return {"locate": _locate, "look-again": _look_again, "check-route": _check_route}[args.action](args)


def _look_again(args: argparse.Namespace) -> int:
    from ingest.drones.wpml.look_again import look_again
    from ingest.drones.wpml.write import kmz

    if not (abs(args.lon) <= 180 and abs(args.lat) <= 90):
        raise InputInvalid(field="lon, lat", detail="is no place on Earth", how="give degrees in WGS 84")
    args.out.write_bytes(kmz(look_again(args.lon, args.lat, args.label, highest_building_m=args.building_m)))
    print(args.out)
    return 0


def _check_route(args: argparse.Namespace) -> int:
    from ingest.drones.wpml.check import faults
    from ingest.drones.wpml.read import MOST_BYTES, read

    try:
        with args.file.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputInvalid(field=str(args.file), detail=str(error.strerror), how="name a file that is there") from error
    found = faults(read(data, args.gateway))
    print("\n".join(found) or "nothing is wrong")
    return 1 if found else 0


def _locate(args: argparse.Namespace) -> int:
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
