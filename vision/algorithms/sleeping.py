"""Sleeping on duty (睡岗): a person lies, or sits with the head down, and does not move for ``after_s``.

Three cues together: posture (MoveNet: the head at or below the shoulders, or the body lying), stillness (the pixels of
the person hardly change: breathing is allowed, typing is not), and duration.  Somebody who merely sits still and reads
moves now and then; ``still_only_s`` (off by default) also counts stillness without a posture, for cameras that see
heads from behind.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from core.plugins import About, Words
from core.records import Zone
from vision.algorithms._acts import Act, ActParams, PersonActs
from vision.capture.frames import Frame
from vision.detections import Detections
from vision.judging.detector_pool import DetectorPool
from vision.judging.pose import BodyPose, movenet
from vision.judging.tracking import Track
from vision.params import Seconds, Share

ABOUT = About(
    zh="睡岗",
    en="Asleep on duty",
    experimental=Words(
        "试验性：没有真实的睡岗画面可供验证，漏报率未知；只测过误报（121 张吸烟者照片和 139 秒真实录像）",
        "Experimental: there was no real footage of it, what it misses is not known; only false alarms were tried, on "
        "121 stills of smokers and 139 s of real clips",
    ),
    params={
        "still_only_s": Words("只凭静止多久算睡岗（秒，0 不用）", "Stillness alone counts after (s, 0 never)"),
    },
    expert={
        "motion": Words("允许变化的比例", "Share that may change"),
    },
)


class Params(ActParams, frozen=True, forbid_unknown_fields=True):
    """As every act; ``motion``: share of the person's pixels that may change between pictures;
    ``still_only_s``: stillness alone counts after so long (0: never)."""

    after_s: Seconds = 120.0
    clear_after_s: Seconds = 5.0
    share: Share = 0.7
    person_confidence: Share = 0.4
    motion: Share = 0.04
    still_only_s: Seconds = 0.0


def build(params: Params, zones: tuple[Zone, ...] = (), pool: DetectorPool | None = None, **_: object) -> Sleeping:
    return Sleeping(params, zones, pool)


class Sleeping(PersonActs):
    """See the module's text."""

    kind = "sleeping"

    def __init__(self, params: Params, zones: tuple[Zone, ...], pool: DetectorPool | None) -> None:
        super().__init__(params, zones, pool)
        self.own = params
        self._before: NDArray[np.uint8] | None = None
        self._moved: NDArray[np.bool_] | None = None
        self._restless: dict[int, float] = {}  # when a person last moved

    def observe(self, seen: Detections, frame: Frame, now: float) -> None:
        before, self._before = self._before, frame.thumb
        if before is not None and before.shape == frame.thumb.shape:
            self._moved = cv2.absdiff(before, frame.thumb) > 14
        super().observe(seen, frame, now)
        self._restless = {i: at for i, at in self._restless.items() if i in self.tracker.tracks}

    def look(self, frame: Frame, person: Track, now: float) -> Act | None:
        x1, y1, x2, y2 = (float(v) for v in person.xyxy)
        moved = self._share(frame, (x1, y1, x2, y2))
        if moved > self.own.motion:
            self._restless[person.track_id] = now
            return None
        lying = posture(movenet().look(frame.image, (x1, y1, x2, y2)), (x1, y1, x2, y2))
        if lying is not None:
            return Act(lying[0], (x1, y1, x2, y2), f"{lying[1]}, still")
        still = now - self._restless.get(person.track_id, person.first_s)
        if 0 < self.own.still_only_s <= still:
            return Act(0.5, (x1, y1, x2, y2), f"has not moved for {still:.0f} s")
        return None

    def _share(self, frame: Frame, box: tuple[float, float, float, float]) -> float:
        """Share of the person's pixels that changed since the picture before."""
        if self._moved is None:
            return 0.0
        scale = frame.thumb.shape[1] / frame.width
        x1, y1, x2, y2 = (max(int(v * scale), 0) for v in box)
        part = self._moved[y1 : y2 + 1, x1 : x2 + 1]
        return float(part.mean()) if part.size else 0.0


def posture(pose: BodyPose, box: tuple[float, float, float, float]) -> tuple[float, str] | None:
    """(how sure, in words) when the pose is that of a sleeper; None when it is not, or cannot be told."""
    head, shoulder = pose.middle("ear", 0.25), pose.middle("shoulder", 0.25)
    nose = pose.point("nose", 0.25)
    head = nose if head is None else head
    hip = pose.middle("hip", 0.25)
    width, height = box[2] - box[0], box[3] - box[1]
    if shoulder is None:
        return None
    if hip is not None:
        torso = hip - shoulder
        length = float(np.hypot(*torso))
        if length > 0.15 * max(width, height) and abs(torso[0]) > 1.5 * abs(torso[1]) and width > 1.1 * height:
            return 0.8, "lies"
        reach = length
    else:
        reach = 0.5 * height
    if head is None:
        return None
    # positive: the head is below the line of the shoulders (picture rows grow downwards)
    drop = float(head[1] - shoulder[1]) / max(reach, 8.0)
    if drop > -0.08:
        return round(min(0.9, 0.6 + max(drop, 0.0)), 3), "head down on the arms"
    return None
