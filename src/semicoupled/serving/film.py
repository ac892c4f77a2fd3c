"""The frames of a video as a page shows them: small JPEG images, packed, and never more than fit.

A browser plays them one by one with whatever belongs to each, at any speed and in both directions, whichever codec the
file had. Of a long video every second frame is kept, then every fourth, and so on, so that memory does not grow.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from semicoupled.description import Json

MOST_FRAMES = 1200
SIDE = 320
"""Longest side of a picture that is sent, px."""
_PACK = 60
"""Pictures of one file."""
_QUALITY = 82


class Film:
    """Pictures of a video, evenly spread over it, with numbers that belong to each."""

    def __init__(self, most: int = MOST_FRAMES) -> None:
        """Begin with nothing.

        Args:
            most: pictures that are kept.
        """
        self._most = most
        self.every = 1
        """Frames of the video from one picture to the next."""
        self.count = 0
        """Frames of the video so far."""
        self._pictures: list[bytes] = []
        self.size: tuple[int, int] = (0, 0)
        """Width and height of the pictures."""

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self._pictures)

    def add(self, image: np.ndarray) -> None:
        """Take the next frame, H W 3, uint8, RGB; of several sizes that of the first counts."""
        if self.count % self.every == 0:
            if len(self._pictures) == self._most:
                self._pictures = self._pictures[::2]
                self.every *= 2
            if self.count % self.every == 0:
                self._pictures.append(self._encode(image))
        self.count += 1

    def chosen(self) -> np.ndarray:
        """Give the numbers of the frames that there are pictures of."""
        return np.arange(len(self._pictures)) * self.every

    def describe(self) -> dict[str, Json]:
        """Say what the files hold: sizes in bytes of the pictures, in order, and how many lie in one file."""
        width, height = self.size
        sizes = [len(picture) for picture in self._pictures]
        return {"width": width, "height": height, "every": self.every, "pack": _PACK, "sizes": sizes}

    def files(self) -> dict[str, bytes]:
        """Give the files: JPEG images one after the other."""
        starts = range(0, len(self._pictures), _PACK)
        return {
            f"film_{number:03d}.jpgs": b"".join(self._pictures[start : start + _PACK])
            for number, start in enumerate(starts)
        }

    def _encode(self, image: np.ndarray) -> bytes:
        picture = Image.fromarray(image)
        if self.size == (0, 0):
            factor = min(1.0, SIDE / max(picture.size))
            self.size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
        if picture.size != self.size:
            picture = picture.resize(self.size, Image.Resampling.BILINEAR, reducing_gap=2.0)
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=_QUALITY)
        return buffer.getvalue()


class Choice(NamedTuple):
    """One of several things that a file or a folder holds.

    Attributes:
        name: for people.
        frames: how many; None where it takes decoding to know.
        seconds: how long; None likewise.
    """

    name: str
    frames: int | None = None
    seconds: float | None = None


def told(choices: Sequence[Choice]) -> list[Json]:
    """Give choices as JSON."""
    return [
        {"name": each.name, "frames": each.frames, "seconds": None if each.seconds is None else round(each.seconds, 2)}
        for each in choices
    ]
