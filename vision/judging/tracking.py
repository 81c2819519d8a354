"""Following objects from frame to frame: ByteTrack, and how long each has stood still.

ByteTrack (:mod:`vision.judging.byte_track`) gives identities.  At two frames a second it loses an object that was
hidden for a while; an object that stood still is therefore found again by its place, and keeps the time since when it
stands, if it looks like itself (:mod:`vision.judging.stands`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vision.detections import Detections, Image
from vision.judging import boxes
from vision.judging.byte_track import ByteTrack
from vision.judging.stands import REST_S, StandingPlace, first


@dataclass(eq=False)
class Track:
    """One object: where it is, since when it is known, since when it stands, how it moves.

    ``speed`` is in box sizes a second (camera-independent); ``path`` the last centres with their times.
    """

    track_id: int
    name: str
    xyxy: NDArray[np.float32]
    confidence: float
    first_s: float
    seen_s: float
    place: StandingPlace
    speed: float = 0.0
    hits: int = 1
    path: list[tuple[float, float, float]] = field(default_factory=list)

    def still_s(self, now: float) -> float:
        """For how long it has not moved; unseen time counts only for what already stood when it was last seen."""
        return self.place.now.still_s(now)

    @property
    def still_since_s(self) -> float:
        """Since when it stands."""
        return self.place.now.since_s


def glimpsed(seen: Detections, now: float) -> list[Track]:
    """What one picture alone shows, as tracks that nobody follows: their numbers are negative."""
    return [
        Track(
            -1 - i, seen.name(i), seen.xyxy[i], float(seen.confidence[i]), now, now,
            StandingPlace(first(seen.xyxy[i], None, now)),
        )
        for i in range(len(seen))
    ]  # fmt: skip


class Tracker:
    """Tracks of one camera.  ``patience_s``: how long an object may be unseen and still be the same.

    An object moved when its box overlaps the box at which it came to rest by less than ``still_iou``; with the picture,
    also when what is seen at that place is no longer itself.
    """

    def __init__(self, fps: float = 2.0, patience_s: float = 10.0, still_iou: float = 0.6) -> None:
        self.patience_s = patience_s
        self.still_iou = still_iou
        self.tracks: dict[int, Track] = {}
        self._bytetrack = ByteTrack(int(max(1, round(fps)) * max(1.0, patience_s)))

    def update(self, seen: Detections, now: float, image: Image | None = None) -> list[Track]:
        """The tracks seen on this frame; all that may still be there are in ``tracks``.

        ``image`` (BGR, that of ``seen``) tells things at one place apart; without it the same place is the same thing.
        """
        ids = self._bytetrack.update(seen.xyxy, seen.confidence)
        here: list[Track] = []
        for known in self.tracks.values():
            known.place.count()
        for row in np.flatnonzero(ids > 0).tolist():
            track_id, name, confidence = int(ids[row]), seen.name(row), float(seen.confidence[row])
            box = seen.xyxy[row].astype(np.float32)
            track = self._known(track_id, box, here)
            if track is None:
                place = StandingPlace(first(box, image, now))
                track = Track(track_id, name, box, confidence, now, now, place)
                self.tracks[track.track_id] = track
            else:
                self._move(track, box, name, confidence, now)
                track.place.look(track.xyxy, image, now, self.still_iou, self.patience_s)
            here.append(track)
        if image is not None:
            for lost in self.tracks.values():
                if lost not in here and lost.still_s(now) >= REST_S and lost.place.glance(image, now):
                    lost.seen_s = now
        for track_id in [i for i, t in self.tracks.items() if now - t.seen_s > self.patience_s]:
            del self.tracks[track_id]
        return here

    def _known(self, track_id: int, xyxy: NDArray[np.float32], taken: list[Track]) -> Track | None:
        """The record of this identity, or of a still object at this place that ByteTrack lost."""
        if track_id in self.tracks:
            return self.tracks[track_id]
        best, overlap = None, 0.5
        for track in self.tracks.values():
            if any(track is t for t in taken):
                continue
            value = float(boxes.iou(track.xyxy[None], xyxy[None].astype(np.float32))[0, 0])
            if value > overlap:
                best, overlap = track, value
        if best is not None:
            del self.tracks[best.track_id]
            best.track_id = track_id
            self.tracks[track_id] = best
        return best

    def _move(self, track: Track, xyxy: NDArray[np.float32], name: str, confidence: float, now: float) -> None:
        gap = now - track.seen_s
        size = float(np.sqrt(max(boxes.area(xyxy[None])[0], 1.0)))
        before, after = _centre(track.xyxy), _centre(xyxy)
        if gap > 0:
            step = float(np.hypot(*(after - before))) / size / gap
            track.speed = 0.5 * track.speed + 0.5 * step if track.hits > 1 else step
        if confidence >= track.confidence or name == track.name:
            track.name = name
        track.xyxy, track.confidence, track.seen_s = xyxy, confidence, now
        track.hits += 1
        track.path = [*track.path[-19:], (now, float(after[0]), float(after[1]))]


def _centre(xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    out: NDArray[np.float32] = ((xyxy[:2] + xyxy[2:]) / 2).astype(np.float32)
    return out

