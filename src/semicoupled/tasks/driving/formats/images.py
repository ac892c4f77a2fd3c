"""Frames that lie as image files, one each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from semicoupled.data.untrusted import check_image, check_place
from semicoupled.errors import DataError

_TRIED = 20


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
    if "\0" in str(path):
        raise DataError(f"{str(path)!r}: has an embedded null byte; expected the name of an image. Mend its record")
    check_place(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected an image") from error
    if not content:
        raise DataError(
            f"{path}: is empty (0 bytes); expected an image. Remove its record, or leave such frames out with "
            "--data.on_error skip"
        )
    check_image(path, content)
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(
            f"{path}: cannot be decoded; expected an image. Fetch it again, or leave such frames out with "
            "--data.on_error skip"
        )
    return np.ascontiguousarray(image[..., ::-1])


def find_images(beside: Path, names: Sequence[str]) -> Path:
    """Find the folder that the images of a list lie in: that of the list, or one in it.

    Args:
        beside: the list.
        names: of the images, as the list has them.

    Raises:
        DataError: none of the first images lies in any of them.
    """
    base = beside.parent
    folders = [base, *sorted(child for child in base.iterdir() if child.is_dir() and not child.name.startswith("."))]
    for name in names[:_TRIED]:
        for folder in folders:
            if (folder / name).is_file():
                return folder
    raise DataError(
        f"{beside}: its images are not found: {names[0]} lies neither beside it nor in {len(folders) - 1} folders "
        "there. Put the images beside the list, or into a folder next to it"
    )
