"""Figures put together of limbs and bodies: persons, animals, cars, trees, fish, houses. About 1 in reach, around 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from semicoupled.tasks.outline.geometry.polygons import Points, clockwise

_SIDE = 320
_REACH = 1.6
"""What the canvas shows, from the middle to a side."""
Figure = Callable[[np.random.Generator], "Canvas"]


class Canvas:
    """Parts that are joined: what any of them covers is the figure."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.mask: NDArray[np.uint8] = np.zeros((_SIDE, _SIDE), np.uint8)

    def fill(self, points: Sequence[Sequence[float]] | Points) -> None:
        """Add a polygon."""
        cv2.fillPoly(self.mask, [_pixels(points)], 255)

    def limb(self, points: Sequence[Sequence[float]], width: float) -> None:
        """Add a line with round ends."""
        cv2.polylines(self.mask, [_pixels(points)], False, 255, max(2, int(width * _SIDE / (2 * _REACH))))

    def round(self, x: float, y: float, wide: float, high: float, turn: float = 0.0) -> None:
        """Add an ellipse; the axes from the middle, `turn` in radians."""
        angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        along, across = wide * np.cos(angle), high * np.sin(angle)
        cosine, sine = np.cos(turn), np.sin(turn)
        self.fill(np.stack([x + cosine * along - sine * across, y + sine * along + cosine * across], 1))

    def outline(self) -> Points:
        """Give the outline of the largest thing that was drawn, N x 2."""
        found, _ = cv2.findContours(self.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        largest = max(found, key=cv2.contourArea)
        points = cv2.approxPolyDP(largest, 0.7, True)[:, 0].astype(np.float64)
        return (points / _SIDE * 2 - 1) * _REACH


def person(rng: np.random.Generator) -> Canvas:
    """A standing, walking or waving person."""
    canvas = Canvas()
    thick, hip, lean = rng.uniform(0.85, 1.3), 0.1, rng.uniform(-0.12, 0.12)
    neck = (lean, -0.6)
    canvas.round(lean * 1.3, -0.8, 0.15 * thick, rng.uniform(0.17, 0.21))
    wide = rng.uniform(0.2, 0.3) * thick
    waist = wide * rng.uniform(0.6, 1.0)
    canvas.fill([(neck[0] - wide, -0.55), (neck[0] + wide, -0.55), (waist, hip), (-waist, hip)])
    canvas.limb([neck, (0, hip)], 0.2 * thick)
    for side in (-1, 1):
        step = rng.uniform(0.0, 0.35)
        canvas.limb([(side * 0.1, hip), (side * step, 0.55), (side * step * rng.uniform(0.6, 1.2), 1.0)], 0.2 * thick)
        upper, lower = rng.uniform(0.1, 1.9), rng.uniform(-0.5, 0.9)
        elbow = (neck[0] + side * (wide + 0.3 * np.sin(upper)), -0.5 + 0.32 * np.cos(upper))
        hand = (elbow[0] + side * 0.3 * np.sin(upper + lower), elbow[1] + 0.3 * np.cos(upper + lower))
        canvas.limb([(neck[0] + side * wide * 0.85, -0.5), elbow, hand], 0.14 * thick)
    if rng.random() < 0.3:
        canvas.fill([(-waist, hip - 0.2), (waist, hip - 0.2), (0.45, 0.6), (-0.45, 0.6)])
    return canvas


def animal(rng: np.random.Generator) -> Canvas:
    """A body on four legs."""
    canvas = Canvas()
    fat, tall = rng.uniform(0.22, 0.42), rng.uniform(0.3, 0.7)
    canvas.round(0, 0, 0.7, fat)
    head = (rng.uniform(0.7, 0.9), rng.uniform(-0.6, -0.1))
    canvas.limb([(0.5, -0.05), head], rng.uniform(0.2, 0.35))
    canvas.round(*head, rng.uniform(0.2, 0.32), rng.uniform(0.13, 0.22), rng.uniform(-0.3, 0.5))
    canvas.fill([(head[0] - 0.15, head[1]), (head[0] - 0.1, head[1] - 0.35), (head[0] + 0.05, head[1] - 0.1)])
    for foot in (-0.5, -0.3, 0.3, 0.52):
        canvas.limb([(foot, 0.1), (foot + rng.uniform(-0.15, 0.15), fat + tall)], rng.uniform(0.13, 0.2))
    canvas.limb([(-0.6, -0.1), (-0.95, rng.uniform(-0.5, 0.3))], rng.uniform(0.08, 0.16))
    return canvas


def car(rng: np.random.Generator) -> Canvas:
    """A car from its side."""
    canvas = Canvas()
    front, rear, high = rng.uniform(0.2, 0.55), rng.uniform(-0.9, -0.4), rng.uniform(0.3, 0.6)
    canvas.fill([(-1, -0.05), (1, rng.uniform(-0.05, 0.1)), (1, 0.3), (-1, 0.3)])
    canvas.fill([(rear, -high), (front - 0.25, -high), (front + 0.15, 0), (rear - rng.uniform(0, 0.2), 0)])
    for wheel in (-0.55, 0.58):
        canvas.round(wheel, 0.3, 0.2, 0.2)
    return canvas


def tree(rng: np.random.Generator) -> Canvas:
    """A trunk with a crown of some balls."""
    canvas = Canvas()
    canvas.limb([(0, 1.0), (rng.uniform(-0.1, 0.1), -0.2)], rng.uniform(0.15, 0.3))
    for _ in range(int(rng.integers(3, 7))):
        canvas.round(rng.uniform(-0.4, 0.4), rng.uniform(-0.8, -0.2), rng.uniform(0.25, 0.45), rng.uniform(0.22, 0.4))
    canvas.round(0, -0.35, 0.4, 0.4)
    return canvas


def fish(rng: np.random.Generator) -> Canvas:
    """A fish."""
    canvas = Canvas()
    fat, tail = rng.uniform(0.22, 0.45), rng.uniform(0.25, 0.5)
    canvas.round(0.1, 0, 0.75, fat)
    canvas.fill([(-0.45, 0), (-1, -tail), (-0.85, 0), (-1, tail)])
    canvas.fill([(-0.1, -fat * 0.8), (-0.3, -fat - rng.uniform(0.05, 0.3)), (0.35, -fat * 0.8)])
    return canvas


def house(rng: np.random.Generator) -> Canvas:
    """A house with a chimney."""
    canvas = Canvas()
    wide, eaves = rng.uniform(0.5, 0.9), rng.uniform(-0.3, 0.2)
    canvas.fill([(-wide, eaves), (wide, eaves), (wide, 0.8), (-wide, 0.8)])
    over = wide + rng.uniform(0, 0.2)
    canvas.fill([(-over, eaves), (rng.uniform(-0.3, 0.3), -0.9), (over, eaves)])
    canvas.fill([(wide * 0.4, -0.75), (wide * 0.7, -0.75), (wide * 0.7, eaves), (wide * 0.4, eaves)])
    return canvas


def mug(rng: np.random.Generator) -> Canvas:
    """A mug; its handle is filled."""
    canvas = Canvas()
    top, foot, high = rng.uniform(0.5, 0.7), rng.uniform(0.35, 0.6), rng.uniform(0.5, 0.8)
    canvas.fill([(-top, -high), (top, -high), (foot, high), (-foot, high)])
    canvas.round(0.6, 0, rng.uniform(0.25, 0.4), rng.uniform(0.3, 0.45))
    return canvas


FIGURES: Mapping[str, Figure] = MappingProxyType(
    {figure.__name__: figure for figure in (person, animal, car, tree, fish, house, mug)}
)
"""By name."""


def draw_figure(name: str, rng: np.random.Generator) -> Points:
    """Draw a figure, upright but for a little, to one side or the other.

    Args:
        name: of `FIGURES`.
        rng: what varies.

    Returns:
        N x 2, clockwise, its farthest point 1 from 0.
    """
    points = FIGURES[name](rng).outline() * [rng.choice((-1.0, 1.0)), 1.0]
    turn = rng.normal(0, 0.12)
    points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = points - (points.min(0) + points.max(0)) / 2
    return clockwise(points / np.hypot(*points.T).max())


def _pixels(points: Sequence[Sequence[float]] | Points) -> NDArray[np.int32]:
    return np.rint((np.asarray(points, np.float64) / _REACH + 1) / 2 * _SIDE).astype(np.int32)
