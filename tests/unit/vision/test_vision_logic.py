"""Time logic, zones, gate, health and algorithms on made-up detections and pictures."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import plugins
from core.errors import PluginParamsInvalid
from tests.footage import Picture, street, with_ball
from vision.capture.frames import Frame, make_frame
from vision.capture.sources import parse_source
from vision.capture.timing import Pace
from vision.detections import Detections, merge
from vision.errors import StreamFailed, ZoneInvalid
from vision.judging import boxes
from vision.judging.camera_health import CameraHealth, HealthParams
from vision.judging.findings import Algorithm, VisionFinding
from vision.judging.hysteresis import HeldState
from vision.judging.motion_gate import MotionGate, thumbnail
from vision.judging.zones import contains, foot_points, parse_zone

START = datetime(2026, 3, 1, tzinfo=UTC)
GREY: Picture = np.full((240, 320, 3), 120, np.uint8)


def frame(seconds: float, image: Picture = GREY) -> Frame:
    return make_frame("c", image, START + timedelta(seconds=seconds), seconds)


def seen(*rows: tuple[str, float, tuple[float, float, float, float]]) -> Detections:
    names = tuple(dict.fromkeys(r[0] for r in rows)) or ("person",)
    return Detections(
        np.array([r[2] for r in rows], np.float32).reshape(-1, 4),
        np.array([names.index(r[0]) for r in rows], np.int32),
        np.array([r[1] for r in rows], np.float32),
        names,
    )


MAN = ("person", 0.8, (100.0, 50.0, 140.0, 150.0))


def play(
    algorithm: Algorithm, script: list[tuple[float, Detections]], step: float = 0.5, image: Picture = GREY
) -> list[tuple[float, VisionFinding]]:
    """Feed (until when, what is seen) and collect (when, finding)."""
    out, now = [], 0.0
    for until, detections in script:
        while now < until:
            out += [(now, f) for f in algorithm.update(detections, frame(now, image), now)]
            now += step
    return out


def absence(**params: Any) -> Algorithm:
    zones = params.pop("zones", ())
    algorithm: Algorithm = plugins.build("algorithm", "absence", params, zones=zones)
    return algorithm


# time logic --------------------------------------------------------------


def changes(standing: HeldState, sights: list[bool | None], step: float = 1.0) -> list[tuple[float, str]]:
    told = [(i * step, standing.feed(s, i * step)) for i, s in enumerate(sights)]
    return [(t, c) for t, c in told if c]


def test_a_condition_must_last_to_open_and_to_clear() -> None:
    sights: list[bool | None] = [False] + [True] * 10 + [False] * 10
    assert changes(HeldState(3, 2), sights) == [(4.0, "open"), (13.0, "clear")]


def test_a_blink_does_not_restart_the_clock_but_a_longer_return_does() -> None:
    assert changes(HeldState(4, 2, blink_s=1.5), [True, True, False, True, True, True]) == [(4.0, "open")]
    assert changes(HeldState(4, 2, blink_s=1.5), [True, True, False, False, False, True, True]) == []


def test_what_cannot_be_judged_stops_the_clock() -> None:
    assert changes(HeldState(4, 2), [True, True, None, None, None, True, True, True]) == [(7.0, "open")]


def test_a_gap_without_frames_does_not_count() -> None:
    standing = HeldState(5, 2, max_gap_s=10)
    assert standing.feed(True, 0) is None
    assert standing.feed(True, 100) is None
    assert standing.feed(True, 104) is None
    assert standing.feed(True, 105) == "open"


@given(st.lists(st.sampled_from([True, False, None]), max_size=60), st.integers(0, 5), st.integers(0, 5))
def test_changes_alternate_and_never_come_early(sights: list[bool | None], after: int, clear: int) -> None:
    standing = HeldState(after, clear)
    told = changes(standing, sights)
    assert [c for _, c in told] == [("open", "clear")[i % 2] for i in range(len(told))]
    for when, change in told:
        wait = after if change == "open" else clear
        assert when + 1e-9 >= wait * (change == "open")
        assert sights[int(when)] is (change == "open")


# geometry ----------------------------------------------------------------


def test_a_person_stands_where_the_feet_are() -> None:
    zone = parse_zone("0,0.5 1,0.5 1,1 0,1", "floor")
    people = seen(("person", 0.9, (0, 0, 40, 200)), ("person", 0.9, (0, 0, 40, 100)))
    assert contains(zone, foot_points(people.xyxy, 320, 240)).tolist() == [True, False]


@pytest.mark.parametrize("text", ["0,0 1,1", "0,0 1 1,1", "0,0 2,0 1,1", "a,b c,d e,f"])
def test_a_zone_that_is_no_polygon_is_refused(text: str) -> None:
    with pytest.raises(ZoneInvalid):
        parse_zone(text, "z")


coordinate = st.floats(0, 300, width=32)


@given(st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate), min_size=1, max_size=6))
def test_overlap_is_symmetric_and_between_0_and_1(corners: list[tuple[float, float, float, float]]) -> None:
    xyxy = np.array([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in corners], np.float32)
    overlap = boxes.iou(xyxy, xyxy)
    assert np.allclose(overlap, overlap.T)
    assert overlap.min() >= 0 and overlap.max() <= 1 + 1e-5


def test_merged_detections_keep_their_names() -> None:
    both = merge([seen(MAN), seen(("fire", 0.5, (0, 0, 9, 9)), ("person", 0.4, (1, 1, 5, 5)))])
    assert [both.name(i) for i in range(3)] == ["person", "fire", "person"]
    assert len(both.of("person", confidence=0.5)) == 1


# absence -----------------------------------------------------------------


def test_absence_opens_after_the_time_and_clears_when_somebody_is_back() -> None:
    story = [(5, seen(MAN)), (20, seen()), (30, seen(MAN))]
    told = play(absence(min_staff=1, after_s=10), story)
    assert [(t, f.state, f.value) for t, f in told] == [(15.0, "open", 0.0), (20.5, "clear", 1.0)]


def test_lights_off_with_monitors_lit_proves_nobodys_absence() -> None:
    room = np.full((240, 320, 3), 8, np.uint8)
    room[60:100, 40:120] = 220  # a monitor
    assert play(absence(min_staff=1, after_s=5), [(20, seen())], image=room) == []
    opened = play(absence(min_staff=1, after_s=5), [(20, seen())], image=np.maximum(room, 60))
    assert [f.state for _, f in opened] == ["open"]


def test_absence_counts_only_the_duty_zone() -> None:
    zone = parse_zone("0,0 0.5,0 0.5,1 0,1", "desk")
    cleaner = ("person", 0.9, (250.0, 50.0, 300.0, 200.0))
    told = play(absence(min_staff=1, after_s=5, zones=(zone,)), [(10, seen(cleaner))])
    assert [(f.state, f.zone) for _, f in told] == [("open", "desk")]


def test_bending_down_for_a_moment_is_not_absence() -> None:
    story = [(t, seen(MAN) if int(t) % 8 else seen()) for t in range(1, 60)]
    assert play(absence(min_staff=1, after_s=5), story) == []


def test_a_faint_person_counts_only_where_a_clear_one_was() -> None:
    faint = ("person", 0.32, MAN[2])
    assert play(absence(min_staff=1, after_s=5), [(5, seen(MAN)), (30, seen(faint))]) == []
    assert [f.state for _, f in play(absence(min_staff=1, after_s=5), [(30, seen(faint))])] == ["open"]


def test_one_of_two_has_more_patience() -> None:
    other = ("person", 0.8, (200.0, 50.0, 240.0, 150.0))
    wish = {"min_staff": 2, "after_s": 10, "lone_after_s": 30}
    told = play(absence(**wish), [(5, seen(MAN, other)), (60, seen(MAN))])
    assert [(t, f.value) for t, f in told] == [(35.0, 1.0)]
    assert [t for t, _ in play(absence(**wish), [(5, seen(MAN, other)), (60, seen())])] == [15.0]


def test_in_the_dark_absence_waits() -> None:
    night: Picture = np.full((240, 320, 3), 3, np.uint8)
    algorithm = absence(min_staff=1, after_s=5)
    assert play(algorithm, [(30, seen())], image=night) == []
    assert algorithm.judge(seen(), frame(31, night))[0].present is None


@pytest.mark.parametrize("params", [{"min_staff": 0}, {"after_s": -1}, {"min_staf": 1}, {"hold_confidence": 0.9}])
def test_wrong_parameters_are_named(params: dict[str, Any]) -> None:
    with pytest.raises(PluginParamsInvalid):
        plugins.build("algorithm", "absence", params)


# flame and smoke ---------------------------------------------------------


def burning(now: float, lively: bool) -> Picture:
    rng = np.random.default_rng(int(now * 10) if lively else 0)
    picture = GREY.copy()
    picture[100:140, 100:140] = rng.integers(120, 255, (40, 40, 3))
    return picture


def watch_fire(lively: bool, hits: float, **params: Any) -> list[tuple[float, VisionFinding]]:
    algorithm = plugins.build("algorithm", "flame_smoke", params)
    rng = np.random.default_rng(4)
    out = []
    for i in range(40):
        now = i * 0.25
        flame = ("fire", 0.6, (98.0, 98.0, 142.0, 142.0)) if rng.random() < hits else ("fire", 0.1, (0, 0, 5, 5))
        detections = seen(flame, ("smoke", 0.1, (0.0, 0.0, 5.0, 5.0)))
        out += [(now, f) for f in algorithm.update(detections, frame(now, burning(now, lively)), now)]
    return out


def test_a_flickering_flame_opens_within_seconds() -> None:
    told = watch_fire(lively=True, hits=0.9)
    assert [f.state for _, f in told] == ["open"]
    assert told[0][0] < 3
    assert told[0][1].attributes["classes"] == ["fire"]
    assert told[0][1].box is not None


def test_a_lamp_does_not_flicker() -> None:
    assert watch_fire(lively=False, hits=1.0) == []


def test_a_few_false_frames_are_not_a_fire() -> None:
    assert watch_fire(lively=True, hits=0.15) == []


def test_a_masked_place_is_not_looked_at() -> None:
    mask = ((0.2, 0.2), (0.6, 0.2), (0.6, 0.8), (0.2, 0.8))
    assert watch_fire(lively=True, hits=1.0, ignore=[mask]) == []


# gate and health ---------------------------------------------------------


def test_the_gate_opens_on_motion_and_ignores_noise() -> None:
    rng = np.random.default_rng(1)
    scene, gate, opened = street(), MotionGate(refresh_s=1000), 0
    for i in range(20):
        noisy = np.clip(scene.astype(int) + rng.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)
        opened += gate.moved(thumbnail(noisy), i)[0]
    assert opened == 1  # the first picture only
    assert gate.moved(thumbnail(with_ball(scene, 0)), 21)[0]
    assert not gate.moved(thumbnail(with_ball(scene, 0)), 22)[0]
    assert gate.moved(thumbnail(scene), 2000)[0]


def health_story(pictures: list[tuple[float, Any]], **params: float) -> list[tuple[str, str]]:
    """Feed (until when, picture or function of time) at 2 fps; returns (state, change)."""
    health = CameraHealth(HealthParams(**params))
    told, now = [], 0.0
    for until, picture in pictures:
        while now < until:
            image = picture(now) if callable(picture) else picture
            noisy = cv2.add(image, np.roll(NOISE, int(now * 2), axis=1))
            told += [(f.attributes["state"], f.state) for f in health.update(frame(now, noisy), now)]
            now += 0.5
    return told


SCENE = street()
NOISE = np.random.default_rng(9).integers(0, 4, SCENE.shape, np.uint8)


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ("black", np.zeros_like(SCENE)),
        ("over_exposed", np.full_like(SCENE, 252)),
        ("covered", np.full_like(SCENE, 90)),
        ("moved", street(seed=77)),
        ("blurred", cv2.GaussianBlur(SCENE, (0, 0), 9)),
    ],
)
def test_a_fault_opens_alone_and_clears(state: str, fault: Picture) -> None:
    waits = {f"{s}_s": 5.0 for s in ("black", "over_exposed", "covered", "blurred", "moved")}
    told = health_story([(30, SCENE), (60, fault), (90, SCENE)], **waits)
    assert told == [(state, "open"), (state, "clear")]


def test_dusk_fog_and_passers_by_are_no_faults() -> None:
    def dusk(now: float) -> Picture:
        return (with_ball(SCENE, now) * max(0.25, 1 - now / 120)).astype(np.uint8)

    def fog(now: float) -> Picture:
        return (SCENE * 0.45 + 110).astype(np.uint8)

    assert health_story([(30, SCENE), (120, dusk)]) == []
    assert health_story([(30, SCENE), (120, fog)]) == []


def test_a_picture_that_never_changes_is_frozen() -> None:
    health = CameraHealth(HealthParams(frozen_s=10))
    told = [f for i in range(60) for f in health.update(frame(i * 0.5, SCENE), i * 0.5)]
    assert [(f.attributes["state"], f.state) for f in told] == [("frozen", "open")]
    told = [f for i in range(20) for f in health.update(frame(30 + i, with_ball(SCENE, i)), 30.0 + i)]
    assert [(f.attributes["state"], f.state) for f in told] == [("frozen", "clear")]


# addresses ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "scheme", "loop"),
    [
        ("file:///a/b.mp4?loop=1", "file", True),
        ("/a/b.mp4", "file", False),
        ("/a/b.mp4?loop=true", "file", True),
        ("rtsp://u:p@h:554/x", "rtsp", False),
        ("http://h/x.ts", "http", False),
    ],
)
def test_addresses(url: str, scheme: str, loop: bool) -> None:
    source = parse_source(url)
    assert (source.scheme, source.loop) == (scheme, loop)
    assert "u:p" not in source.shown


@pytest.mark.parametrize("url", ["", "concat:/etc/passwd|x", "ftp://h/x", "rtsp:///x", "data:,abc"])
def test_addresses_that_are_not_cameras(url: str) -> None:
    with pytest.raises(StreamFailed):
        parse_source(url)


def test_a_recording_that_jumps_back_goes_on_at_its_own_speed() -> None:
    pace, now = Pace(recorded=True), time.monotonic()
    assert pace.wait_s(10.0, now) == 0
    assert pace.wait_s(10.5, now) == pytest.approx(0.5)
    assert pace.wait_s(10.4, now + 0.3) == pytest.approx(0.1), "pictures that are stored out of order are no jump"
    assert pace.wait_s(8.0, now + 0.5) == 0, "spliced: the clock starts anew"
    assert pace.wait_s(8.5, now + 0.5) == pytest.approx(0.5), "and does not play two seconds at once"
