"""Phone use (使用手机): a phone in the hand, or a hand held to the ear, for some seconds.

On duty in a fire-control room, or inside the work area of a fuel station (draw the zone there: since AQ 3010-2022
phones are not banned station-wide, and paying by phone in the shop is nobody's business).

Two cues on the person's own crop: the detector's ``cell phone`` close to the upper body, and MoveNet's wrist beside the
ear with a bent elbow, which alone counts less (scratching one's head is no call).
"""

from __future__ import annotations

import numpy as np

from core.plugins import About, Words
from core.records import Zone
from vision.algorithms._acts import Act, ActParams, PersonActs, crop, upper
from vision.capture.frames import Frame
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import Need
from vision.judging.pose import BodyPose, movenet
from vision.judging.tracking import Track
from vision.params import Seconds, Share

ABOUT = About(
    zh="值班玩手机",
    en="Phone on duty",
    experimental=Words(
        "试验性：没有真实的玩手机画面可供验证，漏报率未知；只测过误报（121 张吸烟者照片和 139 秒真实录像）",
        "Experimental: there was no real footage of it, what it misses is not known; only false alarms were tried, on "
        "121 stills of smokers and 139 s of real clips",
    ),
    params={
        "phone_confidence": Words("手机置信度", "Confidence: phone"),
    },
    expert={
        "pose": Words("看姿态", "Looks at the pose"),
        "pose_score": Words("姿态置信度", "Confidence: pose"),
    },
)


class Params(ActParams, frozen=True, forbid_unknown_fields=True):
    """As every act; ``phone_confidence`` of the detector on the crop; ``pose`` also counts a hand at the ear."""

    after_s: Seconds = 4.0
    phone_confidence: Share = 0.4
    pose: bool = True
    pose_score: Share = 0.5


def build(params: Params, zones: tuple[Zone, ...] = (), pool: DetectorPool | None = None, **_: object) -> PhoneUse:
    return PhoneUse(params, zones, pool)


class PhoneUse(PersonActs):
    """See the module's text."""

    kind = "phone_use"

    def __init__(self, params: Params, zones: tuple[Zone, ...], pool: DetectorPool | None) -> None:
        super().__init__(params, zones, pool)
        self.own = params
        self._phone = Need(params.detector, ("cell phone",), params.detector_params)
        self.needs = (Need(params.detector, ("person", "cell phone"), params.detector_params),)

    def look(self, frame: Frame, person: Track, now: float) -> Act | None:
        x1, y1, x2, y2 = (float(v) for v in person.xyxy)
        part, left, top = crop(frame.image, upper((x1, y1, x2, y2)))
        if part.size == 0:
            return None
        phones = self.pool.detect(self._phone, [part])[0].of("cell phone", confidence=self.own.phone_confidence)
        for row in range(len(phones)):
            a, b, c, d = phones.box(row)
            if (c - a) * (d - b) > 0.15 * part.shape[0] * part.shape[1]:
                continue  # larger than any phone: a screen behind the person
            box = (a + left, b + top, c + left, d + top)
            return Act(float(phones.confidence[row]), box, "a phone in the hand")
        if self.own.pose:
            score = at_ear(movenet().look(frame.image, (x1, y1, x2, y2)))
            if score >= self.own.pose_score:
                return Act(score, (x1, y1, x2, y2), "a hand at the ear")
        return None


def at_ear(pose: BodyPose) -> float:
    """0…1: how much the pose looks like a telephone call."""
    shoulders = [pose.point("left_shoulder"), pose.point("right_shoulder")]
    if shoulders[0] is None or shoulders[1] is None:
        return 0.0
    span = float(np.hypot(*(shoulders[0] - shoulders[1])))
    best = 0.0
    for side, shoulder in zip(("left", "right"), shoulders, strict=True):
        wrist, elbow, ear = (pose.point(f"{side}_{part}", 0.35) for part in ("wrist", "elbow", "ear"))
        if wrist is None or elbow is None or ear is None or shoulder is None:
            continue
        scale = max(span, float(np.hypot(*(shoulder - elbow))), 8.0)
        near = 1.0 - float(np.hypot(*(wrist - ear))) / (0.6 * scale)
        bent = wrist[1] < elbow[1] and elbow[1] > shoulder[1] - 0.2 * scale
        if near > 0 and bent:
            best = max(best, 0.4 + 0.5 * near)
    return round(best, 3)
