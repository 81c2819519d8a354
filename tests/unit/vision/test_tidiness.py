"""Street tidiness: what stays is told once, what is carried past is not, what is gone ends it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from core import plugins
from core.errors import PluginParamsInvalid
from core.records import AlgorithmConfig
from layers.demo import places
from layers.prepare import __file__ as prepare_file
from tests.unit.vision.test_vision_logic import GREY, frame, seen
from vision.algorithms.tidiness import Tidiness, thresholds
from vision.judging.detector_pool import DetectorPool
from vision.judging.findings import VisionFinding
from vision.judging.zones import parse_zone

Row = tuple[str, float, tuple[float, float, float, float]]
HEAP: Row = ("garbage", 0.9, (200.0, 150.0, 240.0, 180.0))
BIN: Row = ("overflow", 0.9, (40.0, 100.0, 80.0, 160.0))
LEFT = parse_zone("0,0 0.5,0 0.5,1 0,1", "left")


def tidiness(zones: Any = (), **params: Any) -> Tidiness:
    given = {"after_s": 60, "clear_after_s": 20, **params}
    algorithm: Tidiness = plugins.build("algorithm", "tidiness", given, zones=zones)
    return algorithm


def told(
    algorithm: Tidiness, scene: Any, until: float, start: float = 0.0, step: float = 2.0
) -> list[tuple[float, VisionFinding]]:
    """``scene(t)``: the rows of one look, or None where no picture came."""
    out = []
    for i in range(int((until - start) / step)):
        now = start + i * step
        rows = scene(now)
        if rows is not None:
            out += [(now, f) for f in algorithm.update(seen(*rows), frame(now), now)]
    return out


def test_a_heap_that_stays_is_told_after_the_dwell_and_ends_when_it_is_gone() -> None:
    found = told(tidiness(), lambda t: [HEAP] if t < 100 else [], 160)
    said = [(t, f.state, f.attributes["found"]) for t, f in found]
    assert said == [(60.0, "open", "garbage"), (118.0, "clear", "tidy")]
    assert found[0][1].value == 60.0 and found[0][1].box is not None


def test_an_overflowing_bin_is_another_thing_than_a_heap() -> None:
    ((_, full),) = told(tidiness(), lambda t: [BIN], 70)
    ((_, both),) = told(tidiness(), lambda t: [BIN, HEAP], 70)
    assert (full.attributes["found"], both.attributes["found"]) == ("overflow", "garbage")


def test_what_is_carried_past_or_lies_for_a_moment_is_nothing() -> None:
    def carried(t: float) -> list[Row]:
        return [("garbage", 0.9, (t * 2, 150.0, t * 2 + 40, 180.0))]

    assert told(tidiness(), carried, 120) == []
    assert told(tidiness(), lambda t: [HEAP] if t < 50 else [], 200) == []
    other: Row = ("garbage", 0.9, (20.0, 20.0, 60.0, 50.0))
    assert told(tidiness(), lambda t: [HEAP] if t < 50 else [other] if t < 100 else [], 200) == []


def test_a_lorry_before_it_does_not_end_it_and_a_flickering_detector_does_not_restart_it() -> None:
    assert [f.state for _, f in told(tidiness(), lambda t: [] if 80 <= t < 98 else [HEAP], 200)] == ["open"]
    assert [t for t, _ in told(tidiness(), lambda t: [HEAP] if t % 4 == 0 else [], 100)] == [60.0]
    rare = told(tidiness(), lambda t: [HEAP] if t % 16 == 0 else [], 300)
    assert rare == [], "one look of eight is a guess of the detector"


def test_time_without_pictures_counts_for_nothing() -> None:
    found = told(tidiness(), lambda t: None if 30 <= t < 530 else [HEAP], 600)
    assert [t for t, _ in found] == [pytest.approx(562, abs=4)]


def test_in_the_dark_nothing_is_said() -> None:
    algorithm = tidiness()
    told(algorithm, lambda t: [HEAP], 70)
    black = np.zeros_like(GREY)
    for i in range(60):
        now = 70 + i * 2.0
        assert algorithm.update(seen(), frame(now, black), now) == []
    assert {s.present for s in algorithm.judge(seen(), frame(200, black))} == {None}


def test_zones_sizes_and_confidence_are_kept_to() -> None:
    assert told(tidiness((LEFT,)), lambda t: [HEAP], 100) == []
    assert [f.zone for _, f in told(tidiness((LEFT,)), lambda t: [BIN], 100)] == ["left"]
    assert told(tidiness(classes=["garbage"]), lambda t: [BIN], 100) == []
    assert told(tidiness(garbage_confidence=0.95), lambda t: [HEAP], 100) == []
    assert told(tidiness(min_area=0.1), lambda t: [HEAP], 100) == []
    for wrong in ({"classes": []}, {"classes": ["cat"]}, {"share": 0}, {"min_area": 0.6}, {"after_s": -1}):
        with pytest.raises(PluginParamsInvalid):
            tidiness(**wrong)


def test_after_a_restart_it_goes_on_and_ends_only_when_it_is_seen_to_be_gone() -> None:
    stays, gone = tidiness(), tidiness()
    stays.restore(None)
    gone.restore(None)
    assert told(stays, lambda t: [HEAP], 200) == []
    ((at, end),) = told(gone, lambda t: [], 100)
    assert end.state == "clear" and at == 20.0


def test_the_card_says_what_counts() -> None:
    own = tidiness().params
    assert set(thresholds(own)) == {"garbage", "overflow"} and all(0.2 < v < 0.9 for v in thresholds(own).values())


def test_no_template_switches_an_experimental_algorithm_on() -> None:
    unproven = {k for k in plugins.kinds("algorithm") if plugins.about("algorithm", k).experimental.en}
    assert {"tidiness", "sleeping", "phone_use"} <= unproven
    plans = [wanted for _, _, wanted, _ in places._PLANS.values()] + [w for _, w in places._CONTINUOUS.values()]
    assert plans
    assert not unproven & {a["kind"] for wanted in plans for a in wanted}
    root = Path(prepare_file).parents[1]
    patterns = ("layers/**/*.csv", "layers/**/*.json", "ingest/connections/starters/*")
    shipped = [file for pattern in patterns for file in root.glob(pattern)]
    assert shipped
    for file in [*shipped, Path(prepare_file)]:
        text = file.read_text(encoding="utf-8")
        assert not [k for k in unproven if f'"{k}"' in text], file
    assert AlgorithmConfig(kind="absence").kind not in unproven


def test_on_real_pictures_a_heap_opens_and_an_empty_road_does_not(real_data: Path) -> None:
    street = real_data / "street"
    labels = sorted((street / "garbage" / "labels").glob("*.txt"))
    heaps = [p for p in labels if {line[0] for line in p.read_text().splitlines() if line} & {"0", "2"}][:6]
    roads = sorted((street / "traffic_cam" / "images").iterdir())[::28]
    if not heaps or not roads:
        pytest.skip("no street pictures there")
    pool = DetectorPool()

    def opens(path: Path) -> bool:
        picture = cv2.imread(str(path))
        assert picture is not None
        algorithm = tidiness()
        looked = pool.detect(algorithm.needs[0], [picture])[0]
        moments = (i * 2.0 for i in range(35))
        return any(algorithm.update(looked, frame(now, picture), now) for now in moments)

    opened = [opens(street / "garbage" / "images" / f"{p.stem}.jpg") for p in heaps]
    assert sum(opened) >= len(heaps) - 1, "trained on: this shows that the parts fit, not how well it sees"
    assert sum(opens(p) for p in roads) <= 1
