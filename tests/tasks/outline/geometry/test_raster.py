"""Drawing polygons and tracing masks are each other's inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from semicoupled.errors import DataError
from semicoupled.tasks.outline.formats import rle
from semicoupled.tasks.outline.geometry.polygons import signed_area
from semicoupled.tasks.outline.geometry.raster import bounds, covered, rasterize
from semicoupled.tasks.outline.geometry.trace import trace
from semicoupled.tasks.outline.geometry.window import Window

masks = hnp.arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@settings(deadline=None)
@given(masks)
def test_a_traced_mask_is_drawn_again_pixel_by_pixel(mask: np.ndarray) -> None:
    parts = trace(mask)
    height, width = mask.shape
    np.testing.assert_array_equal(covered([part.polygons for part in parts], Window(0, 0, width, height)), mask)
    for part in parts:
        assert all(signed_area(polygon) > 0 for polygon in part.polygons)


def test_a_ring_has_a_hole_and_corners_do_not_connect() -> None:
    ring = np.ones((5, 5), dtype=bool)
    ring[1:4, 1:4] = False
    ring[2, 2] = True
    parts = trace(ring)
    assert sorted((len(part.outline), len(part.holes)) for part in parts) == [(4, 0), (4, 1)]
    assert len(trace(np.eye(3, dtype=bool))) == 3


def test_a_pixel_is_inside_if_its_center_is() -> None:
    square = np.array([[1.5, 1.5], [3.5, 1.5], [3.5, 3.5], [1.5, 3.5]])
    drawn = rasterize([square], Window(0, 0, 5, 5))
    assert drawn.sum() == 4  # of centers on the border those above and to the left count
    assert drawn[1:3, 1:3].all()
    assert rasterize([square - 0.01], Window(0, 0, 5, 5)).sum() == 4
    assert rasterize([square + 100], Window(100, 100, 5, 5)).sum() == 4
    assert bounds([square]) == Window(1, 1, 3, 3)
    assert bounds([square], (2, 3)) == Window(1, 1, 1, 2)


def test_parts_may_overlap_and_holes_are_cut_out() -> None:
    square = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]])
    inner = square / 2 + 1
    region = Window(0, 0, 6, 6)
    assert covered([[square], [square + 1]], region).sum() == 16 + 16 - 9
    assert covered([[square, inner]], region).sum() == 16 - 4


@settings(deadline=None)
@given(masks)
def test_run_lengths_give_the_mask_again_also_as_text(mask: np.ndarray) -> None:
    counts = rle.encode(mask)
    assert rle.from_text(rle.to_text(counts)) == counts
    np.testing.assert_array_equal(rle.decode(counts, *mask.shape), mask)
    np.testing.assert_array_equal(rle.decode(rle.to_text(counts), *mask.shape), mask)


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**20), max_size=12))
def test_any_counts_survive_the_text(counts: list[int]) -> None:
    assert rle.from_text(rle.to_text(counts)) == counts


def test_run_lengths_by_hand() -> None:
    mask = np.zeros((3, 4), dtype=bool)
    mask[1:, 1] = True
    assert rle.encode(mask) == [4, 2, 6]  # column by column
    assert rle.to_text([4, 2, 6]) == "426"
    assert rle.to_text([100]) == "T3"
    with pytest.raises(DataError, match="add up to 11; expected 12"):
        rle.decode([4, 2, 5], 3, 4)
    with pytest.raises(DataError, match="ends within a number"):
        rle.from_text("T")
    with pytest.raises(DataError, match="character"):
        rle.from_text("~")
