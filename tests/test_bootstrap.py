"""Draws: every part once, then as many as there are, in blocks; the interval holds the mean's known spread."""

from __future__ import annotations

import numpy as np
import pytest

from semicoupled.bootstrap import draws, interval


def test_the_first_row_counts_each_chosen_part_once() -> None:
    weights = draws(6, np.array([1, 2, 4]), resamples=50)
    assert weights.shape == (51, 6)
    assert weights[0].tolist() == [0, 1, 1, 0, 1, 0]
    assert (weights.sum(1) == 3).all()
    assert (weights[:, [0, 3, 5]] == 0).all()
    assert (weights == draws(6, np.array([1, 2, 4]), resamples=50)).all()


def test_neighbors_are_drawn_together() -> None:
    weights = draws(100, np.arange(100), block=10, resamples=20)[1:]
    changes = (np.diff(weights, axis=1) != 0).sum(1)
    assert changes.max() <= 20  # ten blocks have twenty ends; single draws change about 60 times
    single = draws(100, np.arange(100), resamples=20)[1:]
    assert (np.diff(single, axis=1) != 0).sum(1).min() > 30


def test_a_single_part_is_not_drawn() -> None:
    assert draws(3, np.array([2])).tolist() == [[0, 0, 1]]
    assert interval(np.empty(0)) is None
    assert interval(np.array([np.nan, np.nan])) is None


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(1).normal(size=400)
    weights = draws(400, np.arange(400), resamples=2000)[1:]
    found = interval(weights @ values / weights.sum(1))
    assert found is not None
    reach = 1.6449 * values.std() / 20
    assert found == pytest.approx((values.mean() - reach, values.mean() + reach), abs=0.012)
