from __future__ import annotations

import numpy as np
import pytest

from semicoupled.data.flow import flip_flow, optical_flow, resize_flow, rotate_flow
from semicoupled.errors import ShapeError


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A smooth random image from 0 to 1."""
    image = np.random.default_rng(seed).random((height, width))
    for axis in (0, 1):
        for _ in range(4):
            image = (np.roll(image, 1, axis) + image + np.roll(image, -1, axis)) / 3
    return ((image - image.min()) / np.ptp(image)).astype(np.float32)


def shifted(dx: int, dy: int, height: int = 96, width: int = 80) -> tuple[np.ndarray, np.ndarray]:
    whole = texture(height + 20, width + 20)
    return whole[10 : 10 + height, 10 : 10 + width], whole[10 - dy : 10 - dy + height, 10 - dx : 10 - dx + width]


def middle(flow: np.ndarray) -> np.ndarray:
    return np.median(flow[:, 20:-20, 20:-20], axis=(1, 2))


@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (-3, 0), (0, 4), (0, -4), (2, -3)])
def test_flow_has_the_sign_and_the_length_of_the_motion(dx: int, dy: int):
    flow = optical_flow(*shifted(dx, dy))
    assert flow.shape == (2, 96, 80)
    assert flow.dtype == np.float32
    np.testing.assert_allclose(middle(flow), (dx, dy), atol=0.2)


def test_missing_pixels_and_empty_images_give_finite_flow():
    before, after = shifted(2, 1)
    before, after = before.copy(), after.copy()
    before[:30], after[:30] = np.nan, np.nan
    assert np.isfinite(optical_flow(before, after)).all()
    empty = np.zeros((40, 50), np.float32)
    assert (optical_flow(empty, empty) == 0).all()
    assert (optical_flow(np.full((40, 50), np.nan), empty) == 0).all()


def test_any_size_has_a_flow():
    for shape in [(1, 1), (5, 40), (17, 9)]:
        flow = optical_flow(texture(*shape) if min(shape) > 1 else np.ones(shape), np.zeros(shape))
        assert flow.shape == (2, *shape)


def test_images_of_two_sizes_are_refused():
    with pytest.raises(ShapeError, match=r"two images H W of one size, got \(4, 5\) and \(5, 4\)"):
        optical_flow(np.zeros((4, 5)), np.zeros((5, 4)))


@pytest.mark.parametrize("horizontal", [False, True])
@pytest.mark.parametrize("vertical", [False, True])
def test_a_mirrored_flow_is_the_flow_of_the_mirrored_images(horizontal: bool, vertical: bool):
    def mirror(image: np.ndarray) -> np.ndarray:
        image = image[:, ::-1] if horizontal else image
        return image[::-1] if vertical else image

    before, after = shifted(3, -2)
    mirrored = flip_flow(optical_flow(before, after), horizontal=horizontal, vertical=vertical)
    np.testing.assert_allclose(middle(mirrored), middle(optical_flow(mirror(before), mirror(after))), atol=0.1)
    np.testing.assert_allclose(middle(mirrored), (-3 if horizontal else 3, 2 if vertical else -2), atol=0.2)


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5])
def test_a_turned_flow_is_the_flow_of_the_turned_images(turns: int):
    before, after = shifted(3, 1)
    turned = rotate_flow(optical_flow(before, after), turns)
    expected = optical_flow(np.rot90(before, turns).copy(), np.rot90(after, turns).copy())
    np.testing.assert_allclose(middle(turned), middle(expected), atol=0.1)


def test_four_quarter_turns_and_two_mirrors_change_nothing():
    flow = np.random.default_rng(0).standard_normal((3, 2, 5, 7))
    np.testing.assert_array_equal(rotate_flow(rotate_flow(flow, 3), 1), flow)
    np.testing.assert_array_equal(flip_flow(flip_flow(flow, horizontal=True), horizontal=True), flow)


def test_resizing_scales_lengths():
    flow = np.stack([np.full((10, 20), 2.0, np.float32), np.full((10, 20), 3.0, np.float32)])
    resized = resize_flow(flow, 20, 30)
    assert resized.shape == (2, 20, 30)
    np.testing.assert_allclose(resized[:, 5, 5], (3.0, 6.0))
