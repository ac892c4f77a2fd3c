"""One draw for all frames of a clip."""

from __future__ import annotations

import numpy as np
import pytest

from semicoupled.data.augment import NO_CHANGE, ClipDraw, Size, covering, draw_clip, place, recolor, resize
from semicoupled.data.augment_settings import AugmentSettings
from semicoupled.errors import SettingsError, ShapeError

ALL = AugmentSettings(zoom=1.3, aspect=1.2, shift=0.1, rotate=10, noise=0.05, tempo=1.2)


def noise(frames: int = 3, height: int = 20, width: int = 30, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, height, width, channels), dtype=np.uint8)


def drawn(seed: int, settings: AugmentSettings = ALL) -> ClipDraw:
    return draw_clip(settings, np.random.default_rng(seed))


def test_equal_numbers_give_equal_clips_and_others_others() -> None:
    frames = noise()
    one, same, other = (recolor(place(frames, drawn(s), Size(12, 16)), drawn(s)) for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


@pytest.mark.parametrize("seed", range(4))
def test_every_frame_gets_the_same(seed: int) -> None:
    still = np.repeat(noise(1), 4, 0)
    draw = drawn(seed)._replace(noise=0.0)
    frames = recolor(place(still, draw, Size(12, 16)), draw)
    assert all(np.array_equal(frames[0], frame) for frame in frames[1:])


def test_settings_at_rest_change_nothing() -> None:
    still = AugmentSettings(crop=False, flip=False, brightness=0, contrast=1, saturation=1)
    assert drawn(3, still)._replace(noise_seed=0) == NO_CHANGE
    frames = noise()
    assert np.array_equal(place(frames, NO_CHANGE, Size(20, 30)), frames)
    assert np.allclose(recolor(frames, NO_CHANGE), frames / 255, atol=1e-7)


def test_the_fast_crop_is_the_slow_one() -> None:
    frames = noise()
    for mirror in (False, True):
        draw = NO_CHANGE._replace(place=(0.25, 0.75), mirror=mirror)
        fast = place(frames, draw, Size(12, 14))
        slow = place(frames, draw._replace(angle=1e-9), Size(12, 14))
        assert np.abs(fast.astype(int) - slow).max() <= 1
        assert np.array_equal(fast, frames[:, 6:18, 4:18][:, :, ::-1] if mirror else frames[:, 6:18, 4:18])


def test_zoom_and_shift_move_what_is_seen() -> None:
    frames = np.zeros((1, 40, 40, 1), np.uint8)
    frames[0, 10, 10] = 255
    near = place(frames, NO_CHANGE._replace(scale=(0.5, 0.5), place=(0.0, 0.0)), Size(20, 20))  # from 4.75 px on
    assert np.unravel_index(near[0, ..., 0].argmax(), (20, 20)) == (10, 10)  # (10 - 4.75) * 2 = 10.5
    moved = place(frames, NO_CHANGE._replace(shift=(0.1, 0.0), place=(0.0, 0.0)), Size(20, 20))
    assert np.unravel_index(moved[0, ..., 0].argmax(), (20, 20)) == (10, 8)


def test_colors() -> None:
    frames = noise()
    gray = recolor(frames, NO_CHANGE._replace(saturation=1e-6))
    assert np.allclose(gray[..., 0], gray[..., 2], atol=1e-4)
    bright = recolor(np.full((1, 2, 2, 3), 100, np.uint8), NO_CHANGE._replace(brightness=0.1))
    assert np.allclose(bright, 100 / 255 + 0.1)


@pytest.mark.parametrize(
    ("image", "short", "size"),
    [((240, 320), 368, (368, 491)), ((480, 270), None, (199, 112)), ((50, 400), None, (112, 896))],
)
def test_the_size_that_covers(image: tuple[int, int], short: int | None, size: tuple[int, int]) -> None:
    assert covering(Size(*image), Size(112, 112), short) == size


def test_resizing_keeps_a_single_channel_and_the_mean() -> None:
    image = noise(1, 40, 60, 1)[0]
    small = resize(image, Size(10, 15))
    assert small.shape == (10, 15, 1)
    assert float(small.mean()) == pytest.approx(float(image.mean()), abs=0.6)


def test_what_is_no_clip_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"expected T H W C of uint8, got \(2, 3, 3\) of float64"):
        place(np.zeros((2, 3, 3)), NO_CHANGE, Size(2, 2))
    with pytest.raises(SettingsError, match=r"augment\.zoom: expected a factor of at least 1, got 0\.5"):
        AugmentSettings(zoom=0.5)
    with pytest.raises(SettingsError, match=r"augment\.noise: expected at least 0, got -1"):
        AugmentSettings(noise=-1)
