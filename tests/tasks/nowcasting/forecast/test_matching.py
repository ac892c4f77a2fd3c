from __future__ import annotations

import numpy as np
import pytest

from semicoupled.tasks.nowcasting.forecast.matching import match_distribution


def test_the_pattern_stays_and_the_values_are_the_others():
    rng = np.random.default_rng(0)
    forecast, reference = rng.random((2, 3, 8, 9)).astype(np.float32)
    matched = match_distribution(forecast, 50 * reference)
    for before, after, wanted in zip(forecast, matched, 50 * reference, strict=True):
        np.testing.assert_array_equal(np.sort(after, axis=None), np.sort(wanted, axis=None))
        np.testing.assert_array_equal(np.argsort(after, axis=None), np.argsort(before, axis=None))


def test_a_faded_shower_comes_back_and_what_is_its_own_reference_stays():
    shower = np.zeros((1, 5, 5), np.float32)
    shower[0, 2, 1:4] = 10, 30, 20
    np.testing.assert_allclose(match_distribution(0.3 * shower, shower), shower)
    np.testing.assert_array_equal(match_distribution(shower, shower), shower)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 2.0), (0.5, 3.0), (1.0, 4.0)])
def test_part_of_the_way(share: float, expected: float):
    assert match_distribution(np.full((1, 1, 1), 2.0), np.full((1, 1, 1), 4.0), share).item() == expected


def test_missing_pixels_stay_out_of_it():
    forecast = np.array([[[1.0, np.nan, 3.0, 2.0]]])
    reference = np.array([[[30.0, 99.0, 10.0, np.nan]]])
    np.testing.assert_array_equal(match_distribution(forecast, reference), [[[10.0, np.nan, 30.0, 2.0]]])
    nothing = np.full((1, 2, 2), np.nan)
    np.testing.assert_array_equal(match_distribution(nothing, nothing), nothing)
