"""Polygons as sequences of cells of a grid: clockwise, without repetitions, at most as many as a network draws.

Points are x and y, x to the right, y downward; clockwise is what a person sees on the screen. A polygon is closed by
itself: its first point is not repeated at its end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semicoupled.errors import DataError

GRID = 28
"""Cells on a side (Sec. 5.6)."""

MOST_POINTS = 60
"""Points that a network draws at most (Sec. 5.6)."""

Points = NDArray[np.float64]
Cells = NDArray[np.int64]


def end_class(grid: int = GRID) -> int:
    """The class of "the outline is closed": the last one, behind all cells (785 classes of a grid of 28)."""
    return grid * grid


def as_points(values: ArrayLike) -> Points:
    """Take points as they come in files.

    Args:
        values: N x 2, or a flat list x1 y1 x2 y2 ...

    Returns:
        N x 2.

    Raises:
        DataError: an odd number, or something that is no number.
    """
    try:
        points = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"a polygon holds what is no number ({error}); expected x and y of each point") from None
    if points.ndim == 1 and points.size % 2 == 0:
        points = points.reshape(-1, 2)
    if points.ndim != 2 or points.shape[1] != 2:
        raise DataError(f"a polygon has the shape {points.shape}; expected pairs of x and y")
    if not np.isfinite(points).all():
        raise DataError("a polygon holds a point that is not finite; expected x and y in pixels")
    return points


def signed_area(points: NDArray[np.float64] | Cells) -> float:
    """Area that N x 2 points enclose, above 0 if clockwise on the screen (y goes down), 0 of less than three points."""
    x, y = np.asarray(points, dtype=np.float64).reshape(-1, 2).T
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def clockwise(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same polygon, N x 2, in clockwise order, beginning with the same point."""
    return points if signed_area(points) >= 0 else np.roll(points[::-1], 1, axis=0)


def to_cells(points: Points, grid: int = GRID) -> Cells:
    """The cell that each point lies in.

    Args:
        points: N x 2, in cells (0 to `grid`); what lies outside goes to the border.
        grid: cells on a side.
    """
    return np.clip(np.floor(points), 0, grid - 1).astype(np.int64)


def centers(cells: Cells) -> Points:
    """Where a cell's center is, in cells."""
    return cells.astype(np.float64) + 0.5


def classes_of(cells: Cells, grid: int = GRID) -> NDArray[np.int64]:
    """Number of each cell: row by row, y * grid + x."""
    return cells[:, 1] * grid + cells[:, 0]


def cells_of(classes: ArrayLike, grid: int = GRID) -> Cells:
    """Back from numbers to x and y."""
    numbers = np.asarray(classes, dtype=np.int64)
    return np.stack([numbers % grid, numbers // grid], axis=-1)


def reduce(cells: Cells) -> Cells:
    """Drop neighbors that are the same, points on the line between their neighbors, and spikes.

    What is left has no two equal neighbors and no three in line, the last and the first taken as neighbors, too; it is
    empty if nothing encloses an area.
    """
    left = [(int(x), int(y)) for x, y in cells]
    index = 0
    checked = 0  # points in a row that may stay
    while len(left) >= 3 and checked < len(left):
        index %= len(left)
        (ax, ay), (bx, by), (cx, cy) = left[index - 1], left[index], left[(index + 1) % len(left)]
        if (bx - ax) * (cy - by) == (by - ay) * (cx - bx):  # equal neighbors are in line, too
            del left[index]
            index, checked = index - 1, 0
        else:
            index, checked = index + 1, checked + 1
    return np.array(left, dtype=np.int64) if len(left) >= 3 else np.empty((0, 2), dtype=np.int64)


def limit(cells: Cells, most: int) -> Cells:
    """Drop points until at most `most` are left: each time the one whose triangle with its neighbors is smallest."""
    left = cells
    while len(left) > most:
        before, after = np.roll(left, 1, axis=0), np.roll(left, -1, axis=0)
        one, other = (left - before).astype(np.float64), (after - left).astype(np.float64)
        triangles = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
        left = reduce(np.delete(left, int(triangles.argmin()), axis=0))
    return left


def simplify(points: Points, tolerance: float) -> Points:
    """Douglas and Peucker's simplification of a closed polygon.

    Args:
        points: N x 2.
        tolerance: how far the outline may move, in the unit of the points; 0 leaves it alone.
    """
    if tolerance <= 0 or len(points) < 4:
        return points
    far = int(np.argmax(((points - points[0]) ** 2).sum(1)))  # two points that stay
    closed = np.concatenate([points, points[:1]])
    keep = np.zeros(len(closed), dtype=bool)
    keep[[0, far, len(points)]] = True
    todo = [(0, far), (far, len(points))]
    while todo:
        start, stop = todo.pop()
        if stop - start < 2:
            continue
        distances = _distances(closed[start + 1 : stop], closed[start], closed[stop])
        worst = int(distances.argmax())
        if distances[worst] > tolerance:
            middle = start + 1 + worst
            keep[middle] = True
            todo += [(start, middle), (middle, stop)]
    return points[keep[:-1]]


def evenly(points: Points, count: int) -> Points:
    """Points at equal distances along a closed polygon, from its first point on.

    Args:
        points: N x 2, N at least 1.
        count: how many.
    """
    closed = np.concatenate([points, points[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    places = np.linspace(0, along[-1], count, endpoint=False)
    return np.stack([np.interp(places, along, closed[:, axis]) for axis in (0, 1)], axis=1)


def outline_cells(points: Points, *, grid: int = GRID, most: int = MOST_POINTS, tolerance: float = 0.0) -> Cells:
    """The cells of a polygon, as a network learns to draw them.

    Args:
        points: N x 2, in cells.
        grid: cells on a side.
        most: points at most.
        tolerance: how far the outline may move to save points, in cells.

    Returns:
        N x 2, clockwise, N from 3 to `most`; empty where the polygon is thinner than a cell, or has no area.
    """
    ordered = clockwise(simplify(points, tolerance))
    cells = limit(reduce(to_cells(ordered, grid)), most)
    return clockwise(cells.astype(np.float64)).astype(np.int64) if abs(signed_area(cells)) > 0 else cells[:0]


def _distances(points: Points, start: Points, stop: Points) -> NDArray[np.float64]:
    """Distances of points to a stretch."""
    along = stop - start
    length = float(along @ along)
    share = np.clip((points - start) @ along / length, 0, 1) if length else np.zeros(len(points))
    return np.hypot(*(points - start - share[:, None] * along).T)
