"""From pixels to what a network sees: each of a video's frames by what is known of the video until then."""

from __future__ import annotations

import numpy as np

from semicoupled.tasks.action.data_settings import Normalize

MEAN, SPREAD = 0.45, 0.225
"""Of pixels from 0 to 1, as is usual for photographs."""
LEAST_SPREAD = 0.02
"""Of a frame: one without contrast is not blown up."""
PIXEL_SPREAD = 4 / 255
"""Added to the spread of a pixel over time: what does not move stays near 0 instead of showing its noise."""


class Normalizer:
    """Normalizes the frames of one video in order, all at once or as they come; what it remembers does not grow."""

    def __init__(self, how: Normalize) -> None:
        """Begin before the first frame.

        Args:
            how: as `data.normalize` has it.
        """
        self._how: Normalize = how
        self._first: tuple[float, float] | None = None
        self._count = 0
        self._sum: np.ndarray | float = 0.0
        self._squares: np.ndarray | float = 0.0

    def see(self, values: np.ndarray) -> np.ndarray:
        """Normalize the next frames.

        Args:
            values: T H W C, from 0 to 1.

        Returns:
            T H W C, float32.
        """
        if self._how == "fixed":
            return ((values - MEAN) / SPREAD).astype(np.float32)
        if self._how == "frame":
            spread = np.maximum(values.std((1, 2, 3), keepdims=True), LEAST_SPREAD)
            return ((values - values.mean((1, 2, 3), keepdims=True)) / spread).astype(np.float32)
        if self._how == "first":
            if self._first is None:
                self._first = float(values[0].mean()), max(float(values[0].std()), LEAST_SPREAD)
            return ((values - self._first[0]) / self._first[1]).astype(np.float32)
        return self._by_pixel(values.astype(np.float64)).astype(np.float32)

    def _by_pixel(self, values: np.ndarray) -> np.ndarray:
        """Less each pixel's mean over all frames so far, this one among them, over their spread: 0 at first."""
        sums = self._sum + values.cumsum(0)
        squares = self._squares + (values**2).cumsum(0)
        counts = self._count + np.arange(1, len(values) + 1)[:, None, None, None]
        self._sum, self._squares, self._count = sums[-1], squares[-1], self._count + len(values)
        mean = sums / counts
        spread = np.sqrt(np.maximum(squares / counts - mean**2, 0.0))
        return (values - mean) / (spread + PIXEL_SPREAD)
