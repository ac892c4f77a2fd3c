"""Some of the frames of a drive."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from semicoupled.tasks.driving.drives import Drive, Frames


def take(drive: Drive, indices: Sequence[int]) -> Drive:
    """Give some frames of a drive.

    Args:
        drive: the drive.
        indices: rising.
    """
    chosen = np.asarray(indices, np.int64)
    return dataclasses.replace(
        drive,
        frames=SomeFrames(drive.frames, chosen),
        times=drive.times[chosen],
        angles=drive.angles[chosen],
        speeds=None if drive.speeds is None else drive.speeds[chosen],
        roads=None if drive.roads is None else tuple(drive.roads[int(index)] for index in chosen),
    )


class SomeFrames:
    """Some of the frames of a drive; see `semicoupled.tasks.driving.drives.Frames`."""

    def __init__(self, frames: Frames, indices: np.ndarray) -> None:
        """Take the frames, and which of them."""
        self._frames, self._indices = frames, indices

    def __len__(self) -> int:
        """The number of frames."""
        return len(self._indices)

    def read(self, index: int) -> np.ndarray:
        """Decode a frame."""
        return self._frames.read(int(self._indices[index]))

    def name(self, index: int) -> str:
        """Say where a frame lies."""
        return self._frames.name(int(self._indices[index]))
