"""What `semicoupled data check driving` keeps of the images of a drive, one number or so a frame."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from semicoupled.data.flow import optical_flow
from semicoupled.errors import DataError
from semicoupled.tasks.driving.drives import Drive

WIDTH = 80
"""Of the images that motion is seen in, px."""


@dataclass(frozen=True)
class FrameFacts:
    """Of one drive.

    Args:
        sizes: how many frames there are of each height and width.
        broken: why frames cannot be decoded, by their number.
        repeats: N bool, the picture is that of the frame before.
        turns: N, how fast the scene moves to the left, widths a second; NaN for the first frame, behind a gap and where
            frames are broken.
        prints: N, a check sum of each picture; None for one that cannot be decoded.
    """

    sizes: Counter[tuple[int, int]]
    broken: dict[int, str]
    repeats: np.ndarray
    turns: np.ndarray
    prints: tuple[int | None, ...]


def look(drive: Drive, gap_seconds: float, seen: Callable[[], None] = lambda: None) -> FrameFacts:
    """Decode all images of a drive.

    Args:
        drive: a run; its times need not rise.
        gap_seconds: no motion is looked for across longer steps.
        seen: called after each frame.
    """
    sizes: Counter[tuple[int, int]] = Counter()
    broken: dict[int, str] = {}
    repeats = np.zeros(len(drive), bool)
    turns = np.full(len(drive), np.nan)
    prints: list[int | None] = []
    before: np.ndarray | None = None
    for index in range(len(drive)):
        small: np.ndarray | None = None
        try:
            image = drive.frames.read(index)
        except DataError as error:
            broken[index] = str(error)
            prints.append(None)
        else:
            sizes[image.shape[0], image.shape[1]] += 1
            prints.append(zlib.crc32(image.tobytes()))
            small = _small(image)
            repeats[index] = before is not None and prints[-1] == prints[-2]
            step = drive.times[index] - drive.times[index - 1] if index else 0.0
            if before is not None and before.shape == small.shape and 0 < step <= gap_seconds:
                flow = optical_flow(before, small, "ultrafast")
                turns[index] = -float(np.median(flow[0])) / (WIDTH * step)
        before = small
        seen()
    return FrameFacts(sizes, broken, repeats, turns, tuple(prints))


def _small(image: np.ndarray) -> np.ndarray:
    """Bring an image to `WIDTH` and gray: h w, float32, 0..1."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height = max(1, round(WIDTH * image.shape[0] / image.shape[1]))
    return cv2.resize(gray, (WIDTH, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
