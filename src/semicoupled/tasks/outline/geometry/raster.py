"""Which pixels a polygon covers: those whose center lies inside, by the even-odd rule; exact, no library's habits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semicoupled.tasks.outline.geometry.window import Window

Mask = NDArray[np.bool_]


def rasterize(polygons: Sequence[NDArray[np.float64]], region: Window) -> Mask:
    """Draw polygons into a rectangle of an image.

    Args:
        polygons: N x 2 each, px; the center of the image's first pixel is at (.5, .5). Where two overlap the pixel is
            outside again, so that a hole is one more polygon.
        region: which pixels.

    Returns:
        height x width.
    """
    mask = np.zeros((region.height, region.width), dtype=np.bool_)
    if region.width <= 0 or region.height <= 0:
        return mask
    crossings = np.zeros((region.height, region.width + 1), dtype=np.int32)
    for polygon in polygons:
        if len(polygon) >= 3:
            _count_crossings(crossings, polygon, region)
    return (np.cumsum(crossings[:, :-1], axis=1) & 1).astype(np.bool_)


def bounds(polygons: Sequence[NDArray[np.float64]], size: tuple[int, int] | None = None) -> Window:
    """The smallest rectangle of pixels around polygons.

    Args:
        polygons: N x 2 each.
        size: width and height of the image, beyond which nothing counts; None for no limit.
    """
    points = [polygon for polygon in polygons if len(polygon)]
    if not points:
        return Window(0, 0, 0, 0)
    every = np.concatenate(points)
    low, high = np.floor(every.min(0)).astype(int), np.ceil(every.max(0)).astype(int)
    if size is not None:
        low, high = np.clip(low, 0, size), np.clip(high, 0, size)
    return Window(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))


def joined(one: Window, other: Window) -> Window:
    """The smallest rectangle around two; an empty one adds nothing."""
    regions = [region for region in (one, other) if region.width > 0 and region.height > 0]
    if not regions:
        return Window(0, 0, 0, 0)
    x, y = min(region.x for region in regions), min(region.y for region in regions)
    right = max(region.x + region.width for region in regions)
    return Window(x, y, right - x, max(region.y + region.height for region in regions) - y)


def _count_crossings(crossings: NDArray[np.int32], polygon: NDArray[np.float64], region: Window) -> None:
    """Note, in every row, right of which columns an edge lies."""
    start = polygon - (region.x, region.y)
    stop = np.roll(start, -1, axis=0)
    for (x1, y1), (x2, y2) in zip(start, stop, strict=True):
        if y1 == y2:
            continue
        low, high = (y1, y2) if y1 < y2 else (y2, y1)
        first, last = max(0, int(np.ceil(low - 0.5))), min(region.height, int(np.ceil(high - 0.5)))
        if first >= last:
            continue
        rows = np.arange(first, last)
        x = x1 + (rows + 0.5 - y1) * (x2 - x1) / (y2 - y1)
        columns = np.clip(np.ceil(x - 0.5), 0, region.width).astype(np.int64)  # centers at or right of the edge
        crossings[rows, columns] += 1  # a row comes once


def covered(parts: Sequence[Sequence[NDArray[np.float64]]], region: Window) -> Mask:
    """Pixels of an object of several parts, each its outline and its holes; parts may overlap.

    Args:
        parts: polygons of each part.
        region: which pixels.
    """
    mask = np.zeros((region.height, region.width), dtype=np.bool_)
    for part in parts:
        mask |= rasterize(part, region)
    return mask
