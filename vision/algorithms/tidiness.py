"""Street tidiness (暴露垃圾、垃圾满溢): a heap of rubbish or an overflowing bin that stays where it is.

One picture proves nothing: bags are carried past, bins are opened, a van is unloaded.  A *heap* is what returns at the
same place of the picture; it counts once it has been there for ``after_s`` and was seen on ``share`` of the looks.
Who stands or parks before it does not end it: it is gone when it was not seen for ``clear_after_s``.  While it is too
dark to see, and while no pictures come, no clock runs.

What a camera always takes for rubbish (a flower bed, a drain) is masked: three false alarms at one place and the page
"How well do we see?" offers the mask, which spares exactly that place (``docs/vision.md``).  ``value``: seconds for
which the oldest heap has been there.  The attribute ``found`` tells rubbish that lies about (``garbage``, 暴露垃圾)
from bins that overflow and nothing else (``overflow``, 垃圾满溢): the rules open a case of another class for each;
``tidy`` ends both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from core.plugins import About, Words
from core.records import Zone
from vision import weights
from vision.algorithms._base import ZoneAlgorithm
from vision.capture.frames import Frame
from vision.detections import Box, Detections
from vision.evaluate.cards import read_card
from vision.judging import boxes
from vision.judging.findings import Need, Sight, VisionFinding
from vision.judging.hysteresis import HeldState
from vision.judging.zones import centre_points, contains
from vision.params import Seconds, Share

ABOUT = About(
    zh="市容（暴露垃圾、满溢）",
    en="Street tidiness (rubbish, full bins)",
    experimental=Words(
        "试验性：只在静止照片上试过，没有街道监控的真实录像；误报只在347张静止画面上量过，其中168张来自道路监控（见模型卡）",
        "Experimental: tried on stills only, there was no real film of a street with rubbish; false sights were "
        "measured on 347 stills, 168 of them of road cameras (see the model's card)",
    ),
    params={
        "garbage_confidence": Words("暴露垃圾置信度", "Confidence: rubbish"),
        "overflow_confidence": Words("垃圾满溢置信度", "Confidence: full bin"),
        "same_place": Words("视为同一堆的重叠度", "Overlap that makes it the same heap"),
        "share": Words("须看到的画面比例", "Share of the looks on which it must be seen"),
    },
    expert={"max_area": Words("最大面积比例", "Largest share of picture")},
)

SEEN = ("garbage", "overflow")
RETURNS = 3  # sights that make a heap in a zone that another worker opened the one that it saw
LONGEST_GAP_S = 10.0  # without pictures for longer, no clock runs


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Confidences None: the thresholds on the model's card; areas are shares of the picture; ``share`` of the looks."""

    after_s: Seconds = 600.0
    clear_after_s: Seconds = 300.0
    garbage_confidence: Share | None = None
    overflow_confidence: Share | None = None
    classes: tuple[str, ...] = SEEN
    share: Share = 0.4
    same_place: Share = 0.3
    min_area: Share = 0.0005
    max_area: Share = 0.5
    detector: str = "yolo_onnx"
    detector_params: dict[str, Any] = msgspec.field(default_factory=lambda: {"file": "garbage.onnx"})

    def __post_init__(self) -> None:
        if not self.classes or not set(self.classes) <= set(SEEN):
            raise ValueError("classes must name garbage, overflow or both")
        if self.share <= 0 or self.same_place <= 0 or self.min_area >= self.max_area:
            raise ValueError("share > 0, same_place > 0 and min_area < max_area must hold")


def build(params: Params, zones: tuple[Zone, ...] = (), **_: object) -> Tidiness:
    return Tidiness(params, zones)


@dataclass(eq=False)
class Heap:
    """What lies at one place: box in pixels, since and until when it was seen, on how many of the looks."""

    name: str
    xyxy: NDArray[np.float32]
    confidence: float
    first_s: float
    seen_s: float
    hits: int = 1
    looks: int = 1
    told: bool = False  # it stood long enough once


