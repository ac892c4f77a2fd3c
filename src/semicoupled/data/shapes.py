"""Generated clips of one shape that moves on a torus: *which way*, *which shape* (Fig. 2).

A clip is a pure function of (seed, index): the same two numbers give the same pixels, in any order of asking. The shape
leaves the frame on one side and enters on the other, so that no single frame says anything about the direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semicoupled.errors import SettingsError, nearest

SEEN = ("triangle", "square", "pentagon", "disc")
UNSEEN = ("star", "cross")
SHAPES = SEEN + UNSEEN
DIRECTIONS = ("E", "NE", "N", "NW", "W", "SW", "S", "SE")
# A pentagram with the inner radius r has its five sides on the lines of a pentagon with the apothem r cos(36 deg).
_STAR_APOTHEM = float(np.cos(np.radians(72)))
_CROSS_ARM = 0.34


@dataclass(frozen=True)
class ClipSettings:
    """What a clip of a moving shape looks like.

    Attributes:
        size: height and width in px.
        frames: number of frames.
        radius: smallest and largest circumscribed radius in px.
        speed: smallest and largest speed in px per frame.
        contrast: smallest and largest difference of the shape from its background (of either sign).
        noise: standard deviation of the pixel noise.
        wrap: the shape leaves the frame on one side and enters on the other; else it stays inside.
    """

    size: int = 32
    frames: int = 8
    radius: tuple[float, float] = (5.0, 9.0)
    speed: tuple[float, float] = (1.0, 2.5)
    contrast: tuple[float, float] = (0.5, 1.0)
    noise: float = 0.1
    wrap: bool = True

    def __post_init__(self) -> None:
        if self.size < 8 or self.frames < 1:
            raise SettingsError(f"a clip needs size >= 8 px and frames >= 1, got {self.size} and {self.frames}.")
        if self.radius[1] + 1 > self.size / 2:
            raise SettingsError(
                f"a shape on a torus of {self.size} px must be smaller than the torus: expected a largest radius of at "
                f"most {self.size / 2 - 1:g} px, got {self.radius[1]:g}."
            )


class MovingShape(NamedTuple):
    """One clip.

    Attributes:
        frames: T 1 H W, float32, about -1 to 1.
        flow: T 2 H W, motion since the frame before in px (x to the right, y down) on the shape's pixels, 0 elsewhere;
            on the first frame the motion that is about to go on.
        shape: position in `SHAPES`.
        direction: position in `DIRECTIONS`.
    """

    frames: NDArray[np.float32]
    flow: NDArray[np.float32]
    shape: int
    direction: int


def generator(seed: int, index: int) -> np.random.Generator:
    """The random numbers of one sample, and of no other.

    Args:
        seed: 0 or more, which family of samples.
        index: 0 or more, which sample of it.

    Raises:
        SettingsError: a number is below 0.
    """
    if seed < 0 or index < 0:
        raise SettingsError(f"a generated sample needs a seed and an index of 0 or more, got {seed} and {index}.")
    return np.random.Generator(np.random.Philox(key=np.array([seed, index], dtype=np.uint64)))


def moving_shape(
    seed: int, index: int, shapes: Sequence[str] = SEEN, settings: ClipSettings | None = None
) -> MovingShape:
    """Generate one clip.

    Args:
        seed: which family of clips.
        index: which clip of it.
        shapes: names to choose from.
        settings: how it looks; the defaults of `ClipSettings` if None.

    Returns:
        The clip, with its shape, its direction, and its flow.

    Raises:
        SettingsError: a shape is unknown, or a number negative.
    """
    settings = settings or ClipSettings()
    random = generator(seed, index)
    name = shapes[int(random.integers(len(shapes)))]
    direction = int(random.integers(len(DIRECTIONS)))
    radius, speed, contrast = (random.uniform(*span) for span in (settings.radius, settings.speed, settings.contrast))
    rotation = random.uniform(0, 2 * np.pi)
    contrast *= random.choice((-1.0, 1.0))
    place = random.uniform(0, 1, 2)
    angle = direction * np.pi / 4
    velocity = speed * np.array([np.cos(angle), -np.sin(angle)])  # y points down, north is up
    start = place * settings.size if settings.wrap else _inside(place, velocity, radius, settings)

    center = start + velocity * np.arange(settings.frames)[:, None]  # T 2
    pixels = np.arange(settings.size, dtype=np.float32) + 0.5
    half = settings.size / 2
    offset = (
        pixels - center[:, :, None] + half
    ) % settings.size - half  # T 2 size, from the center the short way round
    x, y = offset[:, 0, None, :].astype(np.float32), offset[:, 1, :, None].astype(np.float32)
    coverage = np.clip(0.5 - signed_distance(name, x, y, radius, rotation), 0.0, 1.0)  # T H W

    frames = coverage * np.float32(contrast)
    frames += random.standard_normal(frames.shape, dtype=np.float32) * np.float32(settings.noise)
    flow = coverage[:, None] * velocity.astype(np.float32)[:, None, None]
    return MovingShape(frames[:, None], flow, SHAPES.index(name), direction)


def _inside(
    place: NDArray[np.float64], velocity: NDArray[np.float64], radius: float, settings: ClipSettings
) -> NDArray[np.float64]:
    """Give a start from which the shape stays in the frame, as far as the way is not too long for it."""
    way = velocity * (settings.frames - 1)
    low = radius - np.minimum(way, 0)
    high = settings.size - radius - np.maximum(way, 0)
    middle = (low + high) / 2
    return np.where(high > low, low + place * (high - low), middle)


def disordered(frames: NDArray[np.float32], seed: int, index: int) -> NDArray[np.float32]:
    """The same frames in random order.

    Args:
        frames: T ..., any array with the time in front.
        seed: which family of orders.
        index: which order of it.
    """
    return frames[generator(seed, index).permutation(len(frames))]


def signed_distance(
    name: str, x: NDArray[np.float32], y: NDArray[np.float32], radius: float, rotation: float
) -> NDArray[np.float32]:
    """Distance to a shape's outline in px, negative inside; exact at its sides, and good enough near its corners.

    Args:
        name: one of `SHAPES`.
        x: distance from the center to the right in px, of any shape that is broadcast against that of `y`.
        y: distance from the center down in px.
        radius: circumscribed radius in px.
        rotation: in radians, clockwise on the screen.

    Raises:
        SettingsError: the shape is unknown.
    """
    if name == "disc":
        return np.hypot(x, y) - np.float32(radius)
    if name in _SIDES:
        sides = _SIDES[name]
        planes = _planes(x, y, sides, radius * float(np.cos(np.pi / sides)), rotation)
        return np.maximum.reduce(planes)
    if name == "star":
        # a point lies in a pentagram if it lies inside at least four of the five lines: the second largest distance
        first, *others = _planes(x, y, 5, radius * _STAR_APOTHEM, rotation)
        largest, second = first, np.full_like(first, -np.inf)
        for plane in others:
            second = np.maximum(second, np.minimum(largest, plane))
            largest = np.maximum(largest, plane)
        return second
    if name == "cross":
        length, width = radius * float(np.sqrt(1 - _CROSS_ARM**2)), radius * _CROSS_ARM
        u = np.abs(x * np.float32(np.cos(rotation)) + y * np.float32(np.sin(rotation)))
        v = np.abs(y * np.float32(np.cos(rotation)) - x * np.float32(np.sin(rotation)))
        longer, shorter = np.float32(length), np.float32(width)
        return np.minimum(np.maximum(u - longer, v - shorter), np.maximum(u - shorter, v - longer))
    raise SettingsError(f"there is no shape {name!r}. {nearest(name, SHAPES)}")


_SIDES = {"triangle": 3, "square": 4, "pentagon": 5}


def _planes(
    x: NDArray[np.float32], y: NDArray[np.float32], sides: int, apothem: float, rotation: float
) -> list[NDArray[np.float32]]:
    """Signed distances to the lines that bound a regular polygon."""
    angles = rotation + 2 * np.pi * np.arange(sides) / sides
    cosines, sines = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    return [x * cosine + (y * sine - np.float32(apothem)) for cosine, sine in zip(cosines, sines, strict=True)]
