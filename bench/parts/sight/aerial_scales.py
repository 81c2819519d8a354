"""Cars from above at several heights of flight: held-out pictures scaled, with and without their ground resolution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vision.aerial.vehicles import CAR_M, find_vehicles
from vision.detections import Detections
from vision.detectors._base import Detector
from vision.evaluate.cards import MODELS, read_card
from vision.evaluate.dataset import LabelledSet
from vision.evaluate.images import load_detector
from vision.evaluate.metrics import ClassTally
from vision.train.held_out import held_out
from vision.train.recipes import RECIPES

CAR_PX = (12, 20, 32, 48, 70)  # lengths of a car to which each picture is scaled
LEAST = 0.05  # confidence from which detections count for the curve


def measure(data: Path, car_px: tuple[int, ...] = CAR_PX) -> dict[str, Any]:
    """AP50 of cars on the held-out pictures at each scale; ``known``: the ground resolution is given, ``unknown``: not.

    The resolution is taken from the labels (a car is 4.5 m), as these pictures bear none.
    """
    card = read_card("aerial_vehicles")
    if card is None:
        return {"skipped": "no model"}
    held = held_out(RECIPES["aerial_vehicles"], data, int(card.made["seed"])).get("drone/aerial_vehicles")
    if held is None:
        return {"skipped": f"no drone/aerial_vehicles below {data}"}
    detector = load_detector(str(MODELS / card.file))
    tallies = {way: {px: ClassTally() for px in car_px} for way in ("known", "unknown")}
    for px in car_px:
        for way, known in (("known", True), ("unknown", False)):
            _fill(tallies[way][px], held, detector, px, known)
    ap50 = {way: {str(px): _ap50([t]) for px, t in by.items()} for way, by in tallies.items()}
    return {
        "images": len(held.images),
        "model_sha256": detector.model.sha256,
        "car_ap50_by_length_px": ap50,
        "car_ap50_all_scales": {way: _ap50(list(by.values())) for way, by in tallies.items()},
        "large_vehicles": "trucks, buses and minibuses are one class: 5, 12 and 67 examples, not measured apart",
    }


def _fill(tally: ClassTally, held: LabelledSet, detector: Detector, px: int, known: bool) -> None:
    car = next(i for i, name in held.names.items() if name == "car")
    for one in held.images:
        image = np.asarray(cv2.imread(str(one.path)), np.uint8)
        rows = one.boxes[one.boxes[:, 0] == car, 1:] * np.tile([image.shape[1], image.shape[0]], 2)
        truth = np.concatenate([rows[:, :2] - rows[:, 2:] / 2, rows[:, :2] + rows[:, 2:] / 2], axis=1)
        if not len(truth):
            continue
        length = float(np.median(np.maximum(truth[:, 2] - truth[:, 0], truth[:, 3] - truth[:, 1])))
        scale = px / length
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        scaled = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=how), np.uint8)
        found: Detections = find_vehicles(scaled, detector, CAR_M / px if known else None, LEAST)
        cars = found.of("car")
        tally.add((truth * scale).astype(np.float32), cars.xyxy, cars.confidence)


def _ap50(tallies: list[ClassTally]) -> float:
    whole = ClassTally()
    for t in tallies:
        whole.truths += t.truths
        whole.confidence += t.confidence
        whole.hits += t.hits
    return round(float(whole.curve().average_precision()[0]), 3)
