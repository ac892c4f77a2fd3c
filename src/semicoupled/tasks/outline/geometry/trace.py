"""From a mask back to polygons that run along the borders of its pixels, so that drawing them gives the mask again."""

from __future__ import annotations

import numpy as np

from semicoupled.tasks.outline.formats.records import Part
from semicoupled.tasks.outline.geometry.polygons import Points, signed_area
from semicoupled.tasks.outline.geometry.raster import Mask, rasterize
from semicoupled.tasks.outline.geometry.window import Window

_Corner = tuple[int, int]
_TURNS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # right, down, left, up on the screen


def trace(mask: Mask) -> tuple[Part, ...]:
    """Give the parts of a mask, outlines clockwise, holes too.

    Args:
        mask: height x width. Pixels that touch at a corner alone are parts of their own.

    Returns:
        Parts whose polygons, drawn with `raster.rasterize`, give the mask pixel by pixel.
    """
    outlines: list[Points] = []
    holes: list[Points] = []
    for loop in _loops(np.asarray(mask, dtype=np.bool_)):
        (outlines if signed_area(loop) > 0 else holes).append(loop)
    owners: list[list[Points]] = [[] for _ in outlines]
    for hole in holes:
        owners[_owner(hole, outlines)].append(np.roll(hole[::-1], 1, axis=0))
    return tuple(Part(outline, tuple(own)) for outline, own in zip(outlines, owners, strict=True))


def _loops(mask: Mask) -> list[Points]:
    """Walk along all borders with the inside on the right: outlines come out clockwise, holes counterclockwise."""
    padded = np.pad(mask, 1).astype(np.int8)
    steps: dict[_Corner, list[int]] = {}
    down = padded[1:, 1:-1] - padded[:-1, 1:-1]  # between a row and the one below
    across = padded[1:-1, 1:] - padded[1:-1, :-1]
    for direction, changes, sign in ((0, down, 1), (2, down, -1), (3, across, 1), (1, across, -1)):
        rows, columns = np.nonzero(changes == sign)
        right, below = _TURNS[direction]
        for x, y in zip((columns + (right < 0)).tolist(), (rows + (below < 0)).tolist(), strict=True):
            steps.setdefault((x, y), []).append(direction)
    loops: list[Points] = []
    while steps:
        first = next(iter(steps))
        at, direction = first, steps[first][0]
        corners: list[_Corner] = []
        while True:
            choices = steps.get(at)
            if not choices:
                break
            # where two pixels meet at a corner, turn right: each stays with itself
            turned = min(choices, key=lambda choice: (1 - (choice - direction)) % 4) if corners else choices[0]
            choices.remove(turned)
            if not choices:
                del steps[at]
            if not corners or turned != direction:
                corners.append(at)
            direction = turned
            at = (at[0] + _TURNS[turned][0], at[1] + _TURNS[turned][1])
            if at == first and first not in steps:
                break
        loops.append(_without_straight(np.array(corners, dtype=np.float64)))
    return loops


def _without_straight(corners: Points) -> Points:
    """Drop the corner that the walk began with, if it is none."""
    before, after = np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0)
    one, other = corners - before, after - corners
    return corners[one[:, 0] * other[:, 1] != one[:, 1] * other[:, 0]]


def _owner(hole: Points, outlines: list[Points]) -> int:
    """The smallest outline around a hole, told by a pixel just inside of its border."""
    x, y = hole[
        np.lexsort(hole.T[::-1])[0]
    ]  # the leftmost, uppermost corner; the pixel to its left belongs to the part
    pixel = Window(int(x) - 1, int(y), 1, 1)
    around = [index for index, outline in enumerate(outlines) if rasterize([outline], pixel)[0, 0]]
    return min(around, key=lambda index: signed_area(outlines[index]))
