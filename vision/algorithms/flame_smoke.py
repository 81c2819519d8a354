"""Flame and smoke (烟火): seen on k of n frames at one place, and living: a flame flickers, smoke drifts.

Lamps, sunsets, vests and screens look like flames on a single frame.  A candidate therefore has to return at the same
place on at least ``share`` of the frames of ``window_s`` seconds (at least ``min_hits``), and the pixels in it have to
change from frame to frame (``flicker``: mean absolute change of the crop in grey levels).  Places that an operator
masked (``ignore``, polygons in shares of the picture) are not looked at.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from core.records import Zone
from vision import boxes, weights
from vision.algorithms._base import ZoneAlgorithm
from vision.detections import Box, Detections
from vision.evaluate.cards import read_card
from vision.findings import Finding, Need, Sight
from vision.frames import Frame
from vision.schedule import armed_at
from vision.standing import Standing
from vision.zones import centre_points, contains


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Confidences are the detector's (None: the thresholds on the model's card); areas are shares of the picture;
    ``flicker`` in grey levels (0…255)."""

    fire_confidence: float | None = None
    smoke_confidence: float | None = None
    window_s: float = 3.0
    min_hits: int = 4
    share: float = 0.5
    fire_flicker: float = 2.0
    smoke_flicker: float = 0.8
    clear_after_s: float = 20.0
    min_area: float = 0.0003
    max_area: float = 0.95
    ignore: tuple[tuple[tuple[float, float], ...], ...] = ()
    detector: str = "yolo_onnx"
    detector_params: dict[str, Any] = msgspec.field(default_factory=lambda: {"file": "flame_smoke.onnx"})

    def __post_init__(self) -> None:
        if self.min_hits < 1 or not 0 < self.share <= 1 or self.window_s <= 0:
            raise ValueError("min_hits ≥ 1, 0 < share ≤ 1 and window_s > 0 must hold")


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> FlameSmoke:
    return FlameSmoke(params, zones)


@dataclass
class _Place:
    """A candidate: where it was last, and when it was seen how surely and how lively."""

    name: str
    xyxy: NDArray[np.float32]
    hits: deque[tuple[float, float, float, float]] = field(default_factory=deque)  # time, confidence, flicker, area


