"""Drawn clips to ask about, for those who have no video at hand: persons, and shapes that move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from semicoupled.data.video import VideoFrame
from semicoupled.errors import DataError, nearest
from semicoupled.serving import person_sample, shape_sample


class Sample(NamedTuple):
    """A clip.

    Attributes:
        title: for people.
        frames: how many.
    """

    title: str
    frames: int


SAMPLES: Mapping[str, Sample] = MappingProxyType(
    {
        **{name: Sample(motion.title, person_sample.FRAMES) for name, motion in person_sample.SAMPLES.items()},
        **{name: Sample(title, shape_sample.FRAMES) for name, title in shape_sample.SAMPLES.items()},
    }
)
"""By name."""


def find_sample(name: str) -> Sample:
    """Give a sample by name.

    Raises:
        DataError: there is none of this name.
    """
    if name not in SAMPLES:
        raise DataError(f"there is no sample {name[:100]!r}. {nearest(name[:100], SAMPLES)}")
    return SAMPLES[name]


def drawn_frames(name: str) -> Iterator[VideoFrame]:
    """Draw a sample.

    Raises:
        DataError: there is none of this name.
    """
    find_sample(name)
    return person_sample.person_frames(name) if name in person_sample.SAMPLES else shape_sample.shape_frames(name)
