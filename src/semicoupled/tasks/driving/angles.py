"""Angles between 0 and 1, as the network learns them: a sigmoid with a scale (Sec. 5.7), and the way back."""

from __future__ import annotations

import numpy as np

_EDGE = 1e-6
"""Nearer to 0 or 1 no answer is taken; it keeps the inverse finite."""


def normalize(angles: np.ndarray, scale: float) -> np.ndarray:
    """Give 1 / (1 + exp(-angle / scale)): in (0, 1), .5 straight ahead; NaN stays NaN.

    Args:
        angles: of any shape, in any unit.
        scale: in the same unit, above 0.
    """
    return 0.5 * (1.0 + np.tanh(np.asarray(angles) / (2.0 * scale)))


def denormalize(normalized: np.ndarray, scale: float, unit: str) -> np.ndarray:
    """Give the inverse of `normalize`, float64.

    Args:
        normalized: of any shape, from 0 to 1; NaN stays NaN.
        scale: in the unit of the angles, above 0.
        unit: of the angles; what is ``normalized`` to full lock ends there, at -1 and 1.
    """
    inside = np.clip(np.asarray(normalized, np.float64), _EDGE, 1.0 - _EDGE)
    angles = scale * np.log(inside / (1.0 - inside))
    return np.clip(angles, -1.0, 1.0) if unit == "normalized" else angles
