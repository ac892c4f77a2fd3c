"""Gray images: PNG of 8 or 16 bits, and GIF stacks. Text chunks of PNG, or the settings, say what the pixels are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

from semicoupled.errors import DataError
from semicoupled.tasks.nowcasting.data_settings import FileSettings
from semicoupled.tasks.nowcasting.files.formats.given import KEYS, stack_frames
from semicoupled.tasks.nowcasting.files.formats.limits import check_size
from semicoupled.tasks.nowcasting.files.formats.times import pattern_of
from semicoupled.tasks.nowcasting.files.frame import RadarFrame

NAME: str = "gray PNG, GIF"
_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
_GRAY = ("L", "I;16", "I;16B", "I;16L", "I")


def matches(path: Path, head: bytes) -> bool:
    """Whether a file is one of these, by its content.

    Args:
        path: the file; not opened.
        head: its first bytes.
    """
    return head.startswith(_SIGNATURES)


def read(path: Path, given: FileSettings) -> tuple[RadarFrame, ...]:
    """Read the pixels of one image, or of all images of a GIF.

    Args:
        path: the file. Its name holds the time, of the first image, unless a text chunk ``time`` does.
        given: what the file does not say.

    Raises:
        DataError: colors, damage, or something that neither the file nor the settings say.
    """
    with Image.open(path, formats=("PNG", "GIF")) as image:
        count = getattr(image, "n_frames", 1)
        check_size(path, (count, image.height, image.width))
        stack = np.stack(list(_gray(path, image)))
        said = _said(image.info)
    return stack_frames(path, stack, said, given, f"images {pattern_of(path)}")


def _gray(path: Path, image: Image.Image) -> Iterator[np.ndarray]:
    for part in ImageSequence.Iterator(image):
        if part.mode in _GRAY:
            yield np.asarray(part)
            continue
        colors = np.asarray(part.convert("RGB"))
        if (
            part.mode in ("I;16", "LA", "RGBA", "RGB", "P", "1")
            and (np.ptp(colors.astype(np.int16), axis=-1) == 0).all()
        ):
            yield colors[..., 0].copy()
            continue
        raise DataError(
            f"{path}: a picture in colors (mode {part.mode}); expected gray of 8 or 16 bits, since colors are no "
            "values. "
            "Use the data behind the picture, or export it as gray"
        )


def _said(info: Mapping[str | tuple[int, int], object]) -> dict[str, object]:
    return {str(name).lower(): value for name, value in info.items() if str(name).lower() in KEYS}
