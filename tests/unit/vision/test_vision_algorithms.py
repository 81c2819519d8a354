"""What each algorithm tells apart, on made-up detections: standing from passing, jam from red light."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from core import plugins
from core.records import Zone
from tests.footage import Picture, street
from tests.unit.vision.test_vision_logic import GREY, frame, play, seen
from vision.algorithms._acts import Act
from vision.algorithms.phone_use import at_ear
from vision.algorithms.sleeping import posture
from vision.detections import Detections
from vision.judging.findings import Algorithm, VisionFinding
from vision.judging.pose import NAMES, BodyPose
from vision.judging.tracking import Tracker
from vision.judging.zones import parse_zone

Box = tuple[float, float, float, float]
LANE = parse_zone("0.2,0.3 0.9,0.3 0.9,1 0.2,1", "lane")


def build(kind: str, zones: tuple[Zone, ...] = (), **params: Any) -> Algorithm:
    algorithm: Algorithm = plugins.build("algorithm", kind, params, zones=zones)
    return algorithm


def car(x: float, y: float = 120.0, name: str = "car", confidence: float = 0.7) -> tuple[str, float, Box]:
    return name, confidence, (x, y, x + 60.0, y + 40.0)


def drive(algorithm: Algorithm, scene: Any, seconds: float, step: float = 0.5) -> list[tuple[float, VisionFinding]]:
    """``scene(t)`` gives the rows of one frame."""
    out = []
    for i in range(int(seconds / step)):
        now = i * step
        out += [(now, f) for f in algorithm.update(seen(*scene(now)), frame(now), now)]
    return out


# tracking ----------------------------------------------------------------


def test_a_standing_object_keeps_its_time_when_hidden_for_a_while() -> None:
    tracker = Tracker(patience_s=10)
    for i in range(60):
        now = i * 0.5
        hidden = 8 <= now < 14
        tracker.update(seen() if hidden else seen(car(100 + (i % 2))), now)
    (track,) = tracker.tracks.values()
    assert track.still_s(29.5) > 28


def test_a_moving_object_does_not_stand() -> None:
    tracker = Tracker()
    for i in range(20):
        tracker.update(seen(car(10 + 12 * i)), i * 0.5)
    assert max(t.still_s(9.5) for t in tracker.tracks.values()) < 3
    assert max(t.speed for t in tracker.tracks.values()) > 0.3


# dwell -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["fire_lane", "wrong_parking", "stopped_vehicle"])
def test_what_stays_opens_and_what_passes_does_not(kind: str) -> None:
    told = drive(build(kind, (LANE,), after_s=10), lambda t: [car(100)] if 5 <= t < 40 else [], 80)
    assert [f.state for _, f in told] == ["open", "clear"]
    assert 14 <= told[0][0] <= 17 and told[0][1].zone == "lane" and told[0][1].box is not None
    assert drive(build(kind, (LANE,), after_s=10), lambda t: [car((t * 20) % 300)], 80) == []


def test_beside_the_lane_is_not_in_it() -> None:
    told = drive(build("fire_lane", (LANE,), after_s=5), lambda t: [car(0, 20)], 30)
    assert told == []


def test_a_breakdown_is_told_from_a_red_light() -> None:
    """With ``passed`` others have to go by before a standing vehicle counts."""

    def red_light(t: float) -> list[tuple[str, float, Box]]:
        return [car(100)] if t < 60 else []

    def breakdown(t: float) -> list[tuple[str, float, Box]]:
        return [car(100), ("car", 0.7, ((t % 20) * 15, 180.0, (t % 20) * 15 + 60, 220.0))]

    assert drive(build("stopped_vehicle", (LANE,), after_s=20, passed=2), red_light, 80) == []
    told = drive(build("stopped_vehicle", (LANE,), after_s=20, passed=2), breakdown, 80)
    assert [f.state for _, f in told] == ["open"]


def lane_film(now: float, what: str) -> Picture:
    picture = street(seed=5).copy()
    if what == "crate" and now >= 10:
        rng = np.random.default_rng(1)
        small = rng.integers(0, 255, (6, 8, 3), np.uint8)
        picture[140:200, 120:200] = cv2.resize(small, (80, 60), interpolation=cv2.INTER_NEAREST)
    if what == "shadow" and now >= 10:
        picture[120:220, 80:240] = (picture[120:220, 80:240] * 0.6).astype(np.uint8)
    if what == "rain":
        rng = np.random.default_rng(int(now * 2))
        for x, y in rng.integers(0, 200, (80, 2)):
            cv2.line(picture, (int(x), int(y)), (int(x) + 2, int(y) + 12), (200, 200, 200), 1)
    if what == "headlight":
        rng = np.random.default_rng(4)
        road = picture.astype(np.float32) * 0.3 + rng.normal(0, 6, picture.shape).astype(np.float32)  # rough asphalt
        cone = np.zeros(picture.shape[:2], np.float32)
        if now >= 10:
            cv2.ellipse(cone, (160, 170), (60, 30), 0, 0, 360, 1, -1)
        lit = road + cv2.GaussianBlur(cone, (0, 0), 12)[..., None] * 90
        return np.clip(lit, 0, 255).astype(np.uint8)
    if what == "traffic" and now < 3:  # passes while the background is learnt
        x = int(now * 100)
        picture[120:200, x : x + 70] = 250
    if what == "dusk":
        picture = (picture * max(0.4, 1 - now / 100)).astype(np.uint8)
    return picture


@pytest.mark.parametrize(
    ("what", "opens"),
    [("crate", 1), ("shadow", 0), ("rain", 0), ("dusk", 0), ("headlight", 0), ("traffic", 0), ("nothing", 0)],
)
def test_an_unknown_object_blocks_the_lane_shadow_rain_and_dusk_do_not(what: str, opens: int) -> None:
    algorithm = build("fire_lane", (LANE,), after_s=10)
    told = []
    for i in range(100):
        now = i * 0.5
        told += [(now, f) for f in algorithm.update(seen(), frame(now, lane_film(now, what)), now)]
    assert [f.state for _, f in told] == ["open"] * opens
    if opens:
        assert 19 <= told[0][0] <= 23


# counts ------------------------------------------------------------------


def people(count: int) -> list[tuple[str, float, Box]]:
    return [("person", 0.6, (20.0 + 25 * i, 60.0, 40.0 + 25 * i, 130.0)) for i in range(count)]


def test_crowding_by_the_usual_count_not_by_one_picture() -> None:
    told = drive(build("crowding", limit=5, after_s=5), lambda t: people(6 if t > 10 else 3), 40)
    assert [(f.state, f.value) for _, f in told] == [("open", 6.0)]
    assert drive(build("crowding", limit=5, after_s=5), lambda t: people(8 if t % 10 < 1 else 3), 60) == []


def test_intrusion_only_when_armed() -> None:
    schedule = {"timezone": "UTC", "shifts": [{"from": "20:00", "to": "06:00"}]}
    zone = Zone(zone_id="z", name="z", polygon=((0, 0), (1, 0), (1, 1), (0, 1)), schedule=schedule)
    told = drive(build("intrusion", (zone,)), lambda t: people(1), 10)  # the made-up day begins at midnight
    assert [f.state for _, f in told] == ["open"]
    by_day = Zone(zone_id="z", name="z", polygon=zone.polygon, schedule={**schedule, "timezone": "Asia/Shanghai"})
    assert drive(build("intrusion", (by_day,)), lambda t: people(1), 10) == []  # 08:00 there


def test_ebike_says_whether_somebody_is_with_it() -> None:
    bike = ("motorcycle", 0.6, (100.0, 100.0, 180.0, 180.0))
    rider = ("person", 0.7, (110.0, 60.0, 170.0, 170.0))
    ((_, riding),) = drive(build("ebike"), lambda t: [bike, rider], 6)
    ((_, parked),) = drive(build("ebike"), lambda t: [bike], 6)
    assert "entering" in riding.attributes["detail"] and "left there" in parked.attributes["detail"]


def test_a_queue_stands_traffic_moves() -> None:
    def jam(t: float) -> list[tuple[str, float, Box]]:
        return [car(10 + 75 * i) for i in range(4)]

    def flow(t: float) -> list[tuple[str, float, Box]]:
        return [car((40 * t + 75 * i) % 300) for i in range(4)]

    told = drive(build("queue", limit=3, after_s=10), jam, 40)
    assert [(f.state, f.value) for _, f in told] == [("open", 4.0)]
    assert drive(build("queue", limit=3, after_s=10), flow, 40) == []


# congestion --------------------------------------------------------------

ROAD = parse_zone("0,0.45 1,0.45 1,0.72 0,0.72", "road")


def traffic(red_from: float, red_to: float, cycle: float) -> Any:
    def scene(t: float) -> list[tuple[str, float, Box]]:
        standing = red_from <= t % cycle < red_to
        return [car(5 + 78 * i) if standing else car((60 * t + 78 * i) % 310) for i in range(4)]

    return scene


def test_a_jam_is_told_from_red_phases() -> None:
    told = drive(build("congestion", (ROAD,), after_s=60), traffic(0, 1000, 1000), 200)
    assert [f.state for _, f in told] == ["open"]
    assert told[0][1].value is not None and told[0][1].value >= 2
    assert 25 <= told[0][0] <= 80
    assert drive(build("congestion", (ROAD,), after_s=60), traffic(0, 20, 60), 300) == []


def test_an_empty_road_is_free() -> None:
    assert drive(build("congestion", (ROAD,), after_s=30), lambda t: [], 100) == []


# unloading ---------------------------------------------------------------


def test_unloading_alone_is_told_and_a_passing_truck_is_not() -> None:
    truck = ("truck", 0.8, (80.0, 80.0, 240.0, 200.0))
    guard = ("person", 0.7, (250.0, 120.0, 275.0, 200.0))
    algorithm = build("unloading", after_s=10, settle_s=10)
    told = play(algorithm, [(40, seen(truck, guard)), (80, seen(truck)), (100, seen(truck, guard))])
    assert [(f.state, f.value) for _, f in told] == [("open", 0.0), ("clear", 1.0)]
    assert 49 <= told[0][0] <= 52
    passing = build("unloading", after_s=10, settle_s=10)
    assert drive(passing, lambda t: [("truck", 0.8, (t * 10 % 200, 80.0, t * 10 % 200 + 100, 200.0))], 60) == []


# acts --------------------------------------------------------------------


def pose(**points: tuple[float, float]) -> BodyPose:
    xy, score = np.zeros((17, 2), np.float32), np.zeros(17, np.float32)
    for name, (x, y) in points.items():
        xy[NAMES.index(name)], score[NAMES.index(name)] = (x, y), 0.9
    return BodyPose(xy, score)


UPRIGHT = {"nose": (50, 20), "left_ear": (58, 20), "right_ear": (42, 20), "left_shoulder": (70, 45),
           "right_shoulder": (30, 45), "left_hip": (65, 100), "right_hip": (35, 100)}  # fmt: skip
BODY: Box = (20.0, 0.0, 80.0, 140.0)


def test_postures_of_sleep_and_of_work() -> None:
    assert posture(pose(**UPRIGHT), BODY) is None
    down = UPRIGHT | {"nose": (50, 55), "left_ear": (60, 48), "right_ear": (40, 48)}
    assert posture(pose(**down), BODY) is not None
    lying = {"nose": (10, 50), "left_shoulder": (30, 45), "right_shoulder": (30, 55), "left_hip": (90, 47),
             "right_hip": (90, 57)}  # fmt: skip
    found = posture(pose(**lying), (0.0, 30.0, 150.0, 80.0))
    assert found is not None and found[1] == "lies"
    assert posture(pose(), BODY) is None


def test_a_call_is_told_from_hands_on_the_desk() -> None:
    arm = {"left_elbow": (85, 75), "left_wrist": (62, 24)}
    assert at_ear(pose(**UPRIGHT, **arm)) > 0.5
    assert at_ear(pose(**UPRIGHT, left_elbow=(80, 80), left_wrist=(60, 105))) == 0.0
    assert at_ear(pose(**UPRIGHT)) == 0.0


class Watch:
    """Replaces the close look by a script of what it would have shown."""

    def __init__(self, algorithm: Any, does: Any) -> None:
        self.algorithm = algorithm
        algorithm.look = lambda frame, person, now: Act(0.7, BODY, "does it") if does(now) else None


def acts(does: Any, seconds: float = 40, kind: str = "phone_use", **params: Any) -> list[tuple[float, VisionFinding]]:
    algorithm = build(kind, **params)
    Watch(algorithm, does)
    man: Detections = seen(("person", 0.8, (100.0, 50.0, 160.0, 200.0)), ("cell phone", 0.1, (0.0, 0.0, 1.0, 1.0)))
    return play(algorithm, [(seconds, man)], image=GREY)


def test_an_act_must_last_and_a_glance_is_none() -> None:
    told = acts(lambda t: 10 <= t < 25, after_s=5)
    assert [f.state for _, f in told] == ["open", "clear"]
    assert 13 <= told[0][0] <= 16.5
    assert acts(lambda t: t % 10 < 1, after_s=5) == []
