from __future__ import annotations

import numpy as np
import pytest
import torch

from semicoupled.errors import ShapeError
from semicoupled.tasks.nowcasting.extrapolation.advection import carry, departures, is_inside, sample
from semicoupled.tasks.nowcasting.extrapolation.baselines import (
    BASELINES,
    advect,
    advection,
    advection_blur,
    persistence,
)
from semicoupled.tasks.nowcasting.extrapolation.motion import estimate_motion

WIND = (3.0, -2.0)


def showers(frames: int, height: int = 90, width: int = 100) -> np.ndarray:
    """Round showers that all move by WIND pixels a frame."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:height, :width].astype(float)
    fields = []
    centers = rng.uniform((10, 5), (height, width - 40), size=(12, 2))
    for frame in range(frames):
        field = np.zeros((height, width))
        for (row, column), size in zip(centers, np.linspace(4, 9, 12), strict=True):
            distance = np.hypot(y - row - WIND[1] * frame, x - column - WIND[0] * frame)
            field = np.maximum(field, 45 * np.exp(-((distance / size) ** 2)))
        fields.append(field)
    return np.stack(fields).astype(np.float32)


def test_departures_look_back_along_a_constant_wind():
    motion = torch.tensor(WIND)[None, :, None, None].expand(1, 2, 5, 6)
    points = departures(motion, 3)
    assert points.shape == (1, 3, 2, 5, 6)
    assert points[0, 2, :, 4, 5].tolist() == [5 - 9, 4 + 6]


def test_sampling_at_the_pixels_themselves_changes_nothing_and_halves_are_means():
    field = torch.rand(1, 2, 4, 7)
    points = departures(torch.zeros(1, 2, 4, 7), 1)[:, 0]
    torch.testing.assert_close(sample(field, points), field)
    torch.testing.assert_close(sample(field, points + 0.5)[0, 0, 1, 2], field[0, 0, 1:3, 2:4].mean())


def test_what_flows_in_from_outside_or_from_missing_pixels_is_missing():
    field = torch.ones(1, 1, 4, 6)
    field[..., 2] = torch.nan
    motion = torch.zeros(1, 2, 4, 6)
    motion[:, 0] = 1.0
    points = departures(motion, 1)[:, 0]
    arrived = carry(field, points)
    assert arrived[0, 0, 0].isnan().tolist() == [True, False, False, True, False, False]
    assert is_inside(points, 4, 6)[0, 0].tolist() == [False, True, True, True, True, True]
    assert (arrived[~arrived.isnan()] == 1).all()  # neighbors of missing pixels are not dimmed


def test_motion_is_found_and_reaches_dry_ground():
    motion = estimate_motion(showers(5), 1.0)
    assert motion.shape == (2, 90, 100)
    np.testing.assert_allclose(np.median(motion, axis=(1, 2)), WIND, atol=0.15)
    np.testing.assert_allclose(motion[:, 45, -5], WIND, atol=0.6)


@pytest.mark.parametrize("fill", [0.0, np.nan, 20.0])
def test_nothing_to_see_moves_nothing(fill: float):
    assert (estimate_motion(np.full((5, 30, 40), fill), 1.0) == 0).all()


def test_one_frame_shows_no_motion():
    with pytest.raises(ShapeError, match=r"at least two frames T H W, got shape \(1, 3, 3\)"):
        estimate_motion(np.zeros((1, 3, 3)), 1.0)


def test_advection_foresees_a_constant_wind_and_beats_persistence():
    frames = showers(11)
    inner = (slice(None), slice(25, -25), slice(25, -25))
    error = {
        name: np.mean((forecast(frames[:5], 6, 1.0) - frames[5:])[inner] ** 2) for name, forecast in BASELINES.items()
    }
    assert error["advection"] < 0.03 * error["persistence"]
    assert error["advection"] < error["advection_blur"] < error["persistence"]


@pytest.mark.parametrize("name", BASELINES)
def test_forecasts_are_missing_where_the_last_frame_is_and_nowhere_else(name: str):
    frames = showers(5, 40, 50)
    frames[:, :, :12] = np.nan
    forecast = BASELINES[name](frames, 4, 1.0)
    assert forecast.shape == (4, 40, 50)
    np.testing.assert_array_equal(np.isnan(forecast), np.broadcast_to(np.isnan(frames[-1]), forecast.shape))
    assert np.nanmin(forecast) >= 0
    assert np.nanmax(forecast) <= 60


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 50), (17, 23)])
@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_empty_and_odd_fields_never_fail(name: str, height: int, width: int, fill: float):
    forecast = BASELINES[name](np.full((5, height, width), fill, np.float32), 2, 1.0)
    np.testing.assert_array_equal(forecast, np.full((2, height, width), fill))


def test_persistence_repeats_and_blur_keeps_the_mean():
    frames = showers(5)
    assert (persistence(frames, 3, 1.0) == frames[-1]).all()
    sharp, soft = advection(frames, 3, 1.0), advection_blur(frames, 3, 1.0)
    assert soft.max() < sharp.max()
    assert soft[2].mean() == pytest.approx(sharp[2].mean(), rel=0.02)


def test_where_nothing_is_known_of_what_arrives_the_last_frame_stays():
    last = np.arange(12, dtype=np.float32).reshape(2, 6)
    motion = np.zeros((2, 2, 6), np.float32)
    motion[0] = 2
    np.testing.assert_allclose(advect(last, motion, 1)[0], [[0, 1, 0, 1, 2, 3], [6, 7, 6, 7, 8, 9]], atol=1e-5)
