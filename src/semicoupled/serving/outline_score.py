"""How good a drawn object is, where the truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semicoupled.serving.outline_document import Thing
from semicoupled.tasks.outline.geometry.raster import bounds, covered, joined

Polygons = list[list[NDArray[np.float64]]]


def score_of(thing: Thing, truth: Sequence[Thing], size: tuple[int, int]) -> dict[str, Any] | None:
    """Find the true object that a drawn one means, and compare.

    Args:
        thing: the drawn one.
        truth: all true ones of the image.
        size: width and height of the image.

    Returns:
        `iou`, 0 to 1, the true object's `label`, its number in `truth`, and the `clicks` that it took; None where
        nothing is drawn yet, or nothing true lies there.
    """
    ours = _polygons(thing)
    if not ours:
        return None
    every = [polygon for part in ours for polygon in part]
    here = bounds(every, size)
    best: dict[str, Any] | None = None
    for number, one in enumerate(truth):
        theirs = _polygons(one)
        there = bounds([polygon for part in theirs for polygon in part], size)
        if not _meet(here, there):
            continue
        region = joined(here, there)
        a, b = covered(ours, region), covered(theirs, region)
        either = int((a | b).sum())
        iou = int((a & b).sum()) / either if either else 0.0
        if best is None or iou > best["iou"]:
            best = {"iou": round(iou, 4), "label": one.label, "truth": number, "clicks": thing.clicks}
    return best


def _polygons(thing: Thing) -> Polygons:
    return [
        [
            np.array([(one.x, one.y) for one in piece.corners], dtype=np.float64),
            *(np.array(hole, dtype=np.float64) for hole in piece.holes),
        ]
        for piece in thing.pieces
        if len(piece.corners) >= 3
    ]


def _meet(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether two rectangles (x, y, width, height) have a pixel in common."""
    apart = (
        one[0] + one[2] <= other[0]
        or other[0] + other[2] <= one[0]
        or one[1] + one[3] <= other[1]
        or other[1] + other[3] <= one[1]
    )
    return not apart
