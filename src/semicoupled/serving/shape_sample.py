"""Drawn shapes that move, of the classes that the shipped model of actions knows; a pure function of their name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from semicoupled.data.shapes import ClipSettings
from semicoupled.data.video import VideoFrame
from semicoupled.tasks.action.study.made import LOOKS, clip

RATE = 12.5
FRAMES = 36
SIDE = 128
SAMPLES: dict[str, str] = {
    "square_E": "A square that goes to the right (drawn)",
    "square_N": "A square that goes up (drawn)",
    "disc": "A disc (drawn)",
    "cross": "A cross (drawn)",
}
"""Names and titles; the names are classes of `made`."""
_SEED = 990


def shape_frames(name: str, count: int = FRAMES) -> Iterator[VideoFrame]:
    """Draw a sample: what the model was shown, larger and for longer.

    Args:
        name: of the sample.
        count: frames.

    Yields:
        Images 128 x 128 with their times.
    """
    for index, image in enumerate(clip(name, _SEED, 0, _looks(count))):
        yield VideoFrame(index / RATE, np.repeat(image[..., None], 3, axis=2))


def _looks(count: int) -> ClipSettings:
    larger = SIDE / LOOKS.size
    (small, large), (slow, fast) = LOOKS.radius, LOOKS.speed
    return replace(
        LOOKS,
        size=SIDE,
        frames=count,
        radius=(small * larger, large * larger),
        speed=(slow * larger, fast * larger),
        contrast=(0.9, 1.0),
    )
