"""Images of any kind as RGB: EXIF rotation, transparency, 16 bit, gray, palettes, CMYK; clear errors for the rest."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from semicoupled.data.damage import DAMAGE
from semicoupled.data.untrusted import IMAGE_FORMATS
from semicoupled.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".pgm", ".ppm")
"""Files that are taken for images where a folder is given."""

MOST_PIXELS = 400_000_000
"""Beyond this an image is refused: decoded it would take more than a gigabyte."""

_limit = Lock()


class Size(NamedTuple):
    """Width and height in px, as a person sees the image: after the camera's rotation.

    Attributes:
        width: px.
        height: px.
    """

    width: int
    height: int


def read_size(path: Path) -> Size:
    """Give an image's size without decoding it, where its format allows.

    Raises:
        DataError: it cannot be read.
    """
    with _open(path) as image:
        width, height = image.size
        try:
            turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        except DAMAGE as error:  # a PNG is decoded for it
            raise DataError(f"{path}: is a broken image ({error}). Is the file whole?") from error
    return Size(height, width) if turned else Size(width, height)


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image.

    Args:
        path: a file of one of `IMAGE_FORMATS`. It is turned as its EXIF data say; transparent pixels are shown on
            white; 16 bit and floating-point gray is scaled from its own least to its greatest value; of several frames
            the first is taken.

    Returns:
        height x width x 3, RGB.

    Raises:
        DataError: it is missing, no image, broken, or larger than `MOST_PIXELS`.
    """
    with _open(path) as image:
        try:
            upright = ImageOps.exif_transpose(image)
            if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
                return _scaled(np.asarray(upright, dtype=np.float64), path)
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                with_alpha = upright.convert("RGBA")
                white = Image.new("RGBA", with_alpha.size, "white")
                upright = Image.alpha_composite(white, with_alpha)
            return np.array(upright.convert("RGB"), dtype=np.uint8)
        except MemoryError as error:
            raise DataError(
                f"{path}: {image.size[0]} x {image.size[1]} pixels do not fit into memory. Cut it up"
            ) from error
        except DAMAGE as error:
            raise DataError(f"{path}: is a broken image ({error}). Is the file whole?") from error


@contextmanager
def without_limit() -> Generator[None]:
    """Let Pillow open images of any size within this context; who does so looks at the size before anything is decoded.

    Its limit is one for the whole process: of two threads the later one would take the other's "no limit" for what was
    before, and leave it so. So they wait for each other.
    """
    with _limit:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _open(path: Path) -> Image.Image:
    try:
        with without_limit():
            image = Image.open(path, formats=IMAGE_FORMATS)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; expected an image") from None
    except UnidentifiedImageError:
        raise DataError(f"{path}: is no image that can be read; expected one of {', '.join(SUFFIXES)}") from None
    except DAMAGE as error:
        raise DataError(f"{path}: cannot be read ({error}); expected an image") from error
    if image.size[0] * image.size[1] > MOST_PIXELS:
        image.close()
        raise DataError(
            f"{path}: {image.size[0]} x {image.size[1]} pixels; expected at most {MOST_PIXELS:.0e} of them. Cut it up"
        )
    return image


def _scaled(values: NDArray[np.float64], path: Path) -> NDArray[np.uint8]:
    """Gray of more than 8 bit, stretched to 0 ... 255."""
    if not np.isfinite(values).all():
        raise DataError(f"{path}: holds pixels that are no numbers; expected finite gray values")
    low, high = float(values.min()), float(values.max())
    gray = np.zeros_like(values) if high <= low else (values - low) * (255 / (high - low))
    return np.repeat(np.rint(gray).astype(np.uint8)[..., None], 3, axis=2)
