"""Whether a polygon is one: sides that cross or touch, and ends that would make them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semicoupled.tasks.outline.geometry.polygons import Cells, Points

MOST_DROPPED = 4
"""Points at most that give way to an end."""


def crosses_itself(points: Points) -> bool:
    """Whether two sides of a polygon that are no neighbors touch, or neighbors fold back onto each other."""
    count = len(points)
    if count < 4:
        return False
    start, stop = points, np.roll(points, -1, axis=0)
    for index in range(count - 2):
        others = np.arange(index + 2, count - 1 if index == 0 else count)
        if others.size and _touch(start[index], stop[index], start[others], stop[others]).any():
            return True
    return False


def kept_before(cells: Cells, end: tuple[int, int]) -> int:
    """Say how many points stay where an outline goes on to an end that it should have ended at.

    A network often ends beside the point that it was given, or a point behind it, and the way back there would cross
    what is drawn. The last points then give way, `MOST_DROPPED` at most; where that does not help, all of them stay.

    Args:
        cells: N x 2, drawn, in cells.
        end: the last point, which is not among them.

    Returns:
        From 2 to N; N where N is less.
    """
    last = np.array([end])
    for kept in range(len(cells), max(len(cells) - MOST_DROPPED, 2) - 1, -1):
        if not crosses_itself(np.concatenate([cells[:kept], last]).astype(np.float64)):
            return kept
    return len(cells)


def _touch(a: Points, b: Points, c: Points, d: Points) -> NDArray[np.bool_]:
    """Whether the stretch a b touches stretches c d."""

    def turn(p: Points, q: Points, r: Points) -> NDArray[np.float64]:
        return np.sign(
            (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])
        )

    def within(p: Points, q: Points, r: Points) -> NDArray[np.bool_]:
        return np.asarray(((np.minimum(p, q) <= r) & (r <= np.maximum(p, q))).all(-1))

    one, two, three, four = turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)
    crossing = (one * two < 0) & (three * four < 0)
    touching = (
        ((one == 0) & within(a, b, c))
        | ((two == 0) & within(a, b, d))
        | ((three == 0) & within(c, d, a))
        | ((four == 0) & within(c, d, b))
    )
    return np.asarray(crossing | touching)
