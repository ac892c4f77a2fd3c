"""How the rain moves: one smooth field of motion from the newest frames.

Optical flow between neighboring frames is trusted where there is an echo in both and averaged over the frames. It is
then smoothed with these weights, coarse scales filling what finer ones know nothing of, so that there is a motion
everywhere: rain that arrives in half an hour flows over ground that is dry now.
"""

from __future__ import annotations

import cv2
import numpy as np

from semicoupled.data.flow import optical_flow
from semicoupled.errors import ShapeError
from semicoupled.tasks.nowcasting.units import HIGHEST_DBZ

SMOOTHING_KM = (192.0, 48.0, 12.0)
"""Standard deviations of the Gaussian weights, from coarse to fine."""

FLOWS = 4
"""Flows that are averaged: all there are between five frames."""

_ECHO_DBZ = 1.0
_TRUST = 0.01


def estimate_motion(dbz: np.ndarray, kilometers: float) -> np.ndarray:
    """Estimate the motion that the newest frames show.

    Args:
        dbz: T H W with at least two frames one time step apart; dBZ, NaN = missing.
        kilometers: size of a pixel.

    Returns:
        2 H W, float32: dx (to the right) and dy (downward), pixels per time step; 0 where nothing moves.

    Raises:
        ShapeError: fewer than two frames.
    """
    if dbz.ndim != 3 or len(dbz) < 2:
        raise ShapeError(f"estimate_motion: expected at least two frames T H W, got shape {dbz.shape}")
    frames = np.nan_to_num(np.asarray(dbz[-FLOWS - 1 :], np.float32), nan=0.0)
    flows = np.stack(
        [optical_flow(one, two) for one, two in zip(frames[:-1] / HIGHEST_DBZ, frames[1:] / HIGHEST_DBZ, strict=True)]
    )
    return smooth_motion(flows, frames, kilometers)


def smooth_motion(flows: np.ndarray, frames: np.ndarray, kilometers: float) -> np.ndarray:
    """Average flows over the frames and over their surroundings.

    Args:
        flows: T 2 H W, pixels per time step.
        frames: T+1 H W, what they are flows of; dBZ, missing = 0.
        kilometers: size of a pixel.

    Returns:
        2 H W, float32.
    """
    echo = (frames[:-1] > _ECHO_DBZ) & (frames[1:] > _ECHO_DBZ)
    weight = echo.sum(0).astype(np.float32)
    if not weight.any():
        return np.zeros(flows.shape[1:], np.float32)
    weighted = (flows * echo[:, None]).sum(0)
    motion = np.broadcast_to(weighted.sum((1, 2), keepdims=True) / weight.sum(), weighted.shape)
    for scale in SMOOTHING_KM:
        near = _blur(weight, scale / kilometers)
        motion = np.stack(
            [
                (_blur(part, scale / kilometers) + _TRUST * coarse) / (near + _TRUST)
                for part, coarse in zip(weighted, motion, strict=True)
            ]
        )
    return motion.astype(np.float32)


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur; wide ones on a smaller image, where they cost nothing."""
    image = np.ascontiguousarray(image, np.float32)
    height, width = image.shape
    shrink = max(1, min(int(sigma / 4), height // 4, width // 4))
    if shrink > 1:
        image = cv2.resize(image, (width // shrink, height // shrink), interpolation=cv2.INTER_AREA)
    image = cv2.GaussianBlur(image, (0, 0), max(sigma / shrink, 0.3))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR) if shrink > 1 else image
