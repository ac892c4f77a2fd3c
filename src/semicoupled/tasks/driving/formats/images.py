"""Frames that lie as image files, one each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semicoupled.data.image_files import read_image
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
