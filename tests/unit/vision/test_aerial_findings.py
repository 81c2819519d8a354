"""Findings from above: what each may do, the same thing once, vehicles by road."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from core.records import ModelRef
from vision.aerial.roads import by_segment
from vision.aerial.sameness import Placed, things
from vision.aerial.sights import AerialEyes
from vision.aerial.trust import TRUST
from vision.detections import Detections, Image
from vision.errors import ModelInvalid


class Sees:
    """Finds red patches and calls them by the name that it was given."""

    def __init__(self, *names: str) -> None:
        self.class_name = names
        self.model = ModelRef(name=names[0], sha256="0" * 64, version="")

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        out = []
        for frame in frames:
            rows, columns = np.nonzero((frame[:, :, 2] > 200) & (frame[:, :, 0] < 80))
            boxes = [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]] if len(rows) else []
            size = len(boxes)
            out.append(
                Detections(
                    np.asarray(boxes, np.float32).reshape(-1, 4), np.zeros(size, np.int32),
                    np.full(size, 0.8, np.float32), self.class_name, (self.model,),
                )
            )  # fmt: skip
        return out


def eyes(**broken: str) -> AerialEyes:
    names = {"aerial_vehicles.onnx": ("car",), "flame_smoke.onnx": ("fire", "smoke"), "garbage.onnx": ("garbage",)}

    def build(kind: str, params: Mapping[str, object]) -> Any:
        file = str(params.get("file", kind))
        if file in broken:
            raise ModelInvalid(path=file, detail=broken[file])
        return Sees(*names.get(file, ("person",)))

    return AerialEyes(build)


def picture(box: tuple[int, int, int, int], size: tuple[int, int] = (900, 1600)) -> Image:
    image = np.full((*size, 3), 120, np.uint8)
    x1, y1, x2, y2 = box
    image[y1:y2, x1:x2] = (20, 20, 250)
    return image


def test_small_and_picture_filling_fires_are_both_seen_where_they_are() -> None:
    for box in ((1500, 20, 1530, 44), (60, 40, 1540, 860)):
        found = [s for s in eyes().look(picture(box), 0.14, -90.0) if s.name == "fire"]
        assert found
        assert np.abs(np.array(found[0].box) - box).max() < 6


def test_people_are_only_looked_for_in_oblique_pictures() -> None:
    box = (400, 400, 440, 480)
    assert "person" not in {s.name for s in eyes().look(picture(box), 0.05, -90.0)}
    assert "person" in {s.name for s in eyes().look(picture(box), 0.05, -45.0)}


def test_a_model_that_does_not_load_is_told_and_the_others_look() -> None:
    some = eyes(**{"flame_smoke.onnx": "its output is not finite: damaged weights"})
    names = {s.name for s in some.look(picture((400, 400, 432, 420)), 0.14, -90.0)}
    assert "fire" not in names
    assert "garbage" in names
    assert "not finite" in some.failed["flame_smoke.onnx"]


def test_what_learnt_from_the_ground_waits_for_a_person() -> None:
    assert TRUST["garbage"] == TRUST["overflow"] == "person"
    assert {TRUST["fire"], TRUST["smoke"]} == {"twice"}


def at(key: str, picture: str, east: float, north: float, name: str = "car") -> Placed:
    return Placed(key, picture, name, east, north, 0.9)


def test_the_same_car_in_two_pictures_is_one_and_its_neighbour_another() -> None:
    found = things([at("a", "1", 0, 0), at("b", "1", 2.5, 0), at("c", "2", 0.3, 0.1), at("d", "2", 2.7, 0.2)], 1.5)
    assert found == {"a": "a", "b": "b", "c": "a", "d": "b"}


def test_kinds_never_mix_but_a_car_may_be_a_truck() -> None:
    found = things([at("a", "1", 0, 0), at("b", "2", 0, 0, "fire"), at("c", "2", 0.1, 0, "large_vehicle")], 1.5)
    assert found == {"a": "a", "b": "b", "c": "a"}


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 2**16))
def test_cars_apart_are_counted_once_however_often_they_are_seen(cars: int, pictures: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    spots = np.array([[i % 4 * 3.0, i // 4 * 5.0] for i in range(cars)])
    sights = [
        at(f"{p}-{i}", str(p), *(spots[i] + random.uniform(-0.4, 0.4, 2)))
        for p in range(pictures)
        for i in random.permutation(cars)
    ]
    found = things(sights, 1.4)
    assert len(set(found.values())) == cars
    for number in range(cars):
        assert len({found[f"{p}-{number}"] for p in range(pictures)}) == 1


def test_vehicles_belong_to_the_nearest_road() -> None:
    roads = [("东盛大街", shapely.LineString([(0, 0), (1000, 0)])), ("巷", shapely.LineString([(0, 30), (1000, 30)]))]
    seen = shapely.box(100, -50, 200, 50)
    queue = [(100.0 + 8 * n, 2.0, n == 3) for n in range(10)]
    counted = by_segment([*queue, (150.0, 29.0, False), (150.0, -45.0, False)], roads, seen)
    assert [(c.name, c.vehicles, c.large, c.dense) for c in counted] == [("东盛大街", 10, 1, True), ("巷", 1, 0, False)]
    assert counted[0].seen_m == pytest.approx(100)
    assert counted[0].per_km == pytest.approx(100)
    assert 100 <= counted[0].middle[0] <= 200


def test_roads_out_of_view_are_not_counted() -> None:
    far = [("x", shapely.LineString([(0, 900), (9, 900)]))]
    assert by_segment([(0.0, 0.0, False)], far, shapely.box(0, 0, 1, 1)) == []
