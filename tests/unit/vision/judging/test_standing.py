"""What stands is itself from look to look; other vehicles at one place are not one; a motorbike in a night lane."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from core import plugins
from core.records import Zone
from tests.footage import Picture
from tests.unit.vision.test_vision_logic import frame, seen
from vision.detections import Detections, empty
from vision.judging.appearance import ALIKE, alike, appearance
from vision.judging.findings import VisionFinding
from vision.judging.tracking import Tracker
from vision.judging.zones import parse_zone

ROAD = parse_zone("0.05,0.2 0.95,0.2 0.95,1 0.05,1", "road")
PLACE = (120.0, 90.0, 200.0, 150.0)
BOX = np.array(PLACE, np.float32)


def vehicle(seed: int, *, light: float = 1.0, noise: float = 3.0, at: int = 0) -> Picture:
    """A road of 320×180 with one vehicle at ``PLACE``; another seed is another vehicle."""
    body, air = np.random.default_rng(seed), np.random.default_rng(1000 + at)
    picture = np.full((180, 320, 3), 90, np.float32)
    colour = body.integers(30, 230, 3)
    x1, y1, x2, y2 = (int(v) for v in PLACE)
    picture[y1:y2, x1:x2] = colour
    for _ in range(6):  # windows, lamps, a plate
        x, y = int(body.integers(x1, x2 - 20)), int(body.integers(y1, y2 - 12))
        w, h = int(body.integers(8, 30)), int(body.integers(4, 14))
        picture[y : min(y + h, y2), x : min(x + w, x2)] = body.integers(0, 255, 3)
    picture = picture * light + noise * air.normal(0, 1, (180, 320, 1))
    return np.clip(picture, 0, 255).astype(np.uint8)


def there() -> Detections:
    return seen(("car", 0.8, PLACE))


def watch(kind: str, scene: Callable[[float], tuple[Detections, Picture]], seconds: float) -> list[VisionFinding]:
    algorithm = plugins.build("algorithm", kind, {"after_s": 20.0}, zones=(ROAD,))
    told: list[VisionFinding] = []
    for i in range(int(seconds * 2)):
        found, picture = scene(i / 2)
        told += algorithm.update(found, frame(i / 2, picture), i / 2)
    return told


@pytest.mark.parametrize("kind", ["stopped_vehicle", "wrong_parking", "fire_lane"])
def test_other_vehicles_at_one_place_are_not_one_that_stands(kind: str) -> None:
    """A box at the same place on every look, and another vehicle in it each time: a free motorway."""
    told = watch(kind, lambda t: (there(), vehicle(int(t * 2), at=int(t * 2))), 60)
    assert told == []


@pytest.mark.parametrize("kind", ["stopped_vehicle", "wrong_parking", "fire_lane"])
def test_one_that_stands_is_told_although_the_light_falls(kind: str) -> None:
    told = watch(kind, lambda t: (there(), vehicle(7, light=1.0 - 0.6 * t / 60, at=int(t * 2))), 60)
    assert [f.state for f in told] == ["open"]


def test_who_takes_the_place_of_another_begins_at_nought() -> None:
    """Two vehicles of 14 s each in one bay are not one of 28 s."""
    assert watch("wrong_parking", lambda t: (there(), vehicle(1 if t < 14 else 2, at=int(t * 2))), 28) == []


def test_what_was_hidden_keeps_its_time() -> None:
    """A bus stands before it for 8 s; the box stays where it was."""
    tracker = Tracker(patience_s=20.0)
    for i in range(80):
        tracker.update(there(), i / 2, vehicle(3 if 20 <= i / 2 < 28 else 1, at=i))
    (track,) = tracker.tracks.values()
    assert track.still_s(40.0) >= 38


def test_what_the_detector_loses_still_stands_while_it_is_seen() -> None:
    """A dim vehicle is found on the first looks only; then it leaves."""

    def scene(t: float) -> tuple[Detections, Picture]:
        road = np.full((180, 320, 3), 90, np.uint8)
        return (there() if t < 8 else empty()), vehicle(1, at=int(t * 2)) if t < 45 else road

    assert [f.state for f in watch("wrong_parking", scene, 90)] == ["open", "clear"]


def test_hazard_lights_do_not_end_a_stop() -> None:
    def scene(t: float) -> tuple[Detections, Picture]:
        picture = vehicle(5, at=int(t * 2))
        if int(t * 2) % 2:
            for x in (122, 190):
                cv2.circle(picture, (x, 140), 5, (40, 160, 255), -1)
        return there(), picture

    assert [f.state for f in watch("stopped_vehicle", scene, 60)] == ["open"]


def test_a_place_without_edges_tells_nothing() -> None:
    flat = appearance(np.full((180, 320, 3), 20, np.uint8), BOX)
    assert flat is not None and not flat.tells and alike(flat, flat) is None
    assert appearance(np.zeros((180, 320, 3), np.uint8), np.array([-50, 0, -10, 9], np.float32)) is None


# a lane at night -----------------------------------------------------------

LANE = parse_zone("0.35,0.25 0.65,0.25 0.9,1 0.1,1", "lane")


def night(at: int, *, motorbike: bool = False, lamp: float = 0.0, headlight: bool = False) -> Picture:
    """A lane under one lamp: 15 to 60 grey levels, the noise of a small sensor; JPEG as the camera sends it."""
    rough = np.random.default_rng(3).normal(0, 3, (360, 640)).astype(np.float32)
    y, x = np.mgrid[0:360, 0:640].astype(np.float32)
    light = 14 + 42 * np.exp(-(((x - 330) / 190) ** 2 + ((y - 190) / 120) ** 2)) + lamp
    road = light * (1 + cv2.GaussianBlur(rough, (0, 0), 1.5) / 8)
    road[:, :120] *= 0.6
    road[:60] *= 0.5
    if headlight:  # a car turns at the far end and its light wanders over the lane
        road += 60 * np.exp(-(((x - 100 - 30 * (at % 16)) / 60) ** 2 + ((y - 230) / 40) ** 2))
    if motorbike:
        shape = np.zeros((360, 640), np.float32)
        for wheel in ((300, 252), (345, 256)):
            cv2.circle(shape, wheel, 13, 1.0, 5)
        cv2.fillPoly(shape, [np.array([(296, 236), (318, 220), (348, 226), (352, 242), (322, 250)])], 1.0)
        cv2.line(shape, (340, 226), (350, 204), 1.0, 4)
        road = np.where(shape > 0, road * 0.25 + 4, road)
        cv2.rectangle(road, (292, 234), (298, 240), 90.0, -1)  # the reflector
    noise = np.random.default_rng(500 + at).normal(0, 4, (360, 640))
    grey = np.clip(road + noise, 0, 255).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def lane(scene: Callable[[float], Picture], seconds: float) -> list[VisionFinding]:
    algorithm = plugins.build("algorithm", "fire_lane", {"after_s": 20.0}, zones=(LANE,))
    told: list[VisionFinding] = []
    for i in range(int(seconds)):
        told += algorithm.update(empty(), frame(float(i), scene(float(i))), float(i))
    return told


def test_a_motorbike_in_a_night_lane_is_told() -> None:
    told = lane(lambda t: night(int(t * 2), motorbike=10 <= t < 45), 60)
    assert [f.state for f in told] == ["open", "clear"]


@pytest.mark.parametrize("what", ["noise", "headlights", "lamp"])
def test_an_empty_night_lane_says_nothing(what: str) -> None:
    def scene(t: float) -> Picture:
        lamp = 12.0 if what == "lamp" and t > 20 else 0.0
        return night(int(t * 2), lamp=lamp, headlight=what == "headlights" and t > 10)

    assert lane(scene, 45) == []


# real footage --------------------------------------------------------------

MOTORWAYS = ("10260010", "10260012", "10260014", "10260016", "10260018", "1026001", "1026003", "1026005", "1026007")


@pytest.mark.real_data
@pytest.mark.long
def test_a_real_motorway_has_nobody_standing(real_data: Path) -> None:
    """Pictures of one motorway camera in turn, at two a second: every box is another car."""
    folder = real_data / "street" / "traffic_cam" / "images"
    detector = plugins.build("detector", "nanodet", {})
    looks = []
    for name in MOTORWAYS:
        image = np.asarray(cv2.imread(str(folder / f"{name}.jpg")), np.uint8)
        looks.append((detector.detect([image])[0], image))
    algorithm = plugins.build("algorithm", "stopped_vehicle", {"after_s": 10.0, "min_area": 0.0}, zones=(whole(),))
    told: list[VisionFinding] = []
    for i in range(180):
        found, image = looks[i % len(looks)]
        told += algorithm.update(found, frame(i / 2, image), i / 2)
    assert told == []


def whole() -> Zone:
    return parse_zone("0,0 1,0 1,1 0,1", "road")


def test_the_limit_is_the_one_that_was_measured() -> None:
    one, dim, other = vehicle(1), vehicle(1, light=0.4, noise=6.0, at=9), vehicle(2)
    looks = [appearance(p, BOX) for p in (one, dim, other)]
    assert all(look is not None for look in looks)
    first, again, else_ = (look for look in looks if look is not None)
    assert (alike(first, again) or 0) > ALIKE > (alike(first, else_) or 1)
