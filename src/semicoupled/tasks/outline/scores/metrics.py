"""Scores of one outline: IoU, and the F score of its boundary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from semicoupled.tasks.outline.formats.records import Part
from semicoupled.tasks.outline.geometry.polygons import Points
from semicoupled.tasks.outline.geometry.raster import Mask, bounds, covered, joined

BOUNDARIES = (1, 2)
"""Pixels by which a boundary may be off and still count."""


class Overlap(NamedTuple):
    """Pixels of two objects.

    Attributes:
        both: of their intersection.
        either: of their union.
    """

    both: int
    either: int

    @property
    def iou(self) -> float:
        """Intersection over union; NaN where neither covers a pixel."""
        return self.both / self.either if self.either else float("nan")


class Score(NamedTuple):
    """How good one outline is.

    Attributes:
        overlap: with the truth.
        area: of the truth, px.
        boundary: F score of the boundary for each of `BOUNDARIES`.
    """

    overlap: Overlap
    area: int
    boundary: tuple[float, ...]


def score(drawn: Points, truth: Sequence[Part], size: tuple[int, int]) -> Score:
    """Score an outline at the image's size.

    Args:
        drawn: N x 2, px of the image; less than three points cover nothing.
        truth: the object's parts.
        size: width and height of the image, px; what lies beyond does not count.
    """
    polygons = [part.polygons for part in truth]
    every = [polygon for part in polygons for polygon in part]
    region = joined(bounds([drawn], size), bounds(every, size))
    ours, theirs = covered([[drawn]], region), covered(polygons, region)
    overlap = Overlap(int((ours & theirs).sum()), int((ours | theirs).sum()))
    return Score(overlap, int(theirs.sum()), boundary_f(ours, theirs, BOUNDARIES))


def boundary_f(one: Mask, other: Mask, distances: Sequence[int]) -> tuple[float, ...]:
    """F score of boundaries: harmonic mean of the shares of either boundary that lie near the other.

    Args:
        one: a mask.
        other: a mask of the same shape.
        distances: px (Euclidean) that count as near.

    Returns:
        One score a distance, 0 to 1; NaN where neither has a boundary.
    """
    import cv2

    edges = [boundary(mask) for mask in (one, other)]
    if not (edges[0].any() or edges[1].any()):
        return (float("nan"),) * len(distances)
    if not (edges[0].any() and edges[1].any()):
        return (0.0,) * len(distances)
    far = [
        np.asarray(cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
        for edge in edges
    ]
    scores: list[float] = []
    for distance in distances:
        precision = float((far[1][edges[0]] <= distance + 1e-4).mean())
        recall = float((far[0][edges[1]] <= distance + 1e-4).mean())
        scores.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    return tuple(scores)


def boundary(mask: Mask) -> Mask:
    """Pixels of a mask with a neighbor (up, down, left, right) outside of it; beyond the region is outside."""
    padded = np.pad(mask, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inside
