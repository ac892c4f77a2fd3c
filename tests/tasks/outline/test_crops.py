"""Windows around boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semicoupled.errors import DataError
from semicoupled.tasks.outline.crops import Box, box_of, cut_out, window_of
from semicoupled.tasks.outline.geometry.window import Window

boxes = st.builds(Box, st.floats(-50, 500), st.floats(-50, 500), st.floats(0, 300), st.floats(0, 300))


@settings(deadline=None)
@given(boxes, st.sampled_from(["stretch", "square"]))
def test_a_window_holds_the_box_with_its_context(box: Box, crop: str) -> None:
    window = window_of(box, crop)  # pyright: ignore[reportArgumentType]
    share = {"stretch": 0.10, "square": 0.15}[crop]
    longest = max(box.width, box.height)
    across, along = (longest, longest) if crop == "square" else (box.width, box.height)
    assert window.x <= box.x - share * box.width + 1e-6
    assert window.x + window.width >= box.x + box.width + share * box.width - 1e-6
    assert window.y <= box.y - share * box.height + 1e-6
    if min(box.width, box.height) > 4:  # rounded outward, to whole pixels
        assert across * (1 + 2 * share) <= window.width + 1e-6 <= across * (1 + 2 * share) + 2 + 1e-5
        assert along * (1 + 2 * share) <= window.height + 1e-6 <= along * (1 + 2 * share) + 2 + 1e-5


@settings(deadline=None)
@given(boxes)
def test_points_come_back_from_the_grid(box: Box) -> None:
    window = window_of(box)
    points = np.array([[box.x, box.y], [box.x + box.width, box.y + box.height]])
    inside = window.to_grid(points)
    assert (inside >= -1e-6).all()
    assert (inside <= 28 + 1e-6).all()
    np.testing.assert_allclose(window.to_image(inside), points, atol=1e-6)


def test_what_lies_beyond_the_image_is_black() -> None:
    image = np.full((20, 30, 3), 200, dtype=np.uint8)
    crop = cut_out(image, Window(-10, -5, 20, 20), 20)
    assert (crop[:5] == 0).all()
    assert (crop[:, :10] == 0).all()
    assert (crop[5:, 10:] == 200).all()
    assert not cut_out(image, Window(100, 100, 5, 5), 8).any()


def test_a_window_beyond_all_measure_is_refused_before_it_takes_memory() -> None:
    image = np.zeros((20, 30, 3), dtype=np.uint8)
    with pytest.raises(DataError, match=r"300000 x 200000 px; expected at most 4e\+08 pixels.*which has 30 x 20\?"):
        cut_out(image, Window(-10, -10, 300_000, 200_000), 8)


def test_a_cell_of_the_crop_is_the_cell_of_the_grid() -> None:
    image = np.zeros((64, 64, 3), dtype=np.uint8)
    image[40:44, 20:24] = 255
    window = Window(8, 8, 56, 56)
    crop = cut_out(image, window, 224)
    x, y = window.to_grid(np.array([[22.0, 42.0]]))[0]
    ys, xs = np.nonzero(crop[..., 0] > 128)
    np.testing.assert_allclose([xs.mean() + 0.5, ys.mean() + 0.5], [x * 8, y * 8], atol=0.6)


@pytest.mark.parametrize("box", [Box(0, 0, -1, 4), Box(float("nan"), 0, 1, 1)])
def test_no_box_is_refused(box: Box) -> None:
    with pytest.raises(DataError, match="expected x, y, width and height"):
        window_of(box)


def test_an_unknown_crop_is_refused() -> None:
    with pytest.raises(DataError, match=r"'strech'\. Did you mean 'stretch'"):
        window_of(Box(0, 0, 5, 5), "strech")  # pyright: ignore[reportArgumentType]
    with pytest.raises(DataError, match="no points"):
        box_of(np.empty((0, 2)))
