"""Whole pixels of an image: what is cut out of it, and what is drawn into."""

from __future__ import annotations

from typing import NamedTuple

from semicoupled.tasks.outline.geometry.polygons import GRID, Points


class Window(NamedTuple):
    """A rectangle of whole pixels of an image, or of cells; it may reach beyond the border.

    Attributes:
        x: of its left column.
        y: of its top row.
        width: in pixels.
        height: in pixels.
    """

    x: int
    y: int
    width: int
    height: int

    def to_grid(self, points: Points, grid: int = GRID) -> Points:
        """From pixels of the image to cells."""
        return (points - (self.x, self.y)) * (grid / self.width, grid / self.height)

    def to_image(self, points: Points, grid: int = GRID) -> Points:
        """From cells to pixels of the image."""
        return points * (self.width / grid, self.height / grid) + (self.x, self.y)
