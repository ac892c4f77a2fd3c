"""Images that are the frames of a video, a file each, on the disk or in a shard."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from semicoupled.data.shards import PackedFile
from semicoupled.data.untrusted import check_image, check_place
from semicoupled.errors import DataError


def read_image(file: Path | PackedFile) -> np.ndarray:
    """Decode an image of any depth and color, turned as it says it must be.

    Returns:
        H W 3, uint8, RGB.

    Raises:
        DataError: it is missing, empty, or no image.
    """
    if isinstance(file, Path) and "\0" in str(file):
        raise DataError(f"{str(file)!r}: has an embedded null byte; expected the name of an image. Mend its record")
    check_place(file if isinstance(file, Path) else file.shard)
    try:
        content = file.read_bytes() if isinstance(file, Path) else file.read()
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); expected an image") from error
    if not content:
        raise DataError(
            f"{file}: is empty (0 bytes); expected an image. Remove it, or leave it out with --data.on_error skip"
        )
    check_image(file, content)
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise _undecoded(file, f" ({error})") from error
    if image is None:
        raise _undecoded(file)
    return np.ascontiguousarray(image[..., ::-1])


def _undecoded(file: Path | PackedFile, why: str = "") -> DataError:
    return DataError(
        f"{file}: cannot be decoded{why}; expected an image. Fetch it again, or leave it out with --data.on_error skip"
    )
