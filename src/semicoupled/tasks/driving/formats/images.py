"""Frames that lie as image files, one each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from semicoupled.errors import DataError


class ImageFiles:
    """Image files as the frames of a drive; see `semicoupled.tasks.driving.drives.Frames`."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Take the files, in order of time."""
        self._paths = tuple(paths)

    def __len__(self) -> int:
        """The number of frames."""
        return len(self._paths)

    def read(self, index: int) -> np.ndarray:
        """Decode a frame: H W 3, uint8, RGB.

        Raises:
            DataError: it is missing, empty, or no image.
        """
        return read_image(self._paths[index])

    def name(self, index: int) -> str:
        """Give the path of a frame's file."""
        return str(self._paths[index])


def read_image(path: Path) -> np.ndarray:
    """Decode an image file of any depth and color, turned as it says it must be.

    Returns:
        H W 3, uint8, RGB.

    Raises:
        DataError: it is missing, empty, or no image.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected an image") from error
    if not content:
        raise DataError(
            f"{path}: is empty (0 bytes); expected an image. Remove its record, or leave such frames out with "
            "--data.on_error skip"
        )
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(
            f"{path}: cannot be decoded; expected an image. Fetch it again, or leave such frames out with "
            "--data.on_error skip"
        )
    return np.ascontiguousarray(image[..., ::-1])
