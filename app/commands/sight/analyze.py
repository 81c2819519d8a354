"""Run one algorithm over a video file and print what it observes, in video time.  Needs no server.

The whole picture is the zone when none is given.  ``--set`` overrides a parameter of the algorithm, e.g.
``--set after_s=3 --set min_staff=1``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

HELP = "run an algorithm over a video file and print its observations"

EPILOG = """\
algorithms (parameters and defaults: docs/plugins.md, or a misspelt --set names them):
  {kinds}

zones: corners in shares of the picture, x from the left and y from the top, 0,0 … 1,1; at least three; repeat --zone
for more; they are called zone1, zone2 … in the output:
  --zone 0.1,0.4 0.9,0.4 0.9,1 0.1,1 --zone 0,0 0.3,0 0.3,0.3

values of --set are JSON where they can be: --set after_s=3 --set 'classes=["car","truck"]' --set objects=false

output with --json, one object a line: time_s, kind, state (open or clear), value, unit, confidence, zone (null: the
whole picture), box (x1 y1 x2 y2 in shares), attributes, models.  What was read is said on the error channel.
exit status: 0 read to the end, observations or not; 2 a clip, zone, parameter or model that cannot be used.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    from core.plugins import kinds

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    known, half = kinds("algorithm"), len(kinds("algorithm")) // 2
    parser.epilog = EPILOG.format(kinds=",\n  ".join((", ".join(known[:half]), ", ".join(known[half:]))))
    parser.add_argument("clip", nargs="?", default="", help="video file (or a picture)")
    parser.add_argument("--algorithm", required=True, metavar="NAME", help="see below; 'list' prints all")
    parser.add_argument(
        "--zone", action="append", nargs="+", default=[], metavar="X,Y", help="corners in 0…1 of the picture; repeat"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="override a parameter; repeat")
    words = "pictures analysed a second (default 4; an algorithm may ask for more while it suspects something)"
    parser.add_argument("--fps", type=float, default=4.0, help=words)
    parser.add_argument("--rate", type=float, default=0.0, help="pictures a second of a raw .h264 or .h265")
    parser.add_argument("--frames", type=Path, metavar="FOLDER", help="also write the annotated pictures there")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    from core.errors import InputInvalid
    from core.plugins import kinds
    from vision.fleet import evidence
    from vision.judging.offline import Analysis, analyze, as_line, parse_settings
    from vision.judging.zones import parse_zone

    if args.algorithm == "list":
        print("\n".join(kinds("algorithm")))
        return 0
    if not args.clip:
        raise InputInvalid(field="clip", detail="is missing", how="name a video file")
    zones = tuple(parse_zone(" ".join(corners), f"zone{i}") for i, corners in enumerate(args.zone, 1))
    job = Analysis(args.clip, args.algorithm.replace("-", "_"), parse_settings(args.set), zones, args.fps, args.rate)
    pictures: list[float] = []
    for outcome in analyze(job, looked=pictures.append):
        line = as_line(outcome)
        print(json.dumps(line, ensure_ascii=False) if args.json else _text(line), flush=True)
        if args.frames:
            args.frames.mkdir(parents=True, exist_ok=True)
            name = f"{line['time_s']:08.2f}_{line['kind']}_{line['state']}.jpg"
            (args.frames / name).write_bytes(evidence.annotated_jpeg(outcome, zones))
    print(_summary(pictures, args.fps), file=sys.stderr)
    return 0


def _text(line: dict[str, object]) -> str:
    zone = line["zone"] or "whole picture"
    what = f"{line['time_s']:>8} s  {line['kind']} {line['state']:<5}"
    return f"{what}  value={line['value']}  {zone}  {line['attributes']}"


def _summary(pictures: list[float], fps: float) -> str:
    """What was looked at, so that silence is not taken for calm when parts of the clip could not be read."""
    longest = max((b - a, a, b) for a, b in zip([0.0, *pictures], pictures, strict=False))
    words = f"looked at {len(pictures)} pictures up to {pictures[-1]:.1f} s"
    gap = longest[0] > max(3.0, 3.0 / fps)
    return words + (f"; nothing could be read from {longest[1]:.1f} to {longest[2]:.1f} s" if gap else "")
