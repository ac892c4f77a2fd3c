"""The images of a drive as the network sees them: cropped, small, uint8, decoded once and kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from semicoupled.data.flow import optical_flow, resize_flow
from semicoupled.errors import DataError
from semicoupled.skipping import Skipped, place_of
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive
from semicoupled.tasks.driving.formats.reading import cut_at_gaps, take
from semicoupled.training.progress import NoProgress, Progress

FLOW_SHRINK = 4
"""The flow is kept so many times smaller than the images; the network's map is smaller still."""


@dataclass(frozen=True, eq=False)
class SeenDrive:
    """A drive with its images in memory.

    Args:
        drive: what it is made of.
        images: N H W 3, uint8, RGB.
        step: frames of the drive from one frame of a clip to the next.
    """

    drive: Drive
    images: np.ndarray
    step: int

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.drive)


def look_at(drives: Sequence[Drive], settings: DataSettings, progress: Progress | None = None) -> list[SeenDrive]:
    """Decode all images of some drives.

    Args:
        drives: cut at gaps.
        settings: crop and size of the images, the rate, and what becomes of images that cannot be read.
        progress: who is told how far it is.

    Returns:
        The drives; where images were left out, they are cut again at the gaps that this leaves.

    Raises:
        DataError: an image cannot be read and `on_error` is fail, or too many cannot.
    """
    shown = progress or NoProgress()
    total = sum(len(drive) for drive in drives)
    seen: list[SeenDrive] = []
    skipped = Skipped(settings.on_error, place_of(drive.source for drive in drives), "images")
    done = 0
    shown.begin("reading images", total)
    try:
        for drive in drives:
            images = np.zeros((len(drive), settings.height, settings.width, 3), np.uint8)
            kept: list[int] = []
            for index in range(len(drive)):
                try:
                    images[index] = shrink(drive.frames.read(index), settings)
                    kept.append(index)
                except DataError as error:
                    skipped.add(error)
                done += 1
                if done % 256 == 0:
                    shown.update(done)
            seen += _cut_again(drive, images, kept, settings)
    finally:
        shown.end()
    skipped.close(total)
    return seen


def _cut_again(drive: Drive, images: np.ndarray, kept: Sequence[int], settings: DataSettings) -> list[SeenDrive]:
    """Cut a drive once more where images were left out."""
    if not kept:
        return []
    if len(kept) < len(drive):
        drive, images = take(drive, kept), images[np.asarray(kept)]
    found: list[SeenDrive] = []
    start = 0
    for part in cut_at_gaps(drive, settings.gap_seconds):
        found.append(SeenDrive(part, images[start : start + len(part)], step_of(part.times, settings.rate)))
        start += len(part)
    return found


def shrink(image: np.ndarray, settings: DataSettings) -> np.ndarray:
    """Cut off sky and hood, and bring an image to the network's size.

    Args:
        image: H W 3, uint8.
        settings: crop and size.
    """
    height = image.shape[0]
    top, bottom = round(settings.crop_top * height), height - round(settings.crop_bottom * height)
    cropped = image[top:bottom]
    smaller = cropped.shape[0] >= settings.height and cropped.shape[1] >= settings.width
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(cropped, (settings.width, settings.height), interpolation=way)


def step_of(times: np.ndarray, rate: float | None) -> int:
    """Give how many frames of a drive lie from one frame of a clip to the next, at least 1.

    Args:
        times: N, seconds, rising.
        rate: frames a second that are wanted; None for all.
    """
    if rate is None or len(times) < 2:
        return 1
    return max(1, round(1.0 / (rate * float(np.median(np.diff(times))))))


class Flows:
    """Optical flow between frames of a drive, computed when first asked for and kept as float16."""

    def __init__(self, seen: SeenDrive) -> None:
        """Take the drive."""
        self._seen = seen
        self._kept: dict[int, np.ndarray] = {}
        height, width = seen.images.shape[1:3]
        self._size = max(1, height // FLOW_SHRINK), max(1, width // FLOW_SHRINK)

    def flow(self, index: int) -> np.ndarray:
        """Give the flow from the clip's frame before to frame `index`: 2 h w, pixels of the images per clip frame.

        Before the first frame of a drive there is none: zeros.
        """
        if index not in self._kept:
            before = index - self._seen.step
            self._kept[index] = np.zeros((2, *self._size), np.float16) if before < 0 else self._between(before, index)
        return self._kept[index].astype(np.float32)

    def _between(self, before: int, after: int) -> np.ndarray:
        one, two = (
            cv2.cvtColor(self._seen.images[each], cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
            for each in (before, after)
        )
        flow = optical_flow(one, two, "ultrafast")
        return (resize_flow(flow, *self._size) * FLOW_SHRINK).astype(np.float16)
