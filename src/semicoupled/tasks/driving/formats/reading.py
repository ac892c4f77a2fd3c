"""Drives of any known format, told apart by their content, with the label made ready and cut at gaps.

A format is a module with `NAME`, `recognizes(path)` and `read(path, settings)`; to add one, write the module and name
it in `FORMATS`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from semicoupled.errors import DataError
from semicoupled.tasks.driving.data_settings import DataSettings
from semicoupled.tasks.driving.drives import Drive, Frames
from semicoupled.tasks.driving.formats import donkey


class Format(Protocol):
    """What a module that reads a format offers."""

    NAME: str

    def recognizes(self, path: Path) -> bool:
        """Whether the file or folder is of this format."""
        ...

    def read(self, path: Path, settings: DataSettings) -> list[Drive]:
        """Read it: the runs as they lie there, not cut, angles as the format has them but positive to the right."""
        ...


FORMATS: tuple[Format, ...] = (donkey,)
"""Asked in this order."""

_DEFAULTS = DataSettings()


def find_format(path: Path) -> Format | None:
    """Give the format of a file or folder; None if none knows it."""
    return next((each for each in FORMATS if each.recognizes(path)), None)


def read_drives(root: Path, settings: DataSettings = _DEFAULTS) -> list[Drive]:
    """Read the drives of a file, a folder, or a folder of such.

    Args:
        root: a drive of any known format, or a folder whose files or folders are drives of one format; their names
            then stand before those of their runs.
        settings: unit, sign, offset and lag of the label, and where to cut.

    Returns:
        The drives in order, cut at gaps; a frame without a label has the angle NaN.

    Raises:
        DataError: nothing is there, nothing is known, formats are mixed, or times do not rise.
    """
    if not root.exists():
        raise DataError(f"{root}: no such file or folder; expected a drive, or a folder of drives. Correct the path")
    known = find_format(root)
    raw = _read_folder(root, settings) if known is None else known.read(root, settings)
    return [part for drive in raw for part in cut_at_gaps(make_label(drive, settings), settings.gap_seconds)]


def _read_folder(root: Path, settings: DataSettings) -> list[Drive]:
    children = sorted(root.iterdir()) if root.is_dir() else []
    found = [(child, each) for child in children if (each := find_format(child)) is not None]
    names = sorted({each.NAME for _, each in found})
    if not found:
        raise DataError(
            f"{root}: is no drive that is known, and holds none; expected one of: "
            f"{', '.join(each.NAME for each in FORMATS)}. docs/data.md says what each looks like"
        )
    if len(names) > 1:
        raise DataError(
            f"{root}: holds drives of several formats ({', '.join(names)}), whose angles may not agree; expected one. "
            "Put each into a folder of its own"
        )
    return [
        dataclasses.replace(drive, name=f"{child.stem}/{drive.name}", run=f"{child.stem}/{drive.run}")
        for child, each in found
        for drive in each.read(child, settings)
    ]


def make_label(drive: Drive, settings: DataSettings) -> Drive:
    """Bring unit, sign, offset and lag of a drive's angles to what the settings say; infinite ones become NaN."""
    angle = settings.angle
    angles = angle.sign * (np.where(np.isfinite(drive.angles), drive.angles, np.nan) - angle.offset)
    lag = settings.lag_frames
    if lag:
        moved = np.full_like(angles, np.nan)
        if lag > 0:
            moved[:-lag] = angles[lag:]
        else:
            moved[-lag:] = angles[:lag]
        angles = moved
    return dataclasses.replace(drive, angles=angles, unit=angle.unit or drive.unit)


def cut_at_gaps(drive: Drive, gap_seconds: float) -> list[Drive]:
    """Cut a drive wherever two frames lie farther apart than allowed.

    Args:
        drive: the drive.
        gap_seconds: the farthest that is no gap.

    Returns:
        Its parts: ``run``, ``run+1``, ...

    Raises:
        DataError: the times do not rise.
    """
    steps = np.diff(drive.times)
    if not (np.isfinite(drive.times).all() and (steps > 0).all()):
        wrong = int(np.argmin(np.isfinite(drive.times)) if not np.isfinite(drive.times).all() else np.argmin(steps > 0))
        raise DataError(
            f"{drive.source}, run {drive.run}: times do not rise at frame {wrong + 1} ({drive.frames.name(wrong)}); "
            f"expected each later than the one before, got {drive.times[wrong : wrong + 2].tolist()} s. Sort or mend "
            "the records"
        )
    edges = [0, *(np.flatnonzero(steps > gap_seconds) + 1).tolist(), len(drive)]
    if len(edges) == 2:
        return [drive]
    return [
        dataclasses.replace(take(drive, range(start, stop)), name=drive.name if part == 0 else f"{drive.name}+{part}")
        for part, (start, stop) in enumerate(pairwise(edges))
    ]


def take(drive: Drive, indices: Sequence[int]) -> Drive:
    """Give some frames of a drive.

    Args:
        drive: the drive.
        indices: rising.
    """
    chosen = np.asarray(indices, np.int64)
    return dataclasses.replace(
        drive,
        frames=SomeFrames(drive.frames, chosen),
        times=drive.times[chosen],
        angles=drive.angles[chosen],
        speeds=None if drive.speeds is None else drive.speeds[chosen],
        roads=None if drive.roads is None else tuple(drive.roads[int(index)] for index in chosen),
    )


class SomeFrames:
    """Some of the frames of a drive; see `semicoupled.tasks.driving.drives.Frames`."""

    def __init__(self, frames: Frames, indices: np.ndarray) -> None:
        """Take the frames, and which of them."""
        self._frames, self._indices = frames, indices

    def __len__(self) -> int:
        """The number of frames."""
        return len(self._indices)

    def read(self, index: int) -> np.ndarray:
        """Decode a frame."""
        return self._frames.read(int(self._indices[index]))

    def name(self, index: int) -> str:
        """Say where a frame lies."""
        return self._frames.name(int(self._indices[index]))
