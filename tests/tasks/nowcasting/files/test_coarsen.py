from __future__ import annotations

import numpy as np
import pytest

from semicoupled.errors import SettingsError
from semicoupled.tasks.nowcasting.files.coarsen import coarsen
from semicoupled.tasks.nowcasting.grid import Grid
from semicoupled.tasks.nowcasting.units import dbz_to_rain

GRID = Grid(500.0, 1000.0, 5, -500.0, -1000.0, 3, 'GEOGCRS["x"]')


def test_no_water_is_lost():
    dbz = np.random.default_rng(0).uniform(10, 50, (8, 12)).astype(np.float32)
    np.testing.assert_allclose(dbz_to_rain(coarsen(dbz, 4)).mean(), dbz_to_rain(dbz).mean(), rtol=1e-4)


def test_a_factor_of_one_changes_nothing():
    dbz = np.array([[0, 12.5], [np.nan, 60]], np.float32)
    np.testing.assert_array_equal(coarsen(dbz, 1), dbz)


def test_missing_pixels_do_not_count_and_a_block_without_a_majority_is_missing():
    dbz = np.full((2, 6), 30.0, np.float32)
    dbz[0, 0] = np.nan  # one of four
    dbz[:, 2] = np.nan  # two of four
    dbz[:, 4], dbz[0, 5] = np.nan, np.nan  # three of four
    np.testing.assert_allclose(coarsen(dbz, 2), [[30, 30, np.nan]], rtol=1e-5)


def test_dry_pixels_count():
    assert coarsen(np.array([[40.0, 0], [0, 0]]), 2)[0, 0] == pytest.approx(40 - 16 * np.log10(4), abs=1e-3)


def test_odd_sizes_are_rounded_up_and_the_grid_follows():
    assert coarsen(np.zeros((3, 5)), 2).shape == (2, 3) == GRID.coarsened(2).shape
    coarse = GRID.coarsened(2)
    np.testing.assert_array_equal(coarse.x, [1000, 3000, 5000])
    np.testing.assert_array_equal(coarse.y, [-1000, -3000])
    assert GRID.coarsened(1) == GRID


def test_a_factor_below_one_is_refused():
    with pytest.raises(SettingsError, match="expected a whole number of pixels from 1, got 0"):
        coarsen(np.zeros((2, 2)), 0)
