"""Pictures of flame and smoke whose scenes no weights saw and no threshold was chosen on: ours beside a peer.

The list of held-out pictures lies with the weights (``weights/gpu_2026_11/flame_heldout_val.txt``); half of its scenes
chose the card's thresholds, the other half is measured here.  A recall is the share of pictures with the class that
are reported at the threshold at which a given share of the pictures without it *of the same source* is; intervals of
95 % come from drawing scenes with replacement.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detections import Detections
from vision.detectors._base import Detector
from vision.evaluate.dataset import label_path, read_labels
from vision.train.scenes import group_scenes, pictures_below, split_scenes

LIST = Path("weights/gpu_2026_11/flame_heldout_val.txt")
SEED = 20261128  # of the halves; the card's thresholds come from the other one
CLASSES = ("fire", "smoke")
RATE = 0.05
DRAWS = 400
BATCH = 8

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class HeldPictures:
    """The measured half: paths, the source of each (its folder), its scene, and whether it shows each of CLASSES."""

    paths: tuple[Path, ...]
    source: NDArray[np.str_]
    scene: NDArray[np.intp]
    shows: NDArray[np.bool_]  # (pictures, classes)


def read_held(data: Path) -> HeldPictures | None:
    """The pictures below ``data``; None where the list or any of them is missing."""
    if not (data / LIST).is_file():
        return None
    known = _by_staged_name(data)
    names = [line.strip().rsplit("/", 1)[-1] for line in (data / LIST).read_text().splitlines() if line.strip()]
    if any(name not in known for name in names):
        return None
    scenes = group_scenes([known[name] for name in names])
    halves = split_scenes(scenes, 0.5, SEED)
    kept = [(known[name], scene) for name, scene, chosen in zip(names, scenes, halves, strict=True) if not chosen]
    paths = tuple(path for path, _ in kept)
    source = np.asarray([_source(path, data) for path in paths])
    return HeldPictures(paths, source, np.asarray([s for _, s in kept]), np.asarray([_shows(p, data) for p in paths]))


def _by_staged_name(data: Path) -> dict[str, Path]:
    """Pictures by the name under which they were staged for training."""
    known: dict[str, Path] = {}
    for folder in ("people", "drone", "street"):
        known |= {f"bg-{p.stem}.jpg": p for p in pictures_below(data / folder)}
    for path in pictures_below(data / "fire_smoke"):
        known[f"{path.relative_to(data).parts[1]}-{path.stem}.jpg"] = path
    return known


def _source(path: Path, data: Path) -> str:
    parts = path.relative_to(data).parts
    return parts[1] if parts[0] == "fire_smoke" else "no_fire"


def _shows(path: Path, data: Path) -> list[bool]:
    if path.relative_to(data).parts[0] != "fire_smoke":
        return [False] * len(CLASSES)
    boxes, _ = read_labels(label_path(path), set(range(len(CLASSES))))
    return [bool((boxes[:, 0] == number).any()) for number in range(len(CLASSES))]


def scores(detector: Detector, held: HeldPictures) -> Floats:
    """(pictures, classes): how sure the detector is of each class at most; 0 where it sees none."""
    out = np.zeros((len(held.paths), len(CLASSES)))
    for start in range(0, len(held.paths), BATCH):
        images = [np.asarray(cv2.imread(str(p)), np.uint8) for p in held.paths[start : start + BATCH]]
        for row, seen in enumerate(detector.detect(images)):
            out[start + row] = [_surest(seen, name) for name in CLASSES]
    return out


def _surest(seen: Detections, name: str) -> float:
    return float(seen.of(name).confidence.max(initial=0.0)) if name in seen.class_name else 0.0


def compare(held: HeldPictures, ours: Floats, peer: Floats | None, seed: int = 1) -> dict[str, Any]:
    """Per class and source: pictures with and without, recall of both with intervals, their ratio; and the geometric
    mean of the ratios over all classes and sources that have both kinds of picture."""
    out: dict[str, Any] = {"pictures": len(held.paths), "scenes": len(np.unique(held.scene)), "false_rate": RATE}
    draws = _draws(held, seed)
    ratios: list[Floats] = []
    for number, name in enumerate(CLASSES):
        figures: dict[str, Any] = {}
        for source in ["all", *sorted(set(held.source.tolist()))]:
            inside = np.ones(len(held.source), np.bool_) if source == "all" else held.source == source
            shows = held.shows[:, number]
            told: dict[str, Any] = {"with": int((inside & shows).sum()), "without": int((inside & ~shows).sum())}
            if told["with"] and told["without"]:
                told |= _told("ours", ours[:, number], shows, inside, draws)
                if peer is not None:
                    told |= _told("peer", peer[:, number], shows, inside, draws)
                    ratio = _ratios(ours[:, number], peer[:, number], shows, inside, draws)
                    told["ratio"] = _number(float(ratio[0]))
                    ratios += [ratio] if source != "all" else []
            figures[source] = told
        out[name] = figures
    if ratios:
        means = np.exp(np.log(np.stack(ratios)).mean(0))
        low, high = np.nanquantile(means[1:], (0.025, 0.975))
        out["ratio_to_peer"] = {"geometric_mean": _number(float(means[0])), "over": len(ratios),
                                "interval": [_number(float(low)), _number(float(high))]}  # fmt: skip
    return out


def recall(score: Floats, shows: Flags, rate: float = RATE) -> float:
    """Share of the pictures that show it scoring above the level that ``rate`` of the others exceed; NaN: none of
    either."""
    if not shows.any() or shows.all():
        return float("nan")
    return float((score[shows] > np.quantile(score[~shows], 1 - rate)).mean())


def _told(who: str, score: Floats, shows: Flags, inside: Flags, draws: list[NDArray[np.intp]]) -> dict[str, Any]:
    own = [recall(score[d][inside[d]], shows[d][inside[d]]) for d in draws]
    low, high = np.nanquantile(own, (0.025, 0.975))
    return {who: _number(recall(score[inside], shows[inside])), f"{who}_interval": [_number(low), _number(high)]}


def _ratios(ours: Floats, peer: Floats, shows: Flags, inside: Flags, draws: list[NDArray[np.intp]]) -> Floats:
    """Ours over the peer's, first of all pictures, then of each draw; who sees nothing counts as seeing one picture."""
    whole = np.arange(len(ours))
    out = []
    for d in [whole, *draws]:
        kept = d[inside[d]]
        least = 1 / max(1, int(shows[kept].sum()))
        out.append(max(recall(ours[kept], shows[kept]), least) / max(recall(peer[kept], shows[kept]), least))
    return np.asarray(out)


def _draws(held: HeldPictures, seed: int) -> list[NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    scenes = np.unique(held.scene)
    members = {scene: np.flatnonzero(held.scene == scene) for scene in scenes.tolist()}
    return [np.concatenate([members[s] for s in rng.choice(scenes, len(scenes)).tolist()]) for _ in range(DRAWS)]


def _number(value: float) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None
