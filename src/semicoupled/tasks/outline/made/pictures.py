"""Pictures of forms and figures on grounds of many kinds; a picture is a pure function of three numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from semicoupled.tasks.outline.geometry.polygons import Points
from semicoupled.tasks.outline.made.figures import FIGURES, draw_figure
from semicoupled.tasks.outline.made.forms import FORMS, draw_form

Field = NDArray[Any]
LABELS = (*FORMS, *FIGURES)
"""What is drawn."""
_SIZES = ((240, 320), (320, 320), (300, 400), (360, 480))
_REACH = (0.11, 0.24)
"""Of an object, as a share of the picture's longer side."""
_LEAST_CONTRAST = 38.0
_FINE = 4
"""Bits of a pixel's part, where polygons are filled."""


class Scene(NamedTuple):
    """A picture and what is in it.

    Attributes:
        image: height x width x 3, uint8, RGB.
        objects: label and outline, N x 2 px, clockwise; they don't cover one another.
    """

    image: NDArray[np.uint8]
    objects: list[tuple[str, Points]]


def draw_scene(seed: int, part: int, number: int) -> Scene:
    """Draw a picture.

    Args:
        seed: which family of pictures, 0 or more.
        part: which part of the family, 0 or more: no two parts have a picture in common.
        number: which picture of it, 0 or more.
    """
    rng = np.random.default_rng((4207, seed, part, number))
    height, width = _SIZES[int(rng.integers(len(_SIZES)))]
    image = _ground(rng, height, width)
    objects: list[tuple[str, Points]] = []
    taken: list[tuple[float, float, float, float]] = []
    for _ in range(40):
        if len(objects) == 4:
            break
        label = str(rng.choice(tuple(FORMS))) if rng.random() < 0.55 else str(rng.choice(tuple(FIGURES)))
        outline = draw_form(label, rng) if label in FORMS else draw_figure(label, rng)
        outline = outline * rng.uniform(*_REACH) * max(height, width)
        low, high = -outline.min(0) + 3, np.array([width, height]) - outline.max(0) - 3
        if (high <= low).any():
            continue
        outline = outline + rng.uniform(low, high)
        box = (*(outline.min(0) - 4), *(outline.max(0) + 4))
        if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            continue
        taken.append(box)
        objects.append((label, outline))
        image = _put(rng, image, outline)
    image = image + rng.normal(0, rng.uniform(0, 7), (height, width, 1)).astype(np.float32)
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.1))
    return Scene(np.clip(image, 0, 255).astype(np.uint8), objects)


def _put(rng: np.random.Generator, image: Field, outline: Points) -> Field:
    """Paint an object, its shadow first."""
    height, width = image.shape[:2]
    inside = _cover(outline, height, width)
    sure = inside > 0.5
    behind = image[sure].mean(0) if sure.any() else np.full(3, 128.0, np.float32)
    if rng.random() < 0.5:
        away = rng.uniform(-0.08, 0.08, 2) * np.ptp(outline, axis=0).max()
        shadow = cv2.GaussianBlur(_cover(outline + away, height, width), (0, 0), rng.uniform(2, 7))
        image = image * (1 - rng.uniform(0.25, 0.6) * shadow[..., None])
    color = rng.uniform(15, 240, 3)
    for _ in range(20):
        if np.linalg.norm(color - behind) > _LEAST_CONTRAST:
            break
        color = rng.uniform(15, 240, 3)
    skin = _texture(rng, height, width, color.astype(np.float32), strength=rng.uniform(0, 22))
    if rng.random() < 0.6:  # light from one side
        (left, top), (right, bottom) = outline.min(0), outline.max(0)
        angle = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        slope = np.cos(angle) * (x - (left + right) / 2) / (right - left + 1)
        slope = slope + np.sin(angle) * (y - (top + bottom) / 2) / (bottom - top + 1)
        skin = skin * (1 + rng.uniform(0.1, 0.7) * np.clip(slope, -0.6, 0.6))[..., None].astype(np.float32)
    if rng.random() < 0.35:  # what is on it: spots, or stripes across it
        skin = _marked(rng, skin, outline)
    soft = cv2.GaussianBlur(inside, (0, 0), rng.uniform(0.3, 1.0))[..., None]
    image = image * (1 - soft) + skin * soft
    if rng.random() < 0.15:
        pen = rng.uniform(0, 255, 3).tolist()
        painted = np.ascontiguousarray(image)
        cv2.polylines(painted, [_fine(outline)], True, pen, int(rng.integers(1, 3)), cv2.LINE_AA, _FINE)
        image = painted
    return image.astype(np.float32)


