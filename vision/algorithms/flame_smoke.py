"""Flame and smoke (烟火): seen on k of n looks at one place, and living: a flame flickers, smoke drifts.

Lamps, sunsets, vests and screens look like flames on a single frame.  A candidate therefore has to return at the same
place on at least ``share`` of the looks of ``window_s`` seconds (at least ``min_hits``), and the pixels in it have to
change from look to look (``flicker``: mean absolute change of the crop in grey levels).

A flame too small for the detector is seen by how it moves (``life``, :mod:`vision.algorithms._fire.life`): a place
that lives like a flame on ``life_hits`` judgements within ``life_window_s``, and on whose magnified cut-outs the
detector is at least once half as sure as it otherwise must be.  What the detector takes for fire without being sure
(``sure_confidence``) has to live as well: lamps, beacons, screens and red leaves do not.  While something swings like
a flame, six pictures a second are asked for (``pace``).  What changes no more than the rest of the picture (a lamp
behind rain, a noisy night) does not flicker, and a light that is mirrored below its lamp is none
(:mod:`vision.algorithms._fire.reflections`).

Where the picture stays lively, magnified cut-outs can be looked at in any case (``second_look``; surer sights are asked
of them, for a cut-out shows less of what is around).  Places that an operator masked (``ignore``, polygons in shares of
the picture) are not looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.plugins import About, Words
from core.records import Zone
from vision.algorithms._base import ZoneAlgorithm
from vision.algorithms._fire.life import FlameLife, Floats
from vision.algorithms._fire.params import Params, thresholds
from vision.algorithms._fire.places import WatchedPlace, WatchedPlaces, near
from vision.algorithms._fire.second_look import Looks, SecondLook, surest
from vision.capture.frames import Frame
from vision.detections import Box, Detections, empty, merge
from vision.judging import boxes
from vision.judging.arm_schedule import armed_at
from vision.judging.findings import Need, Sight, VisionFinding
from vision.judging.hysteresis import HeldState
from vision.judging.zones import centre_points, contains

ABOUT = About(
    zh="烟火",
    en="Flame or smoke",
    params={
        "fire_confidence": Words("火焰置信度", "Confidence: fire"),
        "smoke_confidence": Words("烟雾置信度", "Confidence: smoke"),
    },
    expert={
        "fire_flicker": Words("火焰闪烁", "Flicker of flames"),
        "smoke_flicker": Words("烟雾闪烁", "Flicker of smoke"),
        "max_area": Words("最大面积比例", "Largest share of picture"),
        "whole_area": Words("满画面比例", "Share that fills the picture"),
        "whole_confidence": Words("满画面置信度", "Confidence: fills the picture"),
        "second_look": Words("第二眼", "Second look"),
        "close_margin": Words("细看的边距", "Margin of the closer look"),
        "close_window_s": Words("细看时窗（秒）", "Window of the closer look (s)"),
        "close_hits": Words("细看至少几次", "Hits of the closer look"),
        "close_share": Words("细看比例", "Share of the closer look"),
        "life": Words("变化判定", "Liveliness"),
        "life_window_s": Words("变化时窗（秒）", "Window of liveliness (s)"),
        "life_hits": Words("变化至少几次", "Hits of liveliness"),
        "life_confidence": Words("变化置信度", "Confidence with liveliness"),
        "sure_confidence": Words("直接确认的置信度", "Confidence that is sure"),
        "certain_confidence": Words("不疑为倒影的置信度", "Confidence beyond reflections"),
        "ignore": Words("忽略的目标", "Objects that are ignored"),
    },
)

OLD_S = 0.45  # what was seen last counts as a sight of its own so often, as long as nothing moves
REST_S = 4.0  # between two looks of the detector while all zones have their alarm
STILL = 0.0002  # of the picture: less than anything that burns changes
LIFE_SHARE = 0.6  # of the judgements of ``life_window_s`` on which a place must have lived
GROWN = 2.5  # times as large as at its first sight in the window: no reflection does that
MIRRORS_S, MOST_MIRRORS = 15.0, 32  # how long a lamp's mirror image is remembered, and how many are
BELIEVED_HITS = 3  # judgements on which a place must have lived where the detector sees it too


def build(params: Params, zones: tuple[Zone, ...] = (), pool: Looks | None = None, **_: object) -> FlameSmoke:
    return FlameSmoke(params, zones, pool)


class FlameSmoke(ZoneAlgorithm):
    """See the module's text.  ``value`` is the share of the picture that burns or smokes."""

    kind = "flame_smoke"
    unit = "share"
    rest_s = 0.0

    def __init__(self, params: Params, zones: tuple[Zone, ...], pool: Looks | None = None) -> None:
        super().__init__(zones, lambda: HeldState(0.0, params.clear_after_s, blink_s=0.0))
        self.params = params
        need = Need(params.detector, ("fire", "smoke"), params.detector_params)
        self.needs = (need,)
        self._ignore = tuple(Zone(zone_id=f"ignore{i}", name="", polygon=p) for i, p in enumerate(params.ignore))
        self._confidence = thresholds(params)
        self._known = False
        self._added = float("-inf")
        self._wide = WatchedPlaces(params.window_s)
        self._close = WatchedPlaces(params.close_window_s)
        self._pool, self._need = pool, need
        self._life = FlameLife() if pool is not None and params.life else None
        self._living = WatchedPlaces(params.life_window_s)
        self._mirrors: list[tuple[Floats, float]] = []
        self._second = SecondLook(pool, need) if pool is not None and params.second_look else None

    def judge(self, seen: Detections, frame: Frame) -> list[Sight]:
        """What one frame shows, without the confirmation over time."""
        found = self._candidates(seen, frame)
        points = centre_points(found.xyxy, frame.width, frame.height)
        return [self._sight(zone, found.take(contains(zone, points)), frame) for zone in self.zones]

    def update(self, seen: Detections, frame: Frame, now: float) -> list[VisionFinding]:
        """Confirm over time, then as every standing condition."""
        found = self._candidates(seen, frame)
        if frame.fresh or now - self._added >= OLD_S:  # pictures in between are for what lives
            self._wide.add(found, frame, now)
            self._added = now
        looked = self._second.look(frame, now) if self._second else None
        if looked is not None:
            close = self._candidates(looked, frame, self.params.close_margin)
            self._close.add(close, frame, now)
            found = _join(found, close)
        known = self._known and bool(len(found))  # it stands and is still seen: no need to see it move
        living = self._alive(frame, now, found) if self._life and not known else None
        if living is not None:
            self._living.add(living, frame, now)
            found = _join(found, living)
        burning = self._confirmed(now)
        out = []
        for zone in self.zones:
            confirmed = [p for p in burning if self._within(zone, p, frame)]
            if not armed_at(zone.schedule, frame.at).armed:
                confirmed = []
            standing = self.standing[zone.zone_id]
            change = standing.feed(bool(confirmed) or (standing.is_open and self._any(zone, found, frame)), now)
            if change:
                out.append(self._fire(change, zone, confirmed, frame))
        self._known = all(standing.is_open for standing in self.standing.values())
        self.pace = self._life.pace if self._life is not None and not self._known else 0.0  # no hurry once it is known
        self.rest_s = min(REST_S, self.params.clear_after_s / 2) if self._known else 0.0
        return out

    def refresh(self) -> None:
        """The new model's card has thresholds of its own."""
        self._confidence = thresholds(self.params)

    def _candidates(self, seen: Detections, frame: Frame, margin: float = 0.0) -> Detections:
        p = self.params
        limit = np.array([self._confidence.get(seen.name(row), 2.0) + margin for row in range(len(seen))], np.float32)
        found = seen.take(seen.confidence >= limit)
        share = boxes.area(found.xyxy) / (frame.width * frame.height)
        good = (share >= p.min_area) & (share <= p.max_area)
        smoke = np.array([found.name(r) == "smoke" for r in range(len(found))], np.bool_)
        good &= ~(smoke & (share >= p.whole_area) & (found.confidence < p.whole_confidence))
        return self._looked_at(found.take(good), frame)

    def _looked_at(self, found: Detections, frame: Frame) -> Detections:
        points = centre_points(found.xyxy, frame.width, frame.height)
        good = np.ones(len(found), np.bool_)
        for zone in self._ignore:
            good &= ~contains(zone, points)
        return found.take(good)

    def _alive(self, frame: Frame, now: float, found: Detections) -> Detections | None:
        """Places that move like flames, each with what the detector says of it on the whole picture (``found``) or else
        on its cut-out; None between judgements."""
        assert self._life is not None and self._pool is not None
        lives = self._life.look(frame.image, now, frame.motion < STILL)
        if lives is None:
            return None
        if not lives:
            return empty()
        xyxy = np.stack([life.xyxy for life in lives])
        sure = [self._sure_of(row, found.of("fire"), frame) for row in xyxy]
        number = np.zeros(len(lives), np.int32)
        return self._looked_at(Detections(xyxy, number, np.asarray(sure, np.float32), ("fire",), ()), frame)

    def _sure_of(self, xyxy: Floats, fires: Detections, frame: Frame) -> float:
        assert self._pool is not None
        seen = [float(c) for box, c in zip(fires.xyxy, fires.confidence, strict=True) if near(box, xyxy)]
        return max(seen) if seen else surest(self._pool, self._need, frame, xyxy, "fire")

    def _confirmed(self, now: float) -> list[WatchedPlace]:
        """Places that lasted and live, the surest first."""
        p = self.params
        half = self._confidence["fire"] / 2 if p.life_confidence is None else p.life_confidence
        moving = self._living.lasting(p.life_hits, LIFE_SHARE)
        alive = [p for p in moving if max(hit.confidence for hit in p.hits) >= half and p.confidence >= half / 2]
        lasting = self._wide.lasting(p.min_hits, p.share) + self._close.lasting(p.close_hits, p.close_share)
        living = [place for place in lasting if self._flickers(place)]
        living = [place for place in living if self._believable(place)]
        living = [place for place in living + alive if not self._mirrored(place, now)]
        return sorted(living, key=lambda place: -place.confidence)

    def _flickers(self, place: WatchedPlace) -> bool:
        """A flame changes beyond its surroundings; smoke drifts, perhaps over all of the picture."""
        if place.name == "smoke":
            return place.flicker >= self.params.smoke_flicker
        return place.own_flicker >= self.params.fire_flicker

    def _believable(self, place: WatchedPlace) -> bool:
        """Smoke, a fire the detector is sure of, or one that was seen to live (where movement is watched at all)."""
        if place.name != "fire" or place.confidence >= self.params.sure_confidence or self._life is None:
            return True
        lived = self._living.lasting(BELIEVED_HITS, 0.0)
        return any(near(place.xyxy, other.xyxy) for other in lived)

    def _mirrored(self, place: WatchedPlace, now: float) -> bool:
        """Whether a fire is a lamp's light on wet ground: neither certain, nor growing.  What once was is for a while:
        ripples hide the likeness now and then."""
        sure = place.confidence >= self.params.certain_confidence or place.growth >= GROWN
        if place.name != "fire" or self._life is None or sure:
            return False
        self._mirrors = [m for m in self._mirrors if 0 <= now - m[1] < MIRRORS_S]
        if self._life.is_reflection(place.xyxy):
            self._mirrors.append((place.xyxy.copy(), now))
        return any(near(xyxy, place.xyxy) for xyxy, _ in self._mirrors[-MOST_MIRRORS:])

    def _within(self, zone: Zone, place: WatchedPlace, frame: Frame) -> bool:
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

    def _fire(self, change: Any, zone: Zone, confirmed: list[WatchedPlace], frame: Frame) -> VisionFinding:
        best = confirmed[0] if confirmed else None
        attributes: dict[str, Any] = {"classes": sorted({p.name for p in confirmed})}
        box: Box | None = None
        if best is not None:
            attributes |= {
                "hits": len(best.hits),
                "frames": self._wide.looks,
                "flicker": round(best.flicker, 2),
                "growth": round(best.growth, 2),
                "magnified": best in self._close.places,
                "by_movement": best in self._living.places,
            }
            x1, y1, x2, y2 = (float(v) for v in best.xyxy)
            box = frame.normalised((x1, y1, x2, y2))
        return VisionFinding(
            kind=self.kind,
            state=change,
            zone=zone.zone_id or None,
            value=round(sum(p.hits[-1].area for p in confirmed), 5),
            unit=self.unit,
            confidence=round(best.confidence, 3) if best else None,
            box=box,
            attributes=attributes,
        )


def _join(a: Detections, b: Detections) -> Detections:
    if not len(a) or not len(b):
        return a if len(a) else b
    return merge([a, b])
