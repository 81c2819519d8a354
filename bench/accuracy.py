"""Accuracy: our models on held-out scenes, a peer on the same pictures, algorithms on clips, water on real roads.

Needs real material below YIWANG_REAL_DATA; what is not there is skipped and said so.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.parts.sight import aerial_scales, held_pictures, lure_films, quiet_films, wet_nights
from core import plugins
from core.records import Zone
from vision.capture.frames import make_frame
from vision.evaluate.cards import MODELS, read_card
from vision.evaluate.clips import ClipCase, ClipResult, clips_summary, run_case
from vision.evaluate.images import load_detector, summary, tally
from vision.evaluate.metrics import ClassTally
from vision.judging.detector_pool import DetectorPool
from vision.judging.offline import EPOCH
from vision.train.held_out import held_out
from vision.train.recipes import RECIPES

FALSE_RATES = (0.02, 0.05, 0.1)
ROADS = {  # the road on the picture, and which of the five pictures are flooded
    "SB": (((0.02, 1.0), (0.33, 0.45), (0.52, 0.45), (0.98, 1.0)), {4, 5}),
    "UD": (((0.02, 0.98), (0.3, 0.45), (0.72, 0.3), (0.85, 0.98)), {3, 4, 5}),
}
PEDESTRIANS = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")  # Debian package opencv-doc


def configure(parser: argparse.ArgumentParser) -> None:
    parts = ("images", "clips", "lures", "quiet", "wet", "water", "aerial")
    parser.add_argument("--only", choices=parts, help="run one part")
    parser.add_argument("--rounds", type=int, default=3, help="composed films without fire: eleven minutes a round")
    parser.add_argument("--peer", type=Path, help="an .onnx with classes fire and smoke to compare with")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """All parts; a part without its material is ``{"skipped": why}``."""
    data = Path(os.environ.get("YIWANG_REAL_DATA", ""))
    there = bool(os.environ.get("YIWANG_REAL_DATA")) and data.is_dir()
    skipped = {"skipped": "YIWANG_REAL_DATA does not name a folder of real material"}
    figures: dict[str, Any] = {}
    if args.only in (None, "images"):
        figures["images"] = _images(data, args.peer) if there else skipped
    if args.only in (None, "clips"):
        figures["clips"] = _clips(data / "videos") if there else skipped
    if args.only in (None, "lures"):
        figures["lures"] = _lures()
    if args.only in (None, "quiet"):
        figures["quiet"] = _quiet(data if there else None, args.rounds)
    if args.only in (None, "wet"):
        figures["wet"] = _wet(data if there else None, args.rounds)
    if args.only in (None, "water"):
        figures["water"] = _water(data / "flood" / "road_cctv_masks" / "images") if there else skipped
    if args.only in (None, "aerial"):
        figures["aerial"] = aerial_scales.measure(data) if there else skipped
    return figures


def _images(data: Path, peer: Path | None) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, recipe in RECIPES.items():
        if name == "flame_smoke":
            out[name] = _flame_smoke(data, peer)
            continue
        card = read_card(name)
        if card is None:
            out[name] = {"skipped": "not trained"}
            continue
        sets = held_out(recipe, data, int(card.made["seed"]))
        detector = load_detector(str(MODELS / card.file))
        tallies = {part: tally(detector, held) for part, held in sets.items()}
        figures: dict[str, Any] = {"model_sha256": detector.model.sha256}
        for part, found in tallies.items():
            figures[part] = {"images": len(sets[part].images), **summary(found, card)}
        out[name] = figures | {"image_recall_at_false_rate": _equal_false_rate(list(tallies.values()))}
    return out


def _flame_smoke(data: Path, peer: Path | None) -> dict[str, Any]:
    """Both looks together, as a camera gets them, and the peer on the same pictures."""
    held = held_pictures.read_held(data)
    if held is None:
        return {"skipped": f"{held_pictures.LIST} or pictures that it names are not there"}
    ours = load_detector("flame_smoke")
    theirs = None if peer is None else held_pictures.scores(load_detector(str(peer)), held)
    told = held_pictures.compare(held, held_pictures.scores(ours, held), theirs)
    return {"model_sha256": ours.model.sha256, **told}


def _equal_false_rate(parts: list[dict[str, ClassTally]]) -> dict[str, Any]:
    """Image recall over all parts together, at thresholds that give the same share of false images."""
    out: dict[str, Any] = {}
    for name in parts[0]:
        seen = np.asarray([b for p in parts if name in p for b in p[name].best_with])
        false = np.asarray([b for p in parts if name in p for b in p[name].best_without])
        if not len(seen) or not len(false):
            continue
        levels = {rate: float(np.quantile(false, 1 - rate)) for rate in FALSE_RATES}
        out[name] = {str(rate): round(float((seen > level).mean()), 4) for rate, level in levels.items()}
        out[name] |= {"images_with": len(seen), "images_without": len(false)}
    return out


def _clips(videos: Path) -> dict[str, Any]:
    fire = {"dollhouse_fire.mp4": [(0.0, 20.1)]}
    quiet = [videos / "person_then_empty_room.mp4", videos / "overhead_cars.mp4", PEDESTRIANS]
    cases = [ClipCase(clip=str(videos / n), algorithm="flame_smoke", events=e) for n, e in fire.items()]
    cases += [ClipCase(clip=str(p), algorithm="flame_smoke", events=[]) for p in quiet if p.is_file()]
    room = {"after_s": 3, "min_staff": 1}
    cases.append(ClipCase(clip=str(quiet[0]), algorithm="absence", events=[(16.9, 18.5)], params=room))
    pool = DetectorPool()
    results = [run_case(case, pool) for case in cases]
    return {
        "flame_smoke": clips_summary([r for r in results if r.algorithm == "flame_smoke"]),
        "absence": clips_summary([r for r in results if r.algorithm == "absence"]),
    }


def _lures() -> dict[str, Any]:
    pool = DetectorPool()
    results: list[ClipResult] = []
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as name:
        for seed in (1, 2):
            for film in lure_films.make(Path(name), seed=seed):
                results.append(run_case(ClipCase(clip=str(film), algorithm="flame_smoke", events=[]), pool))
    return clips_summary(results)


def _quiet(data: Path | None, rounds: int) -> dict[str, Any]:
    """Composed films without fire, on photographs of streets from above and in floods where there are any."""
    photographs: list[Path] = []
    if data is not None:
        photographs = sorted(p for f in ("drone", "flood") for p in (data / f).rglob("images/*") if p.is_file())
    pool = DetectorPool()
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as name:
        films = quiet_films.make(Path(name), photographs, rounds=rounds)
        results = [run_case(ClipCase(clip=str(f), algorithm="flame_smoke", events=[]), pool) for f in films]
    return clips_summary(results)


def _wet(data: Path | None, rounds: int) -> dict[str, Any]:
    """Lights on wet streets and other lures, on films by which nothing was chosen."""
    streets = sorted((data / "street" / "traffic_cam" / "images").glob("*")) if data is not None else []
    pool = DetectorPool()
    with tempfile.TemporaryDirectory(prefix="yiwang-bench-") as name:
        films = wet_nights.make(Path(name), streets, rounds=rounds)
        results = [run_case(ClipCase(clip=str(f), algorithm="flame_smoke", events=[]), pool) for f in films]
    return clips_summary(results)


def _water(folder: Path) -> dict[str, Any]:
    """Dry, flooded or not to be told on every picture of two fixed cameras, against their first (dry) picture."""
    tally, told = {"right": 0, "cannot_tell": 0, "wrong": 0}, []
    detector = plugins.build("detector", "nanodet", {})
    for view, (polygon, wet) in ROADS.items():
        zone = Zone(zone_id="road", name="road", polygon=polygon)
        algorithm = plugins.build(
            "algorithm", "waterlogging", {"reference": str(folder / f"{view}_1.jpg")}, zones=(zone,)
        )
        for number in range(1, 6):
            picture = np.asarray(cv2.imread(str(folder / f"{view}_{number}.jpg")), np.uint8)
            (sight,) = algorithm.judge(detector.detect([picture])[0], make_frame(view, picture, EPOCH, float(number)))
            right = sight.present is (number in wet)
            tally["cannot_tell" if sight.present is None else "right" if right else "wrong"] += 1
            told.append(
                {"picture": f"{view}_{number}", "flooded": number in wet, "said": sight.present, "share": sight.value}
            )
    return {**tally, "of": len(told), "pictures": told}
