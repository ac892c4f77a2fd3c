"""Closed curves: ellipses, blobs, polygons, stars, leaves, and what has a profile. About 1 in reach, around 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from semicoupled.tasks.outline.geometry.polygons import Points, clockwise

Form = Callable[[np.random.Generator], Points]
_TURN = 2 * np.pi


def ellipse(rng: np.random.Generator) -> Points:
    """An ellipse, or something between it and its box."""
    angle = _angles(64)
    power = rng.uniform(0.55, 1.1)
    along, across = (np.sign(wave) * np.abs(wave) ** power for wave in (np.cos(angle), np.sin(angle)))
    return np.stack([along, rng.uniform(0.35, 1.0) * across], 1)


def blob(rng: np.random.Generator) -> Points:
    """A stone or a puddle: a circle with a few waves on it."""
    angle = _angles(72)
    reach = np.ones_like(angle)
    for waves in range(2, 7):
        reach += rng.uniform(-0.32, 0.32) / waves**0.8 * np.cos(waves * angle + rng.uniform(0, _TURN))
    return _around(angle, np.maximum(reach, 0.3))


def polygon(rng: np.random.Generator) -> Points:
    """A polygon of three to eight corners, regular or not."""
    corners = int(rng.integers(3, 9))
    angle = _angles(corners) + rng.uniform(-0.3, 0.3, corners) * (_TURN / corners)
    return _around(angle, rng.uniform(0.65, 1.0, corners))


def star(rng: np.random.Generator) -> Points:
    """A star of four to eight points."""
    points = int(rng.integers(4, 9))
    reach = np.tile([1.0, rng.uniform(0.4, 0.7)], points)
    return _around(_angles(2 * points), reach)


def flower(rng: np.random.Generator) -> Points:
    """Lobes around a middle."""
    angle = _angles(96)
    depth = rng.uniform(0.06, 0.22)
    return _around(angle, 1 - depth + depth * np.cos(int(rng.integers(3, 8)) * angle))


def leaf(rng: np.random.Generator) -> Points:
    """Two arcs that meet in a point on one side or on both."""
    along = np.linspace(-1, 1, 28)
    width = rng.uniform(0.25, 0.6) * (1 - along**2) ** rng.uniform(0.6, 1.1)
    width = width * (1 + rng.uniform(-0.5, 0.5) * along)
    bend = rng.uniform(-0.3, 0.3) * (1 - along**2)
    return np.concatenate([np.stack([along, bend - width], 1), np.stack([along, bend + width], 1)[-2:0:-1]])


def crescent(rng: np.random.Generator) -> Points:
    """A circle from which another one has taken a bite."""
    angle = np.linspace(-1, 1, 32) * rng.uniform(2.0, 2.5)
    outer = np.stack([-np.cos(angle), -np.sin(angle)], 1)
    inner = outer * [rng.uniform(-0.1, 0.35), 1.0]
    inner[:, 0] += outer[0, 0] * (1 - inner[0, 0] / outer[0, 0])
    return np.concatenate([outer, inner[-2:0:-1]])


def heart(rng: np.random.Generator) -> Points:
    """A heart."""
    t = _angles(64)
    x = 16 * np.sin(t) ** 3
    y = -13 * np.cos(t) + 5 * np.cos(2 * t) + 2 * np.cos(3 * t) + np.cos(4 * t)
    return np.stack([x, y * rng.uniform(0.8, 1.1)], 1) / 16


def arrow(rng: np.random.Generator) -> Points:
    """An arrow."""
    shaft, head = rng.uniform(0.15, 0.35), rng.uniform(0.5, 0.8)
    neck = rng.uniform(-0.1, 0.35)
    half = np.array([(-1.0, -shaft), (neck, -shaft), (neck, -head), (1.0, 0.0)])
    return np.concatenate([half, half[-2::-1] * [1, -1]])


def cross(rng: np.random.Generator) -> Points:
    """A cross."""
    arm, long = rng.uniform(0.2, 0.4), rng.uniform(0.75, 1.0)
    corner = np.array([(arm, -1.0), (arm, -arm), (long, -arm)])
    right = np.concatenate([corner, corner[::-1] * [1, -1]])
    return np.concatenate([right, -right])


def letter(rng: np.random.Generator) -> Points:
    """An L, a T or a U."""
    thick, width = rng.uniform(0.3, 0.55), rng.uniform(0.6, 1.0)
    kind = int(rng.integers(3))
    if kind == 0:
        stem, foot = thick - width, 1 - thick
        return np.array([(-width, -1), (stem, -1), (stem, foot), (width, foot), (width, 1), (-width, 1)])
    if kind == 1:
        half, bar = thick / 2, thick - 1
        right = np.array([(width, -1), (width, bar), (half, bar), (half, 1)])
    else:
        inner, floor = width - thick * 0.8, 1 - thick
        right = np.array([(inner, floor), (inner, -1), (width, -1), (width, 1)])
    return np.concatenate([right, right[::-1] * [-1, 1]])


def vessel(rng: np.random.Generator) -> Points:
    """A bottle, a vase, a pear: a profile, and its mirror image."""
    heights = np.linspace(-1, 1, 7)
    widths = rng.uniform(0.18, 0.6, 7)
    widths[0] *= 0.6
    fine = np.linspace(-1, 1, 36)
    kernel = np.exp(-(((fine[:, None] - heights) / 0.24) ** 2))
    profile = (kernel @ widths) / kernel.sum(1)
    return np.concatenate([np.stack([profile, fine], 1), np.stack([-profile, fine], 1)[::-1]])


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        form.__name__: form
        for form in (
            ellipse, blob, polygon, star, flower, leaf, crescent, heart, arrow, cross, letter, vessel,
        )
    }
)  # fmt: skip
"""By name."""


def draw_form(name: str, rng: np.random.Generator) -> Points:
    """Draw a form, turned and squeezed somehow.

    Args:
        name: of `FORMS`.
        rng: what varies.

    Returns:
        N x 2, clockwise, its farthest point 1 from 0.
    """
    points = FORMS[name](rng)
    points = points * [1.0, rng.uniform(0.7, 1.0)]
    turn = rng.uniform(0, _TURN)
    points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = points - (points.min(0) + points.max(0)) / 2
    return clockwise(points / np.hypot(*points.T).max())


def _angles(count: int) -> Points:
    return np.linspace(0, _TURN, count, endpoint=False)


def _around(angle: Points, reach: Points) -> Points:
    return np.stack([np.cos(angle), np.sin(angle)], 1) * reach[:, None]
