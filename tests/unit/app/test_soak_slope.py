"""The slope of the soak: what it says of memory that grows, and that its interval holds what is true."""

from __future__ import annotations

import numpy as np
import pytest

from bench.soak import slope_of

HOURS = np.arange(0, 2, 5 / 3600)


@pytest.mark.parametrize("true", [0.0, 1.0, -3.0, 50.0])
def test_a_line_is_found(true: float) -> None:
    slope, low, high = slope_of(HOURS, 100 + true * HOURS)
    assert slope == pytest.approx(true, abs=1e-6)
    assert low <= slope <= high


def test_the_interval_holds_the_truth_for_samples_that_resemble_their_neighbours() -> None:
    chance, held = np.random.default_rng(1), 0
    for _ in range(200):
        noise = np.zeros(len(HOURS))
        for n in range(1, len(HOURS)):
            noise[n] = 0.8 * noise[n - 1] + chance.normal()
        _, low, high = slope_of(HOURS, 100 + 2 * HOURS + noise)
        held += low <= 2 <= high
    assert held >= 180


def test_samples_that_do_not_change_have_no_slope() -> None:
    assert slope_of(HOURS, np.full(len(HOURS), 80.0)) == pytest.approx((0, 0, 0))
