from __future__ import annotations

import cv2
import numpy as np
import pytest

from semicoupled.tasks.nowcasting.scores.calibrating import (
    LEAST_SLOPE,
    LevelCounts,
    count_levels,
    fit,
    fit_logistic,
    folds,
    merge_levels,
)
from semicoupled.tasks.nowcasting.scores.probability import LEVELS, Calibration, Neighborhood, exceedance, share_levels

AROUND = Neighborhood()


def test_true_parameters_are_found():
    pixels = np.full(len(LEVELS), 2e5)
    truth = 1 / (1 + np.exp(-(-0.7 + 0.6 * LEVELS)))
    assert fit_logistic(pixels, pixels * truth) == pytest.approx((-0.7, 0.6), abs=1e-4)


def test_no_other_parameters_have_a_lower_log_loss():
    rng = np.random.default_rng(0)
    pixels = rng.integers(1, 500, len(LEVELS)).astype(float)
    events = rng.binomial(pixels.astype(int), 1 / (1 + np.exp(-(0.4 + 3 * np.tanh(LEVELS)))))

    def loss(a: float, b: float) -> float:
        logit = a + b * LEVELS
        return float((pixels * np.logaddexp(0, logit) - events * logit).sum() + (a**2 + (b - 1) ** 2) / 2)

    a, b = fit_logistic(pixels, events)
    for step in ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)):
        assert loss(a, b) < loss(a + step[0], b + step[1])


def test_more_rain_never_means_less_even_if_it_did():
    pixels = np.full(len(LEVELS), 100.0)
    falling = 1 / (1 + np.exp(0.5 * LEVELS))
    a, b = fit_logistic(pixels, pixels * falling)
    assert b == LEAST_SLOPE
    assert a == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_it_never_or_always_rained_parameters_stay_finite(share: float):
    pixels = np.full(len(LEVELS), 1e7)
    a, b = fit_logistic(pixels, share * pixels)
    assert np.isfinite([a, b]).all()
    said = 1 / (1 + np.exp(-(a + b * LEVELS)))
    assert np.abs(said - share).max() < 1e-3


def test_of_nothing_shares_are_taken_for_probabilities():
    assert fit_logistic(np.zeros(len(LEVELS)), np.zeros(len(LEVELS))) == (0.0, 1.0)


def test_pixels_are_counted_by_their_level_where_they_count():
    rng = np.random.default_rng(1)
    forecast, observed = rng.uniform(0, 40, (2, 2, 20, 30)).astype(np.float32)
    counts = rng.random(forecast.shape) < 0.8
    observed[:, :3], forecast[0, 5] = np.nan, np.nan
    found = count_levels(forecast, observed, counts, (15.0, 30.0), 2.0, (5.0, 10.0), AROUND)
    levels = share_levels(forecast, (15.0, 30.0), AROUND, 2.0, (5.0, 10.0))
    there = counts & ~np.isnan(observed) & ~np.isnan(forecast)
    assert found.pixels.sum((0, 3)).tolist() == [[there[lead].sum()] * 2 for lead in range(2)]
    level = levels[1, 0, 10, 10]
    assert found.pixels[0, 0, 1, level] == (there[0] & (levels[1, 0] == level)).sum()
    assert found.events[0, 0, 1, level] == (there[0] & (levels[1, 0] == level) & (observed[0] >= 30)).sum()


def test_a_calibration_says_how_often_it_rained():
    """It rains as a hidden calibration says; the one that is fitted to the rain says the same of other forecasts."""
    rng = np.random.default_rng(2)
    hidden = Calibration((15.0,), (5.0,), ((-0.8,),), ((0.6,),), AROUND)

    def forecast() -> np.ndarray:
        return cv2.GaussianBlur(rng.normal(15, 60, (60, 70)), (0, 0), 3)[None].astype(np.float32)

    parts = []
    for given in (forecast() for _ in range(60)):
        rain = rng.random(given.shape) < exceedance(given, hidden, 1.0, 5.0)[0]
        parts.append(count_levels(given, 40.0 * rain, np.ones(given.shape, bool), (15.0,), 1.0, (5.0,), AROUND))
    found = fit(merge_levels(parts), (15.0,), (5.0,), AROUND)
    other = forecast()
    np.testing.assert_allclose(exceedance(other, found, 1.0, 5.0), exceedance(other, hidden, 1.0, 5.0), atol=0.01)
    shares = Calibration((15.0,), (5.0,), ((0.0,),), ((1.0,),), AROUND)
    assert np.abs(exceedance(other, shares, 1.0, 5.0) - exceedance(other, hidden, 1.0, 5.0)).max() > 0.1


def test_events_are_scored_with_what_the_others_say():
    parts = folds(["a", "a", "b", "c", "c"], apart=6)
    assert [fold.scored.tolist() for fold in parts][1] == [False, False, True, False, False]
    assert all((fold.scored ^ fold.fitted).all() for fold in parts)


def test_one_event_is_parted_in_time_and_neighbors_are_left_out():
    early, late = folds(["a"] * 20, apart=3)
    assert np.flatnonzero(early.scored).tolist() == list(range(10))
    assert np.flatnonzero(early.fitted).tolist() == list(range(13, 20))
    assert np.flatnonzero(late.fitted).tolist() == list(range(7))
    assert (early.scored ^ late.scored).all()
    few = folds(["a"] * 3, apart=6)
    assert not any((fold.scored & fold.fitted).any() for fold in few)
    alone = folds(["a"], apart=6)
    assert not any((fold.scored & fold.fitted).any() for fold in alone)


def test_only_the_chosen_starts_are_fitted_on():
    pixels = np.zeros((2, 1, 1, len(LEVELS)), np.int32)
    pixels[:] = 1000
    events = (pixels / (1 + np.exp(-LEVELS))).astype(np.int32)
    events[1] = 0
    first = fit(LevelCounts(pixels, events), (15.0,), (5.0,), AROUND, np.array([True, False]))
    assert first.slope[0][0] == pytest.approx(1, abs=0.02)
    assert first.intercept[0][0] == pytest.approx(0, abs=0.02)
