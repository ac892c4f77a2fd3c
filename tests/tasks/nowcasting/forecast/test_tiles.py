from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semicoupled.tasks.nowcasting.forecast.tiles import BLEND, cut_tiles


@given(st.integers(1, 400), st.integers(1, 400), st.integers(64, 200), st.integers(0, 50), st.sampled_from([1, 2, 4]))
def test_weights_add_up_to_one_in_every_pixel(height: int, width: int, side: int, halo: int, align: int):
    total = np.zeros((height, width), np.float64)
    for tile in cut_tiles((height, width), side, halo, align):
        total[tile.used] += tile.weight
        assert tile.computed[0].start % align == 0
        assert tile.computed[1].start % align == 0
        area = np.zeros((height, width))[tile.computed]
        assert area[tile.inside].shape == tile.weight.shape
        assert max(area.shape) <= 1.5 * side + 2 * (BLEND + halo) + align
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_a_field_no_larger_than_a_tile_is_left_whole():
    (tile,) = cut_tiles((64, 1), 64, 100, 4)
    assert tile.computed == tile.used == tile.inside == (slice(0, 64), slice(0, 1))
    assert (tile.weight == 1).all()


def test_what_counts_has_its_surroundings_on_all_sides():
    for tile in cut_tiles((300, 300), 100, 40, 4):
        for axis in (0, 1):
            assert tile.computed[axis].start <= max(0, tile.used[axis].start - 40)
            assert tile.computed[axis].stop >= min(300, tile.used[axis].stop + 40)
            assert tile.used[axis].start - tile.computed[axis].start == tile.inside[axis].start


def test_a_field_that_tiles_agree_on_comes_back():
    field = np.random.default_rng(0).random((250, 170)).astype(np.float32)
    made = np.zeros_like(field)
    for tile in cut_tiles(field.shape, 64, 10):
        made[tile.used] += tile.weight * field[tile.computed][tile.inside]
    assert made == pytest.approx(field, abs=1e-6)
