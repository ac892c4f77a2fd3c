"""One drive: frames at rising times, each with the steering angle that belongs to it. Every format is read into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

Unit = Literal["degrees", "radians", "normalized"]
"""Of an angle: of the steering wheel, or -1..1 of what the car can steer. Positive is to the right in all of them."""


class Frames(Protocol):
    """The images of a drive, read when they are asked for."""

    def __len__(self) -> int:
        """The number of frames."""
        ...

    def read(self, index: int) -> np.ndarray:
        """Decode a frame.

        Args:
            index: from 0.

        Returns:
            H W 3, uint8, RGB.

        Raises:
            DataError: it cannot be decoded; the sentence names the file.
        """
        ...

    def name(self, index: int) -> str:
        """Say where a frame lies: a file's name, or a file and the frame's number in it."""
        ...


@dataclass(frozen=True)
class Drive:
    """A drive without gaps larger than the settings allow: a run of a car, or a part of one.

    Args:
        name: tells it from all other drives of its data; a run that was cut at gaps is ``run``, ``run+1``, ...
        run: the recording that it comes from; a split never divides one.
        source: the file or folder.
        frames: N images of one size.
        times: N, float64, seconds, rising.
        angles: N, float64, in `unit`, positive to the right; NaN where there is no label.
        unit: of the angles.
        speeds: N, m/s, NaN where unknown; None where the data has none.
        roads: N names such as ``straight``; None where the data has no road labels.
    """

    name: str
    run: str
    source: Path
    frames: Frames
    times: np.ndarray
    angles: np.ndarray
    unit: Unit
    speeds: np.ndarray | None = None
    roads: tuple[str, ...] | None = None

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.times)