def _marked(rng: np.random.Generator, skin: Field, outline: Points) -> Field:
    (left, top), (right, bottom) = outline.min(0), outline.max(0)
    pen = rng.uniform(15, 240, 3).tolist()
    marked = np.ascontiguousarray(skin)
    size = max(right - left, bottom - top)
    for _ in range(int(rng.integers(1, 6))):
        x, y = rng.uniform(left, right), rng.uniform(top, bottom)
        if rng.random() < 0.5:
            cv2.circle(marked, (int(x), int(y)), max(2, int(size * rng.uniform(0.02, 0.14))), pen, -1, cv2.LINE_AA)
        else:
            angle, far = rng.uniform(0, np.pi), size
            ends = [(int(x + s * far * np.cos(angle)), int(y + s * far * np.sin(angle))) for s in (-1, 1)]
            cv2.line(marked, ends[0], ends[1], pen, max(1, int(size * rng.uniform(0.02, 0.1))), cv2.LINE_AA)
    return marked


def _ground(rng: np.random.Generator, height: int, width: int) -> Field:
    """What lies behind: one color, a slope, wall and floor, stripes, tiles; and clutter on it that is no object."""
    color, other = rng.uniform(20, 240, (2, 3)).astype(np.float32)
    image = _texture(rng, height, width, color, strength=rng.uniform(0, 30))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    kind = int(rng.integers(5))
    if kind == 1:
        angle = rng.uniform(0, 2 * np.pi)
        slope = (np.cos(angle) * x / width + np.sin(angle) * y / height)[..., None]
        image = image + (other - color) * np.clip(slope, 0, 1).astype(np.float32)
    elif kind == 2:
        floor = y > rng.uniform(0.35, 0.8) * height + rng.uniform(-0.15, 0.15) * x
        image = np.where(floor[..., None], _texture(rng, height, width, other, strength=rng.uniform(0, 30)), image)
    elif kind >= 3:
        angle, wave = rng.uniform(0, np.pi), rng.uniform(18, 70)
        along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        step = (along // wave) % 2
        if kind == 4:
            step = (step + (across // wave) % 2) % 2
        near = color + (other - color) * rng.uniform(0.1, 0.5)
        image = image + (near - color) * step[..., None].astype(np.float32)
    painted = np.ascontiguousarray(image.astype(np.float32))
    for _ in range(int(rng.integers(0, 7))):
        pen = (np.array(painted[int(rng.integers(height)), int(rng.integers(width))]) + rng.normal(0, 30, 3)).tolist()
        ends = [(int(rng.integers(width)), int(rng.integers(height))) for _ in range(2)]
        cv2.line(painted, ends[0], ends[1], pen, int(rng.integers(1, 9)), cv2.LINE_AA)
    return cv2.GaussianBlur(painted, (0, 0), 0.7)


def _texture(rng: np.random.Generator, height: int, width: int, color: Field, strength: float) -> Field:
    """A color with grain of two sizes."""
    cells = int(rng.integers(3, 24))
    coarse = rng.normal(0, 1, (cells, cells, 1)).astype(np.float32)
    coarse = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    tint = 1 + rng.normal(0, 0.25, 3).astype(np.float32)
    return (color + np.float32(strength) * coarse * tint).astype(np.float32)


def _cover(outline: Points, height: int, width: int) -> Field:
    """How much of each pixel lies inside, 0 to 1."""
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [_fine(outline)], 255, cv2.LINE_AA, _FINE)
    return mask.astype(np.float32) / 255


def _fine(outline: Points) -> NDArray[np.int32]:
    """Points as `cv2` takes them: a pixel's middle is a whole number there, and half of one here."""
    return np.rint((outline - 0.5) * 2**_FINE).astype(np.int32)
