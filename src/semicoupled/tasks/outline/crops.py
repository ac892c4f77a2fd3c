"""The part of an image that a network sees: a window around an object, resized to a square."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semicoupled.errors import DataError, nearest
from semicoupled.tasks.outline.geometry.polygons import Points
from semicoupled.tasks.outline.geometry.window import Window
from semicoupled.tasks.outline.images import MOST_PIXELS

Crop = Literal["stretch", "square"]
"""``stretch``: the box and a tenth of it on every side, resized as it is. ``square``: a square as long as the box's
longer side and 15 % of it on every side."""

CONTEXT: dict[str, float] = {"stretch": 0.10, "square": 0.15}
SMALLEST = 4
"""Pixels of the shortest side of a window."""


class Box(NamedTuple):
    """A rectangle in an image, px, as COCO writes it.

    Attributes:
        x: of its left side.
        y: of its top.
        width: above 0.
        height: above 0.
    """

    x: float
    y: float
    width: float
    height: float


def box_of(points: Points) -> Box:
    """The box around points.

    Raises:
        DataError: there are none.
    """
    if not len(points):
        raise DataError("a box around no points; expected at least one")
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return Box(float(left), float(top), float(right - left), float(bottom - top))


def window_of(box: Box, crop: Crop = "stretch", *, context: float | None = None) -> Window:
    """The window around a box, in whole pixels, rounded outward.

    Args:
        box: px.
        crop: how the box becomes a square.
        context: share of the box (``square``: of its longer side) that is added on every side; None for what belongs to
            `crop`.

    Raises:
        DataError: there is no such crop, or the box is no box.
    """
    if crop not in CONTEXT:
        raise DataError(f"there is no crop {crop!r}. {nearest(crop, CONTEXT)}")
    if not all(map(math.isfinite, box)) or box.width < 0 or box.height < 0:
        raise DataError(f"box {tuple(box)}: expected x, y, width and height in pixels, the last two from 0")
    around = CONTEXT[crop] if context is None else context
    width, height = max(box.width, SMALLEST / 2), max(box.height, SMALLEST / 2)
    if crop == "square":
        width = height = max(width, height)
    middle = (box.x + box.width / 2, box.y + box.height / 2)
    half = (width * (0.5 + around), height * (0.5 + around))
    left, top = (math.floor(center - reach) for center, reach in zip(middle, half, strict=True))
    right, bottom = (math.ceil(center + reach) for center, reach in zip(middle, half, strict=True))
    return Window(left, top, max(right - left, SMALLEST), max(bottom - top, SMALLEST))


def cut_out(image: NDArray[np.uint8], window: Window, size: int) -> NDArray[np.uint8]:
    """Cut a window out of an image and resize it.

    Args:
        image: height x width x 3.
        window: may reach beyond the image.
        size: of the result, px.

    Returns:
        size x size x 3.

    Raises:
        DataError: the window has more pixels than any image may have.
    """
    import cv2

    height, width = image.shape[:2]
    left, top = max(window.x, 0), max(window.y, 0)
    right, bottom = min(window.x + window.width, width), min(window.y + window.height, height)
    if right <= left or bottom <= top:
        return np.zeros((size, size, 3), dtype=np.uint8)
    if window.width * window.height > MOST_PIXELS:
        raise DataError(
            f"a box whose window is {window.width} x {window.height} px; expected at most {MOST_PIXELS:.0e} pixels. Is "
            f"it in pixels of the image, which has {width} x {height}?"
        )
    inside = image[top:bottom, left:right]
    if inside.shape[:2] != (window.height, window.width):
        whole = np.zeros((window.height, window.width, 3), dtype=np.uint8)
        whole[top - window.y : bottom - window.y, left - window.x : right - window.x] = inside
        inside = whole
    smaller = size < max(window.width, window.height)
    resized = cv2.resize(inside, (size, size), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return np.ascontiguousarray(resized, dtype=np.uint8)
