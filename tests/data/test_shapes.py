"""Generated clips: pure functions of (seed, index), with the shapes, directions and flow that they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semicoupled.data.shapes import (
    DIRECTIONS,
    SEEN,
    SHAPES,
    UNSEEN,
    ClipSettings,
    disordered,
    generator,
    moving_shape,
    signed_distance,
)
from semicoupled.errors import SettingsError

QUIET = ClipSettings(noise=0.0)


@given(st.integers(0, 2**32), st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_the_same_key_gives_the_same_clip(seed: int, index: int) -> None:
    one, other = moving_shape(seed, index), moving_shape(seed, index)
    assert np.array_equal(one.frames, other.frames)
    assert one[2:] == other[2:]
    assert not np.array_equal(one.frames, moving_shape(seed, index + 1).frames)
    assert not np.array_equal(one.frames, moving_shape(seed + 1, index).frames)


def test_numbers_stay_what_they_are() -> None:
    """A change of the generator would silently change every reported figure."""
    clip = moving_shape(0, 0)
    assert clip.frames.shape == (8, 1, 32, 32)
    assert clip.frames.dtype == clip.flow.dtype == np.float32
    assert (SHAPES[clip.shape], DIRECTIONS[clip.direction]) == ("triangle", "E")
    assert float(clip.frames.sum()) == pytest.approx(299.7215, rel=1e-4)


def test_training_shapes_and_unseen_ones_are_apart() -> None:
    seen = {SHAPES[moving_shape(3, index).shape] for index in range(60)}
    unseen = {SHAPES[moving_shape(3, index, UNSEEN).shape] for index in range(60)}
    assert seen == set(SEEN)
    assert unseen == set(UNSEEN)


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_lie_within_their_radius_and_reach_it(name: str) -> None:
    grid = np.arange(-20, 20, 0.25, dtype=np.float32)
    for rotation in (0.0, 0.7, 2.0):
        inside = signed_distance(name, grid[None, :], grid[:, None], 10.0, rotation) < 0
        reach = np.hypot(grid[None, :], grid[:, None])[inside].max()
        assert 9.5 < reach < 10.1


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("triangle", 3 * np.sqrt(3) / 4),
        ("square", 2.0),
        ("pentagon", 5 / 2 * np.sin(np.radians(72))),
        ("disc", np.pi),
        ("star", 1.12257),
        ("cross", 4 * 0.34 * np.sqrt(1 - 0.34**2) * 2 - 4 * 0.34**2),
    ],
)
def test_areas(name: str, area: float) -> None:
    """The known area of each shape of radius 1, so that a star is a star."""
    grid = (np.arange(-600, 600, dtype=np.float32) + 0.5) / 500
    inside = signed_distance(name, grid[None, :], grid[:, None], 1.0, 0.4) < 0
    assert inside.sum() / 500**2 == pytest.approx(area, rel=2e-3)


@pytest.mark.parametrize("wrap", [True, False])
def test_the_shape_moves_as_its_flow_says(wrap: bool) -> None:
    """Each frame is the one before, moved by the flow on the shape (bilinear, so only nearly)."""
    looks = ClipSettings(noise=0.0, speed=(1.0, 1.0), contrast=(1.0, 1.0), wrap=wrap)
    checked = 0
    for index in range(60):
        clip = moving_shape(1, index, settings=looks)
        dx, dy = round(np.cos(clip.direction * np.pi / 4), 3), round(-np.sin(clip.direction * np.pi / 4), 3)
        on = clip.frames[0, 0] != 0
        full = np.abs(clip.frames[:, 0]) == np.abs(clip.frames).max()
        assert clip.flow[:, 0][full] == pytest.approx(dx, abs=2e-3)
        assert clip.flow[:, 1][full] == pytest.approx(dy, abs=2e-3)
        if clip.direction % 2 == 0:  # whole pixels: exactly the frame before, moved
            moved = np.roll(clip.frames[:-1, 0], (round(dy), round(dx)), axis=(1, 2))
            assert np.allclose(clip.frames[1:, 0], moved, atol=1e-4)
            checked += 1
        assert on.any()
    assert checked > 10


def test_without_wrapping_the_shape_stays_inside() -> None:
    looks = ClipSettings(noise=0.0, speed=(1.0, 1.5), radius=(5.0, 8.0), wrap=False)
    for index in range(40):
        frames = moving_shape(2, index, settings=looks).frames[:, 0]
        border = np.concatenate([frames[:, 0], frames[:, -1], frames[:, :, 0], frames[:, :, -1]], axis=1)
        assert np.abs(border).max() < 0.6  # a soft edge may touch it
        areas = np.abs(frames).sum((1, 2))
        assert areas == pytest.approx(areas[0], rel=0.02)


def test_a_single_frame_says_nothing_about_the_direction() -> None:
    """On the torus the start is independent of the direction: mean frames of all directions agree."""
    sums = {direction: [] for direction in range(8)}
    for index in range(1500):
        clip = moving_shape(4, index, settings=QUIET)
        sums[clip.direction].append(np.abs(clip.frames[0, 0]))
    means = np.array([np.mean(frames, 0).reshape(4, 8, 4, 8).mean((1, 3)) for frames in sums.values()])
    assert np.ptp(means, axis=0).max() < 0.12


def test_disordered_frames_are_the_same_frames() -> None:
    frames = moving_shape(0, 5).frames
    mixed = disordered(frames, 1, 5)
    assert not np.array_equal(mixed, frames)
    assert sorted(frame.tobytes() for frame in mixed) == sorted(frame.tobytes() for frame in frames)
    assert np.array_equal(mixed, disordered(frames, 1, 5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generator(-1, 0), "0 or more, got -1 and 0"),
        (lambda: signed_distance("sqare", np.zeros(1), np.zeros(1), 1.0, 0.0), "Did you mean 'square'"),
        (lambda: ClipSettings(size=4), "size >= 8"),
        (lambda: ClipSettings(radius=(5.0, 16.0)), "at most 15 px, got 16"),
    ],
)
def test_refuses(call, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        call()
