"""What is asked of jobs on videos. Imports no torch: the server itself never needs it, the worker alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DriveOptions:
    """Which drive is answered.

    Args:
        part: of the parts that a source has, from 0; None for the first that is not very short.
        rate: frames a second of a folder of images.
    """

    part: int | None = None
    rate: float = 20.0


@dataclass(frozen=True)
class VideoOptions:
    """Which video is answered.

    Args:
        part: of the videos that a source has, from 0.
        rate: frames a second of a folder of images.
    """

    part: int = 0
    rate: float = 25.0


@dataclass(frozen=True)
class LiveFrame:
    """One frame of a camera.

    Args:
        session: whose state goes on.
        time: seconds of the camera's clock.
        image: a JPEG image.
        window: frames whose mean is the answer.
    """

    session: str
    time: float
    image: bytes
    window: int = 25
