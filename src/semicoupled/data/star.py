"""Generated sequences of rhombi with at most one star among them, which may be long ago (Sec. 5.3).

A sequence is a pure function of (seed, index).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from semicoupled.data.shapes import generator, signed_distance
from semicoupled.errors import SettingsError

NO_STAR = -1
_RHOMBUS_WIDTH = 0.6  # of its height


@dataclass(frozen=True)
class StarSettings:
    """What a sequence looks like.

    Attributes:
        size: height and width in px.
        frames: number of frames.
        radius: smallest and largest circumscribed radius of the shapes in px.
        noise: standard deviation of the pixel noise.
        never: share of sequences without a star, 0 to 1.
        early: 1 puts the star at any frame alike; above 1 earlier frames are likelier (the frame is the sequence's
            length times a uniform number raised to this power), so that long distances are seen more often.
    """

    size: int = 16
    frames: int = 60
    radius: tuple[float, float] = (4.5, 6.5)
    noise: float = 0.1
    never: float = 0.1
    early: float = 1.0

    def __post_init__(self) -> None:
        if self.size < 8 or self.frames < 1:
            raise SettingsError(f"a sequence needs size >= 8 px and frames >= 1, got {self.size} and {self.frames}.")
        if not 0 <= self.never <= 1 or self.early <= 0:
            raise SettingsError(
                f"expected never from 0 to 1 and early above 0, got never={self.never} and early={self.early}."
            )


class StarSequence(NamedTuple):
    """One sequence.

    Attributes:
        frames: T 1 H W, float32.
        since: T, int64: frames since the star, 0 on the star itself, `NO_STAR` before it.
    """

    frames: NDArray[np.float32]
    since: NDArray[np.int64]


def star_sequence(seed: int, index: int, settings: StarSettings | None = None) -> StarSequence:
    """Generate one sequence.

    Args:
        seed: which family of sequences.
        index: which sequence of it.
        settings: how it looks; the defaults of `StarSettings` if None.
    """
    settings = settings or StarSettings()
    random = generator(seed, index)
    shows = random.random() >= settings.never
    at = min(int(settings.frames * random.random() ** settings.early), settings.frames - 1)
    radius = random.uniform(*settings.radius, settings.frames)
    rotation = random.uniform(-0.3, 0.3, settings.frames)
    middle = settings.size / 2 + random.uniform(-1.5, 1.5, (settings.frames, 2))

    pixels = np.arange(settings.size, dtype=np.float32) + 0.5
    offset = (pixels - middle[:, :, None]).astype(np.float32)  # T 2 size
    x, y = offset[:, 0, None, :], offset[:, 1, :, None]
    cosine, sine = (f(rotation).astype(np.float32)[:, None, None] for f in (np.cos, np.sin))
    u, v = x * cosine + y * sine, y * cosine - x * sine
    steepness = np.hypot(1, _RHOMBUS_WIDTH)
    distance = (np.abs(u) + np.abs(v) * _RHOMBUS_WIDTH - radius[:, None, None] * _RHOMBUS_WIDTH) / steepness
    if shows:
        distance[at] = signed_distance("star", x[at], y[at], float(radius[at]), float(rotation[at]))
    frames = np.clip(0.5 - distance, 0.0, 1.0).astype(np.float32)
    frames += random.standard_normal(frames.shape, dtype=np.float32) * np.float32(settings.noise)

    since = np.arange(settings.frames) - at if shows else np.full(settings.frames, NO_STAR)
    return StarSequence(frames[:, None], np.maximum(since, NO_STAR))
