from __future__ import annotations

import numpy as np

from semicoupled.tasks.driving.formats.timed import interpolate, nearest_word

TIMES = np.array([0.0, 1.0, 2.0, 9.0, 10.0])
VALUES = np.array([0.0, 2.0, np.nan, 4.0, 6.0])


def test_values_lie_on_the_line_between_the_two_around():
    at = np.array([0.0, 0.25, 1.0, 9.5, 10.0])
    np.testing.assert_allclose(interpolate(TIMES, VALUES, at, 1.5), [0, 0.5, 2, 5, 6])


def test_nothing_is_made_up():
    # before, beside a missing value, in a gap, behind
    at = np.array([-0.5, 1.5, 2.0, 5.0, 8.0, 10.5])
    assert np.isnan(interpolate(TIMES, VALUES, at, 1.5)).all()
    known = np.array([0.0, 2.0, 3.0, 10.0, 6.0])
    assert np.isnan(interpolate(TIMES, known, np.array([5.0]), 1.5)).all()
    np.testing.assert_allclose(interpolate(TIMES, known, np.array([5.0]), 7.0), [6.0])


def test_a_hair_outside_is_inside():
    np.testing.assert_allclose(interpolate(TIMES, VALUES, np.array([-0.0005, 10.0005]), 1.5), [0, 6])


def test_nearest_word():
    assert nearest_word(TIMES, "abcde", np.array([-3, 0.4, 0.6, 5.4, 5.6, 99])) == ("a", "a", "b", "c", "d", "e")