class Tidiness(ZoneAlgorithm):
    """See the module's text."""

    kind = "tidiness"
    unit = "s"

    def __init__(self, params: Params, zones: tuple[Zone, ...]) -> None:
        super().__init__(zones, lambda: HeldState(0.0, 0.0, blink_s=0.0))
        self.params = params
        self.needs = (Need(params.detector, params.classes, params.detector_params),)
        self.heaps: list[Heap] = []
        self._last: float | None = None
        self._again: dict[str, float | None] = {}  # restored zones, and until when they are watched anew
        self._confidence = thresholds(params)

    def refresh(self) -> None:
        """The card may name other thresholds now."""
        self._confidence = thresholds(self.params)

    def restore(self, zone: str | None) -> None:
        """What opened before this worker was there is given ``clear_after_s`` to be seen again."""
        super().restore(zone)
        self._again[zone or ""] = None  # counted from the first picture

    def observe(self, seen: Detections, frame: Frame, now: float) -> None:
        """Which heaps were seen again, which are new, which are gone."""
        gap = 0.0 if self._last is None else now - self._last
        self._last = now
        end = now + self.params.clear_after_s
        self._again = {zone: end if until is None else until for zone, until in self._again.items()}
        if frame.dark or gap > LONGEST_GAP_S:
            self._wait(gap)
        if frame.dark:
            return
        self._match(self._wanted(seen, frame), now)
        self.heaps = [h for h in self.heaps if now - h.seen_s < self.params.clear_after_s]
        for heap in self.heaps:
            heap.told = heap.told or self._stands(heap, now)

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """One picture: does rubbish lie there at all?"""
        if frame.dark:
            return [Sight(z, None, detail="too dark to see") for z in self.zones]
        found = self._wanted(seen, frame)
        now = frame.clock_s
        heaps = [
            Heap(found.name(r), found.xyxy[r], float(found.confidence[r]), now, now) for r in range(len(found))
        ]  # fmt: skip
        return [self._sight(zone, within(zone, heaps, frame), frame, now) for zone in self.zones]

    def sights(self, seen: Detections, frame: Frame, now: float) -> list[Sight]:
        """Over time: the heaps that have been there long enough."""
        if frame.dark:
            return [Sight(z, None, detail="too dark to see") for z in self.zones]
        out = []
        for zone in self.zones:
            anew = now < (self._again.get(zone.zone_id) or now)
            heaps = within(zone, self.heaps, frame)
            for heap in heaps:
                heap.told |= anew and heap.hits >= RETURNS
            here = [heap for heap in heaps if heap.told]
            if anew and not here:
                out.append(Sight(zone, None, detail="watched anew"))
            else:
                out.append(self._sight(zone, here, frame, now))
        return out

    def _stands(self, heap: Heap, now: float) -> bool:
        p = self.params
        return heap.seen_s == now and now - heap.first_s + 1e-6 >= p.after_s and heap.hits >= p.share * heap.looks

    def _match(self, found: Detections, now: float) -> None:
        """Every box goes to the heap that it overlaps most, the surest box first; a heap takes one box a look."""
        for heap in self.heaps:
            heap.looks += 1
        free = list(self.heaps)
        for row in np.argsort(-found.confidence):
            xyxy = found.xyxy[row]
            near = [float(boxes.iou(h.xyxy[None], xyxy[None])[0, 0]) for h in self.heaps]
            best = int(np.argmax(near)) if near else -1
            if best < 0 or near[best] < self.params.same_place:
                self.heaps.append(Heap(found.name(row), xyxy.copy(), float(found.confidence[row]), now, now))
            elif self.heaps[best] in free:
                heap = self.heaps[best]
                free.remove(heap)
                if found.confidence[row] >= heap.confidence:
                    heap.name = found.name(row)
                heap.xyxy = (0.9 * heap.xyxy + 0.1 * xyxy).astype(np.float32)  # it may grow; it does not walk
                heap.confidence = 0.9 * heap.confidence + 0.1 * float(found.confidence[row])
                heap.seen_s, heap.hits = now, heap.hits + 1

    def _wait(self, gap: float) -> None:
        """``gap`` seconds in which nothing could be seen count for nothing."""
        for heap in self.heaps:
            heap.first_s += gap
            heap.seen_s += gap
        self._again = {zone: until and until + gap for zone, until in self._again.items()}

    def _wanted(self, seen: Detections, frame: Frame) -> Detections:
        p = self.params
        limit = np.array([self._confidence.get(seen.name(r), 1.1) for r in range(len(seen))], np.float32)
        found = seen.take(seen.confidence >= limit)
        share = boxes.area(found.xyxy) / (frame.width * frame.height)
        return found.take(np.asarray((share >= p.min_area) & (share <= p.max_area), np.bool_))

    def _sight(self, zone: Zone, here: list[Heap], frame: Frame, now: float) -> Sight:
        if not here:
            return Sight(zone, False, value=0.0, detail="tidy")
        oldest = min(here, key=lambda heap: heap.first_s)
        x1, y1, x2, y2 = (float(v) for v in oldest.xyxy)
        box: Box = frame.normalised((x1, y1, x2, y2))
        return Sight(
            zone,
            True,
            value=round(now - oldest.first_s, 1),
            confidence=round(oldest.confidence, 3),
            box=box,
            detail=f"{len(here)} lying: {', '.join(sorted({heap.name for heap in here}))}",
        )

    def _finding(self, change: Any, sight: Sight, lasted: float) -> VisionFinding:
        finding = super()._finding(change, sight, lasted)
        kinds = sight.detail.partition(": ")[2].split(", ")
        found = "tidy" if change == "clear" else "garbage" if "garbage" in kinds else "overflow"
        return replace(finding, attributes={**finding.attributes, "found": found})


def within(zone: Zone, heaps: list[Heap], frame: Frame) -> list[Heap]:
    """The heaps whose middle is in ``zone``."""
    if not heaps:
        return []
    inside = contains(zone, centre_points(np.stack([h.xyxy for h in heaps]), frame.width, frame.height))
    return [heap for heap, good in zip(heaps, inside, strict=True) if good]


def thresholds(params: Params) -> dict[str, float]:
    """From how sure on each wanted class counts: the parameters, else the model's card, else 0.5."""
    file = params.detector_params.get("file")
    card = read_card(weights.find(str(file))) if file else None
    known = card.thresholds if card is not None else {}
    given = {"garbage": params.garbage_confidence, "overflow": params.overflow_confidence}
    return {n: known.get(n, 0.5) if v is None else v for n, v in given.items() if n in params.classes}