class FlameSmoke(ZoneAlgorithm):
    """See the module's text.  ``value`` is the share of the picture that burns or smokes."""

    kind = "flame_smoke"
    unit = "share"

    def __init__(self, params: Params, zones: tuple[Zone, ...]) -> None:
        super().__init__(zones, lambda: Standing(0.0, params.clear_after_s, blink_s=0.0))
        self.params = params
        self.needs = (Need(params.detector, ("fire", "smoke"), params.detector_params),)
        self._ignore = tuple(Zone(zone_id=f"ignore{i}", name="", polygon=p) for i, p in enumerate(params.ignore))
        self._confidence = _thresholds(params)
        self._places: list[_Place] = []
        self._frames: deque[float] = deque()
        self._grey: NDArray[np.uint8] | None = None

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """What one frame shows, without the confirmation over time."""
        found = self._candidates(seen, frame)
        points = centre_points(found.xyxy, frame.width, frame.height)
        return [self._sight(zone, found.take(contains(zone, points)), frame) for zone in self.zones]

    def update(self, seen: Detections, frame: Frame, now: float) -> list[Finding]:
        """Confirm over time, then as every standing condition."""
        found = self._candidates(seen, frame)
        self._track(found, frame, now)
        out = []
        for zone in self.zones:
            confirmed = [p for p in self._places if self._confirmed(p) and self._within(zone, p, frame)]
            if not armed_at(zone.schedule, frame.at).armed:
                confirmed = []
            standing = self.standing[zone.zone_id]
            change = standing.feed(bool(confirmed) or (standing.is_open and self._any(zone, found, frame)), now)
            if change:
                out.append(self._fire(change, zone, confirmed, frame, now))
        return out

    def _candidates(self, seen: Detections, frame: Frame) -> Detections:
        p = self.params
        fire = seen.of("fire", confidence=self._confidence["fire"])
        smoke = seen.of("smoke", confidence=self._confidence["smoke"])
        found = seen.take(np.zeros(len(seen), np.bool_)) if not len(seen) else _join(fire, smoke)
        share = boxes.area(found.xyxy) / (frame.width * frame.height)
        good = (share >= p.min_area) & (share <= p.max_area)
        points = centre_points(found.xyxy, frame.width, frame.height)
        for zone in self._ignore:
            good &= ~contains(zone, points)
        return found.take(good)

    def _track(self, found: Detections, frame: Frame, now: float) -> None:
        grey = cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY)
        before, self._grey = self._grey, grey
        if before is None or before.shape != grey.shape:
            before = grey
        self._frames.append(now)
        while self._frames[0] < now - self.params.window_s:
            self._frames.popleft()
        for row in range(len(found)):
            name, xyxy = found.name(row), found.xyxy[row]
            share = float(boxes.area(xyxy[None])[0]) / (frame.width * frame.height)
            place = self._place(name, xyxy)
            place.xyxy = xyxy
            if place.hits and place.hits[-1][0] == now:
                continue  # a second box at the same place on the same frame is no second hit
            place.hits.append((now, float(found.confidence[row]), _change(before, grey, xyxy), share))
        for place in self._places:
            while place.hits and place.hits[0][0] < now - self.params.window_s:
                place.hits.popleft()
        self._places = [p for p in self._places if p.hits]

    def _place(self, name: str, xyxy: NDArray[np.float32]) -> _Place:
        for place in self._places:
            if place.name == name and _near(place.xyxy, xyxy):
                return place
        self._places.append(_Place(name, xyxy))
        return self._places[-1]

    def _confirmed(self, place: _Place) -> bool:
        p = self.params
        if len(place.hits) < max(p.min_hits, p.share * len(self._frames)):
            return False
        flicker = float(np.median([hit[2] for hit in place.hits]))
        return flicker >= (p.fire_flicker if place.name == "fire" else p.smoke_flicker)

    def _within(self, zone: Zone, place: _Place, frame: Frame) -> bool:
        return bool(contains(zone, centre_points(place.xyxy[None], frame.width, frame.height))[0])

    def _any(self, zone: Zone, found: Detections, frame: Frame) -> bool:
        return bool(contains(zone, centre_points(found.xyxy, frame.width, frame.height)).any())

    def _sight(self, zone: Zone, here: Detections, frame: Frame) -> Sight:
        if frame.dark and not len(here):
            # fire glows: a dark picture without any is a good answer
            return Sight(zone, False, value=0.0, detail="dark, no glow")
        if not len(here):
            return Sight(zone, False, value=0.0, detail="no flame, no smoke")
        share = float(boxes.area(here.xyxy).sum()) / (frame.width * frame.height)
        names = sorted({here.name(r) for r in range(len(here))})
        top = int(here.confidence.argmax())
        return Sight(
            zone,
            True,
            value=round(share, 5),
            confidence=round(float(here.confidence[top]), 3),
            box=frame.normalised(here.box(top)),
            detail=" and ".join(names),
        )

    def _fire(self, change: Any, zone: Zone, confirmed: list[_Place], frame: Frame, now: float) -> Finding:
        confirmed = sorted(confirmed, key=lambda p: -max(h[1] for h in p.hits))
        best = confirmed[0] if confirmed else None
        attributes: dict[str, Any] = {"classes": sorted({p.name for p in confirmed})}
        if best is not None:
            areas = [h[3] for h in best.hits]
            attributes |= {
                "hits": len(best.hits),
                "frames": len(self._frames),
                "flicker": round(float(np.median([h[2] for h in best.hits])), 2),
                "growth": round(areas[-1] / max(areas[0], 1e-6), 2),
            }
        box: Box | None = None
        if best is not None:
            x1, y1, x2, y2 = (float(v) for v in best.xyxy)
            box = frame.normalised((x1, y1, x2, y2))
        return Finding(
            kind=self.kind,
            state=change,
            zone=zone.zone_id or None,
            value=round(sum(p.hits[-1][3] for p in confirmed), 5),
            unit=self.unit,
            confidence=round(float(np.mean([h[1] for h in best.hits])), 3) if best else None,
            box=box,
            attributes=attributes,
        )


def _thresholds(params: Params) -> dict[str, float]:
    """What counts as seen: the parameters, else the model's card, else 0.4."""
    file = params.detector_params.get("file")
    card = read_card(weights.find(str(file))) if file else None
    known = card.thresholds if card is not None else {}
    given = {"fire": params.fire_confidence, "smoke": params.smoke_confidence}
    return {name: known.get(name, 0.4) if value is None else value for name, value in given.items()}


def _join(a: Detections, b: Detections) -> Detections:
    return Detections(
        np.concatenate([a.xyxy, b.xyxy]),
        np.concatenate([a.class_id, b.class_id]),
        np.concatenate([a.confidence, b.confidence]),
        a.class_name,
        a.models,
    )


def _near(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    """Whether two boxes are the same place: they overlap, or their centres are closer than half their size."""
    if boxes.iou(a[None], b[None])[0, 0] > 0.1:
        return True
    size = max(float((a[2:] - a[:2]).max()), float((b[2:] - b[:2]).max()))
    return bool(np.abs((a[:2] + a[2:]) / 2 - (b[:2] + b[2:]) / 2).max() < size / 2)


def _change(before: NDArray[np.uint8], now: NDArray[np.uint8], xyxy: NDArray[np.float32]) -> float:
    """Mean absolute change of grey levels inside the box since the frame before."""
    height, width = now.shape[:2]
    x1, y1 = int(max(xyxy[0], 0)), int(max(xyxy[1], 0))
    x2, y2 = int(min(xyxy[2], width)), int(min(xyxy[3], height))
    if x2 - x1 < 2 or y2 - y1 < 2:
        return 0.0
    return float(cv2.absdiff(before[y1:y2, x1:x2], now[y1:y2, x1:x2]).mean())
