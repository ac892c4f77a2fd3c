"""Forecasts that need no training: persistence, advection, advection with blur. They stand in every table.

Each takes the newest frames and gives as many as asked for. A pixel that was seen last always has a forecast:
where nothing is known of what flows in, advection keeps what was last seen there.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch

from semicoupled.tasks.nowcasting.extrapolation.advection import carry, follow
from semicoupled.tasks.nowcasting.extrapolation.motion import estimate_motion

Forecaster = Callable[[np.ndarray, int, float], np.ndarray]
"""(dBZ T H W with NaN = missing, number of leads, size of a pixel in km) -> dBZ K H W."""

BLUR_KM = 1.0
"""Standard deviation of the blur at the first lead; it grows with the root of the lead, as a random walk does."""


def persistence(dbz: np.ndarray, leads: int, kilometers: float) -> np.ndarray:
    """Forecast that nothing changes.

    Args:
        dbz: T H W, NaN = missing.
        leads: number of time steps K to forecast.
        kilometers: size of a pixel; not used.

    Returns:
        K H W, missing where the last frame is.
    """
    del kilometers
    return np.repeat(np.asarray(dbz[-1:], np.float32), leads, axis=0)


def advection(dbz: np.ndarray, leads: int, kilometers: float) -> np.ndarray:
    """Forecast that the last frame moves on as the newest frames have moved.

    Args:
        dbz: T H W with at least two frames, NaN = missing.
        leads: number of time steps K to forecast.
        kilometers: size of a pixel.

    Returns:
        K H W, missing where the last frame is.
    """
    return advect(dbz[-1], estimate_motion(dbz, kilometers), leads)


def advect(last: np.ndarray, motion: np.ndarray, leads: int) -> np.ndarray:
    """Carry a frame along a motion; where nothing is known of what arrives, the frame stays as it is.

    Args:
        last: H W, NaN = missing.
        motion: 2 H W, pixels per time step.
        leads: number of time steps K.

    Returns:
        K H W.
    """
    field = torch.from_numpy(np.array(last, np.float32))[None, None]
    given = np.empty((leads, *last.shape), np.float32)
    for lead, points in enumerate(follow(torch.from_numpy(np.array(motion, np.float32))[None], leads)):
        carried = carry(field, points)[0, 0].numpy()
        given[lead] = np.where(np.isnan(last), np.nan, np.where(np.isnan(carried), last, carried))
    return given


def advection_blur(dbz: np.ndarray, leads: int, kilometers: float) -> np.ndarray:
    """Advection, blurred more the farther ahead: better in squared error, and useless for heavy rain.

    Args:
        dbz: T H W with at least two frames, NaN = missing.
        leads: number of time steps K to forecast.
        kilometers: size of a pixel.

    Returns:
        K H W, missing where the last frame is.
    """
    sharp = advection(dbz, leads, kilometers)
    return np.stack([_blur(field, BLUR_KM * (lead + 1) ** 0.5 / kilometers) for lead, field in enumerate(sharp)])


def _blur(field: np.ndarray, sigma: float) -> np.ndarray:
    there = ~np.isnan(field)
    value = cv2.GaussianBlur(np.nan_to_num(field, nan=0.0), (0, 0), sigma)
    weight = cv2.GaussianBlur(there.astype(np.float32), (0, 0), sigma)
    return np.where(there, value / np.maximum(weight, 1e-6), np.nan).astype(np.float32)


BASELINES: dict[str, Forecaster] = {
    "persistence": persistence,
    "advection": advection,
    "advection_blur": advection_blur,
}
