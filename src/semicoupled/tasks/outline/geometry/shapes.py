"""Plain shapes in a box."""

from __future__ import annotations

import numpy as np

from semicoupled.tasks.outline.crops import Box
from semicoupled.tasks.outline.geometry.polygons import Points, as_points


def box_points(box: Box) -> Points:
    """The corners of a box, clockwise."""
    right, bottom = box.x + box.width, box.y + box.height
    return as_points([box.x, box.y, right, box.y, right, bottom, box.x, bottom])


def ellipse_points(box: Box, count: int = 24) -> Points:
    """The ellipse in a box, clockwise."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    half = np.array([box.width / 2, box.height / 2])
    return np.array([box.x, box.y]) + half + half * np.stack([np.cos(angle), np.sin(angle)], axis=1)
