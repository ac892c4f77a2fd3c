"""The half-second mean: against two loops, with gaps in time, missing labels and ends."""

from __future__ import annotations

import numpy as np
import pytest
from tests.tasks.driving.answered import slow_smooth

from semicoupled.tasks.driving.smoothing import smooth


def test_it_is_the_mean_of_two_loops() -> None:
    random = np.random.default_rng(0)
    times = 1.6e9 + np.cumsum(random.uniform(0.02, 0.2, 300))
    values = 400 + 30 * random.normal(size=300)
    values[random.random(300) < 0.1] = np.nan
    for seconds in (0.0, 0.1, 0.5, 3.0):
        expected = slow_smooth(values, times, seconds)
        assert smooth(values, times, seconds) == pytest.approx(expected, rel=1e-12, abs=0, nan_ok=True)


def test_both_ends_of_the_window_belong_to_it() -> None:
    times = np.arange(9) / 20
    found = smooth(np.eye(9)[4], times, 0.3)  # .15 s to each side: 7 frames of 20 a second
    assert found.tolist() == pytest.approx([0, 1 / 5, 1 / 6, 1 / 7, 1 / 7, 1 / 7, 1 / 6, 1 / 5, 0])


def test_a_missing_label_is_left_out_and_stays_missing() -> None:
    values = np.array([1.0, np.nan, 3.0])
    assert smooth(values, np.arange(3.0), 2.0) == pytest.approx([1.0, np.nan, 3.0], nan_ok=True)
    assert np.isnan(smooth(np.full(3, np.nan), np.arange(3.0), 2.0)).all()


def test_no_window_changes_nothing() -> None:
    values = np.array([1.0, 5.0, 2.0])
    assert smooth(values, np.arange(3) * 1e-9, 0.0).tolist() == pytest.approx([1.0, 5.0, 2.0], rel=1e-15)
