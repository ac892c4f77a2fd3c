"""What the network is fed in each step: maps of the first point, of t-2 and of t-1, and what it shall answer.

In the first step the start point stands for t-1 and the end point, where it is known, for t-2: that tells the
direction.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semicoupled.tasks.outline.geometry.polygons import Cells, classes_of, end_class

CHANNELS = 3
"""Maps of a step: the first point, t-2, t-1."""


class Taught(NamedTuple):
    """A sequence to learn.

    Attributes:
        maps: T 3 grid grid, float32, 1 in the cells of the points.
        target: T, the class of the next point, or "closed".
        weight: T, float32, sums up to T; 0 behind the end.
    """

    maps: NDArray[np.float32]
    target: NDArray[np.int64]
    weight: NDArray[np.float32]


def position_maps(
    first: tuple[int, int] | None, before: tuple[int, int] | None, last: tuple[int, int] | None, grid: int
) -> NDArray[np.float32]:
    """Give the maps of one step.

    Args:
        first: x and y of the first point's cell.
        before: of the one before the last, if there is one.
        last: of the last one.
        grid: cells on a side.

    Returns:
        3 grid grid.
    """
    maps = np.zeros((CHANNELS, grid, grid), dtype=np.float32)
    for channel, cell in enumerate((first, before, last)):
        if cell is not None:
            maps[channel, cell[1], cell[0]] = 1.0
    return maps


def teach(cells: Cells, *, fed: Cells | None = None, grid: int, length: int, with_end: bool) -> Taught:
    """Make a sequence of an outline: from its first point to its last, then "closed".

    Args:
        cells: N x 2, N from 3 to `length`.
        fed: what is fed back in place of the points, N x 2 (`data.slip`).
        grid: cells on a side.
        length: T.
        with_end: whether the end point is known.
    """
    count = len(cells)
    seen = cells if fed is None else fed
    maps = np.zeros((length, CHANNELS, grid, grid), dtype=np.float32)
    steps = np.arange(count)
    maps[steps, 0, seen[0, 1], seen[0, 0]] = 1.0
    maps[steps, 2, seen[:, 1], seen[:, 0]] = 1.0
    maps[steps[1:], 1, seen[:-1, 1], seen[:-1, 0]] = 1.0
    if with_end:
        maps[0, 1, seen[-1, 1], seen[-1, 0]] = 1.0
    target = np.full(length, end_class(grid), dtype=np.int64)
    target[: count - 1] = classes_of(cells[1:], grid)
    weight = np.zeros(length, dtype=np.float32)
    weight[:count] = length / count
    return Taught(maps, target, weight)
