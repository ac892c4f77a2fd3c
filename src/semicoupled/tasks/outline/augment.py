"""What varies from one sight of an object to the next: box, mirror, colors, and where the outline begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semicoupled.tasks.outline.crops import Box
from semicoupled.tasks.outline.geometry.polygons import Cells, Points


def jittered(box: Box, share: float, rng: np.random.Generator) -> Box:
    """Move the four sides of a box, each by up to a share of its width or height."""
    left, right = rng.uniform(-share, share, 2) * box.width
    top, bottom = rng.uniform(-share, share, 2) * box.height
    return Box(box.x + left, box.y + top, box.width - left + right, box.height - top + bottom)


def mirrored(points: Points, width: float) -> Points:
    """Mirror a polygon left to right; its order is turned round, so that clockwise stays clockwise."""
    return np.ascontiguousarray(np.stack([width - points[:, 0], points[:, 1]], axis=1)[::-1])


def recolored(image: NDArray[np.uint8], strength: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change contrast, brightness and the balance of the colors.

    Args:
        image: height x width x 3.
        strength: 0 for no change; at 1 contrast varies up to a factor of 2.
        rng: draws.
    """
    contrast = 2.0 ** rng.uniform(-strength, strength)
    gains = contrast * 2.0 ** (0.3 * rng.uniform(-strength, strength, 3))
    middle = float(image.mean())
    shift = 255 * 0.3 * rng.uniform(-strength, strength)
    table = np.arange(256, dtype=np.float32)[:, None]
    levels = np.rint(np.clip((table - middle) * gains + middle + shift, 0, 255)).astype(np.uint8)
    return np.stack([levels[image[..., channel], channel] for channel in range(3)], axis=-1)


def slipped(cells: Cells, share: float, grid: int, rng: np.random.Generator) -> Cells:
    """Move some points to a neighboring cell.

    Args:
        cells: N x 2.
        share: of the points that move.
        grid: cells on a side.
        rng: draws.
    """
    moves = rng.integers(-1, 2, cells.shape) * (rng.random(len(cells)) < share)[:, None]
    return np.clip(cells + moves, 0, grid - 1)
