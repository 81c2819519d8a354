"""What changed between two georeferenced pictures of one place (mosaics of two flights): ranked regions as GeoJSON."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

HELP = "compare two mosaics: ranked regions of change as GeoJSON"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", type=Path, help="the earlier GeoTIFF")
    parser.add_argument("new", type=Path, help="the later GeoTIFF")
    parser.add_argument("--json", action="store_true", help="one line")


def run(args: argparse.Namespace) -> int:
    """0, also where nothing changed; pictures that cannot be compared end with 2 and say why."""
    from layers.rasters.change import changes

    found = changes(args.old, args.new).geojson()
    print(json.dumps(found, ensure_ascii=False, indent=None if args.json else 1))
    return 0
