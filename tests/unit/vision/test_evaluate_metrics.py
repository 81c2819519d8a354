"""Metrics against values worked out by hand, and their invariants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.evaluate.metrics import ClassTally, match, poisson_upper
from vision.train.export import choose_threshold


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.asarray(rows, np.float32).reshape(-1, 4)


def scores(*values: float) -> np.ndarray:
    return np.asarray(values, np.float32)


def test_each_truth_is_hit_once_and_by_the_surest() -> None:
    hits = match(boxes((0, 0, 10, 10)), boxes((0, 0, 10, 10), (0, 0, 10, 9)))
    assert hits[:, 0].tolist() == [True, False]


def test_loose_box_hits_only_the_low_levels() -> None:
    # IoU 0.6 exactly
    hits = match(boxes((0, 0, 10, 10)), boxes((0, 0, 10, 6)))
    assert hits[0].tolist() == [True, True, True] + [False] * 7


def test_average_precision_of_a_half_found_class() -> None:
    tally = ClassTally()
    tally.add(boxes((0, 0, 10, 10)), boxes((0, 0, 10, 10)), scores(0.9))
    tally.add(boxes((0, 0, 10, 10)), boxes((50, 50, 60, 60)), scores(0.8))
    # recall 0.5 at precision 1: 51 of the 101 recall steps
    assert tally.curve().average_precision() == pytest.approx(np.full(10, 51 / 101))
    assert tally.curve().best()[:2] == (1.0, 0.5)


def test_nothing_found_is_zero_not_an_error() -> None:
    tally = ClassTally()
    tally.add(boxes((0, 0, 10, 10)), boxes(), scores())
    assert tally.curve().average_precision().max() == 0
    assert tally.curve().at(0.5) == (0.0, 0.0)
    assert tally.image_recall(0.2) == 0.0
    assert tally.image_false_rate(0.2) is None


def test_image_rates_count_images_not_boxes() -> None:
    tally = ClassTally()
    tally.add(boxes((0, 0, 9, 9)), boxes((50, 50, 60, 60), (70, 70, 80, 80)), scores(0.9, 0.8))  # seen, box elsewhere
    tally.add(boxes((0, 0, 9, 9)), boxes(), scores())
    tally.add(boxes(), boxes((0, 0, 9, 9)), scores(0.4))
    tally.add(boxes(), boxes(), scores())
    assert tally.image_recall(0.5) == 0.5
    assert tally.image_false_rate(0.5) == 0.0
    assert tally.image_false_rate(0.3) == 0.5


def test_chosen_threshold_keeps_false_reports_below_what_is_allowed() -> None:
    tally = ClassTally()
    for value in (0.3, 0.5, 0.9):
        tally.add(boxes((0, 0, 9, 9)), boxes((0, 0, 9, 9)), scores(value))
    for value in np.linspace(0.01, 0.4, 40):
        tally.add(boxes(), boxes((0, 0, 9, 9)), scores(float(value)))
    threshold = choose_threshold(tally, allowed=0.05)
    assert (tally.image_false_rate(threshold) or 0.0) <= 0.05
    assert (tally.image_false_rate(threshold - 0.02) or 0.0) > 0.05


def test_poisson_bound_of_no_event_is_the_rule_of_three() -> None:
    assert poisson_upper(0, 1.0) == pytest.approx(2.996, abs=0.001)
    assert poisson_upper(0, 0.0) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(5, 40), st.integers(5, 40)),
        min_size=1,
        max_size=6,
    )
)
def test_perfect_detections_score_one(raw: list[tuple[int, int, int, int]]) -> None:
    unique = sorted(set(raw))
    truth = boxes(*[(x, y, x + w, y + h) for x, y, w, h in unique])
    tally = ClassTally()
    tally.add(truth, truth, np.linspace(0.9, 0.5, len(truth)).astype(np.float32))
    assert tally.curve().average_precision() == pytest.approx(np.ones(10))
