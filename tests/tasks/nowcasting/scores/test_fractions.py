from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semicoupled.tasks.nowcasting.scores.fractions import window_counts, window_pixels, window_sums
from semicoupled.tasks.nowcasting.scores.metrics import Truth, merge

SIDES = (1, 3, 7, 41)


def fields(seed: int, margin: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = rng.uniform(0, 40, (2, 2, 31, 40))
    if margin:
        inner = np.zeros(made.shape)
        inner[..., margin:-margin, margin:-margin] = made[..., margin:-margin, margin:-margin]
        return inner[0], inner[1]
    return made[0], made[1]


def fss(forecast: np.ndarray, observed: np.ndarray, threshold: float, side: int) -> float:
    counted = Truth(observed, np.ones(observed.shape, bool), (threshold,), (side,)).count(forecast)
    return float(counted.pooled().fractions()["fss"][0, 0])


@pytest.mark.parametrize("side", SIDES)
def test_the_score_is_that_of_pysteps(side: int):
    oracle = pytest.importorskip("pysteps.verification.spatialscores")
    sums = oracle.fss_init(25.0, side)
    parts = []
    for seed in range(3):
        forecast, observed = fields(seed)
        for one, other in zip(forecast, observed, strict=True):
            oracle.fss_accum(sums, one, other)
        parts.append(Truth(observed, np.ones(observed.shape, bool), (25.0,), (side,)).count(forecast))
    assert merge(parts).pooled().fractions()["fss"][0, 0] == pytest.approx(oracle.fss_compute(sums), abs=1e-12)


@pytest.mark.parametrize("side", SIDES[:-1])
def test_the_score_is_that_of_the_scores_package(side: int):
    """Away from the edge: `scores` either leaves windows out that cross it, or pads more than we do."""
    spatial = pytest.importorskip("scores.spatial")
    forecast, observed = fields(0, margin=side)
    theirs = spatial.fss_2d_single_field(
        forecast[0], observed[0], event_threshold=25.0, window_size=(side, side), threshold_operator=np.greater_equal
    )
    assert fss(forecast[:1], observed[:1], 25.0, side) == pytest.approx(float(theirs), abs=1e-12)


def test_a_window_is_counted_by_hand():
    events = np.zeros((5, 6), bool)
    events[0, 0] = events[1, 1] = events[4, 5] = True
    counts = window_counts(events, 3)
    assert counts[0].tolist() == [2, 2, 1, 0, 0, 0]
    assert counts[4].tolist() == [0, 0, 0, 0, 1, 1]


@given(st.integers(0, 2**20 - 1), st.integers(0, 2**20 - 1))
@settings(max_examples=60, deadline=None)
def test_the_score_lies_between_0_and_1_and_is_symmetric(one: int, other: int):
    said, seen = (np.array([bits >> bit & 1 for bit in range(20)], bool).reshape(4, 5) for bits in (one, other))
    error, rain = window_sums(said, seen, SIDES)
    assert ((error >= 0) & (error <= rain)).all()
    for found, wanted in zip(window_sums(seen, said, SIDES), (error, rain), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert (window_sums(said, said, SIDES)[0] == 0).all()


def test_a_near_miss_is_forgiven_by_wide_windows_alone():
    observed, forecast = np.zeros((2, 1, 40, 40))
    observed[0, 10:14, 10:14], forecast[0, 10:14, 16:20] = 30, 30
    scores = [fss(forecast, observed, 15.0, side) for side in (1, 7, 15, 31)]
    assert scores[0] == 0
    assert np.all(np.diff(scores) > 0)


def test_pixels_that_do_not_count_hold_no_rain():
    forecast, observed = fields(1)
    counts = np.random.default_rng(2).random(observed.shape) < 0.7
    ours = Truth(observed, counts, (25.0,), (7,)).count(forecast).pooled().fractions()["fss"]
    dry = Truth(observed * counts, np.ones_like(counts), (25.0,), (7,)).count(forecast * counts).pooled().fractions()
    assert ours == dry["fss"]


@pytest.mark.parametrize(("kilometers", "pixels"), [(1, 11), (2, 5), (5, 3), (10, 1), (50, 1)])
def test_windows_are_the_nearest_odd_number_of_pixels(kilometers: float, pixels: int):
    assert window_pixels(10.0, kilometers) == pixels


def test_nothing_forecast_and_nothing_seen_is_undefined():
    dry = np.zeros((1, 4, 4))
    assert np.isnan(fss(dry, dry, 15.0, 3))
    assert fss(dry + 20, dry, 15.0, 3) == 0
