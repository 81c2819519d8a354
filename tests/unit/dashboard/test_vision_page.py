"""Zones, schedules and calibration of the vision page: what the fields and the drawing become, without a browser."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import plugins
from core.errors import InputInvalid
from dashboard.desk.cameras import MAX_VERTICES
from dashboard.pages.desk.vision import algorithms, calibration, draft, lists, schedule
from dashboard.pages.desk.vision.schedule_form import held_of, local

CAMERA: dict[str, Any] = {
    "camera_id": "c", "revision": 3, "algorithm_configs": [{"kind": "absence", "zones": ["z"]}],
    "zones": [{"zone_id": "z", "name": "Desk", "polygon": [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]], "schedule": {}}],
}  # fmt: skip
share = st.floats(0, 1, allow_nan=False).map(lambda v: round(v, 4))


def test_clicks_become_a_zone_and_a_click_on_the_first_corner_closes_it() -> None:
    d = {**draft.draft_of(CAMERA), "corners": []}
    for at in ((0.1, 0.1), (0.1, 0.1001), (0.9, 0.1), (0.9, 0.9)):  # the second is one click with the first
        d = draft.with_corner(d, at, "new")
    assert len(d["corners"]) == 3
    d = draft.with_corner(d, (0.105, 0.095), "new")
    assert d["corners"] is None and d["zones"][1]["polygon"] == [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]] and d["dirty"]


def test_two_corners_are_no_zone() -> None:
    d = {**draft.draft_of(CAMERA), "corners": [[0, 0], [1, 1]]}
    assert draft.closed(d, "x") == {**d, "corners": None}


def test_a_zone_that_goes_goes_from_the_algorithms_too() -> None:
    d = draft.without_zone(draft.draft_of(CAMERA), "z")
    assert d["zones"] == [] and d["algorithms"] == [{"kind": "absence", "zones": []}] and d["dirty"]


@given(st.lists(st.tuples(share, share), min_size=3, max_size=40, unique=True))
def test_a_path_gives_its_corners_back(corners: list[tuple[float, float]]) -> None:
    assert draft.corners_of(draft.path_of(list(corners))) == [list(c) for c in corners]


def test_a_dragged_corner_is_inside_the_picture_and_an_unknown_shape_changes_nothing() -> None:
    d = draft.draft_of(CAMERA)
    moved = draft.reshaped(d, {"shapes[0].path": "M-0.2,0.1L1.5e0,0.1L0.5,0.5Z"}, "n")
    assert moved["zones"][0]["polygon"] == [[0.0, 0.1], [1.0, 0.1], [0.5, 0.5]] and moved["dirty"]
    for told in (None, {}, {"autosize": True}, {"shapes[7].path": "M0,0L1,1L0,1Z"}, {"shapes[0].path": "M0,0Z"}):
        assert draft.reshaped(d, told, "n") is d


def test_a_stroke_becomes_a_zone_of_few_corners() -> None:
    ring = [(0.5 + 0.3 * math.cos(a / 50), 0.5 + 0.3 * math.sin(a / 50)) for a in range(314)]
    shapes = [{"path": draft.path_of(CAMERA["zones"][0]["polygon"])}, {"path": draft.path_of(ring)}]
    d = draft.reshaped(draft.draft_of(CAMERA), {"shapes": shapes}, "stroke")
    assert [z["name"] for z in d["zones"]] == ["Desk", "stroke"]
    assert 8 <= len(d["zones"][1]["polygon"]) <= MAX_VERTICES


SCHEDULE: dict[str, Any] = {
    "timezone": "Asia/Shanghai",
    "shifts": [{"days": [1, 2, 3], "from": "08:00", "to": "20:00", "min_staff": 2}, {"from": "20:00", "to": "24:00"}],
    "holidays": ["2026-10-01"],
    "holiday_shifts": [{"from": "00:00", "to": "24:00"}],
    "suppress": [{"from": "2026-05-01T08:00:17+08:00", "to": "2026-05-01T10:00:00+08:00", "reason": "welding",
                  "author": "Li"}],
}  # fmt: skip


def _read(held: dict[str, Any], days: str = "2026-10-01", base: dict[str, Any] | None = None) -> dict[str, Any]:
    return schedule.schedule_of(held, days, SCHEDULE if base is None else base)


def test_a_schedule_that_nobody_touched_comes_back_with_its_authors() -> None:
    assert _read(held_of(SCHEDULE)) == SCHEDULE


def test_a_changed_window_loses_its_author_so_that_the_server_signs_it_anew() -> None:
    held = held_of(SCHEDULE)
    held["suppress"][0]["reason"] = "painting"
    (window,) = _read(held)["suppress"]
    assert window["reason"] == "painting" and "author" not in window
    assert local(window["from"]) == "2026-05-01T08:00"


@pytest.mark.parametrize(
    ("group", "change"),
    [
        ("suppress", {"reason": " "}), ("suppress", {"to": "2026-05-01T07:00"}), ("suppress", {"from": ""}),
        ("shift", {"from": "8 Uhr"}), ("shift", {"to": "25:00"}), ("shift", {"from": ""}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(group: str, change: dict[str, str]) -> None:
    held = held_of(SCHEDULE)
    held[group][0] |= change
    with pytest.raises(InputInvalid):
        _read(held)


@pytest.mark.parametrize("days", ["2026-02-30", "tomorrow", "2026-10-01 x"])
def test_a_day_that_is_none_is_named(days: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        _read(held_of(SCHEDULE), days)
    assert days.split()[-1] in str(caught.value)


@pytest.mark.parametrize("rows", [[], [{"x": 1, "y": 2}] * 2, [{"x": 1, "y": None}] * 3, [{"x": 101, "y": 0}] * 3])
def test_corners_that_are_none_are_refused(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(InputInvalid):
        schedule.polygon_of(rows)


def test_halves_of_pairs_find_one_another() -> None:
    pairs: calibration.Pairs = []
    for half in ({"x": 0.1, "y": 0.9}, {"x": 0.9, "y": 0.9}, {"lon": 1.0, "lat": 2.0}, {"lon": 3.0, "lat": 4.0}):
        pairs = calibration.with_half(pairs, half)
    assert pairs == [{"x": 0.1, "y": 0.9, "lon": 1.0, "lat": 2.0}, {"x": 0.9, "y": 0.9, "lon": 3.0, "lat": 4.0}]
    assert len(calibration.points_of([*pairs, {"x": 0.5, "y": 0.5}])) == 2


def test_points_on_one_line_determine_no_view() -> None:
    line = [{"x": n / 10, "y": n / 10, "lon": 125 + n / 1000, "lat": 43 + n / 1000} for n in range(1, 6)]
    assert calibration.fitted(line) is None and calibration.fitted(line[:3]) is None


def test_the_page_says_that_an_algorithm_is_not_proven_and_on_what_it_was_tried() -> None:
    class Reader:
        def __init__(self, language: str) -> None:
            self.language = language

        def t(self, key: str) -> str:
            return key

    for kind in plugins.kinds("algorithm"):
        words = plugins.about("algorithm", kind).experimental
        for language, text in (("zh", words.zh), ("en", words.en)):
            visit: Any = Reader(language)
            mark, said = lists.trial(visit, kind), lists.trial(visit, kind, told=True)
            if not text:
                assert mark is None and said is None, f"{kind} is proven"
            else:
                assert mark.title == text and said.children == text
    unknown: Any = Reader("en")
    assert lists.trial(unknown, "no-such-kind").children == "vision.gone"


def test_a_new_algorithm_begins_with_a_proven_one() -> None:
    assert algorithms.first_of(["phone_use", "sleeping", "intrusion", "tidiness"]) == "intrusion"
