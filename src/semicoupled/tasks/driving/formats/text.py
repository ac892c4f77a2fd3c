"""What the formats that are lists of lines share: reading text without trusting it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semicoupled.data.lines import Line, numbered_lines
from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import DataSettings

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".webp", ".tif", ".tiff"})
NO_TEXT = IMAGE_SUFFIXES | {
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".hevc", ".h264", ".npy", ".npz", ".las", ".zip", ".gz", ".bz2",
}  # fmt: skip
"""Suffixes of files that are not opened to see whether they are a list of frames: there are too many of them."""
_HEAD = 4096


def first_lines(path: Path, count: int = 5) -> list[str]:
    """Give the first lines of a text file that are not empty; none if it is no text."""
    if path.suffix.lower() in NO_TEXT or not path.is_file():
        return []
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return []
    if b"\0" in head:
        return []
    text = head.decode("utf-8-sig", "ignore")
    lines = text.splitlines()
    if len(head) == _HEAD and len(lines) > 1:
        lines = lines[:-1]  # cut in the middle
    return [line for line in lines if line.strip()][:count]


def read_lines(path: Path) -> list[Line]:
    """Read the lines of a list of frames; see `semicoupled.data.lines.numbered_lines`.

    Raises:
        DataError: it cannot be read, is far too long, or is no text.
    """
    return numbered_lines(path, "a list of frames and angles")


def to_number(path: Path, line: int, name: str, text: str) -> float:
    """Read a number; an empty text, ``nan`` and the like are NaN.

    Raises:
        DataError: it is none.
    """
    stripped = text.strip()
    if not stripped or stripped.lower() in ("nan", "na", "null", "none"):
        return math.nan
    try:
        return float(stripped)
    except ValueError as error:
        raise DataError(f"{path}, line {line}: {name} is {stripped!r}; expected a number, or nothing") from error


def is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def counted_times(where: Path, count: int, settings: DataSettings) -> np.ndarray:
    """Give times by counting frames, where files hold none.

    Args:
        where: the file or folder, for the message.
        count: frames.
        settings: `file_rate` says how many there are a second.

    Raises:
        DataError: it does not.
    """
    if settings.file_rate is None:
        raise DataError(
            f"{where}: holds no times; expected to be told how many frames a second were recorded. Set --data.file_rate"
        )
    return np.arange(count, dtype=np.float64) / settings.file_rate


def needed_sign(where: Path, settings: DataSettings) -> None:
    """Refuse a format that has no convention of its own where the settings do not say which way is positive.

    Raises:
        DataError: they do not.
    """
    if settings.angle.sign is None:
        raise DataError(
            f"{where}: does not say which way its angles turn; expected to be told. Set --data.angle.sign 1 if "
            "positive is to the right, -1 if to the left; `semicoupled data check driving` compares it with how the "
            "image turns"
        )


def numbers(values: Sequence[float]) -> np.ndarray:
    """Give an array of float64."""
    return np.array(values, np.float64)
